"""A strong-house on either database, a demo authority, and one licence to try things on."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

import certificates
from tests.certificates.samples import DAY, FIRE, MARKET, NOW, URI, issue_in


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = os.environ.get("APPROVAL_TEST_DATABASE_URL")
    with _postgresql(url) if url else _sqlite(tmp_path / "house.db") as made:
        certificates.Base.metadata.create_all(made)
        yield made
        made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    with sessions() as opened:
        yield opened


@pytest.fixture(scope="session")
def authority() -> certificates.Authority:
    return certificates.Authority.ephemeral([MARKET, FIRE], NOW)


@pytest.fixture
def issue(session: Session, authority: certificates.Authority) -> Callable[..., certificates.Licence]:
    return lambda **changes: issue_in(session, authority, **changes)


@pytest.fixture(scope="session")
def pdf() -> bytes:
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        page.Contents = document.make_stream(b"BT (food licence, example data) Tj ET")
        out = BytesIO()
        document.save(out, compress_streams=False)
    return out.getvalue()


@pytest.fixture
def sealed(pdf: bytes, authority: certificates.Authority) -> bytes:
    return certificates.seal_document(pdf, authority.sealer("market"), reason="颁发证照", now=NOW)


@pytest.fixture
def kit(session, authority):
    """Fetch the kit, some of its lists exchanged."""

    def fetch(**lists: str) -> certificates.OfflineKit:
        for one in (MARKET, FIRE):
            sealer = authority.sealer(one.code)
            certificates.publish_statuses(session, one.uscc, sealer, uri=URI, now=NOW, lasts=DAY)
        packed = certificates.OfflineKit.read(certificates.pack_kit(session, authority.trust))
        return replace(packed, lists={**packed.lists, **lists})

    return fetch


@pytest.fixture
def code(session, authority):
    return lambda licence, by="market": certificates.compose_code(session, licence, authority.sealer(by), NOW)


@pytest.fixture
def drawn(pdf, authority):
    """Seal a PDF with these files inside it."""

    def draw(by="market", **files: bytes) -> bytes:
        with pikepdf.open(BytesIO(pdf)) as document:
            for name, data in files.items():
                document.attachments[f"licence.{name}"] = pikepdf.AttachedFileSpec(document, data)
            out = BytesIO()
            document.save(out)
        return certificates.seal_document(out.getvalue(), authority.sealer(by), reason="颁发证照", now=NOW)

    return draw


@contextmanager
def _sqlite(path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{path}")

    @event.listens_for(made, "connect")
    def _connect(connection, record) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    yield made


@contextmanager
def _postgresql(url: str) -> Iterator[Engine]:
    schema = f"house_{uuid.uuid4().hex}"
    landlord = create_engine(url)
    with landlord.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield create_engine(url, connect_args={"options": f"-csearch_path={schema}"})
    with landlord.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    landlord.dispose()
