"""Without a network: a code and its PDF against a kit that was fetched before."""

import json
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import update

import certificates
from certificates import Act, LicenceAct, Outcome, Question, canonical, jose
from certificates.certification import Party, list_revoked
from certificates.offline import codes, statuses
from tests.certificates.samples import DAY, FIRE, FOOD, MARKET, NOW, TODAY, URI

SECOND = timedelta(seconds=1)
STANDING = {
    Question.STATUS_CURRENT,
    Question.NOT_SUPERSEDED,
    Question.NOT_REVOKED,
    Question.NOT_RESCINDED,
    Question.NOT_CANCELLED,
    Question.NOT_SUSPENDED,
}


def asked(code, kit, *, today=TODAY, now=NOW):
    return certificates.verify_code_offline(code, kit, today=today, now=now)


def no(verification):
    return {check.question for check in verification.checks if check.holds is False}


def test_a_code_alone_says_whose_it_is_and_that_it_counts(issue, code, kit):
    licence = issue()
    answer = asked(f"https://approval.example/verify/{licence.token}#{code(licence)}", kit())
    assert (answer.outcome, answer.failures) == (Outcome.VALID, ())
    shown = answer.licence
    assert (shown.number, shown.identifier, shown.type_name) == (licence.number, licence.identifier, FOOD.name)
    assert (shown.holder.name, shown.holder.code) == ("示例小馆（示例数据）", "")
    assert (shown.issuer_name, shown.valid_until) == (MARKET.name[:21], licence.valid_until)


def test_a_code_fits_a_qr_code_that_a_telephone_reads(issue, code):
    # Version 20 with error correction L has 97 modules: a third of a millimetre each on a print of 32 mm.
    assert len(code(issue())) + len("https://approval.example/verify/#") + 20 < 858


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        ([Act.REVOKE], Outcome.REVOKED),
        ([Act.RESCIND], Outcome.RESCINDED),
        ([Act.REVOKE, Act.CANCEL], Outcome.CANCELLED),
        ([Act.SUSPEND], Outcome.SUSPENDED),
        ([Act.SUSPEND, Act.RESUME], Outcome.VALID),
    ],
)
def test_what_befell_a_licence_stands_in_the_list(session, issue, code, kit, *, acts, outcome):
    first, licence, last = (issue(source=source) for source in ("case-1", "case-2", "case-3"))
    texts = [code(one) for one in (first, licence, last)]
    for act in acts:
        certificates.perform(session, licence.number, act, reason="理由", basis="依据", actor="officer-1", now=NOW)
    # Its neighbours in the list are not touched.
    assert [asked(text, kit()).outcome for text in texts] == [Outcome.VALID, outcome, Outcome.VALID]


def test_an_old_print_is_told_that_a_newer_one_took_its_place(session, authority, issue, code, kit):
    old = issue()
    its_code = code(old)
    new = certificates.Succession(Act.REISSUE, source="case-2", issued_on=TODAY, reason="遗失", basis="第一条")
    later = certificates.succeed(session, old.number, new, authority.sealer("market"), now=NOW + DAY, actor="officer-1")
    assert asked(its_code, kit()).outcome is Outcome.SUPERSEDED
    assert asked(code(later), kit()).outcome is Outcome.VALID


def test_nobody_undoes_a_revocation_in_one_column(session, issue, code, kit):
    licence = issue()
    certificates.perform(session, licence.number, Act.REVOKE, reason="理由", basis="依据", actor="o", now=NOW)
    licence.state, licence.ended_at = certificates.State.VALID, None
    session.flush()
    assert asked(code(licence), kit()).outcome is Outcome.REVOKED


def test_days_are_the_code_s_own(issue, code, kit):
    licence = issue()
    its_code, fetched = code(licence), kit()
    assert asked(its_code, fetched, today=licence.valid_until).outcome is Outcome.VALID
    assert asked(its_code, fetched, today=licence.valid_until + DAY).outcome is Outcome.EXPIRED
    assert asked(its_code, fetched, today=TODAY - DAY).outcome is Outcome.NOT_YET_VALID


@pytest.mark.parametrize("spoil", ["missing", "foreign", "of another department", "unsigned", "bomb"])
def test_without_a_list_that_holds_nothing_is_valid(session, authority, issue, code, kit, *, spoil):
    its_code, sealer = code(issue()), authority.sealer("market")
    match spoil:
        case "missing":
            lists = {MARKET.uscc: ""}
        case "foreign":
            theirs = certificates.Authority.ephemeral([MARKET], NOW).sealer("market")
            lists = {MARKET.uscc: statuses.compose(session, MARKET.uscc, theirs, uri=URI, now=NOW, lasts=DAY)}
        case "of another department":
            fire = authority.sealer("fire")
            lists = {MARKET.uscc: statuses.compose(session, FIRE.uscc, fire, uri=URI, now=NOW, lasts=DAY)}
        case "unsigned":
            head, body, _ = statuses.compose(session, MARKET.uscc, sealer, uri=URI, now=NOW, lasts=DAY).split(".")
            lists = {MARKET.uscc: f"{head}.{body}.{jose.b64(bytes(64))}"}
        case "bomb":
            packed = jose.b64(zlib.compress(bytes(65 * 2**20), 9))
            at = int(NOW.timestamp())
            claims = {"sub": URI, "iat": at, "exp": at + 9, "ttl": 9, "status_list": {"bits": 4, "lst": packed}}
            header = {"typ": statuses.TYPE, "x5c": jose.certificate_chain([sealer.certificate])}
            lists = {MARKET.uscc: jose.write(header, canonical.dump(claims), sealer.sign)}
    answer = asked(its_code, kit(**lists))
    assert (answer.outcome, {check.question for check in answer.failures}) == (Outcome.UNVERIFIABLE, STANDING)


def test_a_list_is_asked_until_its_time_is_over(issue, code, kit):
    its_code, fetched = code(issue()), kit()
    assert asked(its_code, fetched, now=NOW + DAY - SECOND).holds
    late = asked(its_code, fetched, now=NOW + DAY)
    assert (late.outcome, {check.question for check in late.failures}) == (Outcome.UNVERIFIABLE, STANDING)


def test_a_list_of_a_seal_that_was_withdrawn_is_not_asked_whatever_day_it_bears(authority, issue, code, kit):
    its_code, fetched = code(issue()), kit()
    stolen = x509.RevokedCertificateBuilder().serial_number(authority.sealer("market").certificate.serial_number)
    withdrawn = stolen.revocation_date(NOW + DAY / 4).build()
    crl = list_revoked(Party(authority.root.subject, authority.root_key), 2, [withdrawn], NOW + DAY / 4, NOW + 9 * DAY)
    told = replace(fetched, trust=replace(fetched.trust, crl=crl))
    assert asked(its_code, told, now=NOW + DAY / 4 - SECOND).holds
    late = asked(its_code, told, now=NOW + DAY / 2)
    assert (late.outcome, {check.question for check in late.failures}) == (Outcome.UNVERIFIABLE, STANDING)


def test_a_list_is_signed_anew_when_something_befell_and_in_good_time(session, authority, issue):
    def publish(uscc=MARKET.uscc, by="market", *, now=NOW):
        return certificates.publish_statuses(session, uscc, authority.sealer(by), uri=URI, now=now, lasts=DAY)

    licence = issue()
    assert [publish(), publish(), publish(now=NOW + DAY / 4 - SECOND)] == [True, False, False]
    assert [publish(now=NOW + DAY / 4), publish(now=NOW + DAY / 4)] == [True, False]
    assert publish(FIRE.uscc, "fire", now=NOW + DAY / 4)
    certificates.perform(session, licence.number, Act.SUSPEND, reason="r", basis="b", actor="o", now=NOW)
    assert [publish(FIRE.uscc, "fire", now=NOW + DAY / 4), publish(now=NOW + DAY / 4)] == [False, True]
    # As long as the act has no place in the log it may be any; once it has, the list says that it knows it.
    session.execute(update(LicenceAct).values(log_index=LicenceAct.id + 9))
    assert [publish(now=NOW + DAY / 4), publish(now=NOW + DAY / 4)] == [True, False]
    with pytest.raises(certificates.SealRefused):
        publish(by="fire", now=NOW + DAY)


def test_codes_of_an_earlier_seal_are_still_known(session, authority, issue, code, kit):
    its_code = code(issue())
    kit()
    renewed = replace(authority, sealers={}).joined_by([MARKET], NOW).sealer("market")
    certificates.publish_statuses(session, MARKET.uscc, renewed, uri=URI, now=NOW + DAY / 2, lasts=DAY)
    fetched = certificates.OfflineKit.read(certificates.pack_kit(session, authority.trust))
    assert asked(its_code, fetched).outcome is Outcome.VALID


def test_codes_of_a_new_seal_are_known_before_the_list_is_due(session, authority, issue, kit):
    licence = issue()
    kit()
    renewed = replace(authority, sealers={}).joined_by([MARKET], NOW).sealer("market")
    its_code = certificates.compose_code(session, licence, renewed, NOW)
    again = certificates.publish_statuses(session, MARKET.uscc, renewed, uri=URI, now=NOW, lasts=DAY)
    fetched = certificates.OfflineKit.read(certificates.pack_kit(session, authority.trust))
    assert (again, asked(its_code, fetched).outcome) == (True, Outcome.VALID)


def test_no_flipped_character_of_a_code_ever_holds(issue, code, kit):
    its_code, fetched = code(issue()), kit()
    for at in range(0, len(its_code), 7):
        forged = its_code[:at] + ("A" if its_code[at] != "A" else "B") + its_code[at + 1 :]
        answer = asked(forged, fetched)
        assert not answer.holds, at
        assert answer.licence is None


@pytest.mark.parametrize("text", ["", "#", "x", "a.b.c", "....", "\0", "9" * 10_000, "e30.e30.e30"])
def test_what_is_no_code_is_told(kit, text):
    assert asked(text, kit()).outcome is Outcome.UNREADABLE


def test_another_department_s_seal_makes_no_code(session, issue, code, kit, authority):
    licence = issue()
    with pytest.raises(certificates.SealRefused):
        code(licence, by="fire")
    fire = authority.sealer("fire")
    _, body, _ = code(licence).split(".")
    payload = jose.unb64(body)
    forged = jose.write({"typ": codes.TYPE, "kid": jose.key_id(fire.certificate)}, payload, fire.sign)
    assert asked(forged, kit()).outcome is Outcome.FOREIGN


def test_a_code_of_a_forged_authority_with_the_same_names_is_none_of_ours(session, issue, kit, authority):
    licence = issue()
    theirs = certificates.Authority.ephemeral([MARKET, FIRE], NOW)
    forged = certificates.compose_code(session, licence, theirs.sealer("market"), NOW)
    answer = asked(forged, kit())
    assert (answer.outcome, answer.licence) == (Outcome.UNVERIFIABLE, None)
    # Its seal smuggled into the kit changes nothing: the root is what counts.
    smuggled = replace(
        kit(), seals={jose.key_id(theirs.sealer("market").certificate): theirs.sealer("market").certificate}
    )
    assert asked(forged, smuggled).outcome is Outcome.FOREIGN


def test_a_status_list_is_no_code_and_a_seal_is_no_code(issue, kit):
    licence, fetched = issue(), kit()
    for text in (fetched.lists[MARKET.uscc], licence.seal):
        assert asked(text, fetched).outcome is Outcome.UNREADABLE


def test_a_pdf_says_what_its_code_and_its_data_say(issue, code, kit, drawn):
    licence = issue()
    file = drawn(json=certificates.sealed_json(licence), jwt=code(licence).encode())
    answer = certificates.verify_file_offline(file, kit(), today=TODAY, now=NOW)
    assert (answer.outcome, answer.failures) == (Outcome.VALID, ())
    assert answer.licence.number == licence.number
    assert {Question.AGREES, Question.WHOLE_DOCUMENT_COVERED, Question.NOT_REVOKED} <= {
        check.question for check in answer.checks
    }


def test_a_pdf_whose_parts_speak_of_different_licences_is_tampered_with(issue, code, kit, drawn):
    one, other = issue(), issue(source="case-2")
    mixed = {
        "the code of another": drawn(json=certificates.sealed_json(one), jwt=code(other).encode()),
        "another department's seal under it": drawn(
            by="fire", json=certificates.sealed_json(one), jwt=code(one).encode()
        ),
    }
    for file in mixed.values():
        answer = certificates.verify_file_offline(file, kit(), today=TODAY, now=NOW)
        assert (answer.outcome, Question.AGREES in no(answer)) == (Outcome.TAMPERED, True)


def test_a_sealed_pdf_without_code_or_data_such_as_a_copy_is_neither_valid_nor_tampered_with(issue, code, kit, drawn):
    licence = issue()
    for file in (drawn(json=certificates.sealed_json(licence)), drawn(jwt=code(licence).encode()), drawn()):
        answer = certificates.verify_file_offline(file, kit(), today=TODAY, now=NOW)
        assert (answer.outcome, answer.licence, no(answer)) == (Outcome.UNVERIFIABLE, None, set())


def test_a_pdf_with_something_appended_is_tampered_with(issue, code, kit, drawn):
    licence = issue()
    file = drawn(json=certificates.sealed_json(licence), jwt=code(licence).encode())
    answer = certificates.verify_file_offline(file + b"\n%%EOF\n", kit(), today=TODAY, now=NOW)
    assert not answer.holds


def test_the_list_is_the_standard_s(session, authority, issue):
    """IETF Token Status List: bits, zlib, the first of two 4-bit statuses in the low half of the byte."""
    licences = [issue(source=f"case-{n}") for n in range(3)]
    certificates.perform(session, licences[1].number, Act.REVOKE, reason="r", basis="b", actor="o", now=NOW)
    text = statuses.compose(session, MARKET.uscc, authority.sealer("market"), uri=URI, now=NOW, lasts=DAY)
    header, payload, _ = (json.loads(jose.unb64(part)) if n < 2 else part for n, part in enumerate(text.split(".")))
    assert (header["typ"], header["alg"]) == ("statuslist+jwt", "ES256")
    at = int(NOW.timestamp())
    assert payload["sub"] == URI
    assert (payload["iat"], payload["exp"], payload["status_list"]["bits"]) == (at, at + 86400, 4)
    unpacked = zlib.decompress(jose.unb64(payload["status_list"]["lst"]))
    places = [statuses.place(session, licence) for licence in licences]
    found = [(unpacked[at // 2] >> 4 * (at % 2)) & 15 if at // 2 < len(unpacked) else 0 for at in places]
    assert found == [0, 1, 0]


def test_a_kit_that_is_none_is_refused(session, authority):
    good = certificates.pack_kit(session, authority.trust)
    other = certificates.Authority.ephemeral([MARKET], NOW)
    for data in (b"", b"[]", b"{}", good.replace(b"offline-kit/1", b"offline-kit/2")):
        with pytest.raises(certificates.AuthorityUnusable):
            certificates.OfflineKit.read(data)
    mixed = json.loads(good) | {"crl": json.loads(certificates.pack_kit(session, other.trust))["crl"]}
    with pytest.raises(certificates.AuthorityUnusable):
        certificates.OfflineKit.read(json.dumps(mixed).encode())
