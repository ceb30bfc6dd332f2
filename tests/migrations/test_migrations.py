"""The diary of the tables leads from nothing to what the models say, on both databases."""

from uuid import uuid4

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select

from approval import jobs
from approval.domain.actors import SYSTEM
from approval.models import migrations
from approval.models.cases import Case
from approval.models.tasks import Timer
from approval.office import open_office
from approval.services import incidents


def differences(engine):
    with engine.connect() as connection:
        options = {"include_name": migrations.is_ours, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), migrations.METADATA)


def test_the_diary_ends_where_the_models_stand(empty_settings):
    office = open_office(empty_settings)
    assert differences(office.engine), "an empty database must differ, or this test cannot fail"
    migrations.upgrade(office.engine)
    assert differences(office.engine) == []
    office.close()


def test_upgrading_twice_changes_nothing(empty_settings):
    office = open_office(empty_settings)
    migrations.upgrade(office.engine)
    migrations.upgrade(office.engine)
    assert differences(office.engine) == []
    office.close()


def test_the_tables_of_the_carrier_stand_beside_ours_and_are_left_alone(empty_settings):
    office = open_office(empty_settings)
    migrations.upgrade(office.engine)
    jobs.migrate(empty_settings.sqlalchemy_url)
    assert differences(office.engine) == []
    inspector = inspect(office.engine)
    schemas = inspector.get_schema_names()
    assert inspector.has_table("workflow_status", schema="dbos" if "dbos" in schemas else None)
    office.close()


def test_what_waited_under_the_second_entry_goes_on_under_the_third(empty_settings):
    office = open_office(empty_settings)
    # The parents of these rows are not the point: SQLite without our pragmas asks for none, PostgreSQL when told so.
    options = {"options": "-c session_replication_role=replica"} if office.engine.dialect.name == "postgresql" else {}
    bare = create_engine(empty_settings.sqlalchemy_url, connect_args=options)
    case, errand, timer, now = uuid4().hex, uuid4().hex, uuid4().hex, "2026-09-21 01:00:00.000000"
    with bare.begin() as connection:
        command.upgrade(migrations._config(connection=connection), "0002")
    with bare.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO cases (id, number, item_version_id, applicant_id, filed_by, status, filed_at, deemed_accepted,"
            f" state, version) VALUES ('{case}', 'n', '{case}', '{case}', '{case}', 'filed', '{now}', false, '', 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO errands (id, case_id, element, errand, progress, attempts, retries, opened_at)"
            f" VALUES ('{errand}', '{case}', 'draw', 'draw_rendition', 'incident', 11, 0, '{now}')"
        )
        connection.exec_driver_sql(
            "INSERT INTO timers (id, case_id, element, due_at, progress, opened_at)"
            f" VALUES ('{timer}', '{case}', 'late', '{now}', 'open', '{now}')"
        )
    migrations.upgrade(bare)
    bare.dispose()
    with office.work(by=SYSTEM) as work:
        (incident,) = incidents.listed(work)
        assert (incident.kind, incident.name, incident.attempts) == ("errand", "draw_rendition", 11)
        assert work.session.scalars(select(Case.incidents)).one() == 1
        row = work.session.scalars(select(Timer)).one()
        assert (row.item, row.try_at, row.attempts) == (row.id, row.due_at, 0)
    office.close()


def test_the_database_itself_holds_the_new_rules(empty_settings):
    office = open_office(empty_settings)
    migrations.upgrade(office.engine)
    with office.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            found = connection.exec_driver_sql("SELECT group_concat(sql) FROM sqlite_master").scalar_one()
        else:
            found = str(connection.exec_driver_sql("SELECT conname FROM pg_constraint").scalars().all())
    for rule in (
        "ck_cases_held_while_open",
        "ck_cases_incidents_counted",
        "ck_incidents_closed_by_somebody",
        "ck_incidents_kind_known",
        "ck_snapshots_task_of_a_step",
        "ck_snapshots_migration_led_somewhere",
    ):
        assert rule in found
    office.close()
