"""The diary of the tables leads from nothing to what the models say, on both databases."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

import certificates
from approval import jobs
from approval.domain.actors import SYSTEM
from approval.models import migrations
from approval.models.cases import Case
from approval.models.migrations.remaking import remake
from approval.models.notices import Delivery
from approval.models.tasks import Timer
from approval.office import open_office
from approval.services import incidents
from certificates import Licence, LicenceAct


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


def test_licences_and_what_befell_them_outlive_the_fifth_entry(empty_settings):
    office = open_office(empty_settings)
    one, two, now = uuid4().hex, uuid4().hex, "2026-09-21 01:00:00.000000"
    with office.engine.begin() as connection:
        command.upgrade(migrations._config(connection=connection), "0004")
    with office.engine.begin() as connection:
        for id_, state, ended in ((one, "valid", "NULL"), (two, "revoked", f"'{now}'")):
            connection.exec_driver_sql(
                "INSERT INTO licences (id, state, source, type_code, type_name, identifier, number, token, check_code,"
                " holder_name, holder_code, holder_code_type, issuer_code, issuer_uscc, issuer_name, fields,"
                " public_fields, issued_on, valid_from, intended_at, statement, seal, sealed_at, revoked_at) VALUES ("
                f"'{id_}', '{state}', '{id_}', 't', 't', '{id_}', '{id_}', '{id_[:20]}', 'c', 'h', 'h', 'id', 'm', 'u',"
                f" 'i', '{{}}', '[]', '2026-09-21', '2026-09-21', '{now}', '{{}}', 's', '{now}', {ended})"
            )
            connection.exec_driver_sql(
                "INSERT INTO licence_acts (licence_id, act, at, actor, reason, basis)"
                f" VALUES ('{id_}', 'seal', '{now}', 'a', '', '')"
            )
            connection.exec_driver_sql(
                "INSERT INTO licence_renditions (licence_id, sha256, pdf, kept_at)"
                f" VALUES ('{id_}', '{id_}', '', '{now}')"
            )
    migrations.upgrade(office.engine)
    assert differences(office.engine) == []
    with office.work(by=SYSTEM) as work:
        found = {row.state: row.ended_at for row in work.session.scalars(select(Licence))}
        assert (found["valid"], found["revoked"] is not None, len(found)) == (None, True, 2)
        assert len(work.session.scalars(select(LicenceAct)).all()) == 2
        for rule, broken in (
            ("licence_state_known", "UPDATE licences SET state = 'lost'"),
            ("ended_at_if_ended", "UPDATE licences SET state = 'cancelled' WHERE state = 'valid'"),
            ("sealed_if_valid", "UPDATE licences SET seal = NULL"),
            ("licence_act_known", "UPDATE licence_acts SET act = 'lose', reason = 'r', basis = 'b'"),
            ("act_has_reason", "UPDATE licence_acts SET act = 'suspend'"),
            ("(?i)foreign key", "DELETE FROM licences"),
        ):
            with pytest.raises(IntegrityError, match=rule), work.session.begin_nested():
                work.session.connection().exec_driver_sql(broken)
        number = work.session.scalars(select(Licence.number).where(Licence.state == "valid")).one()
        certificates.perform(
            work.session, number, certificates.Act.SUSPEND, reason="r", basis="b", actor="a", now=work.now
        )
    office.close()


def test_a_table_is_remade_with_the_columns_that_came_later(empty_settings):
    office = open_office(empty_settings)
    migrations.upgrade(office.engine)
    with office.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO licences (id, state, source, type_code, type_name, identifier, number, token, check_code,"
            " holder_name, holder_code, holder_code_type, issuer_code, issuer_uscc, issuer_name, fields, public_fields,"
            " shared_fields, issued_on, valid_from, intended_at, statement, version, succession) VALUES ("
            f"'{uuid4().hex}', 'intended', 's', 't', 't', 'i', 'n', 't', 'c', 'h', 'h', 'id', 'm', 'u', 'i', '{{}}',"
            " '[]', '[\"uscc\"]', '2026-09-21', '2026-09-21', '2026-09-21 01:00:00.000000', '{}', 2, 'change')"
        )
        with Operations.context(MigrationContext.configure(connection)):
            remake("licences", {"succession_is_lawful": "check"}, {"later_rule": "CHECK (version < 1000)"})
        found = connection.exec_driver_sql("SELECT shared_fields, version, succession FROM licences").one()
        assert (str(found[0]).replace("'", '"'), *found[1:]) == ('["uscc"]', 2, "change")
    with pytest.raises(IntegrityError, match="later_rule"), office.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE licences SET version = 1000")
    office.close()


def test_what_was_sealed_before_it_could_be_extended_is_due(empty_settings):
    office = open_office(empty_settings)
    options = {"options": "-c session_replication_role=replica"} if office.engine.dialect.name == "postgresql" else {}
    bare = create_engine(empty_settings.sqlalchemy_url, connect_args=options)
    with bare.begin() as connection:
        command.upgrade(migrations._config(connection=connection), "0012")
    with bare.begin() as connection:
        connection.execute(
            text("INSERT INTO licence_renditions (licence_id, sha256, pdf, kept_at) VALUES (:id, 'x', :pdf, :at)"),
            {"id": uuid4().hex, "pdf": b"%PDF-", "at": "2026-09-21 01:00:00.000000"},
        )
    migrations.upgrade(bare)
    bare.dispose()
    with office.work(read_only=True) as work:
        assert certificates.rendition_due(work.session, work.now)
        assert not certificates.rendition_due(work.session, datetime(2026, 9, 21, tzinfo=UTC))
    office.close()


def test_notices_and_their_deliveries_outlive_the_twenty_first_entry(empty_settings):
    office = open_office(empty_settings)
    one, now = uuid4().hex, "2026-09-21 01:00:00.000000"
    with office.engine.begin() as connection:
        command.upgrade(migrations._config(connection=connection), "0020")
    with office.engine.begin() as connection:
        for table, row in (
            ("people", {"id": one, "code": "a", "name": "a", "id_number": "1"}),
            ("departments", {"code": "D", "number": "001", "uscc": "u", "zh": "d", "en": "d"}),
            ("items", {"code": "i"}),
            (
                "item_versions",
                {"id": one, "item_code": "i", "ordinal": 1, "digest": "d", "name_zh": "i", "name_en": "i"}
                | {"department_code": "D", "published_at": now, "published_by": "a"},
            ),
            (
                "cases",
                {"id": one, "number": "n", "item_version_id": one, "applicant_id": one, "filed_by": one}
                | {"status": "filed", "filed_at": now, "deemed_accepted": False, "state": b"", "version": 1},
            ),
            (
                "formal_notices",
                {"id": one, "case_id": one, "person_id": one, "department_code": "D", "kind": "receipt", "number": "N"}
                | {
                    "facts": "{}",
                    "digest": "d",
                    "token": "t",
                    "issued_at": now,
                    "issued_by": "a",
                    "attempts": 0,
                    "why": "",
                },
            ),
            (
                "deliveries",
                {"id": one, "formal_id": one, "way": "portal", "address": "", "made_at": now, "receiver": ""}
                | {"recorded_by": "", "evidence": "{}", "attempts": 0, "why": ""},
            ),
        ):
            names = ", ".join(row)
            places = ", ".join(f"CAST(:{name} AS JSON)" if name == "evidence" else f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)
    migrations.upgrade(office.engine)
    assert differences(office.engine) == []
    with office.work(by=SYSTEM) as work:
        delivery = work.session.scalars(select(Delivery)).one()
        assert (delivery.formal.number, delivery.formal.person_id.hex, delivery.formal.party) == ("N", one, None)
        # Nobody in particular, as an interested party whom the office does not know.
        delivery.formal.person_id = None
    office.close()
