"""What licences cost: issued, logged, verified by token and by file, drawn and sealed beside the naive way.

`python -m benchmarks.licences` makes an office on SQLite and one on a PostgreSQL cluster of its own (fsync on), issues
licences one transaction each, and verifies them as a visitor's page does.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import segno
from markupsafe import Markup

import certificates
from approval import documents
from approval.domain.actors import SYSTEM, VISITOR
from approval.models.people import Department
from approval.office import Office
from approval.paths import FONTS, WORKFLOWS
from approval.services import licences, offline, workers
from benchmarks.clusters import cluster
from benchmarks.engine import office_in
from benchmarks.figures import figure
from certificates import Draft, Holder, Issuer, LicenceType

_KIND = LicenceType("11100000000013338W032", "食品经营许可证", "JY{serial:08d}{check}", 5, ("premises",))
_TEMPLATE = (WORKFLOWS / "food-business-licence" / "licence.html").read_text(encoding="utf-8")
_ISSUED = 600
_ATTACHED = {"licence.json": '{"a": "示例数据"}' * 60, "licence.jwt": "x" * 900}


def main() -> None:
    """Measure everything and print the figures."""
    with tempfile.TemporaryDirectory() as folder, office_in(Path(folder), "") as office:
        _store(office, "sqlite")
        _drawing(office)
    with cluster() as url:
        if url is not None:
            with tempfile.TemporaryDirectory() as folder, office_in(Path(folder), url) as office:
                _store(office, "postgresql")


def _store(office: Office, database: str) -> None:
    """Issue one a transaction, log them all, verify by token and by sealed JSON."""
    with office.work(by=SYSTEM, read_only=True) as work:
        day, uscc = work.today, work.session.get_one(Department, "SCJ").uscc
    issuer = Issuer("SCJ", uscc, "示例市市场监督管理局")
    fields = {"premises": "示例路 1 号", "region": "350502"}
    holder = Holder("示例小馆", "91350500MA0000001C", "uscc")
    draft = Draft(_KIND, holder, fields, issuer, "", day, day, _KIND.last_day(day))
    sealer = office.authority.sealer("SCJ")
    issued = []

    def issue() -> None:
        with office.work(by=SYSTEM) as work:
            one = replace(draft, source=str(uuid4()))
            issued.append(certificates.issue(work.session, one, sealer, now=work.now, actor="system").token)

    figure(f"{database}_issued", _rate(issue, _ISSUED), "/s", ">=", 300 if database == "postgresql" else 0)
    clock = time.perf_counter()
    logged = workers.sequence(office)
    figure(f"{database}_logged", logged / (time.perf_counter() - clock), "/s")

    tokens = iter(issued * 3)

    def verify() -> None:
        with office.work(by=VISITOR, read_only=True) as work:
            assert licences.verify(work, token=next(tokens)).holds

    figure(f"{database}_verified_by_token", _rate(verify, _ISSUED), "/s", ">=", 1_000)
    workers.publish(office)
    with office.work(by=VISITOR, read_only=True) as work:
        kit, now, today = certificates.OfflineKit.read(offline.kit(work)), work.now, work.today
        known = (certificates.find_by_token(work.session, token) for token in issued)
        codes = iter([certificates.compose_code(work.session, one, sealer, now) for one in known if one])

    def verify_offline() -> None:
        assert certificates.verify_code_offline(next(codes), kit, today=today, now=now).holds

    figure(f"{database}_verified_offline", _rate(verify_offline, _ISSUED), "/s", ">=", 2_000)


def _drawing(office: Office) -> None:
    """Draw and seal in turn: as a worker does, and with WeasyPrint set up anew for each, as one would at first.

    No two licences are the same; the same one is drawn both ways.
    """
    sealer = office.authority.sealer("SCJ")

    def ours(values: dict[str, Any]) -> bytes:
        drawn = documents.render(_TEMPLATE, values, attached=_ATTACHED)
        return certificates.seal_document(drawn, sealer, reason="颁发证照", now=office.clock())

    def naive(values: dict[str, Any]) -> bytes:
        from weasyprint import CSS, HTML, Attachment  # noqa: PLC0415 -- takes a second and 130 MB
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

        drawn = BytesIO()
        segno.make(values["qr"], error="l").save(drawn, kind="svg", xmldecl=False, omitsize=True, border=2)
        page = documents.filling.fill(_TEMPLATE, values | {"qr": Markup(drawn.getvalue().decode())})
        fonts = FontConfiguration()
        faces = "".join(
            f"@font-face {{ font-family: 'Noto Sans SC'; src: url('{file.as_uri()}') }}" for file in FONTS.glob("*.ttf")
        )
        out = BytesIO()
        HTML(string=page).write_pdf(
            out,
            stylesheets=[CSS(string=faces, font_config=fonts)],
            font_config=fonts,
            pdf_variant="pdf/a-3u",
            attachments=[Attachment(string=text, name=name) for name, text in _ATTACHED.items()],
        )
        return certificates.seal_document(out.getvalue(), sealer, reason="颁发证照", now=office.clock())

    pdf = ours(_values(0))
    naive(_values(0))
    mine, other = [], []
    for number in range(1, 31):
        values = _values(number)
        mine.append(_timed(lambda values=values: ours(values)))
        other.append(_timed(lambda values=values: naive(values)))
    figure("rendition", median(mine) * 1e3, "ms")
    figure("rendition_naive", median(other) * 1e3, "ms")
    figure("rendition_naive_to_ours", median(other) / median(mine), "x", ">=", 10)
    # Each one line longer in another place, or another text where a plate has none: laid out anew.
    anew = [_timed(lambda lines=lines: ours(_values(0, *lines))) for lines in product((1, 2, 3), repeat=2)][1:]
    figure("rendition_laid_out_anew", median(anew) * 1e3, "ms")

    def verify() -> None:
        with office.work(by=VISITOR, read_only=True) as work:
            licences.verify(work, document=pdf)

    figure("pdf_verified", median(_timed(verify) for _ in range(15)) * 1e3, "ms", "<=", 150)


def _values(number: int, lines: int = 1, more: int = 1) -> dict[str, Any]:
    """Fill in one licence, as long as one is; two of its texts fill as many lines as they are told."""
    code = hashlib.sha256(str(number).encode()).hexdigest().upper()
    fields = {
        "operator": f"示例{chr(0x4E00 + number)}小馆（示例数据）",
        "uscc": f"91350500MA{number:07d}C",
        "representative": f"陈示{chr(0x5B50 + number)}",
        "business_form_name": "餐饮服务经营者",
        "residence": "示例市示例区示例街道" * (4 * lines - 3) + f"{number} 号",
        "premises": "示例市示例区示例街道" * (4 * more - 3) + f"{2 * number} 号",
        "activities": "热食类食品制售，冷食类食品制售",
        "complaints_phone": f"0595-{number:08d}",
    }
    shown = {
        "number": f"JY1350503{number:07d}",
        "identifier": f"1.2.156.3005.2.11100000000013338W032.113505000038000042.{number:08d}.001.{code[0]}",
        "check_code": code[:6],
        "fields": fields,
        "issuer": {"name": "泉州市市场监督管理局"},
        "issued_on": f"2026-03-{1 + number % 28:02d}",
        "valid_from": f"2026-03-{1 + number % 28:02d}",
        "valid_until": f"2031-03-{1 + number % 28:02d}",
    }
    address = f"https://approval.example.invalid/verify/{code[:20]}"
    return {"licence": shown, "verify_url": address, "qr": f"{address}#{(code * 8).lower()[:500]}", "sample": True}


def _rate(act: Callable[[], object], times: int) -> float:
    clock = time.perf_counter()
    for _ in range(times):
        act()
    return times / (time.perf_counter() - clock)


def _timed(act: Callable[[], object]) -> float:
    clock = time.perf_counter()
    act()
    return time.perf_counter() - clock


if __name__ == "__main__":
    main()
