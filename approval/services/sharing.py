"""Sharing (证照共享): a department looks at a licence for a case, by the holder's leave, who sees that it did.

Whoever has no right learns nothing: not whether a licence exists, nor whose it is.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy import delete, select, update

import certificates
from approval.domain import texts
from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.domain.manifests import Manifest
from approval.domain.materials import Upload
from approval.models import saving
from approval.models.cases import Case
from approval.models.sharing import Ground, LicenceAccess, SharingCode
from approval.models.tasks import Task
from approval.office import Work
from approval.services import access, journal, licences, limits, materials, people
from certificates import Licence, State

__all__ = ["Ground", "Question", "Shared", "ask", "at_hand", "attach", "authorise", "looks"]

_KIND = "sharing"
# No vowels and nothing that is easily taken for something else: read out at a counter, typed by a clerk.
_ALPHABET: Final = "23456789BCDFGHJKMNPQRSTVWXZ"
_CODE_LENGTH = 10
_LONGEST_PURPOSE = 200
_MOST_ACCESSES = 200


@dataclass(frozen=True)
class Question:
    """What a department asks (调用请求): for which case and purpose, by which article; which licence, by what code.

    Without `number` all licences of the case's applicant are meant. `code` is the holder's, for anybody else's.
    """

    case: str
    purpose: str
    basis: str
    number: str = ""
    code: str = ""


@dataclass(frozen=True)
class Shared:
    """What a department is shown of a licence (共享信息): where it stands, and the fields that are released to it."""

    number: str
    version: int
    type_name: str
    holder_name: str
    issuer_name: str
    state: State
    issued_on: date
    valid_from: date
    valid_until: date | None
    fields: Mapping[str, Any]


def ask(work: Work, question: Question) -> list[Shared]:
    """Look at licences for a case (调用证照); every look is written down, on the case and for the holder to see.

    For an officer whose department has work in the case while it is open. The applicant's own licences are allowed by
    the application itself (行政许可法第三十一条、一次填报), anybody else's by a code that its holder gave, once. The
    department that issued sees all fields, another those that the type releases. Raises `NotSignedIn`; `NotAllowed`
    for whoever holds no post; `AnswersInvalid` with everything that is missing; `TooMany`; `NotFound` for anything
    else, which says no more.
    """
    if work.actor.person is None:
        raise NotSignedIn
    if not work.actor.departments:
        raise NotAllowed
    purpose, basis = _why(question)
    limits.require_below(work, _KIND, work.actor.label, work.office.settings.address_failures)
    try:
        case, department = _place(work, question.case)
        found, ground = _meant(work, case, question)
    except NotFound:
        label = work.actor.label
        work.if_undone.append(lambda after: limits.note_failure(after, _KIND, label))
        raise NotFound from None
    shown = [_released(licence, department) for licence in found]
    for licence, seen in zip(found, shown, strict=True):
        _note(work, case, licence, _Why(department, ground, purpose, basis), seen.fields)
    return shown


def at_hand(work: Work, manifest: Manifest, holder: str) -> dict[str, Licence]:
    """Find the holder's licences that answer what an item asks for (免提交材料), by requirement: level A.

    Valid, with days left, their sealed PDF at hand; of several the newest (国务院令第716号第十三条).
    """
    wanted = {kind for material in manifest.materials for kind in material.licences}
    if not wanted:
        return {}
    good = [
        licence
        for licence in licences.held_by(work, holder)
        if licence.type_code in wanted
        and licence.state is State.VALID
        and not certificates.expired(licence, work.today)
    ]
    newest = {licence.type_code: licence for licence in reversed(certificates.drawn(work.session, good))}
    return {
        material.code: newest[kind]
        for material in manifest.materials
        for kind in reversed(material.licences)
        if kind in newest
    }


def attach(work: Work, case: Case, manifest: Manifest, held: Mapping[str, Licence]) -> None:
    """Attach licences from the store to a case that is being handed in (调取证照), by requirement.

    The applicant asks for it by filing; each is a look that the holder sees.
    """
    asked = {material.code: material for material in manifest.materials}
    files = [
        Upload(code, f"{licence.number}.pdf", certificates.get_rendition(work.session, licence.id) or b"")
        for code, licence in held.items()
    ]
    materials.keep(work, case, files, licences={code: licence.number for code, licence in held.items()})
    for code, licence in held.items():
        material = asked[code]
        why = _Why(manifest.department, Ground.FILING, f"申请材料：{material.name.zh}", material.basis)
        _note(work, case, licence, why, licence.fields)


def authorise(work: Work, number: str) -> str:
    """Make a code by which a department may look at one's own licence, once (出具授权码); raises as `licences.own`.

    It holds for the minutes of the settings; an earlier one for the same licence does not any more.
    """
    licence = licences.own(work, number)
    work.session.refresh(licence, with_for_update=True)
    over = delete(SharingCode).where(SharingCode.number == licence.number, SharingCode.used_at.is_(None))
    work.session.execute(over)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    until = work.now + timedelta(minutes=work.office.settings.sharing_minutes)
    work.session.add(SharingCode(digest=_digest(number, code), number=number, expires_at=until))
    return code


def looks(work: Work) -> Sequence[LicenceAccess]:
    """List who looked at the licences of the applicant that the actor acts for (调用记录), the newest first.

    At most two hundred. Raises `NotSignedIn`.
    """
    if work.actor.person is None:
        raise NotSignedIn
    holder = people.applicant(work, work.actor.organization or work.actor.person, work.actor.person)
    theirs = select(LicenceAccess).where(LicenceAccess.holder_code == holder["number"])
    return work.session.scalars(theirs.order_by(LicenceAccess.at.desc()).limit(_MOST_ACCESSES)).all()


class _Why(NamedTuple):
    """By what right a department sees a licence."""

    department: str
    ground: Ground
    purpose: str
    basis: str


def _note(work: Work, case: Case, licence: Licence, why: _Why, fields: Iterable[str]) -> None:
    look = {
        "id": uuid4(),
        "number": licence.number,
        "version": licence.version,
        "holder_code": licence.holder_code,
        "department_code": why.department,
        "by": work.actor.label,
        "via": work.actor.via or None,
        "case_id": case.id,
        "ground": why.ground,
        "purpose": why.purpose,
        "basis": why.basis,
        "fields": sorted(fields),
        "at": work.now,
    }
    saving.add(work.session, LicenceAccess, look)
    journal.write(work, case, "licence:shown", number=licence.number, department=why.department)


def _why(question: Question) -> tuple[str, str]:
    read, missing = texts.reasons(
        ("answers.purpose", "用途", question.purpose, _LONGEST_PURPOSE),
        ("answers.basis", "依据", question.basis, texts.LONGEST_REASON),
    )
    if not question.case.strip():
        missing.insert(0, Missing("answers.case", "required", "办件编号"))
    if missing:
        raise AnswersInvalid(missing=missing)
    return read[0], read[1]


def _place(work: Work, number: str) -> tuple[Case, str]:
    """Find the open case, locked, and which of the actor's departments has work in it."""
    case = access.case(work, number.strip(), lock=True)
    if not access.reads(work, case):  # one's own matter gives no right either (回避)
        raise NotFound
    working = select(Task.department_code).where(
        Task.case_id == case.id, Task.department_code.in_(work.actor.departments)
    )
    department = work.session.scalar(working.order_by(Task.department_code).limit(1))
    if department is None or case.ended_at is not None:
        raise NotFound
    return case, department


def _meant(work: Work, case: Case, question: Question) -> tuple[list[Licence], Ground]:
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    own = licences.held_by(work, applicant["number"])
    number = question.number.strip()
    if not number:
        return own, Ground.CASE
    if allowed := [licence for licence in own if licence.number == number]:
        return allowed, Ground.CASE
    _spend(work, number, question.code)
    licence = certificates.find_by_number(work.session, number)
    if licence is None:
        raise NotFound
    return [licence], Ground.CODE


def _spend(work: Work, number: str, code: str) -> None:
    held = SharingCode.used_at.is_(None) & (SharingCode.expires_at > work.now)
    tidy = "".join(code.upper().split()).replace("-", "")
    spent = update(SharingCode).where(SharingCode.digest == _digest(number, tidy), held).values(used_at=work.now)
    # Conditional, so that of two at once one is turned away.
    if work.session.scalar(spent.returning(SharingCode.digest)) is None:
        raise NotFound


def _digest(number: str, code: str) -> str:
    return sha256(f"{number}\n{code}".encode(errors="replace")).hexdigest()


def _released(licence: Licence, department: str) -> Shared:
    names = licence.fields if department == licence.issuer_code else licence.shared_fields or licence.public_fields
    return Shared(
        number=licence.number,
        version=licence.version,
        type_name=licence.type_name,
        holder_name=licence.holder_name,
        issuer_name=licence.issuer_name,
        state=licence.state,
        issued_on=licence.issued_on,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        fields={name: licence.fields[name] for name in names if name in licence.fields},
    )
