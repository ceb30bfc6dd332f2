"""Licences (证照) from the office's side: issue what was granted, have it drawn, let anyone verify it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import certificates
from approval import documents
from approval.documents import examiners
from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.countdown import legal_day
from approval.domain.errors import (
    AnswersInvalid,
    IllegalStep,
    Incomplete,
    Missing,
    NotFound,
    NotSignedIn,
    Unavailable,
)
from approval.domain.manifests import Manifest
from approval.expressions import feel
from approval.models.cases import Case
from approval.models.people import Department
from approval.office import Work
from approval.services import access, answers, items, journal, notices, people, tokens, types
from approval.services.errands import act
from certificates import (
    Act,
    Draft,
    Holder,
    IllegalAct,
    Issuer,
    Licence,
    LicenceAct,
    LogView,
    Sealer,
    State,
    Succession,
    Verification,
)

# What the journal is told when a case gives a licence, or a new version of one.
_GIVEN: Final[Mapping[str, str]] = {
    "issue": "licence:issued",
    Act.CHANGE: "licence:changed",
    Act.RENEW: "licence:renewed",
    Act.REISSUE: "licence:reissued",
}
_LAPSED_AT_ONCE = 200
# What the journal and the holder are told of an act.
TOLD: Final[Mapping[Act, tuple[str, str]]] = {
    Act.SUSPEND: ("licence:suspended", "licence-suspended"),
    Act.RESUME: ("licence:given-back", "licence-given-back"),
    Act.REVOKE: ("licence:revoked", "licence-revoked"),
    Act.RESCIND: ("licence:rescinded", "licence-rescinded"),
    Act.CANCEL: ("licence:cancelled", "licence-cancelled"),
    Act.REISSUE: ("licence:reissued", "licence-reissued"),
}


@act("issue_licence")
def issue(work: Work, case: Case) -> dict[str, Any]:
    """Issue the licence of a granted case (颁发证照): recorded, then sealed, in this Work; a case issues once.

    Where the pack says so it changes, renews or reissues (变更、延续、补领) the applicant's licence that the
    application names: the number stays, and the version before is superseded. Raises `IllegalStep` unless granted
    (行政许可法第三十九条), `Incomplete` for a field that has no value, `Unavailable` for a character that our fonts
    cannot draw, `NotFound` for a licence that is not the applicant's or of another type, and what the strong-house
    raises.
    """
    return {"number": _issue(work, case, work.today).number}


def renew_deemed(work: Work, case: Case, since: date) -> Licence:
    """Renew the licence of a case that the law has granted (视为准予延续的换发), from the day after its last on.

    Raises as `issue`.
    """
    return _issue(work, case, since)


def is_of(work: Work, case: Case, licence: Licence) -> bool:
    """Tell whether a licence is one that a case can be about (所涉证照): its applicant's, type, department."""
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    found = _of_applicant(work, items.pack_of(work, case).manifest, licence.number, applicant["number"])
    return found is not None and found.id == licence.id


def _issue(work: Work, case: Case, since: date) -> Licence:
    pack = items.pack_of(work, case)
    rule = pack.manifest.licence
    if case.status != Status.GRANTED or rule is None:
        raise IllegalStep(status=case.status, asked="issue")
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    context = {"answers": answers.latest(work, case, answers.FILING), "applicant": applicant}
    fields = {name: feel.evaluate(text, context) for name, text in rule.fields.items()}
    if missing := [
        Missing(f"licence.{name}", "required") for name, value in fields.items() if value is None or value == ""
    ]:
        raise Incomplete(missing=missing)
    # A licence with a blank where a name should be is worse than none: before it is sealed, not after.
    if glyphs := documents.missing_glyphs([applicant["name"], *map(str, fields.values())]):
        raise Unavailable(glyphs=glyphs)
    department = work.session.get_one(Department, pack.manifest.department)
    kind = types.kind(types.in_force(work, pack.manifest))
    draft = Draft(
        type=kind,
        holder=Holder(applicant["name"], applicant["number"], "uscc" if applicant["kind"] == "organization" else "id"),
        fields=fields,
        issuer=Issuer(department.code, department.uscc, department.zh),
        source=str(case.id),
        issued_on=since,
        valid_from=since,
        valid_until=kind.last_day(since),
    )
    sealer = work.office.authority.sealer(department.code)
    if rule.act == "issue":
        licence = certificates.issue(work.session, draft, sealer, now=work.now, actor=work.actor.label)
    else:
        licence = _succeed(work, case, draft, sealer, str(feel.evaluate(rule.of, context)))
    until = licence.valid_until and licence.valid_until.isoformat()
    told = {"type": licence.type_code, "from": licence.valid_from.isoformat(), "until": until}
    journal.write(work, case, _GIVEN[rule.act], number=licence.number, **told)
    return licence


def concerned(work: Work, manifest: Manifest, context: Mapping[str, Any]) -> list[Missing]:
    """Check that the licence which an application is about can be changed, renewed or reissued (核对所涉证照).

    It is the applicant's, of the pack's type and department, valid, and has days left today
    (行政许可法第四十九条、第五十条).
    Nothing to tell where the pack issues new ones.
    """
    rule = manifest.licence
    if rule is None or rule.act == "issue":
        return []
    number = feel.evaluate(rule.of, context)
    if not number:  # the question for it says so
        return []
    old = _of_applicant(work, manifest, str(number), context["applicant"]["number"])
    if old is not None and old.state is State.VALID and not certificates.expired(old, work.today):
        return []
    return [Missing(rule.of, "no-such-licence", "证照编号")]


def _of_applicant(work: Work, manifest: Manifest, number: str, holder: str) -> Licence | None:
    old = certificates.find_by_number(work.session, number)
    theirs = old is not None and manifest.licence is not None and old.type_code == manifest.licence.type
    return old if old and theirs and (old.holder_code, old.issuer_code) == (holder, manifest.department) else None


def _succeed(work: Work, case: Case, draft: Draft, sealer: Sealer, number: str) -> Licence:
    manifest = items.pack_of(work, case).manifest
    rule = manifest.licence
    assert rule is not None
    if _of_applicant(work, manifest, number, draft.holder.code) is None:
        raise NotFound(licence=number)
    held(work, number)
    new = Succession(
        Act(rule.act),
        source=draft.source,
        issued_on=draft.issued_on,
        reason=manifest.name.zh,
        basis=rule.basis,
        holder=draft.holder,
        fields=draft.fields,
        valid_until=draft.valid_until,
        applied_on=legal_day(case.filed_at, work.office.settings.tz),
        type=draft.type,
    )
    return certificates.succeed(work.session, number, new, sealer, now=work.now, actor=work.actor.label)


def lapsed(work: Work) -> list[tuple[UUID, str]]:
    """List some licences that have come to their last day (到期证照): the case that gave each, and its number."""
    found = certificates.lapsed(work.session, work.today, limit=_LAPSED_AT_ONCE)
    return [(origin(licence), licence.number) for licence in found]


def expire(work: Work, case_id: UUID, number: str) -> bool:
    """Write down that a licence has come to its last day (到期失效) and tell its holder; False when it is not so.

    Verification does not wait for it.
    """
    # The case first, as whoever does anything to a licence has it.
    case = work.session.get_one(Case, case_id, with_for_update=True)
    licence = certificates.find_by_number(work.session, number)
    if licence is None or origin(licence) != case_id:
        return False
    try:
        certificates.expire(work.session, licence, today=work.today, now=work.now, actor=work.actor.label)
    except IllegalAct:
        return False
    journal.write(work, case, "licence:expired", number=licence.number)
    notices.tell(work, case, "licence-expired", licence=licence.number, day=str(licence.valid_until))
    return True


def perform(work: Work, number: str, deed: Act | None, *, reason: str, basis: str, token: str | None = None) -> Licence:
    """Suspend, give back, revoke, rescind or cancel a licence (暂扣、发还、吊销、撤销、注销), with reason and article.

    By a signer of the department that issued it; the holder is told. `token` makes a second sending the same act.
    Raises as `in_charge`, `AnswersInvalid` with everything that is missing, and the strong-house's `IllegalAct`
    (行政处罚法第九条、行政许可法第六十九条和第七十条).
    """
    in_charge(work, number)
    deed, reason, basis = _decided(deed, reason, basis)
    known, case = held(work, number)
    if tokens.spent(work, token, TOLD[deed][0], number):
        return known
    done = certificates.perform(
        work.session, number, deed, reason=reason, basis=basis, actor=work.actor.label, now=work.now
    )
    tag, code = TOLD[deed]
    journal.write(work, case, tag, number=number)
    notices.tell(work, case, code, licence=number, reason=reason, basis=basis)
    return done


def possible(work: Work, licence: Licence) -> tuple[Act, ...]:
    """Tell what may be done to a licence at the window (可作出的处置): what is lawful, and reissuing a valid one."""
    valid = licence.state is State.VALID and not certificates.expired(licence, work.today)
    return (*certificates.lawful(licence), *((Act.REISSUE,) if valid else ()))


def _decided(deed: Act | None, reason: str, basis: str) -> tuple[Act, str, str]:
    read, missing = texts.reasons(
        ("answers.reason", "理由", reason, texts.LONGEST_REASON),
        ("answers.basis", "依据", basis, texts.LONGEST_REASON),
    )
    if deed not in TOLD:
        missing.insert(0, Missing("answers.deed", "required", "处置"))
    if missing or deed is None:
        raise AnswersInvalid(missing=missing)
    return deed, read[0], read[1]


def in_charge(work: Work, number: str) -> Licence:
    """Obtain a licence that the actor answers for (主管证照): a signer of the department that issued it.

    Raises `NotSignedIn`, `NotFound`: numbers can be guessed, and nobody else learns which there are.
    """
    if work.actor.person is None:
        raise NotSignedIn
    licence = certificates.find_by_number(work.session, number)
    if licence is None or licence.state is State.INTENDED or not work.actor.holds(licence.issuer_code, "signer"):
        raise NotFound(licence=number)
    return licence


def held(work: Work, number: str) -> tuple[Licence, Case]:
    """Obtain a licence as it is now, with the case that it came from locked (锁定证照).

    Whoever does anything to a licence has that lock. Raises `NotFound`.
    """
    case = None
    while licence := certificates.find_by_number(work.session, number):
        # Whoever was waited for may have made another version, out of another case.
        if case is not None and origin(licence) == case.id:
            work.session.refresh(licence)
            return licence, case
        case = work.session.get_one(Case, origin(licence), with_for_update=True, populate_existing=True)
    raise NotFound(licence=number)


def origin(licence: Licence) -> UUID:
    """Tell the case that a licence came from (来源办件); versions made without an application say which they are."""
    return UUID(licence.source.partition("/")[0])


def history(work: Work, licence: Licence) -> Sequence[LicenceAct]:
    """Tell what was done to a licence in all its versions (证照行为记录), oldest first."""
    return sorted(
        (
            act
            for one in certificates.versions(work.session, licence.number)
            for act in certificates.acts(work.session, one)
        ),
        key=lambda act: act.id,
    )


def of_case(work: Work, case: Case) -> Licence | None:
    """Find the licence that a case gave (办件结果证照); None before it is issued."""
    return certificates.find_by_source(work.session, str(case.id))


def mine(work: Work) -> list[Licence]:
    """List the licences of the applicant that the actor acts for (我的证照), newest first; raises `NotSignedIn`.

    Each in the version that counts; earlier ones stay with `history` and their cases.
    """
    if work.actor.person is None:
        raise NotSignedIn
    holder = people.applicant(work, work.actor.organization or work.actor.person, work.actor.person)
    return held_by(work, holder["number"])


def held_by(work: Work, holder: str) -> list[Licence]:
    """List a holder's licences by the holder's code (持证主体的证照), each in the version that counts, newest first."""
    held = certificates.find_by_holder(work.session, holder)
    return [one for one in held if one.state not in {State.INTENDED, State.SUPERSEDED}]


def own(work: Work, number: str) -> Licence:
    """Obtain one of the licences that `mine` lists (本人证照); raises `NotSignedIn`, `NotFound`."""
    for licence in mine(work):
        if licence.number == number:
            return licence
    raise NotFound(licence=number)


def own_rendition(work: Work, number: str) -> bytes | None:
    """Fetch the sealed PDF of one's own licence (下载本人证照); None while it is drawn. Raises as `own`."""
    return certificates.get_rendition(work.session, own(work, number).id)


def rendition(work: Work, number: str) -> bytes | None:
    """Fetch the sealed PDF that belongs to one's own or one's department's case (下载证照); None while it is drawn.

    Raises as `access.case`.
    """
    licence = of_case(work, access.case(work, number))
    return certificates.get_rendition(work.session, licence.id) if licence else None


def verify(
    work: Work, *, token: str = "", number: str = "", check_code: str = "", document: bytes = b""
) -> Verification:
    """Verify a licence (查验) by the token of its QR code, by number and printed check code, or by the file.

    Raises nothing for a bad licence: what holds and what fails is the answer. Shows no more of the holder than
    the type makes public.
    """
    trust, today, log = work.office.trust, work.today, _log(work)
    if document:
        limit = work.office.settings.material_bytes
        return certificates.verify_document(
            work.session,
            document,
            trust=trust,
            now=work.now,
            today=today,
            limit=limit,
            log=log,
            examine=examiners.examine,
        )
    if token:
        return certificates.verify_token(work.session, token, trust=trust, today=today, log=log)
    return certificates.verify_number(work.session, number, check_code, trust=trust, today=today, log=log)


def verify_as_operator(work: Work, number: str) -> Verification:
    """Verify by number alone (后台查验): for the command line of whoever runs the office, never for a page."""
    return certificates.verify_as_operator(
        work.session, number, trust=work.office.trust, today=work.today, log=_log(work)
    )


def _log(work: Work) -> LogView:
    return LogView(work.office.log_key, work.now - timedelta(seconds=work.office.settings.log_seconds))
