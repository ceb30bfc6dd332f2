"""The diary of the tables leads from nothing to what the models say, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from approval import jobs
from approval.models import migrations
from approval.office import open_office


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
