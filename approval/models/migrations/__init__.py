"""The diary of the tables (数据库变更): one entry a change, both MetaData in one history.

DBOS keeps a history of its own; its tables are not ours to change.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from approval.models.base import Base
from certificates import Base as StrongHouse

METADATA = [Base.metadata, StrongHouse.metadata]


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date (升级数据库), in one transaction where the database can."""
    with engine.begin() as connection:
        command.upgrade(_config(connection=connection), "head")


def _config(**attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes.update(attributes)
    return config


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Tell our tables from those of DBOS, which stand in the same database."""
    return kind != "table" or any(name in metadata.tables for metadata in METADATA)
