"""Databases of the tests: one template a worker process, one fresh copy a test, on SQLite or PostgreSQL."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

URL = os.environ.get("APPROVAL_TEST_DATABASE_URL", "")

Furnish = Callable[[str], None]


class Template:
    """A furnished database that is copied, never used; `copy` yields the URL of a copy and throws it away after."""

    def __init__(self, folder: Path, furnish: Furnish) -> None:
        self.name = f"template_{uuid.uuid4().hex}"
        self.folder = folder
        self._file = folder / "template.db"
        if URL:
            _landlord(f"CREATE DATABASE {self.name}")
        furnish(_address(self.name) if URL else f"sqlite:///{self._file}")

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        if not URL:
            yield f"sqlite:///{shutil.copy(self._file, folder / 'office.db')}"
            return
        name = f"office_{uuid.uuid4().hex}"
        _landlord(f"CREATE DATABASE {name} TEMPLATE {self.name}")
        try:
            yield _address(name)
        finally:
            _landlord(f"DROP DATABASE {name} WITH (FORCE)")

    def drop(self) -> None:
        if URL:
            _landlord(f"DROP DATABASE {self.name} WITH (FORCE)")


@contextmanager
def empty() -> Iterator[str]:
    """Yield the URL of a database with nothing in it; "" is the SQLite file that an office makes by itself."""
    if not URL:
        yield ""
        return
    name = f"empty_{uuid.uuid4().hex}"
    _landlord(f"CREATE DATABASE {name}")
    try:
        yield _address(name)
    finally:
        _landlord(f"DROP DATABASE {name} WITH (FORCE)")


def _address(name: str) -> str:
    return make_url(URL).set(database=name).render_as_string(hide_password=False)


def _landlord(statement: str) -> None:
    engine = create_engine(URL.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
