"""Exports (证照导出): a licence in the forms that wallets and other cities' systems read, for its holder."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

import certificates
from approval.models.cases import Case
from approval.models.people import Department
from approval.office import Work
from approval.services import items, journal, licences, offline
from certificates import IllegalAct, Licence, State, Terms


class Form(StrEnum):
    """In which form a licence leaves the house (导出格式)."""

    WALLET = "wallet"
    SD_JWT = "sd-jwt"
    VC = "vc"


def in_force(work: Work, licence: Licence) -> bool:
    """Tell whether a licence counts today (是否有效): sealed, not suspended, ended or superseded, within its days."""
    begun = licence.valid_from <= work.today
    return licence.state is State.VALID and begun and not certificates.expired(licence, work.today)


def export(work: Work, number: str, form: Form) -> str:
    """Write one's own licence anew for a file (导出证照), sealed by its department; it stands in the case's journal.

    Raises as `licences.own`, `IllegalAct` for a licence that is not in force, and what the strong-house raises.
    """
    return written(work, locked(work, licences.own(work, number).id), form)


def data(work: Work, number: str) -> bytes:
    """Fetch the sealed data of one's own licence (证照数据文件), canonical JSON; raises as `licences.own`."""
    return certificates.sealed_json(licences.own(work, number))


def locked(work: Work, licence_id: UUID) -> Licence:
    """Take a licence in hand (锁定证照), so that nothing befalls it before this Work is over.

    Raises `IllegalAct` for one that is not in force.
    """
    licence = work.session.get_one(Licence, licence_id)
    # The case first, as whoever does anything to a licence has it.
    work.session.get_one(Case, licences.origin(licence), with_for_update=True)
    work.session.refresh(licence)
    if not in_force(work, licence):
        raise IllegalAct(state=licence.state, asked="export")
    return licence


def written(work: Work, licence: Licence, form: Form, *, key: Mapping[str, str] | None = None) -> str:
    """Write and seal a licence that is in hand (签发凭证), for a wallet's `key`; raises what the strong-house does."""
    sealer, conditions = work.office.authority.sealer(licence.issuer_code), _terms(work, licence)
    if form is Form.VC:
        made = certificates.compose_vc(work.session, licence, sealer, conditions, now=work.now)
    else:
        made = certificates.compose_sd_jwt(work.session, licence, sealer, conditions, now=work.now, holder_key=key)
    case = work.session.get_one(Case, licences.origin(licence))
    journal.write(work, case, "licence:exported", number=licence.number, form=form.value)
    return made


def _terms(work: Work, licence: Licence) -> Terms:
    zone, last = work.office.settings.tz, licence.valid_until
    department = work.session.get(Department, licence.issuer_code)
    english = [
        entry.manifest.licence.name.en
        for entry in items.catalogue(work)
        if entry.manifest.licence and entry.manifest.licence.type == licence.type_code
    ]
    return Terms(
        issuer=address(work),
        statuses=offline.address(work, licence.issuer_uscc),
        begins=datetime.combine(licence.valid_from, time.min, zone),
        ends=datetime.combine(last + timedelta(days=1), time.min, zone) if last else None,
        english_type=english[0] if english else "",
        english_issuer=department.en if department else "",
    )


def address(work: Work) -> str:
    """Tell the office's own address (签发者标识), as wallets know it."""
    return work.office.settings.origin.rstrip("/")
