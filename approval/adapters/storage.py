"""Storage of material bytes in the database (材料存储), because the portal and the office share no disk."""

import hashlib
from datetime import datetime

from sqlalchemy import column, delete, insert, or_, select, table, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approval.domain.errors import NotFound
from certificates import Instant

# A light description: the table belongs to models/, and adapters know nobody on their own floor.
_contents = table("stored_contents", column("sha256"), column("content"), column("kept_at", Instant()))


class DatabaseStorage:
    """Keeps bytes in the office's own database, in the transaction at hand."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def put(self, content: bytes) -> str:
        """Keep bytes once, however often they are handed in."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._touch(sha256):
            # A savepoint, because somebody else may be handing in the same file at this very moment.
            try:
                with self._session.begin_nested():
                    kept = insert(_contents).values(sha256=sha256, content=content, kept_at=self._now)
                    self._session.execute(kept)
            except IntegrityError:
                if not self._touch(sha256):
                    raise
        return sha256

    def get(self, sha256: str) -> bytes:
        """Bring bytes back."""
        content = self._session.scalar(select(_contents.c.content).where(_contents.c.sha256 == sha256))
        if content is None:
            raise NotFound(content=sha256)
        return bytes(content)

    def drop(self, sha256: str, unless_since: datetime) -> None:
        """Drop bytes that nobody has put since; of a put at this very moment one waits for the other."""
        old = or_(_contents.c.kept_at.is_(None), _contents.c.kept_at < unless_since)
        self._session.execute(delete(_contents).where(_contents.c.sha256 == sha256, old))

    def _touch(self, sha256: str) -> bool:
        noted = update(_contents).where(_contents.c.sha256 == sha256).values(kept_at=self._now)
        return self._session.execute(noted.returning(_contents.c.sha256)).first() is not None
