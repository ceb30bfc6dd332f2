"""Setting an office up and keeping it well: init, migrate, worker, doctor."""

import tomllib
from pathlib import Path

import click
from sqlalchemy import select, text

import certificates
from approval import documents, jobs
from approval.cli import people as person_certificates
from approval.domain.actors import SYSTEM
from approval.domain.errors import Unavailable
from approval.models import migrations
from approval.models.cases import WorkCalendar
from approval.models.people import Department
from approval.office import Office, open_office
from approval.paths import FONTS, STATIC
from approval.services import countdowns, laws, people
from approval.services.rehearsals import CITY
from approval.settings import Settings


def prepare(settings: Settings) -> Office:
    """Bring tables up to date, ours and those of DBOS, and the shipped acts into the library; open the office."""
    office = open_office(settings)
    migrations.upgrade(office.engine)
    jobs.migrate(settings.sqlalchemy_url)
    with office.work(by=SYSTEM) as work:
        laws.bring(work)
    return office


def found_demo(office: Office) -> None:
    """Found the demonstration city where none stands yet: departments, people, calendar, seals, certificates."""
    city = tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))
    with office.work(by=SYSTEM, read_only=True) as work:
        stands = work.session.scalar(select(Department.code).limit(1)) is not None
        has_calendar = work.session.scalar(select(WorkCalendar.ordinal).limit(1)) is not None
    if not stands:
        with office.work(by=SYSTEM) as work:
            people.found(work, city, city["password"])
    if not has_calendar:
        import_calendar(office, CITY / "calendar.toml")
    seals = [certificates.Issuer(each["code"], each["uscc"], each["zh"]) for each in city["departments"]]
    certificates.create_authority(office.settings.authority_folder, seals, office.clock())
    person_certificates.furnish(office, (each["code"] for each in city["people"]), city["password"])


def import_calendar(office: Office, path: Path) -> None:
    """Import a working-day calendar file."""
    with office.work(by=SYSTEM) as work:
        countdowns.import_calendar(work, tomllib.loads(path.read_text(encoding="utf-8")))


@click.command()
@click.option("--demo", is_flag=True, help="Found the demonstration city (示例数据), for development only.")
@click.option("--calendar", type=click.Path(path_type=Path, exists=True), help="Import this working-day calendar.")
def init(demo: bool, calendar: Path | None) -> None:
    """Set an office up: tables, and on request a demonstration city or a calendar."""
    settings = Settings.from_env()
    with prepare(settings) as office:
        if demo:
            if settings.production:
                raise Unavailable(demo="production has no demonstration city")
            found_demo(office)
        if calendar:
            import_calendar(office, calendar)
    click.echo(f"办公室已就绪 / the office stands: {settings.instance.resolve()}")


@click.command()
def migrate() -> None:
    """Bring the tables up to date: ours by Alembic, those of DBOS by DBOS."""
    prepare(Settings.from_env()).close()
    click.echo("数据库已是最新 / the tables are up to date")


@click.command()
def worker() -> None:
    """Run a worker: carried errands and due timers."""
    from approval import worker as process  # noqa: PLC0415 -- importing DBOS takes half a second

    process.main()


@click.command()
def doctor() -> None:
    """Show the effective settings, secrets masked, and check fonts, drawing, database, clock and seals."""
    settings = Settings.from_env()
    for name, value in settings.shown().items():
        click.echo(f"{name}={value}")
    for part in settings.development_parts:
        click.echo(f"! development part / 开发用部件: {part}")
    problems = [*_problems(settings)]
    for problem in problems:
        click.echo(f"✗ {problem}")
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("✓ 一切正常 / all well")


def _problems(settings: Settings) -> list[str]:
    found = []
    if not list(FONTS.glob("*.ttf")):
        found.append(f"no fonts in {FONTS}: run make")
    if not (STATIC / "app.css").is_file():
        found.append(f"no style sheet in {STATIC}")
    try:
        documents.render("<p>证照</p>", {})
    except Unavailable as reason:
        found.append(f"nothing can be drawn: {reason}")
    try:
        with open_office(settings) as office, office.work(read_only=True) as work:
            work.session.execute(text("SELECT 1"))
            calendar = countdowns.calendar(work)
            if not calendar.knows(work.today):
                found.append(f"the working-day calendar ends on {calendar.covers_until}: import the next notice")
            if not office.authority.sealers:
                found.append("the authority has no seals")
            _ = office.log_key  # without it no licence can be verified
    except Exception as reason:  # noqa: BLE001 -- a doctor reports whatever is wrong
        found.append(f"{type(reason).__name__}: {str(reason).splitlines()[0]}")
    return found
