"""Corrections (补正): everything is asked for once; a second round only where a signer answers for it."""

from collections.abc import Mapping
from typing import Any

from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.errors import AskedOnce, IllegalStep, NotAllowed
from approval.models.cases import Case
from approval.office import Work
from approval.services import access, cards, items, journal, tokens

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
    cards.give(work, case, "P2")
    return case


def listed(work: Work, case: Case, told: Mapping[str, Any]) -> dict[str, Any]:
    """Call what is to be put right what the item calls it (补正内容): `where` is the code, `what` the name.

    Nothing but materials of the catalogue and questions of the filing form can be asked for (第三十一条); each row has
    a basis, that of its material where the officer named none (第三十二条第一款第四项).
    """
    pack = items.pack_of(work, case)
    materials = {f"materials.{material.code}": material for material in pack.manifest.materials}
    names = {code: material.name.zh for code, material in materials.items()}
    names |= {f"answers.{question.key}": question.label for question in pack.forms[pack.manifest.filing_form].fields}
    rows = []
    for row in told.get("missing") or ():
        code = str(row.get("what") or "")
        basis = row.get("basis") or (materials[code].basis if code in materials else "")
        rows.append({**row, "where": code if code in names else "", "what": names.get(code, code), "basis": basis})
    return {**told, "missing": rows} if rows else dict(told)


def allowable(work: Work, case: Case) -> bool:
    """Tell whether the actor could allow one more round of correction now (可否同意再次补正)."""
    return case.held_at is None and _leads(work, case) and _waiting(work, case)


def _used_up(work: Work, case: Case) -> bool:
    return journal.count(work, case, _ASKED) > journal.count(work, case, _ALLOWED)


def _waiting(work: Work, case: Case) -> bool:
    return case.status == Status.FILED and _used_up(work, case)


def _leads(work: Work, case: Case) -> bool:
    return access.leads(work, case) and not access.in_own_matter(work, case)
