"""Jobs (后台任务): carrying an errand's id to the worker, in the transaction that made the errand.

The errand row is the truth; DBOS only carries it. Nothing else in the house enqueues.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

APPLICATION = "approval"
QUEUE = "errands"
RUN_ERRAND = "run_errand"


class Carrier(Protocol):
    """Whoever brings errands to a worker."""

    def enqueue(self, session: Session, errand: UUID, retry: int = 0, delay: float = 0) -> None:
        """Promise, in this transaction, that a worker will see the errand, after a delay in seconds.

        `retry` tells one promise about the same errand from another.
        """
        ...

    def close(self) -> None:
        """Let go of what the carrier holds."""
        ...


class Courier:
    """Carries errands by DBOS, whose tables live in our database."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _client(self) -> "DBOSClient":
        # Late, because a connection must not be carried through a fork, and importing takes half a second.
        from dbos import DBOSClient, DBOSPortableJSONSerializer  # noqa: PLC0415

        return DBOSClient(
            system_database_url=self._url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )

    def enqueue(self, session: Session, errand: UUID, retry: int = 0, delay: float = 0) -> None:
        """Enqueue the errand once: its id, and how often it was promised before, are the workflow's id."""
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": RUN_ERRAND,
            "workflow_id": f"errand:{errand}:{retry}",
        }
        if delay:
            options["delay_seconds"] = delay
        self._client.enqueue_in_transaction(session, options, str(errand))

    def close(self) -> None:
        """Let go of the connections."""
        if "_client" in self.__dict__:
            self._client.destroy()
            del self._client


class Waiting:
    """Carries nothing: whoever plays a rehearsal runs the waiting errand rows itself."""

    def enqueue(self, session: Session, errand: UUID, retry: int = 0, delay: float = 0) -> None:
        """Leave the errand where it is: its row says that it waits."""

    def close(self) -> None:
        """Hold nothing, let nothing go."""


def migrate(url: str) -> None:
    """Make or upgrade the tables of DBOS, which have a history of their own."""
    from dbos import DBOS  # noqa: PLC0415 -- as above

    DBOS.migrate(url)
