"""Verification without a network (离线查验): the worker signs status lists, anyone fetches what they need to verify.

Only workers need the departments' seals for it: what they signed is kept, and the public door hands it out.
"""

from datetime import timedelta

import certificates
from approval.domain.errors import NotFound
from approval.models.people import Department
from approval.office import Work


def issuing(work: Work) -> list[str]:
    """List the departments that have a seal here (用印部门), by code."""
    return sorted(work.office.authority.sealers)


def publish(work: Work, *, code: str) -> bool:
    """Sign a department's status list anew (发布状态列表) where something befell a licence, or it is time.

    False when the last one will do. Raises what the strong-house raises.
    """
    department = work.session.get(Department, code)
    if department is None:
        return False
    sealer, settings = work.office.authority.sealer(code), work.office.settings
    uri, lasts = address(work, department.uscc), timedelta(hours=settings.status_hours)
    return certificates.publish_statuses(work.session, department.uscc, sealer, uri=uri, now=work.now, lasts=lasts)


def address(work: Work, uscc: str) -> str:
    """Tell where a department's status list is published (状态列表地址): codes and credentials name it."""
    return f"{work.office.settings.origin.rstrip('/')}/verify/statuses/{uscc}"


def status_list(work: Work, uscc: str) -> str:
    """Fetch a department's status list as a JWT (状态列表, IETF Token Status List); raises `NotFound`."""
    found = work.session.get(certificates.StatusListing, uscc)
    if found is None:
        raise NotFound(uscc=uscc)
    return found.text


def kit(work: Work) -> bytes:
    """Put together all that is needed to verify offline (离线查验包), canonical JSON: no secret, no holder."""
    return certificates.pack_kit(work.session, work.office.trust)
