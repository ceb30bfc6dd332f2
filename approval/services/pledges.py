"""Pledges (承诺): materials that come after acceptance (容缺受理), and commitments instead of proofs (告知承诺)."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import select

import certificates
from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.countdown import Entry, EntryType, legal_day, reckon
from approval.domain.errors import IllegalStep, Incomplete, Missing, NotAllowed, NotFound
from approval.domain.manifests import Manifest
from approval.expressions import feel
from approval.models.cases import Case
from approval.models.people import Person
from approval.models.pledges import Commitment, Deferral
from approval.office import Work
from approval.services import access, answers, countdowns, items, journal, licences, notices, tokens
from approval.services.errands import act
from certificates import Act

CHECKS: Final = frozenset({"keep_commitment", "break_commitment"})
"""The acts by which a commitment is checked (承诺核查)."""
_REPAIRED: Final = "commitment:repaired"


class Promise(NamedTuple):
    """What an applicant promises on filing (申请时的承诺): materials that come later, and the item's commitment."""

    deferred: frozenset[str] = frozenset()
    committed: bool = False

    def excused(self, manifest: Manifest) -> frozenset[str]:
        """Name the materials that need not be there (无须提交的材料): to come later, or stood for by the commitment."""
        rule = manifest.commitment
        return self.deferred | (frozenset(rule.replaces) if rule and self.committed else frozenset())

    def told(self) -> dict[str, Any]:
        """Say it to conditions and facts (供条件使用): `deferred`, a list of codes, and `committed`."""
        return {"deferred": sorted(self.deferred), "committed": self.committed}


NONE: Final = Promise()


def deferrable(manifest: Manifest) -> frozenset[str]:
    """Name the materials that may come after acceptance (可容缺材料)."""
    return frozenset(material.code for material in manifest.materials if material.deferral)


def may_commit(work: Work, manifest: Manifest, context: Mapping[str, Any], applicant: Any) -> bool:
    """Tell whether an applicant may promise instead of proving (可否告知承诺).

    The item allows it for such answers, and no commitment of theirs was broken that has not been repaired
    (国办发〔2020〕42号).
    """
    rule = manifest.commitment
    if rule is None or feel.evaluate(rule.when, context) is not True:
        return False
    broken = select(Commitment.case_id).where(
        Commitment.applicant_id == applicant, Commitment.kept.is_(False), Commitment.repaired_at.is_(None)
    )
    return work.session.scalars(broken.limit(1)).first() is None


def check(manifest: Manifest, promise: Promise, *, allowed: bool) -> list[Missing]:
    """Check what an applicant promises (承诺核对): what may not come later, and a commitment that is not open."""
    names = {material.code: material.name.zh for material in manifest.materials}
    wrong = [
        Missing(f"materials.{code}", "not-deferrable", names.get(code, code))
        for code in sorted(promise.deferred - deferrable(manifest))
    ]
    return [*wrong, *([Missing("commitment", "not-open", "告知承诺")] if promise.committed and not allowed else [])]


def keep(work: Work, case: Case, promise: Promise) -> None:
    """Keep what an applicant promised on filing (收存承诺), and put the commitment into writing (告知承诺书)."""
    for code in sorted(promise.deferred):
        work.session.add(Deferral(case_id=case.id, requirement=code, promised_at=work.now))
        journal.write(work, case, "material:deferred", requirement=code)
    rule = items.pack_of(work, case).manifest.commitment
    if not promise.committed or rule is None:
        return
    work.session.add(
        Commitment(case_id=case.id, applicant_id=case.applicant_id, made_by=case.filed_by, made_at=work.now)
    )
    journal.write(work, case, "commitment:made")
    told = {"obligations": rule.obligations.zh, "consequences": rule.consequences.zh, "signature": _signed(work, case)}
    notices.tell(work, case, "commitment", number=case.number, basis=rule.basis, **told)


def of_case(work: Work, case: Case) -> Promise:
    """Bring what the applicant of a case promised (办件的承诺): the materials still to come, and the commitment.

    What a correction asks for comes with it and not later.
    """
    told = notices.latest(work, case, "correction") if case.status == Status.CORRECTING else None
    rows = (told.facts.get("missing") or ()) if told else ()
    asked = {str(row.get("where") or "").removeprefix("materials.") for row in rows if isinstance(row, Mapping)}
    return Promise(frozenset(outstanding(work, case)) - asked, work.session.get(Commitment, case.id) is not None)


def settle(work: Work, case: Case, promise: Promise) -> None:
    """Keep of a case's promises what is promised still (承诺变更): other answers may ask for less, or for the proof."""
    supplied(work, case, set(outstanding(work, case)) - promise.deferred)
    commitment = work.session.get(Commitment, case.id)
    if commitment is not None and commitment.kept is None and not promise.committed:
        work.session.delete(commitment)
        journal.write(work, case, "commitment:voided")


def unkept(work: Work, case: Case, acts: Collection[str]) -> dict[str, str]:
    """Find the promises of a case that a procedure with these acts would never come back to (承诺落空), and why."""
    commitment = work.session.get(Commitment, case.id)
    found = {}
    if outstanding(work, case) and "tell_deferral" not in acts:
        found["tell_deferral"] = "materials are still to come, and the new version would not ask for them"
    if commitment is not None and commitment.kept is None and not set(acts) >= CHECKS:
        found["keep_commitment"] = "a commitment was made, and the new version would not check it"
    return found


def outstanding(work: Work, case: Case) -> list[str]:
    """List the materials that are still to come (待补齐的容缺材料)."""
    due = select(Deferral.requirement).where(Deferral.case_id == case.id, Deferral.supplied_at.is_(None))
    return list(work.session.scalars(due.order_by(Deferral.requirement)))


def supplied(work: Work, case: Case, brought: Collection[str]) -> None:
    """Note that materials that were to come have come, or are not asked for any more (容缺材料补齐)."""
    for code in set(outstanding(work, case)) & set(brought):
        work.session.get_one(Deferral, (case.id, code)).supplied_at = work.now


def require_supplied(work: Work, case: Case) -> None:
    """Require that nothing is still to come (容缺材料应当先补齐); raises `Incomplete` naming it."""
    names = {material.code: material.name.zh for material in items.pack_of(work, case).manifest.materials}
    if missing := [Missing(f"materials.{code}", "missing", names.get(code, code)) for code in outstanding(work, case)]:
        raise Incomplete(missing=missing)


@act("tell_deferral")
def tell_deferral(work: Work, case: Case) -> dict[str, Any]:
    """Say in writing what is still to come, and until when (容缺受理通知书); raises `NoticeIncomplete`."""
    manifest = items.pack_of(work, case).manifest
    names = {material.code: material.name.zh for material in manifest.materials}
    limit = manifest.limits["deferral"]
    last = reckon([Entry(EntryType.START, work.today, limit.days, limit.basis)], countdowns.calendar(work, case)).day
    minor = [names.get(code, code) for code in outstanding(work, case)]
    if not minor:  # a step was returned to after everything had come
        return {}
    told: dict[str, Any] = {"minor": minor, "deadline": last.isoformat(), "signature": _signed(work, case)}
    notices.tell(work, case, "deferral", number=case.number, **told)
    return {}


@act("keep_commitment")
def keep_commitment(work: Work, case: Case) -> dict[str, Any]:
    """Find that a commitment was kept (承诺属实), after the check that follows a grant (事中事后核查)."""
    _settle(work, case, kept=True)
    journal.write(work, case, "commitment:kept")
    return {}


@act("break_commitment")
def break_commitment(work: Work, case: Case) -> dict[str, Any]:
    """Find that a commitment was not kept (承诺不实): what was granted on it is rescinded, reasons and article told.

    By the signer who wrote them; whoever broke one makes no other until it is repaired (行政许可法第六十九条第二款、
    国办发〔2020〕42号). Raises as `licences.perform`.
    """
    told = answers.latest(work, case)
    reason, basis = str(told.get("reason") or ""), str(told.get("article") or "")
    _settle(work, case, kept=False)
    journal.write(work, case, "commitment:broken")
    notices.tell(work, case, "commitment-broken", number=case.number, reason=reason, article=basis)
    licence = licences.of_case(work, case)
    if licence and Act.RESCIND in certificates.lawful(licence):  # what has ended otherwise is not ended again
        licences.perform(work, licence.number, Act.RESCIND, reason=reason, basis=basis)
    return {}


def repair(work: Work, number: str, reason: str, *, token: str | None = None) -> Commitment:
    """Let whoever broke a commitment make others again (信用修复), by a signer of the item's department, with a reason.

    `token` makes a second sending the same repair. Raises as `access.case`; `NotAllowed`; `AnswersInvalid` without a
    reason; `NotFound` for a case without a commitment; `IllegalStep` for one that was not broken, or is repaired.
    """
    case = access.case(work, number, lock=True)
    if not access.leads(work, case) or access.in_own_matter(work, case):
        raise NotAllowed(case=number)
    commitment = work.session.get(Commitment, case.id)
    if commitment is None:
        raise NotFound(commitment=number)
    if tokens.spent(work, token, _REPAIRED, number):
        return commitment
    reason = texts.reason(reason)
    if commitment.kept is not False or commitment.repaired_at is not None:
        raise IllegalStep(asked="repair", status=case.status)
    commitment.repaired_at = work.now
    journal.write(work, case, _REPAIRED, reason=reason)
    return commitment


def repairable(work: Work, case: Case) -> bool:
    """Tell whether the actor could repair the commitment of a case now (可否信用修复)."""
    commitment = work.session.get(Commitment, case.id)
    broken = commitment is not None and commitment.kept is False and commitment.repaired_at is None
    return broken and access.leads(work, case) and not access.in_own_matter(work, case)


def _settle(work: Work, case: Case, *, kept: bool) -> None:
    commitment = work.session.get(Commitment, case.id)
    if commitment is None or commitment.kept is not None:
        raise IllegalStep(asked="commitment", status=case.status)
    commitment.kept, commitment.settled_at = kept, work.now


def _signed(work: Work, case: Case) -> str:
    """Say who promised, and when (承诺人): whoever filed, signed in by name."""
    name = work.session.get_one(Person, case.filed_by).name
    return f"{name}（{legal_day(case.filed_at, work.office.settings.tz).isoformat()} 实名登录确认）"
