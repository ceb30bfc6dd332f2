"""Addresses for delivery (送达地址): where a person wants notices sent, each confirmed by a code sent to it."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotSignedIn
from approval.domain.notices import CHOSEN, Way
from approval.domain.ports import Letter
from approval.domain.texts import reason
from approval.models.notices import DeliveryAddress
from approval.models.people import Person
from approval.office import Work
from approval.services import limits

_ASKED, _GUESSED, _PLACE = "delivery-code", "delivery-guess", "delivery-address"
# Neither 0 and O nor 1 and I; eight of them are forty bits.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH: Final = 8
_FORMS: Mapping[Way, tuple[re.Pattern[str], str]] = {
    Way.EMAIL: (
        re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?=.{1,180}$)[A-Za-z0-9](?:[A-Za-z0-9-]*)(?:\.[A-Za-z0-9-]+)+"),
        "电子邮箱",
    ),
    Way.SMS: (re.compile(r"(?:\+\d{1,3})?1?\d{6,14}"), "手机号码"),
}


def mine(work: Work) -> dict[str, DeliveryAddress]:
    """List the addresses of the actor (我的送达地址), by way; raises `NotSignedIn`."""
    theirs = select(DeliveryAddress).where(DeliveryAddress.person_id == _person(work))
    return {address.way: address for address in work.session.scalars(theirs)}


def ask(work: Work, way: str, text: str) -> Letter | None:
    """Ask for an address (填写送达地址), and return the letter that brings its code; post needs none.

    The address before counts until the new one is confirmed. Raises `NotAllowed` for a way that is not offered,
    `AnswersInvalid` for what is no address, `TooMany` for whoever asks too often, or for an address that is.
    """
    if way not in CHOSEN:
        raise NotAllowed(way=way)
    chosen = Way(way)
    text = _read(chosen, text)
    row = _row(work, chosen)
    if chosen is Way.POST:
        row.address, row.confirmed_at = text, work.now
        return None
    most = work.office.settings.sign_in_failures
    asked = {_ASKED: str(row.person_id), _PLACE: hashlib.sha256(text.encode()).hexdigest()}
    for kind, key in asked.items():
        limits.require_below(work, kind, key, most)
        limits.note_failure(work, kind, key)
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    minutes = work.office.settings.code_minutes
    row.pending, row.code_sha256 = text, _hashed(row, code)
    row.code_until = work.now + timedelta(minutes=minutes)
    return Letter(
        id=str(uuid4()),
        way=chosen.value,
        to=text,
        subject="送达地址确认码 / Code to confirm your address",
        text=f"确认码：{code}\n{minutes} 分钟内有效，只能使用一次。如果不是您本人操作，请不必理会。\n\n"
        f"Your code is {code}. It holds for {minutes} minutes and can be used once.\n",
        at=work.now,
    )


def confirm(work: Work, way: str, code: str) -> bool:
    """Confirm an address by the code that was sent to it (确认送达地址); False, with the failure kept, for a wrong one.

    A code is used once. Raises `TooMany` for whoever guesses.
    """
    row = _row(work, Way(way)) if way in CHOSEN else None
    if row is None:
        raise NotAllowed(way=way)
    limits.require_below(work, _GUESSED, str(row.person_id), work.office.settings.sign_in_failures)
    given = _hashed(row, "".join(code.split()).upper())
    in_time = row.code_until is not None and work.now <= row.code_until
    if not in_time or not hmac.compare_digest(row.code_sha256 or "", given):
        limits.note_failure(work, _GUESSED, str(row.person_id))
        return False
    row.address, row.confirmed_at = row.pending, work.now
    row.pending = row.code_sha256 = row.code_until = None
    limits.forget(work, _GUESSED, str(row.person_id))
    return True


def drop(work: Work, way: str) -> None:
    """Have nothing sent by a way any more (取消送达方式); the portal stays."""
    theirs = (DeliveryAddress.person_id == _person(work), DeliveryAddress.way == way)
    work.session.execute(delete(DeliveryAddress).where(*theirs))


def _person(work: Work) -> UUID:
    if work.actor.person is None:
        raise NotSignedIn
    return work.actor.person


def _row(work: Work, way: Way) -> DeliveryAddress:
    # Of two pages at once the second waits here and then finds the row of the first.
    person = work.session.get_one(Person, _person(work), with_for_update={"key_share": True})
    theirs = select(DeliveryAddress).where(DeliveryAddress.person_id == person.id, DeliveryAddress.way == way)
    row = work.session.scalars(theirs).one_or_none()
    if row is None:
        row = DeliveryAddress(id=uuid4(), person_id=person.id, way=way)
        work.session.add(row)
        work.session.flush()
    return row


def _read(way: Way, text: str) -> str:
    if way is Way.POST:
        return reason(text, where="answers.address", label="邮寄地址")
    form, label = _FORMS[way]
    text = text.strip().replace(" ", "") if way is Way.SMS else text.strip()
    if not form.fullmatch(text):
        raise AnswersInvalid(missing=[Missing("answers.address", "wrong-form" if text else "required", label)])
    return text


def _hashed(row: DeliveryAddress, code: str) -> str:
    """Hash a code with the row it is for, so that it opens no other."""
    return hashlib.sha256(f"{row.id}:{code}".encode()).hexdigest()
