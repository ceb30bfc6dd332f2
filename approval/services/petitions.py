"""Petitions (听证申请): who asks for a hearing, and whether one is still owed before anything is decided.

行政许可法第四十七条: the applicant and every interested party may ask; it is held within twenty days of the request.
"""

from typing import Any, Final

from approval.models.cases import Case
from approval.office import Work
from approval.services import answers, countdowns, items, journal
from approval.services.errands import act

ANNOUNCED: Final = "case:hearing-announced"
HEARD: Final = "case:hearing-held"
CALLED_OFF: Final = "case:hearing-called-off"
_ASKED: Final = "case:hearing-asked"
_WAIVED: Final = "case:hearing-waived"
_APPLICANT: Final = "applicant"
_LIMIT: Final = "hearing"


@act("note_hearing_request")
def note(work: Work, case: Case) -> dict[str, Any]:
    """Note what the applicant has just answered to their right to a hearing (申请人要求或者放弃听证): `result`."""
    if answers.latest(work, case).get("result") == "ask":
        ask(work, case, _APPLICANT)
    else:
        waive(work, case, _APPLICANT)
    return {}


def ask(work: Work, case: Case, by: str) -> None:
    """Note that somebody asks for a hearing (要求听证); the first request begins the days within which it is held."""
    journal.write(work, case, _ASKED, by=by)
    limit = items.pack_of(work, case).manifest.limits.get(_LIMIT)
    if limit and not countdowns.going(work, case, _LIMIT):
        countdowns.begin(work, case, _LIMIT, limit, since=work.now)


def waive(work: Work, case: Case, by: str) -> None:
    """Note that somebody wants no hearing (放弃听证); once nobody does, nothing is held to the days any more."""
    journal.write(work, case, _WAIVED, by=by)
    if not pending(work, case):
        stop(work, case, "行政许可法第四十七条第一款：放弃听证")


def stop(work: Work, case: Case, basis: str) -> None:
    """Stop the days within which a hearing is held (听证期限停止): it was held, or nobody wants it any more."""
    if countdowns.going(work, case, _LIMIT):
        countdowns.stop(work, case, _LIMIT, basis)


def announced(work: Work, case: Case) -> int:
    """Find the line that announced a hearing which was neither held nor called off (已通知的听证); 0 for none."""
    line = journal.last(work, case, ANNOUNCED)
    return line if line > journal.last(work, case, HEARD, CALLED_OFF) else 0


def pending(work: Work, case: Case) -> bool:
    """Tell whether a hearing that somebody asked for is still to be held (应听证而未听证, 第四十七条第一款)."""
    if not journal.last(work, case, _ASKED):
        return False
    held, asked = journal.last(work, case, HEARD), dict[str, bool]()
    for line in journal.read(work, case):
        if line.sequence > held and line.tag in {_ASKED, _WAIVED}:
            asked[line.facts["by"]] = line.tag == _ASKED
    return any(asked.values())
