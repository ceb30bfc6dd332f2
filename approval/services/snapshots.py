"""Snapshots (流程快照): where a procedure stood before each step, to lead it back there, and before a migration."""

import hashlib
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, delete, select

from approval.domain.manifests import APPLICANT
from approval.models import saving
from approval.models.cases import Case, JournalEntry
from approval.models.snapshots import Snapshot, SnapshotKind
from approval.models.tasks import Task
from approval.office import Work

# What changes the facts of a procedure: a state from before would go on with old ones.
_NEW_FACTS: Final = ("case:corrected", "case:supplied")


def take(work: Work, case: Case, task: Task, ordinal: int) -> None:
    """Keep where the procedure stands (留存快照) while `task` is still open in it; the newest of a step counts.

    `ordinal` is the line of the journal that says the task was completed.
    """
    _keep(work, case, SnapshotKind.TASK, ordinal, element=task.element, task_id=task.id, led_to=None)


def take_before_migration(work: Work, case: Case, ordinal: int) -> Snapshot:
    """Keep the version and the state that a case leaves (迁移前快照); the caller notes in `led_to` where it came."""
    _keep(work, case, SnapshotKind.MIGRATION, ordinal, element="", task_id=None, led_to=digest(case.state))
    return work.session.get_one(Snapshot, (case.id, SnapshotKind.MIGRATION, ""), populate_existing=True)


def of_step(work: Work, case: Case, element: str) -> Snapshot | None:
    """Find the snapshot of an officer's step that the case may be led back to (可退回的快照); None for any other.

    What the law did since cannot be undone by leading back: a snapshot from before a legal step, or from before a
    correction that changed the facts, is none.
    """
    return next((snapshot for snapshot, _task in _of_steps(work, case) if snapshot.element == element), None)


def steps(work: Work, case: Case) -> list[Task]:
    """List the tasks that the case may be led back to (可退回的环节), as they were done, the latest first."""
    return [task for _snapshot, task in _of_steps(work, case)]


def before_migration(work: Work, case: Case) -> Snapshot | None:
    """Find what a case was before its last migration (迁移前快照), if it has not moved since; else None."""
    found = work.session.get(Snapshot, (case.id, SnapshotKind.MIGRATION, ""), populate_existing=True)
    return found if found is not None and found.led_to == digest(case.state) else None


def drop(work: Work, snapshot: Snapshot) -> None:
    """Drop a snapshot that the case was led back to, with those of all later steps (快照作废): they never were."""
    later = delete(Snapshot).where(Snapshot.case_id == snapshot.case_id, Snapshot.ordinal >= snapshot.ordinal)
    work.session.execute(later, execution_options={"synchronize_session": False})


def forget(work: Work) -> int:
    """Forget the snapshots of cases that ended long enough ago (清理快照), and return how many."""
    until = work.now - timedelta(days=work.office.settings.snapshot_days)
    ended = select(Case.id).where(Case.ended_at < until)
    gone = work.session.execute(
        delete(Snapshot).where(Snapshot.case_id.in_(ended)), execution_options={"synchronize_session": False}
    )
    assert isinstance(gone, CursorResult)
    return gone.rowcount


def digest(state: bytes) -> str:
    """Tell states apart by their bytes (状态摘要): SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(state).hexdigest()


def _keep(work: Work, case: Case, kind: SnapshotKind, ordinal: int, **more: Any) -> None:
    values = {
        "case_id": case.id,
        "kind": kind.value,
        "ordinal": ordinal,
        "item_version_id": case.item_version_id,
        "status": case.status,
        "state": case.state,
        "taken_at": work.now,
        **more,
    }
    saving.replace(work.session, Snapshot, values)


def _of_steps(work: Work, case: Case) -> list[tuple[Snapshot, Task]]:
    corrected = select(JournalEntry.sequence).where(
        JournalEntry.case_id == case.id, JournalEntry.tag.in_(_NEW_FACTS), JournalEntry.sequence > Snapshot.ordinal
    )
    found = (
        select(Snapshot, Task)
        .join(Task, Task.id == Snapshot.task_id)
        .where(
            Snapshot.case_id == case.id,
            Snapshot.kind == SnapshotKind.TASK,
            Snapshot.status == case.status,
            Task.role != APPLICANT,
            ~corrected.exists(),
        )
        .order_by(Snapshot.ordinal.desc())
    )
    return [(snapshot, task) for snapshot, task in work.session.execute(found)]
