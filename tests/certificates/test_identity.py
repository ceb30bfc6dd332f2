"""Who answered a challenge, and every reason why somebody did not."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import certificates
from certificates import errors
from certificates.certification import Kind, Party, authority, certify, list_revoked
from certificates.identity.anchors import Anchor
from certificates.identity.tokens import read
from certificates.seals import SoftSealer
from tests.certificates.samples import NOW
from tests.kit.identities import FILE_PASSWORD, Holder, opened, sign

ORIGIN = "https://approval.example"
NONCE = certificates.make_challenge()
PERSONAL = Kind(frozenset({"digital_signature"}), ExtendedKeyUsageOID.CLIENT_AUTH)
TERM = timedelta(days=365)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return certificates.create_identity_authority(tmp_path_factory.mktemp("identity") / "demo", NOW)


@pytest.fixture(scope="module")
def anchors(people):
    return certificates.load_anchors(people.folder.parent)


@pytest.fixture(scope="module")
def chen(people):
    return opened(people.issue("chens-key", "陈示例", FILE_PASSWORD, NOW))


def identify(anchors, token, *, nonce=NONCE, origin=ORIGIN, now=NOW):
    return certificates.identify(token, nonce=nonce, origin=origin, anchors=anchors, now=now)


def name(common, serial="", organization="一站式审批（示例数据）"):
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    parts += [
        x509.NameAttribute(NameOID.SERIAL_NUMBER, each, _ASN1Type.UTF8String) for each in serial.split("+") if each
    ]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def party(common, serial="", key=None):
    return Party(name(common, serial), key or ec.generate_private_key(ec.SECP256R1()))


def issued(issuer, kind=PERSONAL, *, key=None, serial="somebody", begins=NOW, ends=NOW + TERM, above=()):
    subject = party("某人", serial, key)
    return Holder(subject.key, certify(subject, issuer, kind, begins, ends), above)


@pytest.fixture(scope="module")
def city():
    """Another authority, whose root issues to people itself."""
    root = party("城市根")
    pinned = certify(root, root, authority(0), NOW - TERM, NOW + 9 * TERM)
    return root, Anchor("city", (pinned,), (), (list_revoked(root, 1, (), NOW - TERM, NOW + TERM),))


def test_who_signed_is_said_by_issuer_and_stable_key(anchors, chen):
    subject = identify(anchors, chen.answer(NONCE, ORIGIN))
    assert subject == ("demo", "chens-key", "陈示例")


def test_a_renewed_certificate_is_the_same_subject(anchors, people, chen):
    renewed = opened(people.issue("chens-key", "陈改名", FILE_PASSWORD, NOW))
    assert renewed.certificate.serial_number != chen.certificate.serial_number
    assert identify(anchors, renewed.answer(NONCE, ORIGIN))[:2] == ("demo", "chens-key")


def test_the_authority_between_may_be_sent_or_known(anchors, chen):
    without = Holder(chen.key, chen.certificate)
    assert identify(anchors, without.answer(NONCE, ORIGIN)).identifier == "chens-key"
    forgetful = [Anchor(each.name, each.roots, (), each.lists) for each in anchors]
    assert identify(forgetful, chen.answer(NONCE, ORIGIN)).identifier == "chens-key"
    with pytest.raises(errors.IssuerUntrusted):
        identify(forgetful, without.answer(NONCE, ORIGIN))


def test_authorities_stand_side_by_side_and_one_key_under_two_is_two_subjects(anchors, city):
    root, anchor = city
    theirs = issued(root, serial="chens-key")
    assert identify([*anchors, anchor], theirs.answer(NONCE, ORIGIN))[:2] == ("city", "chens-key")
    with pytest.raises(errors.IssuerUntrusted):
        identify(anchors, theirs.answer(NONCE, ORIGIN))


def test_rsa_signs_in_by_either_padding(city):
    root, anchor = city
    key = rsa.generate_private_key(65537, 2048)
    theirs = issued(root, key=key)
    assert identify([anchor], theirs.answer(NONCE, ORIGIN))
    message = hashlib.sha256(ORIGIN.encode()).digest() + hashlib.sha256(NONCE.encode()).digest()
    pss = base64.b64encode(sign(key, message, pss=True)).decode()
    assert identify([anchor], theirs.answer(NONCE, ORIGIN, algorithm="PS256", signature=pss))
    with pytest.raises(errors.SignatureWrong):
        identify([anchor], theirs.answer(NONCE, ORIGIN, algorithm="RS256", signature=pss))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES384", "HS256", "none", "es256", ""])
def test_an_algorithm_that_is_not_the_keys_is_refused(anchors, chen, algorithm):
    with pytest.raises(errors.KeyUnsuitable):
        identify(anchors, chen.answer(NONCE, ORIGIN, algorithm=algorithm))


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 1024)], ids=["P-384", "RSA-1024"]
)
def test_a_key_of_another_kind_is_refused(city, key):
    root, anchor = city
    with pytest.raises(errors.KeyUnsuitable):
        identify([anchor], issued(root, key=key).answer(NONCE, ORIGIN))


def test_a_signature_over_another_origin_or_challenge_is_refused(anchors, chen):
    for nonce, origin in [
        (NONCE, "https://evil.example"),
        (NONCE, ORIGIN + "/"),
        (NONCE, ORIGIN.upper()),
        (certificates.make_challenge(), ORIGIN),
    ]:
        with pytest.raises(errors.SignatureWrong):
            identify(anchors, chen.answer(nonce, origin))


def test_a_tampered_signature_is_refused(anchors, chen):
    token = json.loads(chen.answer(NONCE, ORIGIN))
    raw = bytearray(base64.b64decode(token["signature"]))
    for wrong in (bytes(64), raw[:-1], raw + b"\0", bytes([raw[0] ^ 1]) + raw[1:], b"\xff" * 64):
        signature = base64.b64encode(bytes(wrong)).decode()
        with pytest.raises(errors.SignatureWrong):
            identify(anchors, json.dumps(token | {"signature": signature}))


def test_somebody_elses_certificate_beside_ones_own_key_is_refused(anchors, people, chen):
    lin = opened(people.issue("lins-key", "林示例", FILE_PASSWORD, NOW))
    with pytest.raises(errors.SignatureWrong):
        identify(anchors, Holder(chen.key, lin.certificate, lin.above).answer(NONCE, ORIGIN))


def test_an_authority_of_the_same_names_is_not_the_authority(anchors, people):
    root_name, issuing_name = anchors[0].roots[0].subject, people.certificate.subject
    root, issuing = (Party(each, ec.generate_private_key(ec.SECP256R1())) for each in (root_name, issuing_name))
    copies = (
        certify(issuing, root, authority(0), NOW, NOW + TERM),
        certify(root, root, authority(1), NOW, NOW + TERM),
    )
    forged = issued(issuing, serial="chens-key", above=copies)
    with pytest.raises(errors.IssuerUntrusted):
        identify(anchors, forged.answer(NONCE, ORIGIN))


def test_who_holds_a_personal_certificate_is_no_authority(anchors, chen):
    issuer = Party(chen.certificate.subject, chen.key)
    forged = issued(issuer, serial="admins-key", above=(chen.certificate, *chen.above))
    with pytest.raises(errors.IssuerUntrusted):
        identify(anchors, forged.answer(NONCE, ORIGIN))


def test_an_authority_signs_nobody_in(city):
    root, anchor = city
    for kind in (
        Kind(frozenset({"digital_signature", "key_cert_sign"}), ExtendedKeyUsageOID.CLIENT_AUTH, path=0),
        Kind(frozenset({"digital_signature"}), ExtendedKeyUsageOID.CLIENT_AUTH, path=0),
        Kind(frozenset({"digital_signature", "key_cert_sign"}), ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        with pytest.raises(errors.UsageWrong):
            identify([anchor], issued(root, kind).answer(NONCE, ORIGIN))


@pytest.mark.parametrize(
    "kind",
    [
        Kind(frozenset({"digital_signature"})),
        Kind(frozenset({"digital_signature"}), ExtendedKeyUsageOID.SERVER_AUTH),
        Kind(frozenset({"digital_signature"}), ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        Kind(frozenset({"content_commitment"}), ExtendedKeyUsageOID.CLIENT_AUTH),
    ],
    ids=["no purpose", "a server's", "any purpose", "no signing in"],
)
def test_a_certificate_for_something_else_is_refused(city, kind):
    root, anchor = city
    with pytest.raises(errors.UsageWrong):
        identify([anchor], issued(root, kind).answer(NONCE, ORIGIN))


@pytest.mark.parametrize("serial", ["", "a\0b", "\n", "one+another", "1" * 65])
def test_a_certificate_that_names_nobody_in_particular_is_refused(city, serial):
    root, anchor = city
    with pytest.raises(errors.UsageWrong):
        identify([anchor], issued(root, serial=serial).answer(NONCE, ORIGIN))


def test_a_seal_signs_nobody_in_even_under_a_trusted_root(authority):
    sealer = authority.sealer("market")
    trusting = Anchor("seals", (authority.root,), (), (authority.trust.crl,))
    with pytest.raises(errors.UsageWrong):
        identify([trusting], Holder(sealer.key, sealer.certificate).answer(NONCE, ORIGIN))


def test_a_persons_key_sets_no_seal(authority, chen, sealed):
    checks = authority.trust.examine(chen.certificate, NOW)
    assert checks[0].holds is False
    root = Party(authority.root.subject, authority.root_key)
    assert authority.trust.examine(issued(root).certificate, NOW)[0].holds is False
    with pytest.raises(certificates.SealRefused):
        certificates.seals.require_entitled(SoftSealer(chen.certificate, chen.key), "113505000038000042", NOW)


def test_before_and_after_its_term_a_certificate_is_refused_with_the_reason(anchors, chen):
    token = chen.answer(NONCE, ORIGIN)
    ends = chen.certificate.not_valid_after_utc
    assert identify(anchors, token, now=ends)
    with pytest.raises(errors.CertificateExpired):
        identify(anchors, token, now=ends + timedelta(seconds=1))
    with pytest.raises(errors.CertificateNotYetValid):
        identify(anchors, token, now=NOW - timedelta(seconds=1))


def test_of_a_strangers_certificate_nothing_is_said_but_that_it_is_one(anchors):
    stranger = issued(party("谁"), begins=NOW - 2 * TERM, ends=NOW - TERM)
    with pytest.raises(errors.IssuerUntrusted):
        identify(anchors, stranger.answer(NONCE, ORIGIN))


def test_a_revoked_certificate_is_refused_at_once_and_the_next_is_not(tmp_path):
    people = certificates.create_identity_authority(tmp_path / "demo", NOW)
    first, other = (opened(people.issue(key, "某人", FILE_PASSWORD, NOW)) for key in ("one", "two"))
    assert people.revoke("one", NOW) == 1
    assert people.revoke("one", NOW) == 0
    anchors = certificates.load_anchors(tmp_path)
    with pytest.raises(errors.CertificateRevoked):
        identify(anchors, first.answer(NONCE, ORIGIN))
    assert identify(anchors, other.answer(NONCE, ORIGIN))
    assert identify(anchors, opened(people.issue("one", "某人", FILE_PASSWORD, NOW)).answer(NONCE, ORIGIN))


def _revoked(serial):
    return x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW).build()


def test_a_revoked_authority_takes_its_people_with_it():
    root, issuing = party("根"), party("签发")
    between = certify(issuing, root, authority(0), NOW, NOW + TERM)
    lists = (
        list_revoked(root, 1, [_revoked(between.serial_number)], NOW, NOW + TERM),
        list_revoked(issuing, 1, (), NOW, NOW + TERM),
    )
    anchor = Anchor("x", (certify(root, root, authority(1), NOW, NOW + TERM),), (between,), lists)
    with pytest.raises(errors.CertificateRevoked):
        identify([anchor], issued(issuing).answer(NONCE, ORIGIN))


def test_without_a_current_list_of_its_own_issuer_nobody_signs_in(city):
    root, anchor = city
    token = issued(root).answer(NONCE, ORIGIN)
    other = Party(root.name, ec.generate_private_key(ec.SECP256R1()))
    part = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.name)
        .last_update(NOW - TERM)
        .next_update(NOW + TERM)
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
        .sign(root.key, hashes.SHA256())
    )
    for lists in (
        (),
        (list_revoked(root, 1, (), NOW - TERM, NOW - timedelta(seconds=1)),),
        (list_revoked(root, 1, (), NOW + timedelta(days=1), NOW + TERM),),
        (list_revoked(other, 1, (), NOW - TERM, NOW + TERM),),
        (list_revoked(party("别人", key=root.key), 1, (), NOW - TERM, NOW + TERM),),
        (part,),
    ):
        with pytest.raises(errors.RevocationUnknown):
            identify([Anchor("city", anchor.roots, (), lists)], token)
    assert identify([anchor], token)


def test_a_challenge_is_random_and_lasts_five_minutes():
    assert len({certificates.make_challenge() for _ in range(100)}) == 100
    assert len(base64.b64decode(NONCE)) == 32
    certificates.require_timely(NOW, NOW + timedelta(minutes=5))
    with pytest.raises(errors.ChallengeStale):
        certificates.require_timely(NOW, NOW + timedelta(minutes=5, seconds=1))


def test_who_says_to_have_signed_elsewhere_is_told_so():
    certificates.require_origin(ORIGIN, ORIGIN)
    certificates.require_origin("", ORIGIN)
    with pytest.raises(errors.OriginForeign):
        certificates.require_origin("https://evil.example", ORIGIN)


def test_a_megabyte_is_not_even_read():
    with pytest.raises(errors.TokenMalformed, match="65536"):
        read("[" * 2**20)


MALFORMED = {
    "nothing": lambda _: "",
    "no object": lambda _: "[]",
    "nested": lambda _: "[" * 60_000,
    "a number": lambda _: "NaN",
    "twice": lambda token: json.dumps(token)[:-1] + ', "algorithm": "none"}',
    "half": lambda token: json.dumps(token)[:100],
    "half a character": lambda token: json.dumps(token | {"signature": "\udc80"}),
    "another format": lambda token: json.dumps(token | {"format": "web-eid:2.0"}),
    "a member more": lambda token: json.dumps(token | {"subject": "admin"}),
    "a member less": lambda token: json.dumps({key: value for key, value in token.items() if key != "format"}),
    "no algorithm": lambda token: json.dumps(token | {"algorithm": ["ES256"]}),
    "no text": lambda token: json.dumps(token | {"signature": 7}),
    "spaces": lambda token: json.dumps(token | {"signature": " " + token["signature"]}),
    "url-safe": lambda token: json.dumps(token | {"signature": "-_" * 44}),
    "loose bits": lambda token: json.dumps(token | {"signature": "QR=="}),
    "no certificate": lambda token: json.dumps(token | {"unverifiedCertificate": "QUJD"}),
    "too many": lambda token: json.dumps(token | {"unverifiedIntermediates": [token["unverifiedCertificate"]] * 4}),
    "no list": lambda token: json.dumps(token | {"unverifiedIntermediates": token["unverifiedCertificate"]}),
    "large": lambda token: json.dumps(token | {"unverifiedCertificate": "QUJD" * 3000}),
    "a tail": lambda token: json.dumps(
        token
        | {"unverifiedCertificate": base64.b64encode(base64.b64decode(token["unverifiedCertificate"]) + b"\0").decode()}
    ),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_whatever_is_no_token_is_refused(anchors, chen, how):
    token = json.loads(chen.answer(NONCE, ORIGIN))
    with pytest.raises(errors.TokenMalformed):
        identify(anchors, MALFORMED[how](token))


def test_the_instant_may_stand_in_any_zone(anchors, chen):
    assert identify(anchors, chen.answer(NONCE, ORIGIN), now=datetime.fromtimestamp(NOW.timestamp(), UTC))
