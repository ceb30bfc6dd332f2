"""The office that every floor is tried in: real, founded with the demo city, on a database of its own."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import create_engine

from approval.domain.actors import SYSTEM
from approval.jobs import Waiting
from approval.models import migrations
from approval.office import Office, tune
from approval.paths import WORKFLOWS
from approval.services import countdowns, laws, packs, people
from approval.services.packs import Pack
from approval.services.rehearsals import CITY, Clock
from approval.settings import Settings
from certificates import Authority, Issuer
from tests.kit import databases
from tests.kit.databases import Template
from tests.kit.samples import ITEM, OPENING

hypothesis.settings.register_profile("house", database=None, deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hash passwords in no time: that a real hash costs something is a test's own matter where it counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
        yield


@pytest.fixture(scope="session")
def pack() -> Pack:
    return packs.read(packs.from_folder(WORKFLOWS / ITEM))


@pytest.fixture(scope="session")
def city() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def authority(city: dict[str, list[dict[str, str]]]) -> Authority:
    departments = city["departments"]
    return Authority.ephemeral([Issuer(one["code"], one["uscc"], one["zh"]) for one in departments], OPENING)


@pytest.fixture(scope="session")
def template(
    pack: Pack, city: dict[str, list[dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("template")

    def furnish(url: str) -> None:
        office = _office(url, folder)
        migrations.upgrade(office.engine)
        with office.work(by=SYSTEM) as work:
            people.found(work, city)
            countdowns.import_calendar(work, tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8")))
            laws.bring(work)
            packs.deploy(work, pack)
        office.close()

    template = Template(folder, furnish)
    yield template
    template.drop()


@pytest.fixture
def office(template: Template, authority: Authority, tmp_path: Path) -> Iterator[Office]:
    with template.copy(tmp_path) as url:
        office = _office(url, tmp_path, authority)
        yield office
        office.close()


@pytest.fixture
def clock(office: Office) -> Clock:
    assert isinstance(office.clock, Clock)
    return office.clock


@pytest.fixture
def empty_settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an office that nobody has set up yet, for processes of their own."""
    with databases.empty() as url:
        yield Settings(instance=tmp_path / "instance", database_url=url)


def _office(url: str, folder: Path, authority: Authority | None = None) -> Office:
    settings = Settings(instance=folder, database_url=url)
    engine = tune(create_engine(settings.sqlalchemy_url))
    return Office(settings, engine, carrier=Waiting(), authority=authority, clock=Clock(OPENING))
