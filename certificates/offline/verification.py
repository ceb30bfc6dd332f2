"""Asking without a network (离线查验): a code, or the PDF it is drawn on, against a kit; nothing is raised.

Answers what can be answered so: genuine, whole, in its days, and not on its department's status list. What the store
alone knows is not asked. With no list that holds, where the licence stands is open, and open is never a yes.
"""

from collections.abc import Iterator
from datetime import date, datetime

from cryptography import x509

from certificates import canonical, renditions, seals, statements
from certificates.checks import Check, Question, conclude, in_its_days, unasked
from certificates.offline import presentations
from certificates.offline.codes import Code
from certificates.offline.kits import Kit
from certificates.verification import PublicLicence, Verification

DATA_FILE = "licence.json"
"""The data of a licence inside its PDF (GB/T 36905)."""
CODE_FILE = "licence.jwt"
"""Its code, as in the QR code, inside its PDF."""


def verify_code(text: str, kit: Kit, *, today: date, now: datetime) -> Verification:
    """Verify what a QR code says (离线扫码查验); `today` (legal day) and `now` (aware) are the same moment."""
    try:
        code = Code.read(text)
    except Exception as error:  # noqa: BLE001 -- whatever a forged code makes a parser say, it is none
        return _conclude([Check(Question.READABLE, False, str(error))])
    return _conclude(list(_asked(code, kit, today, now)), code, kit)


def verify_file(upload: bytes, kit: Kit, *, today: date, now: datetime) -> Verification:
    """Verify a licence's PDF (离线文件查验): its seal, the data and the code inside it, and that they agree.

    Any other file is judged as what a wallet shows (`verify_presentation`), or as a code.
    `today` (legal day) and `now` (aware) are the same moment.
    """
    if not upload.startswith(renditions.MAGIC):
        text = upload.decode(errors="replace")
        if presentations.is_presentation(text):
            return presentations.verify_presentation(text, kit, today=today, now=now)
        return verify_code(text, kit, today=today, now=now)
    checks = renditions.examine(upload, kit.trust, now)
    try:
        owner, files = renditions.inside(upload)
        inside, data = files[CODE_FILE], files[DATA_FILE]
    except KeyError as lacking:  # a copy for a purpose, or drawn before there were codes: the store alone knows it
        return _conclude([*checks, Check(Question.AGREES, None, f"there is no {lacking} in it")])
    except Exception as error:  # noqa: BLE001 -- as above
        return _conclude([*checks, _disagrees(error)])
    try:
        code = Code.read(inside.decode())
        said, seal = statements.open_sealed_json(data)
        statement = canonical.dump(said)
    except Exception as error:  # noqa: BLE001 -- as above
        return _conclude([*checks, _disagrees(error)])
    agrees = canonical.sha256(statement) == code.digest and said["identifier"] == str(code.identifier)
    asked = {check.question: check for check in _asked(code, kit, today, now)}
    # The same question asked of file, data and code: a no of any is a no.
    for check in [*checks, *seals.examine(seal, statement, code.identifier.issuer, kit.trust)]:
        known = asked.get(check.question)
        if known is None or known.holds or (known.holds is None and check.holds is False):
            asked[check.question] = check
    return _conclude([Check(Question.AGREES, agrees and owner == code.identifier.issuer), *asked.values()], code, kit)


def _disagrees(error: Exception) -> Check:
    return Check(Question.AGREES, False, f"{type(error).__name__}: {error}")


def _asked(code: Code, kit: Kit, today: date, now: datetime) -> Iterator[Check]:
    certificate = kit.seals.get(code.kid)
    if certificate is None:
        why = "the kit does not hold this seal"
        yield from unasked((Question.SEAL_INTACT, Question.SEALED_BY_ENTITLED_DEPARTMENT, Question.CHAIN_TO_ROOT), why)
    else:
        entitled = seals.owner(certificate) == code.identifier.issuer
        yield Check(Question.SEAL_INTACT, code.signed.holds(certificate), code.at.isoformat())
        yield Check(Question.SEALED_BY_ENTITLED_DEPARTMENT, entitled, code.identifier.issuer)
        yield from kit.trust.examine(certificate, code.at)
    yield from kit.standing(code.identifier.issuer, code.place, now)
    yield from in_its_days(code.valid_from, code.valid_until, today)


def _conclude(checks: list[Check], code: Code | None = None, kit: Kit | None = None) -> Verification:
    outcome = conclude(checks)
    certificate = kit.seals.get(code.kid) if kit and code else None
    genuine = all(check.holds for check in checks if check.question is Question.SEAL_INTACT)
    return Verification(outcome, tuple(checks), _shown(code, certificate) if code and certificate and genuine else None)


def _shown(code: Code, certificate: x509.Certificate) -> PublicLicence:
    return PublicLicence(
        type_name=code.type_name,
        number=code.identifier.serial,
        identifier=str(code.identifier),
        issuer_name=seals.owner_name(certificate),
        holder=code.holder,
        issued_on=code.issued_on,
        valid_from=code.valid_from,
        valid_until=code.valid_until,
        fields={},
    )
