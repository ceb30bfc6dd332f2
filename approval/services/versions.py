"""Versions (版本迁移): taking cases under way over to another version of their item, seen first, and reversibly."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from approval import engine
from approval.domain import texts
from approval.domain.errors import AnswersInvalid, Missing, OutOfTurn
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, Task, Timer
from approval.office import Work
from approval.services import access, items, journal, pledges, procedures, snapshots, tokens, workshops
from approval.services.packs import Pack

Mapped = Mapping[str, str]


class Place(NamedTuple):
    """Something that a case waits for (在办位置): its element, and what that is called."""

    element: str
    name: str


class Prospect(NamedTuple):
    """What a migration would make of one case (迁移预检).

    `kept` goes on as it is, `lost` has no like place in the new version, for reasons in `why`, and stands in the way,
    `dropped` would no longer be waited for, and `fresh` would be waited for anew. `unknown` are facts that the new
    version may ask for and the case was never asked; `unread` what was given and the new version has no place for.
    """

    case: Case
    kept: tuple[Place, ...]
    lost: tuple[Place, ...]
    dropped: tuple[Place, ...]
    fresh: tuple[Place, ...]
    unknown: tuple[str, ...]
    unread: tuple[str, ...]
    why: Mapping[str, str]

    @property
    def possible(self) -> bool:
        """Whether the case can be taken over."""
        return not self.lost


def candidates(work: Work, version: ItemVersion, *, limit: int = 50, offset: int = 0) -> list[Case]:
    """List the cases under way on other versions of an item (可迁移的办件), the oldest first.

    Raises `NotSignedIn`, `NotAllowed`.
    """
    access.require_administrator(work)
    others = (
        select(Case)
        .join(ItemVersion, ItemVersion.id == Case.item_version_id)
        .where(ItemVersion.item_code == version.item_code, ItemVersion.id != version.id, Case.ended_at.is_(None))
        .options(joinedload(Case.item_version))
        .order_by(Case.filed_at, Case.id)
    )
    return list(work.session.scalars(others.limit(limit).offset(offset)))


def survey(work: Work, cases: Iterable[Case], version: ItemVersion, mapping: Mapped | None = None) -> list[Prospect]:
    """Survey what a migration would make of cases (迁移预检), without changing anything: by trying it on their states.

    `mapping` names, for elements of the old version, those of the new one that take their place. Raises
    `NotSignedIn`, `NotAllowed`.
    """
    access.require_administrator(work)
    return [_prospect(work, case, version, mapping or {}) for case in cases]


def places(work: Work, version: ItemVersion) -> dict[str, str]:
    """Name what may take the place of an old element (可对应的环节): the tasks of a version, by element."""
    definition = items.pack(work, version).definition
    return {element: definition.nodes[element].name for element in sorted(definition.tasks)}


def migrate(
    work: Work,
    numbers: Iterable[str],
    version_id: UUID,
    reason: str,
    *,
    mapping: Mapped | None = None,
    token: str | None = None,
) -> list[Case]:
    """Migrate cases to another version of their item (版本迁移): all of them or none, each journaled, each reversible.

    Raises `NotSignedIn`, `NotAllowed`, `NotFound`, `AnswersInvalid` without a reason or a case, `OutOfTurn` for a case
    that has ended, stands under this version or belongs to another item, `CannotMigrate` naming what has no place.
    """
    version = workshops.version(work, version_id)
    # In one order, so that two migrations at once wait for one another instead of undoing each other.
    cases = [access.any_case(work, number, lock=True) for number in sorted(set(numbers))]
    reason = texts.reason(reason)
    if not cases:
        raise AnswersInvalid(missing=[Missing("answers.case", "required", "办件")])
    if tokens.spent(work, token, "case:migrated", str(version_id)):
        return cases
    for case in cases:
        _migrate(work, case, version, mapping or {}, reason)
    return cases


def reversible(work: Work, case: Case) -> ItemVersion | None:
    """Find the version that a case could be taken back to (可撤销的迁移): while it has not moved since; else None."""
    snapshot = snapshots.before_migration(work, case) if case.ended_at is None else None
    return work.session.get(ItemVersion, snapshot.item_version_id) if snapshot else None


def undo(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Undo the last migration of a case (撤销迁移): it stands again where it stood, under the version it left.

    Raises as `migrate`, and `OutOfTurn` once the case has moved since.
    """
    case = access.any_case(work, number, lock=True)
    reason = texts.reason(reason)
    if tokens.spent(work, token, "case:migration-undone", number):
        return case
    snapshot = snapshots.before_migration(work, case)
    if snapshot is None or case.ended_at is not None:
        raise OutOfTurn(case=number)
    left, version = case.item_version, work.session.get_one(ItemVersion, snapshot.item_version_id)
    journal.write(work, case, "case:migration-undone", left=left.ordinal, version=version.ordinal, reason=reason)
    procedures.rehouse(work, case, version, procedures.standing(work, version, snapshot.state))
    snapshots.drop(work, snapshot)
    return case


def _migrate(work: Work, case: Case, version: ItemVersion, mapping: Mapped, reason: str) -> None:
    left = case.item_version
    if case.ended_at is not None or left.id == version.id or left.item_code != version.item_code:
        raise OutOfTurn(case=case.number)
    if broken := pledges.unkept(work, case, items.pack(work, version).definition.errands.values()):
        raise engine.CannotMigrate(elements=sorted(broken), why="; ".join(broken.values()))
    progress = procedures.foresee(work, case, version, mapping)
    line = journal.write(
        work, case, "case:migrated", left=left.ordinal, version=version.ordinal, mapping=dict(mapping), reason=reason
    )
    snapshot = snapshots.take_before_migration(work, case, line)
    procedures.rehouse(work, case, version, progress)
    snapshot.led_to = snapshots.digest(case.state)
    work.session.flush()


def _prospect(work: Work, case: Case, version: ItemVersion, mapping: Mapped) -> Prospect:
    old, new = items.pack_of(work, case), items.pack(work, version)
    unknown = tuple(sorted(set(new.manifest.facts) - set(old.manifest.facts)))
    here = {row.item: Place(row.element, _name(old, row.element)) for row in _waiting(work, case)}
    told = procedures.survey(work, case, version, mapping)
    why = dict(told.lost) | pledges.unkept(work, case, new.definition.errands.values())
    there: dict[UUID, str] = {}
    if not why:
        progress = procedures.foresee(work, case, version, mapping)
        there |= {UUID(task.id): task.element for task in progress.tasks}
        there |= {UUID(errand.id): errand.element for errand in progress.errands}
        there |= {UUID(timer.id): timer.element for timer in progress.timers}
    kept = there.keys() if not why else {item for item, place in here.items() if place.element not in why}
    return Prospect(
        case,
        kept=tuple(place for item, place in here.items() if item in kept),
        lost=tuple(Place(element, _name(old, element)) for element in why),
        dropped=tuple(place for item, place in here.items() if item not in kept and place.element not in why),
        fresh=tuple(Place(element, _name(new, element)) for item, element in there.items() if item not in here),
        unknown=unknown,
        unread=told.unread,
        why=why,
    )


def _waiting(work: Work, case: Case) -> Iterable[Task | Errand | Timer]:
    yield from procedures.open_rows(work, case, Task)
    yield from procedures.open_rows(work, case, Errand)
    yield from procedures.open_rows(work, case, Timer)


def _name(pack: Pack, element: str) -> str:
    node = pack.definition.nodes.get(element)
    return node.name if node else ""
