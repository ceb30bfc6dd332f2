"""Identities (证书身份): people known by digital certificates, and signing in with one.

A challenge is set to one browser and gone with its first answer. Who answered is said by the strong-house; who
that is to this office, by the binding of the authority and its key for the person.
"""

import hashlib
import secrets
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select

import certificates
from approval.domain.errors import AlreadyDone, Disabled, NotAllowed, NotEnrolled, NotFound, Refusal
from approval.models.people import Challenge, Identity, Person
from approval.office import Work
from approval.services import limits, people
from certificates import CertificateError, ChallengeUnknown, IdentityAuthority, Subject

DEMO = "demo"
_ORIGINS = "certificate-origin"
# A challenge too old to be answered is kept for this long, so that whoever answers it late is told why.
_REMEMBERED = timedelta(hours=1)


class Answer(NamedTuple):
    """What a browser sent to prove who is there (登录应答): the token, what it answers, where, and from where.

    `signed_at` is the origin that the browser says it signed for; `origin` is ours; `source` tells visitors apart.
    """

    token: str
    nonce: str
    browser: str
    signed_at: str
    origin: str
    source: str


def challenge(work: Work, browser: str) -> str:
    """Set a browser a challenge (出题), to be answered once and within five minutes."""
    work.session.execute(delete(Challenge).where(Challenge.made_at < work.now - _REMEMBERED))
    nonce = certificates.make_challenge()
    made = Challenge(
        nonce_sha256=certificates.challenge_fingerprint(nonce), browser_sha256=_sha256(browser), made_at=work.now
    )
    work.session.add(made)
    return nonce


def sign_in(work: Work, answer: Answer) -> tuple[UUID, str] | Refusal | CertificateError:
    """Sign a person in by certificate (证书登录): the person and the new session's token, or why not.

    What stands against it is returned, not raised: the challenge is used up and the failure counted all the same.
    Raises `TooMany` while too many failures stand against the source.
    """
    limits.require_below(work, _ORIGINS, answer.source, work.office.settings.address_failures)
    set_to = (
        Challenge.nonce_sha256 == certificates.challenge_fingerprint(answer.nonce),
        Challenge.browser_sha256 == _sha256(answer.browser),
    )
    # Gone before anything is asked; of two at once the second finds nothing.
    made_at = work.session.scalar(delete(Challenge).where(*set_to).returning(Challenge.made_at))
    try:
        if made_at is None:
            raise ChallengeUnknown
        certificates.require_timely(made_at, work.now)
        certificates.require_origin(answer.signed_at, answer.origin)
        anchors = certificates.load_anchors(_folder(work))
        subject = certificates.identify(
            answer.token, nonce=answer.nonce, origin=answer.origin, anchors=anchors, now=work.now
        )
        person = _bound(work, subject)
    except (Refusal, CertificateError) as reason:
        limits.note_failure(work, _ORIGINS, answer.source)
        return reason
    return person, people.begin_session(work, person)


def issue(work: Work, code: str, password: str) -> bytes:
    """Issue a certificate to a person (签发个人证书), by the demo authority, as PKCS#12 under a password.

    The first binds the person to a random key that says nothing about them; a later one keeps it.
    Raises `NotAllowed`, `NotFound`; AuthorityUnusable where no demo authority is.
    """
    person, authority = _administered(work, code)
    known = select(Identity.identifier).where(Identity.issuer == authority.name, Identity.person_id == person.id)
    identifier = work.session.scalars(known.order_by(Identity.bound_at)).first()
    if identifier is None:
        identifier = secrets.token_hex(16)
        bind(work, code, Subject(authority.name, identifier, person.name))
    return authority.issue(identifier, person.name, password, work.now)


def bind(work: Work, code: str, subject: Subject) -> None:
    """Bind a person to whom an authority means (绑定证书身份); raises `NotAllowed`, `NotFound`."""
    person = _person(work, code)
    work.session.add(
        Identity(issuer=subject.issuer, identifier=subject.identifier, person_id=person.id, bound_at=work.now)
    )
    work.session.flush()


def bind_certificate(work: Work, code: str, pem: bytes) -> Subject:
    """Bind a person to whom a certificate names (登记个人证书), issued by any authority that we trust.

    `pem` is the certificate and those above it. Raises `NotAllowed`, `NotFound`, `AlreadyDone` for a subject that
    is bound, and the IdentityRefused that stands against the certificate.
    """
    _person(work, code)
    certificate, between = certificates.read_certificate(pem)
    anchors = certificates.load_anchors(_folder(work))
    subject = certificates.recognise_subject(certificate, between, anchors, work.now)
    if work.session.get(Identity, (subject.issuer, subject.identifier)) is not None:
        raise AlreadyDone(issuer=subject.issuer)
    bind(work, code, subject)
    return subject


def revoke(work: Work, code: str) -> int:
    """Revoke all certificates the demo authority issued to a person (吊销个人证书) and end their sessions.

    Says how many certificates still held. The list is written at once: should this Work fail, they stay revoked.
    Raises `NotAllowed`, `NotFound`; AuthorityUnusable.
    """
    person, authority = _administered(work, code)
    theirs = select(Identity.identifier).where(Identity.issuer == authority.name, Identity.person_id == person.id)
    people.end_sessions(work, person.id)
    return sum(authority.revoke(identifier, work.now) for identifier in work.session.scalars(theirs))


def is_bound(work: Work, code: str) -> bool:
    """Tell whether the demo authority knows a person (是否已绑定)."""
    known = select(Identity.identifier).join(Person).where(Identity.issuer == DEMO, Person.code == code)
    return work.session.scalar(known.limit(1)) is not None


def found_authority(work: Work) -> None:
    """Make the demo authority of people where none stands (建立示例身份证书机构)."""
    certificates.create_identity_authority(_folder(work) / DEMO, work.now)


def _bound(work: Work, subject: Subject) -> UUID:
    bound = work.session.get(Identity, (subject.issuer, subject.identifier))
    if bound is None:
        raise NotEnrolled(issuer=subject.issuer)
    person = work.session.get_one(Person, bound.person_id)
    if person.disabled_at is not None:
        raise Disabled(person=person.code)
    return person.id


def _administered(work: Work, code: str) -> tuple[Person, IdentityAuthority]:
    return _person(work, code), certificates.open_identity_authority(_folder(work) / DEMO)


def _person(work: Work, code: str) -> Person:
    if not work.actor.administers:
        raise NotAllowed(person=code)
    person = work.session.scalars(select(Person).where(Person.code == code)).one_or_none()
    if person is None:
        raise NotFound(person=code)
    return person


def _folder(work: Work) -> Path:
    return work.office.settings.authority_folder / "identity"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
