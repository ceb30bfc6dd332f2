"""Renditions (版式文件): licences drawn and sealed as PDF, by an errand of a procedure or from the list of what waits.

The store is what counts; a rendition is made from it once, as often as it is tried.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

import certificates
from approval import documents
from approval.domain.errors import IllegalStep, Unavailable
from approval.models.cases import Case
from approval.models.licences import Drawing
from approval.models.tasks import Errand
from approval.office import Office, Work
from approval.services import items, journal, licences, types
from approval.services.errands import CARRIED, Carried
from certificates import CertificateError, Licence

_REASON: Final = "颁发证照"
_AT_ONCE = 20
_MOST_TOLD = 100
# Doubled each time: a font that is set up, a seal that comes back, a template that is put right.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_LONGEST_WHY = 500
# Who claimed one to extend and has not kept it by then has failed, or its worker is dead.
_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Sheet:
    """What it takes to draw a licence (制作内容), gathered before anything slow begins."""

    licence: UUID
    template: str
    values: dict[str, Any]
    attached: dict[str, str]
    department: str
    at: datetime
    mark: str = ""


def gather(work: Work, licence: Licence, form: str) -> Sheet:
    """Gather what it takes to draw a licence (备料), its offline code among it; raises what the strong-house does."""
    sealer = work.office.authority.sealer(licence.issuer_code)
    code = certificates.compose_code(work.session, licence, sealer, work.now)
    address = f"{work.office.settings.origin}/verify/{licence.token}"
    values = {
        "licence": {
            "number": licence.number,
            "identifier": licence.identifier,
            "check_code": licence.check_code,
            "name": licence.type_name,
            "fields": licence.fields,
            "holder": {"name": licence.holder_name, "code": licence.holder_code},
            "issuer": {"name": licence.issuer_name},
            "issued_on": licence.issued_on,
            "valid_from": licence.valid_from,
            "valid_until": licence.valid_until,
        },
        "verify_url": address,
        "qr": f"{address}#{code}",
        "sample": work.office.settings.authority == "demo",
    }
    attached = {certificates.DATA_FILE: certificates.sealed_json(licence).decode(), certificates.CODE_FILE: code}
    return Sheet(licence.id, form, values, attached, licence.issuer_code, work.now)


def make(office: Office, sheet: Sheet) -> bytes:
    """Draw and seal a licence (制作版式文件), in no Work; raises `Unavailable`, and what the strong-house does."""
    drawn = documents.render(sheet.template, sheet.values, attached=sheet.attached, mark=sheet.mark)
    sealer = office.authority.sealer(sheet.department)
    return certificates.seal_document(drawn, sealer, reason=_REASON, now=sheet.at)


def ask(work: Work, licence: Licence) -> None:
    """Put a licence on the list of what is to be drawn (排队制作); once is enough."""
    if work.session.get(Drawing, licence.id) is None:
        work.session.add(Drawing(licence_id=licence.id, attempts=0, try_at=work.now, why=""))
        work.session.flush()


def waiting(work: Work) -> list[UUID]:
    """List some licences that are to be drawn now (待制作证照), the longest waiting first."""
    due = select(Drawing.licence_id).where(Drawing.try_at <= work.now).order_by(Drawing.try_at).limit(_AT_ONCE)
    return list(work.session.scalars(due))


def left(work: Work, type_code: str, department: str) -> tuple[int, list[tuple[str, str]]]:
    """Tell how many licences of a type and department wait to be drawn (待制作数), and which failed and why.

    At most a hundred of those that failed.
    """
    theirs = (Licence.type_code == type_code, Licence.issuer_code == department)
    queue = select(func.count()).select_from(Drawing).join(Licence, Licence.id == Drawing.licence_id).where(*theirs)
    failed = select(Licence.number, Drawing.why).join(Drawing, Drawing.licence_id == Licence.id)
    wanted = failed.where(Drawing.attempts > 0, *theirs).order_by(Licence.number).limit(_MOST_TOLD)
    return work.session.scalar(queue) or 0, [(number, why) for number, why in work.session.execute(wanted)]


def draw(office: Office, licence_id: UUID) -> bool:
    """Draw one licence from the list (制作证照): look, make, keep; what fails is tried again later.

    Twice at once draws twice and keeps one.
    """
    try:
        with office.work(read_only=True) as work:
            sheet = _waiting_sheet(work, licence_id)
        if sheet is None:
            return False
        pdf = make(office, sheet)
    except (Unavailable, CertificateError) as refused:
        why = f"{refused.code} {refused.facts}"[:_LONGEST_WHY]
        office.do(lambda work: _put_off(work, licence_id, why))
        return False
    office.do(lambda work: _kept(work, licence_id, pdf))
    return True


def extend(office: Office) -> bool:
    """Extend the sealed PDF that has waited for longest (追加长期验证信息); False when none is due.

    Claimed in a Work, made in none, kept in a Work: what was not kept, whatever the reason, is due again an hour
    later. Raises what `certificates.extend_document` raises.
    """
    with office.work(read_only=True) as work:
        if not certificates.rendition_due(work.session, work.now):
            return False
    claimed = office.do(lambda work: certificates.claim_rendition(work.session, work.now, work.now + _AGAIN))
    if claimed is None:  # another worker was faster
        return False
    licence, pdf = claimed
    extended = certificates.extend_document(pdf, office.trust, office.timestamper, now=office.clock())
    office.do(lambda work: certificates.keep_extended_rendition(work.session, licence, extended, work.now))
    return True


def _waiting_sheet(work: Work, licence_id: UUID) -> Sheet | None:
    licence = work.session.get(Licence, licence_id)
    if licence is None or work.session.get(Drawing, licence_id) is None:
        return None
    return gather(work, licence, template(work, licence))


def template(work: Work, licence: Licence) -> str:
    """Take the form that is prescribed now (证照样式), or its pack's own where it does not say enough for that."""
    found = types.newest(work, licence.type_code)
    if found and all(field.name in licence.fields for field in found[0].fields):
        return found[1]
    pack = items.pack_of(work, work.session.get_one(Case, licences.origin(licence)))
    assert pack.manifest.licence is not None
    return pack.files[pack.manifest.licence.template].decode()


def _put_off(work: Work, licence_id: UUID, why: str) -> None:
    drawing = work.session.get(Drawing, licence_id, with_for_update=True)
    if drawing is None:
        return
    drawing.attempts += 1
    drawing.why = why
    wait = min(_FIRST_WAIT * 2 ** min(drawing.attempts, 20), _LONGEST_WAIT)
    drawing.try_at = work.now + wait if drawing.attempts < work.office.settings.errand_attempts else None


def _kept(work: Work, licence_id: UUID, pdf: bytes) -> None:
    drawing = work.session.get(Drawing, licence_id, with_for_update=True)
    if drawing is None:
        return
    licence = work.session.get_one(Licence, licence_id)
    if certificates.keep_rendition(work.session, licence_id, pdf, work.now):
        case = work.session.get_one(Case, licences.origin(licence), with_for_update=True)
        journal.write(work, case, "licence:drawn", number=licence.number)
    work.session.delete(drawing)


def _look(work: Work, case: Case, _errand: Errand) -> Sheet:
    licence = licences.of_case(work, case)
    if licence is None:
        raise IllegalStep(status=case.status, asked="draw")
    return gather(work, licence, template(work, licence))


def _keep(work: Work, case: Case, pdf: bytes) -> dict[str, Any]:
    licence = licences.of_case(work, case)
    assert licence is not None
    certificates.keep_rendition(work.session, licence.id, pdf, work.now)
    journal.write(work, case, "licence:drawn", number=licence.number)
    return {}


CARRIED["draw_rendition"] = Carried(_look, make, _keep)
