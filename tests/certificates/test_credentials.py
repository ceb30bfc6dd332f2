"""Licences for wallets: shown piece by piece, judged by a kit, and read by the reference implementation too."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

import certificates
from certificates import Act, Outcome, Question, State, canonical, credentials, disclosures, jose
from tests.certificates.samples import DRAFT, FIELDS, FIRE, FOOD, HOLDER, MARKET, NOW, TODAY

ORIGIN = "https://approval.example"
URI = f"{ORIGIN}/verify/statuses/{MARKET.uscc}"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
TERMS = certificates.Terms(
    issuer=ORIGIN,
    statuses=URI,
    begins=datetime(2026, 11, 21, 16, tzinfo=UTC),
    ends=datetime(2031, 11, 21, 16, tzinfo=UTC),
    english_type="Food Business Licence",
)
DEMAND = certificates.Demand("https://verifier.example", "n-0S6_WzA2Mj")


@pytest.fixture
def wallet():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def kit(session, authority):
    def fetch(uri=URI):
        for one in (MARKET, FIRE):
            sealer = authority.sealer(one.code)
            certificates.publish_statuses(session, one.uscc, sealer, uri=uri, now=NOW, lasts=DAY)
        return certificates.OfflineKit.read(certificates.pack_kit(session, authority.trust))

    return fetch


@pytest.fixture
def sd_jwt(session, authority):
    def compose(licence, by="market", terms=TERMS, **more):
        return certificates.compose_sd_jwt(session, licence, authority.sealer(by), terms, now=NOW, **more)

    return compose


@pytest.fixture
def vc(session, authority):
    return lambda licence: certificates.compose_vc(session, licence, authority.sealer("market"), TERMS, now=NOW)


@pytest.fixture
def forge(authority):
    """Seal what a department never says, to see what its disclosures may do."""

    def sealed(claims, *given, by="market", kind=credentials.SD_JWT_TYPE):
        sealer = authority.sealer(by)
        header = {"typ": kind, "x5c": jose.certificate_chain([sealer.certificate])}
        return "~".join([jose.write(header, canonical.dump(claims), sealer.sign), *given, ""])

    return sealed


def asked(text, kit, *, today=TODAY, now=NOW, demand=None):
    return certificates.verify_presentation(text, kit, today=today, now=now, demand=demand)


def no(answer):
    return {check.question for check in answer.checks if check.holds is False}


def claims_of(text):
    return json.loads(jose.unb64(text.split(".")[1]))


def header_of(text):
    return json.loads(jose.unb64(text.split(".")[0]))


def names(text):
    return {json.loads(jose.unb64(one))[1]: one for one in text.split("~")[1:-1]}


def only(text, *wanted):
    return "~".join([text.partition("~")[0], *(names(text)[name] for name in wanted), ""])


def signed_by(key, kind, said, **header):
    return jose.write({"typ": kind, **header}, canonical.dump(said), lambda data: jose.raw(key.sign(data, jose.ES256)))


def bind(text, key, demand=DEMAND, **changes):
    over = jose.b64(hashlib.sha256(text.encode()).digest())
    said = {"aud": demand.audience, "nonce": demand.nonce, "iat": int(NOW.timestamp()), "sd_hash": over}
    return text + signed_by(key, changes.pop("kind", "kb+jwt"), said | changes)


def test_a_disclosure_is_digested_as_the_standard_does():
    """RFC 9901 section 4.2.3 has this very disclosure and this digest."""
    disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert disclosures.digest(disclosure) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    said = {"_sd": [disclosures.digest(disclosure)], "iss": "x"}
    assert disclosures.reveal(said, [disclosure]) == {"iss": "x", "family_name": "Möbius"}
    assert disclosures.reveal(said, []) == {"iss": "x"}


def test_the_sealed_part_says_what_the_standard_asks_and_nothing_of_the_holder(issue, sd_jwt, session, wallet):
    licence = issue()
    text = sd_jwt(licence, holder_key=jose.point(wallet.public_key()))
    claims = claims_of(text)
    assert (header_of(text)["typ"], header_of(text)["alg"], len(header_of(text)["x5c"])) == ("dc+sd-jwt", "ES256", 1)
    assert (claims["iss"], claims["vct"]) == (ORIGIN, f"urn:electronic-licence:{FOOD.code}")
    assert (claims["nbf"], claims["exp"]) == (int(TERMS.begins.timestamp()), int(TERMS.ends.timestamp()))
    intended = next(act for act in certificates.acts(session, licence) if act.act is Act.INTEND)
    assert claims["status"] == {"status_list": {"idx": intended.id, "uri": URI}}
    assert claims["cnf"]["jwk"] == jose.point(wallet.public_key())
    assert claims["number"] == licence.number
    assert set(names(text)) == {"holder_name", "holder_code", "holder_code_type", *FIELDS}
    for kept in (
        HOLDER.name,
        HOLDER.code,
        FIELDS["premises"],
        FIELDS["phone"],
        "premises",
        canonical.sha256(licence.statement.encode()),
    ):
        assert kept not in json.dumps(claims, ensure_ascii=False)
    assert claims["_sd"] == sorted(claims["_sd"])


def test_no_two_copies_of_a_licence_have_a_salt_in_common(issue, sd_jwt):
    licence = issue()
    one, other = (names(sd_jwt(licence)) for _ in range(2))
    assert not set(one.values()) & set(other.values())


def test_what_is_disclosed_is_shown_and_what_is_kept_is_not(issue, sd_jwt, kit):
    licence = issue()
    text = sd_jwt(licence)
    everything, some, nothing = (
        asked(shown, kit()) for shown in (text, only(text, "premises", "holder_name"), only(text))
    )
    assert [answer.outcome for answer in (everything, some, nothing)] == [Outcome.VALID] * 3
    assert (everything.licence.fields, everything.licence.holder) == (FIELDS, HOLDER)
    assert some.licence.fields == {"premises": FIELDS["premises"]}
    assert some.licence.holder == certificates.Holder(HOLDER.name, "", "")
    assert (nothing.licence.fields, nothing.licence.holder.name) == ({}, "")
    assert (nothing.licence.number, nothing.licence.valid_until) == (licence.number, licence.valid_until)


def test_the_reference_implementation_reads_what_we_seal(issue, sd_jwt, authority, wallet):
    text = sd_jwt(issue(), holder_key=jose.point(wallet.public_key()))
    holder = SDJWTHolder(text)
    key = JWK.from_pyca(wallet)
    holder.create_presentation(
        {"holder_name": True, "fields": {"premises": True}}, DEMAND.nonce, DEMAND.audience, key, "ES256"
    )
    sealer = JWK.from_pyca(authority.sealer("market").certificate.public_key())
    read = SDJWTVerifier(holder.sd_jwt_presentation, lambda *_: sealer, DEMAND.audience, DEMAND.nonce)
    payload = read.get_verified_payload()
    assert payload["fields"] == {"premises": FIELDS["premises"]}
    assert payload["holder_name"] == HOLDER.name
    assert "holder_code" not in payload


def test_what_a_wallet_of_the_reference_implementation_shows_is_read_here(issue, sd_jwt, kit, wallet, monkeypatch):
    monkeypatch.setattr("sd_jwt.holder.time", NOW.timestamp)
    text = sd_jwt(issue(), holder_key=jose.point(wallet.public_key()))
    holder = SDJWTHolder(text)
    shown = {"fields": {"premises": True}}
    holder.create_presentation(shown, DEMAND.nonce, DEMAND.audience, JWK.from_pyca(wallet), "ES256")
    answer = asked(holder.sd_jwt_presentation, kit(), demand=DEMAND)
    assert (answer.outcome, answer.failures) == (Outcome.VALID, ())
    assert answer.licence.fields == {"premises": FIELDS["premises"]}


@pytest.mark.parametrize("act", [Act.REVOKE, Act.SUSPEND, Act.RESCIND, Act.CANCEL])
def test_what_befell_a_licence_is_known_once_the_list_is_published(session, issue, sd_jwt, vc, *, kit, act):
    licence, other = issue(), issue(source="case-2")
    texts = [sd_jwt(licence), vc(licence), sd_jwt(other)]
    assert [asked(text, kit()).holds for text in texts] == [True] * 3
    certificates.perform(session, licence.number, act, reason="理由", basis="依据", actor="o", now=NOW)
    state = certificates.find_by_number(session, licence.number).state
    assert [asked(text, kit()).outcome.value for text in texts] == [state.value, state.value, Outcome.VALID]


def test_the_list_that_is_asked_is_the_one_that_the_licence_names(issue, sd_jwt, kit):
    text = sd_jwt(issue())
    other = asked(text, kit(uri=f"{ORIGIN}/verify/statuses/other"))
    assert (other.outcome, Question.STATUS_CURRENT in {check.question for check in other.failures}) == (
        Outcome.UNVERIFIABLE,
        True,
    )
    late = asked(text, kit(), now=NOW + DAY)
    assert late.outcome is Outcome.UNVERIFIABLE


def test_its_days_are_judged_by_the_legal_day_and_by_the_instant(issue, sd_jwt, vc, kit):
    licence = issue()
    fetched = replace(kit(), lists={})
    for text in (sd_jwt(licence), vc(licence)):
        for today, now, wrong in (
            (TODAY - DAY, NOW - DAY, Question.BEGUN),
            (TODAY, TERMS.begins - SECOND, Question.BEGUN),
            (licence.valid_until + DAY, NOW, Question.NOT_EXPIRED),
            (licence.valid_until, TERMS.ends, Question.NOT_EXPIRED),
        ):
            assert wrong in no(asked(text, fetched, today=today, now=now))
        last = no(asked(text, fetched, today=licence.valid_until, now=TERMS.ends - SECOND))
        assert not last & {Question.BEGUN, Question.NOT_EXPIRED}


def test_a_long_term_licence_never_expires(issue, sd_jwt, vc, kit):
    licence = issue(valid_until=None)
    text = sd_jwt(licence, terms=replace(TERMS, ends=None))
    assert "exp" not in claims_of(text)
    assert asked(text, kit()).holds


def altered(text, name, value):
    salt, *_ = json.loads(jose.unb64(names(text)[name]))
    return text.replace(names(text)[name], jose.b64(canonical.dump([salt, name, value])))


def test_a_disclosure_that_was_not_signed_makes_all_of_it_tampered_with(issue, sd_jwt, kit):
    text, other = sd_jwt(issue()), sd_jwt(issue(source="case-2"))
    forged = {
        "another value": altered(text, "premises", "别处"),
        "another licence's": only(text) + names(other)["premises"] + "~",
        "one twice": only(text, "premises", "premises"),
        "no base64url": only(text) + "!!!~",
        "no JSON": only(text) + jose.b64(b"[") + "~",
        "no list": only(text) + jose.b64(b"null") + "~",
        "nothing": only(text) + "~",
    }
    for why, shown in forged.items():
        answer = asked(shown, kit())
        assert (answer.outcome, no(answer), answer.licence) == (
            Outcome.TAMPERED,
            {Question.DISCLOSED_AS_SIGNED},
            None,
        ), why


def hidden(*parts):
    disclosure = jose.b64(canonical.dump(["salt", *parts]))
    return disclosure, disclosures.digest(disclosure)


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        (("number", "JY1"), lambda digest: {"_sd": [digest]}),
        (("_sd", []), lambda digest: {"_sd": [digest]}),
        (("...", "x"), lambda digest: {"_sd": [digest]}),
        (("cnf", {}), lambda digest: {"_sd": [digest]}),
        (("vct#integrity", "x"), lambda digest: {"_sd": [digest]}),
        (("jwk", {}), lambda digest: {"cnf": {"_sd": [digest]}}),
        (("a", 1), lambda digest: {"_sd": [digest, digest]}),
        (("a", 1), lambda digest: {"_sd": [digest], "other": [{"...": digest}]}),
        (("a", 1), lambda digest: {"list": [{"...": digest}]}),
        (("a",), lambda digest: {"_sd": [digest]}),
        (("a", 1), lambda digest: {"_sd": [digest], "other": {"...": "x"}}),
        (("a", 1), lambda digest: {"_sd": [digest, 7]}),
        (("a", 1), lambda digest: {"_sd": [digest], "_sd_alg": "sha-512"}),
    ],
)
def test_what_the_standard_forbids_is_refused_whoever_signed_it(issue, sd_jwt, kit, forge, *, given, signed):
    claims = {name: value for name, value in claims_of(sd_jwt(issue())).items() if name not in {"_sd", "_sd_alg"}}
    disclosure, digest = hidden(*given)
    answer = asked(forge(claims | signed(digest), disclosure), kit())
    assert (answer.outcome, no(answer)) == (Outcome.TAMPERED, {Question.DISCLOSED_AS_SIGNED})
    good, known = hidden("note", {"_sd": [hidden("inner", 1)[1]]})
    inside = forge(claims | {"_sd": [known], "list": [{"...": hidden("element")[1]}]}, good, hidden("inner", 1)[0])
    assert asked(inside, kit()).holds


def test_elements_of_a_list_are_put_back_in_their_places():
    disclosure, digest = hidden("DE")
    said = {"list": ["CN", {"...": digest}, {"...": hidden("FR")[1]}]}
    assert disclosures.reveal(said, [disclosure]) == {"list": ["CN", "DE"]}


def test_only_the_wallet_it_was_issued_to_shows_it(issue, sd_jwt, kit, wallet):
    bound = only(sd_jwt(issue(), holder_key=jose.point(wallet.public_key())), "premises")
    thief = ec.generate_private_key(ec.SECP256R1())
    good = bind(bound, wallet)
    for demand in (DEMAND, None):
        answer = asked(good, kit(), demand=demand)
        assert (answer.outcome, answer.failures) == (Outcome.VALID, ())
    refused = {
        "no signature": bound,
        "a thief's": bind(bound, thief),
        "for another verifier": bind(bound, wallet, replace(DEMAND, audience="https://other.example")),
        "an old number": bind(bound, wallet, replace(DEMAND, nonce="old")),
        "over other disclosures": bind(bound, wallet).replace("~" + bound.split("~")[1], "", 1),
        "another kind": bind(bound, wallet, kind="jwt"),
        "from to-morrow": bind(bound, wallet, iat=int((NOW + DAY).timestamp())),
        "nonsense": bound + "x",
    }
    for why, shown in refused.items():
        answer = asked(shown, kit(), demand=DEMAND)
        assert (answer.outcome, no(answer), answer.licence) == (
            Outcome.TAMPERED,
            {Question.SHOWN_BY_HOLDER},
            None,
        ), why


def test_what_was_never_bound_cannot_be_shown_by_its_holder(issue, sd_jwt, kit, wallet):
    assert no(asked(bind(sd_jwt(issue()), wallet), kit())) == {Question.SHOWN_BY_HOLDER}


def test_only_the_department_s_seal_under_the_pinned_root_counts(session, issue, sd_jwt, kit, *, forge, authority):
    licence = issue()
    text = sd_jwt(licence)
    with pytest.raises(certificates.SealRefused):
        sd_jwt(licence, by="fire")
    assert asked(forge(claims_of(text), *names(text).values(), by="fire"), kit()).outcome is Outcome.FOREIGN
    theirs = certificates.Authority.ephemeral([MARKET], NOW).sealer("market")
    answer = asked(certificates.compose_sd_jwt(session, licence, theirs, TERMS, now=NOW), kit())
    assert (answer.outcome, answer.licence) == (Outcome.FOREIGN, None)


def test_what_was_not_sealed_is_not_given_to_wallets(session, authority):
    licence = certificates.intend(session, DRAFT, now=NOW, actor="o")
    assert licence.state is State.INTENDED
    with pytest.raises(certificates.SealRefused):
        certificates.compose_sd_jwt(session, licence, authority.sealer("market"), TERMS, now=NOW)


def test_no_flipped_character_ever_holds(issue, sd_jwt, vc, kit):
    licence, fetched = issue(), kit()
    for text in (sd_jwt(licence), vc(licence)):
        assert asked(text, fetched).holds
        for at in range(0, len(text), 17):
            forged = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
            answer = asked(forged, fetched)
            assert not answer.holds, at
            assert answer.licence is None


@pytest.mark.parametrize(
    "text", ["", "~", "x~", "a.b.c~", "....~", "\0~", "~" * 300_000, "e30.e30.e30~", "e30.e30.e30"]
)
def test_what_is_no_licence_for_a_wallet_is_told(kit, text):
    assert asked(text, kit()).outcome is Outcome.UNREADABLE


def test_what_lacks_what_every_licence_says_is_told(issue, sd_jwt, kit, forge):
    claims = claims_of(sd_jwt(issue()))
    for name in ("iat", "status", "identifier", "issuer_code", "nbf", "valid_from", "valid_until", "number"):
        answer = asked(forge({key: value for key, value in claims.items() if key != name}), kit())
        assert (answer.outcome, answer.licence) == (Outcome.UNREADABLE, None), name
    wrong = asked(forge(claims | {"status": {"status_list": {"idx": "1", "uri": URI}}}), kit())
    assert wrong.outcome is Outcome.UNVERIFIABLE


def test_other_things_that_the_seal_signed_are_none(session, issue, sd_jwt, vc, *, kit, forge, authority):
    licence, fetched = issue(), kit()
    code = certificates.compose_code(session, licence, authority.sealer("market"), NOW)
    for text in (code, fetched.lists[MARKET.uscc], licence.seal, vc(licence) + "~", only(sd_jwt(licence))[:-1]):
        assert asked(text, fetched).outcome is Outcome.UNREADABLE


def test_the_w3c_form_is_the_data_model_s(issue, vc, kit):
    licence = issue()
    text = vc(licence)
    said, header = claims_of(text), header_of(text)
    assert (header["typ"], header["cty"], header["alg"]) == ("vc+jwt", "vc", "ES256")
    assert said["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert said["type"][0] == "VerifiableCredential"
    assert [name["@language"] for name in said["name"]] == ["zh", "en"]
    assert said["issuer"]["id"] == said["iss"] == ORIGIN
    assert datetime.fromisoformat(said["validUntil"]) == TERMS.ends
    place = said["status"]["status_list"]["idx"]
    assert (said["credentialStatus"]["id"], said["credentialStatus"]["statusListIndex"]) == (f"{URI}#{place}", place)
    assert not {"vc", "nbf", "exp"} & said.keys()
    answer = asked(text, kit())
    assert (answer.outcome, answer.licence.fields, answer.licence.holder) == (Outcome.VALID, FIELDS, HOLDER)


def test_a_file_of_either_form_is_judged_like_a_pdf(session, issue, sd_jwt, vc, *, kit, authority):
    licence = issue()
    code = certificates.compose_code(session, licence, authority.sealer("market"), NOW)
    for text in (sd_jwt(licence), vc(licence), code):
        answer = certificates.verify_file_offline(f"{text}\n".encode(), kit(), today=TODAY, now=NOW)
        assert (answer.outcome, answer.licence.number) == (Outcome.VALID, licence.number)


def prove(key, *, header=None, kind="openid4vci-proof+jwt", **changes):
    said = {"aud": ORIGIN, "iat": int(NOW.timestamp()), "nonce": "n"} | changes
    return signed_by(key, kind, said, **({"jwk": jose.point(key.public_key())} if header is None else header))


def test_a_proof_gives_the_key_and_the_number_it_signed(wallet):
    jwk = {**jose.point(wallet.public_key()), "kid": "telephone", "use": "sig"}
    proof = certificates.read_proof(prove(wallet, header={"jwk": jwk}), audience=ORIGIN, now=NOW)
    assert (proof.key, proof.nonce) == (jose.point(wallet.public_key()), "n")


def test_a_proof_that_does_not_hold_is_refused(wallet):
    thief = ec.generate_private_key(ec.SECP256R1())
    weak = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    own = jose.point(wallet.public_key())
    refused = [
        (certificates.TokenMalformed, ""),
        (certificates.TokenMalformed, "x" * 10_000),
        (certificates.TokenMalformed, prove(wallet, kind="jwt")),
        (certificates.TokenMalformed, prove(wallet, nonce=7)),
        (certificates.TokenMalformed, prove(wallet, iat="now")),
        (certificates.TokenMalformed, prove(wallet, iat=10**15)),
        (certificates.TokenMalformed, prove(wallet, header={"kid": "did:example:1"})),
        (certificates.SignatureWrong, prove(thief, header={"jwk": own})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": own | {"d": "AA"}})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": own | {"crv": "P-384"}})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": own | {"x": own["y"]}})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": own | {"x": "AA"}})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": {"kty": "RSA", "n": str(weak.n), "e": "AQAB"}})),
        (certificates.KeyUnsuitable, prove(wallet, header={"jwk": []})),
        (certificates.OriginForeign, prove(wallet, aud="https://other.example")),
        (certificates.OriginForeign, prove(wallet, aud=[ORIGIN])),
        (certificates.ChallengeStale, prove(wallet, iat=int((NOW - timedelta(minutes=6)).timestamp()))),
        (certificates.ChallengeStale, prove(wallet, iat=int((NOW + timedelta(minutes=6)).timestamp()))),
    ]
    for kind, text in refused:
        with pytest.raises(kind):
            certificates.read_proof(text, audience=ORIGIN, now=NOW)
