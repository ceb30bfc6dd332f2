"""Corrections (补正): everything is asked for once; a second round only where a signer answers for it."""

from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.errors import AskedOnce, IllegalStep, NotAllowed
from approval.models.cases import Case
from approval.office import Work
from approval.services import access, journal, tokens

_ASKED = "case:correction-asked"
_ALLOWED = "case:correction-allowed"


def require_unasked(work: Work, case: Case) -> None:
    """Require that a correction may be asked for (可否告知补正): once, and once more for each time it was allowed.

    Raises `AskedOnce` (行政许可法第三十二条第一款第四、五项).
    """
    if _used_up(work, case):
        raise AskedOnce(case=case.number)


def allow_again(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Allow one more round of correction (同意再次补正), by a signer of the item's department, who gives a reason.

    The journal keeps who answered for it and why: a second supplement is what supervision looks at. `token` makes a
    second sending the same permission. Raises as `access.case`; `NotAllowed` for anybody else and in one's own matter;
    `AnswersInvalid` without a reason; `IllegalStep` where none is needed (行政许可法第三十二条第一款第四项).
    """
    case = access.case(work, number, lock=True)
    if not _leads(work, case):
        raise NotAllowed(case=number)
    if tokens.spent(work, token, _ALLOWED, number):
        return case
    access.require_moving(case)
    reason = texts.reason(reason)
    if not _waiting(work, case):
        raise IllegalStep(asked="correction-allowed", status=case.status)
    journal.write(work, case, _ALLOWED, reason=reason)
    return case


def allowable(work: Work, case: Case) -> bool:
    """Tell whether the actor could allow one more round of correction now (可否同意再次补正)."""
    return case.held_at is None and _leads(work, case) and _waiting(work, case)


def _used_up(work: Work, case: Case) -> bool:
    return journal.count(work, case, _ASKED) > journal.count(work, case, _ALLOWED)


def _waiting(work: Work, case: Case) -> bool:
    return case.status == Status.FILED and _used_up(work, case)


def _leads(work: Work, case: Case) -> bool:
    return access.leads(work, case) and not access.in_own_matter(work, case)
