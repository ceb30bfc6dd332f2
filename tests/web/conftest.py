"""A founded city with cases under way, kept as one SQLite file that every test gets a copy of."""

import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, select
from werkzeug.test import TestResponse

import certificates
from approval.app import create_app
from approval.jobs import Waiting
from approval.models import Base
from approval.office import Office, tune
from approval.paths import WORKFLOWS
from approval.services import countdowns, laws, packs, people, rehearsals
from approval.services.rehearsals import CITY, Clock
from approval.settings import Settings
from approval.web.door import Door
from certificates import Authority, Issuer, Licence
from tests.kit import catalogues
from tests.kit.pages import form_token

ITEM = "food-business-licence"
PASSWORD = "a password for tests"
NOW = datetime(2026, 9, 25, 1, tzinfo=UTC)


@dataclass(frozen=True)
class City:
    """What stands before any test begins: an office file, a granted case and two under way."""

    database: Path
    authority: Authority
    granted: str
    filed: str
    accepted: str
    number: str
    check_code: str
    token: str
    pdf: bytes


@pytest.fixture(scope="session", autouse=True)
def _catalogues() -> None:
    catalogues.compile_all()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    clock = Clock(datetime(2026, 9, 21, 1, tzinfo=UTC))
    data = tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))
    seals = [Issuer(row["code"], row["uscc"], row["zh"]) for row in data["departments"]]
    authority = Authority.ephemeral(seals, clock.now)
    office = _office(Settings(instance=folder), authority, clock)
    Base.metadata.create_all(office.engine)
    certificates.Base.metadata.create_all(office.engine)
    pack = packs.read(packs.from_folder(WORKFLOWS / ITEM))
    with office.work() as work:
        people.found(work, data)
        countdowns.import_calendar(work, tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8")))
        laws.bring(work)
        packs.deploy(work, pack)
        for code in ("chen", "lin", "wang", "zhao", "huang", "admin"):
            people.set_password(work, code, PASSWORD)
    scenario = next(each for each in rehearsals.scenarios(pack) if each.file.endswith("/granted.toml"))
    granted, accepted, filed = (
        rehearsals.play(office, replace(scenario, steps=scenario.steps[:steps]), ITEM) for steps in (4, 1, 0)
    )
    with office.work() as work:
        licence = work.session.scalars(select(Licence)).one()
        pdf = certificates.get_rendition(work.session, licence.id)
        assert pdf
        made = City(
            folder / "approval.db",
            authority,
            granted,
            filed,
            accepted,
            licence.number,
            licence.check_code,
            licence.token,
            pdf,
        )
    office.close()
    return made


def _office(settings: Settings, authority: Authority, clock: Clock) -> Office:
    engine = tune(create_engine(settings.sqlalchemy_url))
    return Office(settings, engine, carrier=Waiting(), authority=authority, clock=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


class Compiled(BytecodeCache):
    """Templates compiled once for all the applications of a session."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session")
def compiled() -> Compiled:
    return Compiled()


@pytest.fixture
def open_office(city: City, clock: Clock, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Office]:
    def opened(**settings: Any) -> Office:
        copy = tmp_path / "approval.db"
        if not copy.exists():
            shutil.copy(city.database, copy)
        office = _office(Settings(instance=tmp_path, **settings), city.authority, clock)
        request.addfinalizer(office.close)
        return office

    return opened


@pytest.fixture
def open_app(open_office: Callable[..., Office], compiled: Compiled) -> Callable[..., Flask]:
    def opened(**settings: Any) -> Flask:
        app = create_app(office=open_office(**settings))
        app.jinja_env.bytecode_cache = compiled
        return app

    return opened


@pytest.fixture(scope="session")
def built() -> dict[str, Flask]:
    """The application of a session: its addresses take a while to make ready, and are the same for every office."""
    return {}


@pytest.fixture
def app(open_app: Callable[..., Flask], open_office: Callable[..., Office], built: dict[str, Flask]) -> Flask:
    if "app" not in built:
        built["app"] = open_app()
    built["app"].extensions["office"] = open_office()
    return built["app"]


@pytest.fixture
def office(app: Flask) -> Office:
    return app.extensions["office"]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[str], FlaskClient]:
    def sign_in(name: str) -> FlaskClient:
        client = app.test_client()
        assert send(client, "/sign-in", name=name, password=PASSWORD).status_code == 303
        return client

    return sign_in


@pytest.fixture
def officer(office: Office, signed_in: Callable[[str], FlaskClient]) -> Callable[[str], FlaskClient]:
    """Officers who get a password as they come."""

    def come(code: str) -> FlaskClient:
        with office.work() as work:
            people.set_password(work, code, PASSWORD)
        return signed_in(code)

    return come


@pytest.fixture
def trial(open_app: Callable[..., Flask]) -> Callable[..., FlaskClient]:
    """An application with one more door, whose view at /trial is the test's own."""

    def opened(view: Callable[..., Any], *, writes: bool | None = None) -> FlaskClient:
        app = open_app()
        door = Door("trial", __name__)
        door.route("/trial", methods=["GET", "POST"], writes=writes)(view)
        app.register_blueprint(door)
        return app.test_client()

    return opened


def send(client: FlaskClient, path: str, *, form: str = "/sign-in?next=/", **fields: Any) -> TestResponse:
    """Post as a browser does: with the token of a form seen before."""
    page = client.get(form)
    if page.status_code == 303:
        page = client.get("/verify")
    return client.post(path, data={"csrf_token": form_token(page.text), **fields})
