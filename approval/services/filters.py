"""Saved filters (常用筛选): a view of one's queue under a name, kept for oneself."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from approval.domain import texts
from approval.domain.errors import AnswersInvalid, Missing, NotSignedIn
from approval.domain.texts import LONGEST_CODE
from approval.models.desks import SavedFilter
from approval.models.people import Person
from approval.office import Work

_MOST = 20


def save(work: Work, name: str, asked: Mapping[str, str]) -> SavedFilter:
    """Save what one looks at under a name (保存筛选), in place of an earlier one of that name.

    Raises `NotSignedIn`, `AnswersInvalid` for no name, or when there are too many.
    """
    if work.actor.person is None:
        raise NotSignedIn
    read, missing = texts.reasons(("answers.name", "名称", name, LONGEST_CODE))
    if missing:
        raise AnswersInvalid(missing=missing)
    # Of two clicks at once the second waits here and then finds what the first saved.
    work.session.get_one(Person, work.actor.person, with_for_update={"key_share": True})
    name, kept = read[0], {each.name: each for each in mine(work)}
    if name not in kept and len(kept) >= _MOST:
        raise AnswersInvalid(missing=[Missing("answers.name", "too-many", "名称")])
    query = urlencode({key: value for key, value in asked.items() if value})
    found = kept.get(name)
    if found is None:
        found = SavedFilter(id=uuid4(), person_id=work.actor.person, name=name, query=query)
        work.session.add(found)
    found.query = query
    work.session.flush()
    return found


def mine(work: Work) -> Sequence[SavedFilter]:
    """List one's saved filters (常用筛选), by name."""
    kept = select(SavedFilter).where(SavedFilter.person_id == work.actor.person)
    return work.session.scalars(kept.order_by(SavedFilter.name)).all()


def drop(work: Work, filter_id: UUID) -> None:
    """Drop one of one's filters (删除筛选); nobody else's."""
    own = (SavedFilter.id == filter_id, SavedFilter.person_id == work.actor.person)
    work.session.execute(delete(SavedFilter).where(*own))
