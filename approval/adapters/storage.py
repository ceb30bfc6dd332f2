"""Storage of material bytes in the database (材料存储), because the portal and the office share no disk."""

import hashlib

from sqlalchemy import column, insert, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approval.domain.errors import NotFound

# A light description: the table belongs to models/, and adapters know nobody on their own floor.
_contents = table("stored_contents", column("sha256"), column("content"))


class DatabaseStorage:
    """Keeps bytes in the office's own database, in the transaction at hand."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, content: bytes) -> str:
        """Keep bytes once, however often they are handed in."""
        sha256 = hashlib.sha256(content).hexdigest()
        known = select(_contents.c.sha256).where(_contents.c.sha256 == sha256)
        if self._session.scalar(known) is None:
            # A savepoint, because somebody else may be handing in the same file at this very moment.
            try:
                with self._session.begin_nested():
                    self._session.execute(insert(_contents).values(sha256=sha256, content=content))
            except IntegrityError:
                if self._session.scalar(known) is None:
                    raise
        return sha256

    def get(self, sha256: str) -> bytes:
        """Bring bytes back."""
        content = self._session.scalar(select(_contents.c.content).where(_contents.c.sha256 == sha256))
        if content is None:
            raise NotFound(content=sha256)
        return bytes(content)
