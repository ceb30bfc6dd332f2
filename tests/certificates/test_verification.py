import gc
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from sqlalchemy import text
from sqlalchemy.orm import Session

import certificates
from certificates import Act, Outcome, Question, Trust, Verification, canonical
from tests.certificates.samples import FIELDS, FIRE, HOLDER, LIMIT, MARKET, NOW, TODAY

Upload = Callable[[bytes], Verification]


@pytest.fixture
def trust(authority: certificates.Authority) -> Trust:
    return authority.trust


@pytest.fixture
def licence(session: Session, issue, sealed: bytes) -> certificates.Licence:
    issued = issue()
    certificates.keep_rendition(session, issued.id, sealed, NOW)
    session.commit()
    return issued


@pytest.fixture
def upload(session: Session, trust: Trust) -> Upload:
    return lambda file: certificates.verify_document(session, file, trust=trust, now=NOW, today=TODAY, limit=LIMIT)


@pytest.fixture
def foreign() -> certificates.Authority:
    return certificates.Authority.ephemeral([MARKET, FIRE], NOW)


def no(verification: Verification) -> set[str]:
    return {check.question for check in verification.checks if check.holds is False}


def test_a_good_licence_holds_by_token_number_pdf_and_json(session, trust, licence, sealed, upload):
    answers = [
        certificates.verify_token(session, licence.token, trust=trust, today=TODAY),
        certificates.verify_number(session, licence.number, licence.check_code, trust=trust, today=TODAY),
        certificates.verify_as_operator(session, licence.number, trust=trust, today=TODAY),
        upload(sealed),
        upload(certificates.sealed_json(licence)),
    ]
    for answer in answers:
        assert (answer.outcome, answer.holds, answer.failures) == (Outcome.VALID, True, ())


def test_strangers_see_public_fields_and_a_masked_holder(session, trust, licence):
    shown = certificates.verify_token(session, licence.token, trust=trust, today=TODAY).licence
    assert shown
    assert shown.fields == {"business_form": "2"}
    assert shown.holder.code == "913*************1C"
    assert FIELDS["phone"] not in repr(shown)
    assert HOLDER.code not in repr(shown)


def test_a_person_keeps_the_family_name_only():
    masked = certificates.Holder("张示例", "350500199001010017", "resident_id").masked()
    assert (masked.name, masked.code) == ("张**", "350*************17")
    assert certificates.Holder("李", "1234", "other").masked().code == "****"


def test_wrong_code_and_unknown_number_answer_alike(session, trust, licence):
    def ask(number: str, code: str) -> Verification:
        return certificates.verify_number(session, number, code, trust=trust, today=TODAY)

    wrong = "0" * 6 if licence.check_code != "0" * 6 else "1" * 6
    answers = [ask(licence.number, wrong), ask(licence.number, ""), ask("JY0", ""), ask("JY0", wrong)]
    assert set(map(repr, answers)) == {repr(answers[0])}
    assert (answers[0].outcome, answers[0].licence) == (Outcome.UNKNOWN, None)
    assert certificates.verify_token(session, "NOBODY", trust=trust, today=TODAY) == answers[0]


def test_a_check_code_may_be_typed_carelessly(session, trust, licence):
    typed = f" {licence.check_code[:3]}-{licence.check_code[3:]}".lower().replace("0", "o").replace("1", "l")
    assert certificates.verify_number(session, licence.number, typed, trust=trust, today=TODAY).holds


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "'; DROP TABLE licences", "𠀀" * 10_000])
def test_whatever_is_typed_is_only_unknown(session, trust, licence, odd):
    answers = [
        certificates.verify_token(session, odd, trust=trust, today=TODAY),
        certificates.verify_number(session, odd, odd, trust=trust, today=TODAY),
        certificates.verify_number(session, licence.number, odd, trust=trust, today=TODAY),
        certificates.verify_as_operator(session, odd, trust=trust, today=TODAY),
    ]
    assert {answer.outcome for answer in answers} == {Outcome.UNKNOWN}


def test_a_forged_json_does_not_learn_which_licences_exist(licence, foreign, upload):
    members = canonical.load(certificates.sealed_json(licence))
    members["seal"] = certificates.seals.seal(canonical.dump(members["licence"]), foreign.sealer("market"), NOW)
    known = upload(canonical.dump(members))
    members["licence"]["identifier"] = "1.2.3"
    members["seal"] = certificates.seals.seal(canonical.dump(members["licence"]), foreign.sealer("market"), NOW)
    assert known == upload(canonical.dump(members))


def perform(session, licence, act):
    why = {"reason": "骗取许可", "basis": "第六十九条"}
    certificates.perform(session, licence.number, act, **why, actor="officer-2", now=NOW)


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        ([Act.SUSPEND], Outcome.SUSPENDED),
        ([Act.SUSPEND, Act.RESUME], Outcome.VALID),
        ([Act.SUSPEND, Act.RESUME, Act.SUSPEND], Outcome.SUSPENDED),
        ([Act.SUSPEND, Act.REVOKE], Outcome.REVOKED),
        ([Act.RESCIND], Outcome.RESCINDED),
        ([Act.CANCEL], Outcome.CANCELLED),
        ([Act.REVOKE, Act.CANCEL], Outcome.REVOKED),
    ],
)
def test_a_licence_says_what_befell_it_even_when_its_state_is_set_back(session, trust, licence, acts, outcome):
    for act in acts:
        perform(session, licence, act)
    for _ in range(2):
        answer = certificates.verify_token(session, licence.token, trust=trust, today=TODAY)
        assert answer.outcome is outcome
        session.execute(text("UPDATE licences SET state = 'valid', ended_at = NULL"))
        session.expire_all()


def test_a_revoked_licence_says_when_why_and_by_which_law(session, licence, sealed, upload):
    perform(session, licence, Act.REVOKE)
    for file in (sealed, certificates.sealed_json(licence)):
        answer = upload(file)
        assert (answer.outcome, no(answer)) == (Outcome.REVOKED, {Question.NOT_REVOKED})
        assert (answer.failures[0].detail, answer.failures[0].at) == ("骗取许可 (第六十九条)", NOW)
        assert answer.licence


def test_a_revocation_is_not_undone_by_changing_the_record(session, trust, licence):
    perform(session, licence, Act.REVOKE)
    session.execute(text("UPDATE licences SET state = 'valid', ended_at = NULL"))
    session.expire_all()
    answer = certificates.verify_token(session, licence.token, trust=trust, today=TODAY)
    assert answer.outcome is Outcome.REVOKED


def test_a_record_set_back_to_intended_does_not_hold(session, trust, licence):
    session.execute(text("UPDATE licences SET state = 'intended'"))
    session.expire_all()
    assert not certificates.verify_token(session, licence.token, trust=trust, today=TODAY).holds


def test_the_last_day_holds_and_the_next_does_not(session, trust, licence):
    last = licence.valid_until
    assert certificates.verify_token(session, licence.token, trust=trust, today=last).holds
    late = certificates.verify_token(session, licence.token, trust=trust, today=last + timedelta(days=1))
    early = certificates.verify_token(session, licence.token, trust=trust, today=TODAY - timedelta(days=1))
    assert (late.outcome, no(late)) == (Outcome.EXPIRED, {Question.NOT_EXPIRED})
    assert (early.outcome, no(early)) == (Outcome.NOT_YET_VALID, {Question.BEGUN})


def test_a_long_term_licence_never_expires(session, trust, issue):
    licence = issue(valid_until=None)
    assert certificates.verify_token(session, licence.token, trust=trust, today=TODAY.replace(year=2999)).holds


def test_an_unsealed_licence_does_not_hold(session, trust, issue):
    licence = issue()
    session.execute(text("UPDATE licences SET state = 'intended', seal = NULL"))
    session.expire_all()
    answer = certificates.verify_token(session, licence.token, trust=trust, today=TODAY)
    assert (answer.outcome, answer.licence) == (Outcome.UNSEALED, None)
    assert {check.holds for check in answer.checks if "seal_" in check.question} == {None}


@pytest.mark.parametrize(
    ("sabotage", "question"),
    [
        ("UPDATE licences SET statement = replace(statement, '示例路 1 号', '示例路 2 号')", Question.SEAL_INTACT),
        ("UPDATE licences SET holder_name = '别人'", Question.RECORD_UNALTERED),
        ("UPDATE licences SET valid_until = '2099-12-31'", Question.RECORD_UNALTERED),
        ('UPDATE licences SET fields = \'{"business_form": "3"}\'', Question.RECORD_UNALTERED),
        ("UPDATE licences SET seal = substr(seal, 1, length(seal) - 8) || 'AAAAAAAA'", Question.SEAL_INTACT),
        ("UPDATE licences SET seal = 'x'", Question.SEAL_INTACT),
    ],
)
def test_one_changed_byte_in_the_store_is_found(session, trust, licence, sabotage, question):
    session.execute(text(sabotage))
    session.expire_all()
    answer = certificates.verify_token(session, licence.token, trust=trust, today=TODAY)
    assert (answer.outcome, answer.licence) == (Outcome.TAMPERED, None)
    assert question in no(answer)


def test_a_changed_json_is_tampered(licence, upload):
    answer = upload(certificates.sealed_json(licence).replace("1 号".encode(), "2 号".encode()))
    assert answer.outcome is Outcome.TAMPERED
    assert no(answer) == {Question.KNOWN_HERE, Question.SEAL_INTACT}


def test_json_with_other_spacing_is_the_same_licence(licence, upload):
    assert upload(certificates.sealed_json(licence).replace(b'":', b'" : ')).holds


def test_json_that_is_ambiguous_or_no_licence_is_unreadable(licence, upload):
    good = certificates.sealed_json(licence)
    ambiguous = good[:-1] + b',"seal":"x"}'
    other = good.replace(b"electronic-licence/1", b"something-else/1")
    huge = good.replace(b'"fields":', b'"n":' + b"1" * 30 + b',"fields":')
    for file in (ambiguous, other, huge, good.replace("示例小馆".encode(), b"\\ud800"), b"{}", b"[]"):
        assert upload(file).outcome is Outcome.UNREADABLE


def test_json_sealed_by_an_authority_of_the_same_names_is_foreign(licence, foreign, upload):
    members = canonical.load(certificates.sealed_json(licence))
    members["seal"] = certificates.seals.seal(canonical.dump(members["licence"]), foreign.sealer("market"), NOW)
    answer = upload(canonical.dump(members))
    assert (answer.outcome, answer.licence) == (Outcome.FOREIGN, None)
    assert Question.CHAIN_TO_ROOT in no(answer)


def test_json_sealed_by_another_department_is_foreign(licence, authority, upload):
    members = canonical.load(certificates.sealed_json(licence))
    members["seal"] = certificates.seals.seal(canonical.dump(members["licence"]), authority.sealer("fire"), NOW)
    assert no(upload(canonical.dump(members))) >= {Question.SEALED_BY_ENTITLED_DEPARTMENT}


def test_a_stranger_s_huge_certificate_does_not_stay_in_memory(licence, upload):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "示例")])
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(2**20))
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    huge = made.add_extension(padding, critical=False).sign(key, hashes.SHA256())
    members = canonical.load(certificates.sealed_json(licence))
    statement = canonical.dump(members["licence"])
    members["seal"] = certificates.seals.seal(statement, certificates.SoftSealer(huge, key), NOW)
    file = canonical.dump(members)
    tracemalloc.start()
    try:
        assert upload(file).licence is None
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 2**19
    finally:
        tracemalloc.stop()


def test_json_with_a_good_seal_but_unknown_here_is_unknown(licence, authority, upload):
    members = canonical.load(certificates.sealed_json(licence))
    members["licence"]["identifier"] = "1.2.3"
    members["seal"] = certificates.seals.seal(canonical.dump(members["licence"]), authority.sealer("market"), NOW)
    answer = upload(canonical.dump(members))
    assert (answer.outcome, no(answer)) == (Outcome.UNKNOWN, {Question.KNOWN_HERE})


def test_a_pdf_with_a_good_seal_but_unknown_here_is_unknown(pdf, authority, upload):
    file = certificates.seal_document(pdf, authority.sealer("market"), reason="another", now=NOW)
    answer = upload(file)
    assert (answer.outcome, no(answer), answer.licence) == (Outcome.UNKNOWN, {Question.KNOWN_HERE}, None)
    assert {check.holds for check in answer.checks} == {True, False}


def test_a_pdf_without_a_seal_is_unknown(pdf, upload):
    assert upload(pdf).outcome is Outcome.UNKNOWN


def test_a_changed_byte_in_a_pdf_is_tampered(licence, sealed, upload):
    answer = upload(sealed.replace(b"example", b"exbmple"))
    assert answer.outcome is Outcome.TAMPERED
    assert Question.SEAL_INTACT in no(answer)


def test_an_appended_update_is_tampered(licence, sealed, upload):
    writer = IncrementalPdfFileWriter(BytesIO(sealed))
    writer.root["/Lang"] = generic.TextStringObject("zh-CN")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(sealed)
    answer = upload(out.getvalue())
    assert answer.outcome is Outcome.TAMPERED
    assert {Question.WHOLE_DOCUMENT_COVERED, Question.CHANGES_FORBIDDEN} <= no(answer)


def test_appended_bytes_are_tampering(licence, sealed, upload):
    assert upload(sealed + b"\n%% more\n").outcome is Outcome.TAMPERED


def test_a_pdf_sealed_anew_by_an_authority_of_the_same_names_is_foreign(pdf, foreign, upload):
    answer = upload(certificates.seal_document(pdf, foreign.sealer("market"), reason="颁发证照", now=NOW))
    assert (answer.outcome, answer.licence) == (Outcome.FOREIGN, None)
    assert Question.CHAIN_TO_ROOT in no(answer)


def test_a_truncated_pdf_never_holds(licence, sealed, upload):
    for length in (8, 200, len(sealed) // 2, len(sealed) - 200, len(sealed) - 1):
        answer = upload(sealed[:length])
        assert answer.outcome in {Outcome.TAMPERED, Outcome.UNREADABLE}
        assert not answer.holds


def test_no_flipped_byte_ever_holds(licence, sealed, upload):
    for place in range(0, len(sealed), max(1, len(sealed) // 60)):
        answer = upload(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
        assert not answer.holds
        assert answer.licence is None


def test_what_is_no_licence_file_is_unreadable(upload):
    for file in (b"", b"hello", b"PK\x03\x04", b"\xff\xd8\xff", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"[" * 10_000):
        assert upload(file).outcome is Outcome.UNREADABLE


def test_a_file_over_the_limit_is_not_even_looked_at(session, trust, licence, sealed):
    answer = certificates.verify_document(session, sealed, trust=trust, now=NOW, today=TODAY, limit=len(sealed) - 1)
    assert (answer.outcome, no(answer)) == (Outcome.UNREADABLE, {Question.READABLE})


def test_a_second_signature_is_tampering(licence, sealed, authority, upload):
    with pikepdf.open(BytesIO(sealed)) as document:
        again = pikepdf.Dictionary(dict(document.Root.AcroForm.Fields[0]) | {"/T": "Seal2"})
        document.Root.AcroForm.Fields.append(document.make_indirect(again))
        out = BytesIO()
        document.save(out)
    answer = upload(out.getvalue())
    assert answer.outcome is Outcome.TAMPERED
    assert Question.SEALED_ONCE in no(answer)


def test_an_old_version_says_that_it_was_replaced_and_the_new_one_holds(session, trust, authority, licence):
    new = certificates.succeed(
        session,
        licence.number,
        certificates.Succession(Act.CHANGE, "case-2", TODAY, "变更经营场所", "行政许可法第四十九条"),
        authority.sealer("market"),
        now=NOW,
        actor="officer-2",
    )
    old = certificates.verify_token(session, licence.token, trust=trust, today=TODAY)
    assert (old.outcome, old.licence.number) == (Outcome.SUPERSEDED, licence.number)
    (failed,) = old.failures
    assert failed.question is Question.NOT_SUPERSEDED
    assert "变更经营场所" in failed.detail
    for code, outcome in ((licence.check_code, Outcome.SUPERSEDED), (new.check_code, Outcome.VALID)):
        assert certificates.verify_number(session, licence.number, code, trust=trust, today=TODAY).outcome is outcome
    assert certificates.verify_token(session, new.token, trust=trust, today=TODAY).holds
    session.execute(text("UPDATE licences SET state = 'valid'"))
    session.expire_all()
    assert certificates.verify_token(session, licence.token, trust=trust, today=TODAY).outcome is Outcome.SUPERSEDED


def test_a_licence_expired_on_record_does_not_hold_again_by_a_clock_put_back(session, trust, licence):
    after = licence.valid_until + timedelta(days=1)
    certificates.expire(session, licence, today=after, now=NOW, actor="system")
    assert certificates.verify_token(session, licence.token, trust=trust, today=TODAY).outcome is Outcome.EXPIRED
