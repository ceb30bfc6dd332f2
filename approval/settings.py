"""Settings (配置): read once from `APPROVAL_*`, every one with a default that is safe on a laptop.

`APPROVAL_X_FILE` names a file holding the value of `APPROVAL_X`, for secrets.
"""

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_PREFIX = "APPROVAL_"
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")
_MIB = 1024 * 1024
_LONGEST_HOST = 60
# A worker's name becomes the name of a lock file and a key of a table.
_EXECUTOR = re.compile(r"[A-Za-z0-9._-]{1,80}")

# Without TLS mail goes to a relay of this machine's own, or nowhere.
_SMTP = re.compile(r"smtps?://[^\s/]+|smtp\+plain://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?(?:/|$)")
_MAIL_FROM = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class SettingsRefused(Exception):  # noqa: N818 -- the counterpart of a Refusal, before any office stands
    """These settings cannot run the office."""


def _setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"sentence": sentence, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """The effective settings (有效配置); `approval doctor` prints them."""

    environment: str = _setting("development", "`development` or `production`; production refuses demo parts.")
    instance: Path = _setting(Path("instance"), "Folder for the SQLite file, demo authority and local keys.")
    database_url: str = _setting("", "SQLAlchemy URL; empty means SQLite in the instance folder.")
    secret_key: str = _setting(
        "", "Signs forms against forgery; empty means one made in the instance folder.", secret=True
    )
    origin: str = _setting("http://127.0.0.1:8000", "The public address, as printed on licences.")
    doors: str = _setting("public portal window admin", "Which doors this process opens.")
    zone: str = _setting("Asia/Shanghai", "The legal time zone.")
    clock: str = _setting("wall", "`wall`, or `movable` where a demonstration moves time on with `approval clock`.")
    region: str = _setting("350500", "The division code of the city (GB/T 2260), part of every case number.")
    authority: str = _setting("demo", "Folder of the seal authority; `demo` means one made in the instance folder.")
    log: str = _setting("", "Folder of the public log's key; empty means one made in the instance folder.")
    connectors: str = _setting("", "TOML file that names the systems outside which procedures may call.")
    timestamps: str = _setting("", "Address of a timestamping authority (RFC 3161); empty means no timestamps.")
    smtp: str = _setting("", "URL of the mail server (smtps, smtp, smtp+plain); empty means no mail is sent.")
    mail_from: str = _setting("", "The address that mail is sent from.")
    spool: str = _setting("", "Folder where short messages and post are handed over; empty means neither is sent.")
    code_minutes: int = _setting(30, "How long a code that confirms an address holds, in minutes.")
    executor: str = _setting("", "The name of this worker, its own among all; empty means one from host and instance.")
    log_seconds: int = _setting(600, "A licence sealed longer ago than this must stand in the public log, in seconds.")
    worker_hosts: int = _setting(1, "How many machines run workers; more than one needs PostgreSQL.")
    pack_bytes: int = _setting(4 * _MIB, "Largest pack, unpacked, in bytes.")
    pack_files: int = _setting(100, "Most files in a pack.")
    parse_seconds: int = _setting(10, "Longest time an uploaded procedure may take to read, in seconds.")
    parse_megabytes: int = _setting(512, "Most memory an uploaded procedure may take to read, in MiB.")
    parse_bytes: int = _setting(2 * _MIB, "Largest BPMN or DMN file, in bytes.")
    parse_depth: int = _setting(100, "How deep elements of a BPMN or DMN file may be nested.")
    parse_elements: int = _setting(50_000, "Most elements of a BPMN or DMN file, drawings among them.")
    parse_nodes: int = _setting(400, "Most nodes in the procedures of a pack.")
    material_bytes: int = _setting(20 * _MIB, "Largest material, in bytes.")
    material_pages: int = _setting(200, "Most pages of a material.")
    material_pixels: int = _setting(64_000_000, "Most pixels of a material that is a picture.")
    request_bytes: int = _setting(24 * _MIB, "Largest request, in bytes; one material must fit.")
    preview_seconds: int = _setting(10, "Longest time a material may take to open or one page to draw, in seconds.")
    preview_megabytes: int = _setting(1024, "Most memory a material may take to open or draw, in MiB.")
    draft_days: int = _setting(30, "A draft is forgotten so many days after it was last saved.")
    idle_minutes: int = _setting(30, "A session ends after this long without a request, in minutes.")
    session_hours: int = _setting(8, "A session ends after this long in any case, in hours.")
    sign_in_failures: int = _setting(5, "After so many wrong passwords a name must wait.")
    address_failures: int = _setting(30, "After so many unknown licences or wrong passwords an address must wait.")
    failure_minutes: int = _setting(10, "How long failures count and whoever failed too often waits, in minutes.")
    proxies: int = _setting(0, "How many proxies of our own stand before the web process and name the visitor.")
    status_hours: int = _setting(24, "How long a status list for verification without a network holds, in hours.")
    sharing_minutes: int = _setting(30, "How long a holder's code to look at a licence holds, in minutes.")
    wallet_minutes: int = _setting(10, "How long an offer to a wallet and each step of taking it up hold, in minutes.")
    sweep_seconds: int = _setting(5, "How often the worker looks for due timers, in seconds.")
    errand_attempts: int = _setting(10, "An errand or timer begun so often without an end waits for a person.")
    silent_seconds: int = _setting(30, "A worker silent for so long is taken for dead, in seconds.")
    snapshot_days: int = _setting(30, "Where an ended case stood step by step is forgotten so many days after its end.")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read the settings (读取配置) from the environment; raises `SettingsRefused` naming every bad line."""
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        faults = []
        for setting in fields(cls):
            text = _text(env, setting)
            if text is None:
                continue
            try:
                values[setting.name] = _kind(setting)(text)
            except ValueError:
                faults.append(f"{_PREFIX}{setting.name.upper()}={text!r} is not a whole number")
        if faults:
            raise SettingsRefused("; ".join(faults))
        settings = cls(**values)
        settings.check()
        return settings

    @property
    def production(self) -> bool:
        """Whether real people depend on this process."""
        return self.environment == "production"

    @property
    def sqlalchemy_url(self) -> str:
        """The database address, with the driver this project uses."""
        if not self.database_url:
            return f"sqlite:///{(self.instance / 'approval.db').resolve()}"
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def authority_folder(self) -> Path:
        """Where the seal authority keeps its certificates and keys."""
        return self.instance / "authority" if self.authority == "demo" else Path(self.authority)

    @property
    def log_folder(self) -> Path:
        """Where the key of the public log is kept."""
        return Path(self.log) if self.log else self.instance / "log"

    @property
    def executor_name(self) -> str:
        """The name of this worker: two on one machine that share nothing else differ by their instance folder."""
        folder = hashlib.sha256(str(self.instance.resolve()).encode()).hexdigest()[:8]
        return self.executor or f"{socket.gethostname()[:_LONGEST_HOST]}-{folder}"

    @property
    def tz(self) -> ZoneInfo:
        """The legal time zone."""
        return ZoneInfo(self.zone)

    @property
    def clock_moves(self) -> bool:
        """Whether a demonstration may move time on (可拨动时钟)."""
        return self.clock == "movable"

    @property
    def development_parts(self) -> list[str]:
        """Name every part that must not serve real people, with the line that changes it."""
        parts = []
        if not self.secret_key:
            parts.append("a key made on this machine: set APPROVAL_SECRET_KEY_FILE")
        if self.authority_folder.resolve() == (self.instance / "authority").resolve():
            parts.append("the demo seal authority: set APPROVAL_AUTHORITY to the city's folder")
        if not self.log:
            parts.append("a key of the public log made on this machine: set APPROVAL_LOG, see `approval log key`")
        if self.sqlalchemy_url.startswith("sqlite") and self.worker_hosts > 1:
            parts.append("SQLite with workers on several machines: set APPROVAL_DATABASE_URL to PostgreSQL")
        if self.clock_moves:
            parts.append("a clock that is moved: set APPROVAL_CLOCK to wall")
        if not self.origin.startswith("https://"):
            parts.append("an address without TLS: set APPROVAL_ORIGIN to https://…")
        return parts

    def check(self) -> None:
        """Refuse settings that cannot be meant; raises `SettingsRefused` naming the lines to change."""
        faults = [
            f"{_PREFIX}{setting.name.upper()} must not be negative"
            for setting in fields(self)
            if isinstance(value := getattr(self, setting.name), int) and value < 0
        ]
        faults += self._mail_faults()
        if self.clock not in {"wall", "movable"}:
            faults.append("APPROVAL_CLOCK must be wall or movable")
        if self.environment not in {"development", "production"}:
            faults.append("APPROVAL_ENVIRONMENT must be development or production")
        if self.request_bytes <= self.material_bytes:
            faults.append("APPROVAL_REQUEST_BYTES must be more than APPROVAL_MATERIAL_BYTES")
        if not _EXECUTOR.fullmatch(self.executor_name):
            faults.append("APPROVAL_EXECUTOR must be of letters, digits, '.', '_' and '-', 80 at most")
        if self.timestamps and not self.timestamps.startswith(("http://", "https://")):
            faults.append("APPROVAL_TIMESTAMPS must be an address of http or https")
        if not self.doors.split():
            faults.append("APPROVAL_DOORS must name a door")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            faults.append(f"APPROVAL_ZONE={self.zone!r} is no time zone")
        if self.production and self.development_parts:
            faults.append("production refuses " + "; ".join(self.development_parts))
        if faults:
            raise SettingsRefused("; ".join(faults))

    def _mail_faults(self) -> list[str]:
        faults = []
        if self.smtp and not _SMTP.match(self.smtp):
            faults.append("APPROVAL_SMTP must be smtps://, smtp:// or, on this machine, smtp+plain:// and a host")
        if self.smtp and not _MAIL_FROM.fullmatch(self.mail_from):
            faults.append("APPROVAL_MAIL_FROM must be an e-mail address where APPROVAL_SMTP is set")
        return faults

    def form_key(self) -> str:
        """Bring the key that signs forms, making one in the instance folder where none is set."""
        if self.secret_key:
            return self.secret_key
        path = self.instance / "secret-key"
        if not path.exists():
            self.instance.mkdir(parents=True, exist_ok=True)
            made = path.with_suffix(f".{secrets.token_hex(4)}")
            made.touch(mode=0o600)
            made.write_text(secrets.token_urlsafe(48))
            made.replace(path)
        return path.read_text()

    def shown(self) -> dict[str, str]:
        """Show every setting by its variable name, secrets masked."""
        return {
            _PREFIX + setting.name.upper(): "(set)"
            if setting.metadata["secret"] and getattr(self, setting.name)
            else _PASSWORD.sub(r"\1***@", str(getattr(self, setting.name)))
            for setting in fields(self)
        }


def _text(env: Mapping[str, str], setting: "Field[Any]") -> str | None:
    name = _PREFIX + setting.name.upper()
    if file := env.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as reason:
            raise SettingsRefused(f"{name}_FILE: {reason}") from None
    return env.get(name)


def _kind(setting: "Field[Any]") -> type:
    assert setting.default is not MISSING
    return type(setting.default)
