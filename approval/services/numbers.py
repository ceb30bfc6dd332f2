"""Numbers that people read (编号): serials that two at once never share, and the case number made of them."""

from typing import cast

from sqlalchemy import text
from stdnum.iso7064 import mod_11_10

from approval.domain.manifests import CaseKind
from approval.models.people import Department
from approval.office import Work

_KINDS = {CaseKind.INSTANT: "1", CaseKind.PROMISED: "2", CaseKind.JOINT: "3", CaseKind.FORWARDED: "4"}

# One statement is the lock: both databases let the second caller wait here until the first has committed.
_TAKE = text(
    "INSERT INTO serials (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = serials.value + 1 RETURNING value"
)


def next_serial(work: Work, name: str) -> int:
    """Take the next number of a series (取流水号), beginning with 1; a Work that fails gives it back."""
    return cast("int", work.session.execute(_TAKE, {"name": name}).scalar_one())


def case_number(work: Work, department: Department, case_kind: str) -> str:
    """Make a case number (办件编号), 24 digits.

    Division 6 + department 3 + day 8 + kind 1 + serial 5 + check digit (ISO 7064 MOD 11,10).
    """
    day = f"{work.today:%Y%m%d}"
    serial = next_serial(work, f"case:{department.number}:{day}")
    digits = f"{work.office.settings.region}{department.number}{day}{_KINDS[CaseKind(case_kind)]}{serial:05d}"
    return digits + str(mod_11_10.calc_check_digit(digits))
