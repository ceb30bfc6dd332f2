"""Saved filters (常用筛选): a view of one's queue under a name, kept for oneself."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from approval.domain.errors import AnswersInvalid, Missing, NotSignedIn
from approval.domain.texts import LONGEST_CODE
from approval.models.desks import SavedFilter
from approval.office import Work

_MOST = 20


def save(work: Work, name: str, asked: Mapping[str, str]) -> SavedFilter:
    """Save what one looks at under a name (保存筛选), in place of an earlier one of that name.

    Raises `NotSignedIn`, `AnswersInvalid` for no name, or when there are too many.
    """
    if work.actor.person is None:
        raise NotSignedIn
    name = " ".join(name.split())
    kept = {each.name: each for each in mine(work)}
    if not 0 < len(name) <= LONGEST_CODE or not name.isprintable() or (name not in kept and len(kept) >= _MOST):
        raise AnswersInvalid(missing=[Missing("answers.name", "required", "名称")])
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
