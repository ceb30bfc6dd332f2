"""Certificates of the demonstration: made once, made good after a power cut, issued and revoked by an operator."""

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete, select

import certificates
from approval.cli import offices
from approval.cli.people import people as commands
from approval.models.people import Identity, Person, Session
from approval.services import identities
from certificates import errors
from tests.kit.identities import opened

DEMO_PASSWORD = "demo-2026"


@pytest.fixture
def office(empty_settings):
    with offices.prepare(empty_settings) as office:
        offices.found_demo(office)
        yield office


@pytest.fixture
def run(empty_settings, monkeypatch):
    monkeypatch.setenv("APPROVAL_INSTANCE", str(empty_settings.instance))
    monkeypatch.setenv("APPROVAL_DATABASE_URL", empty_settings.database_url)
    return lambda *words: CliRunner().invoke(commands, [str(word) for word in words])


def files(office):
    return {file.stem: file.read_bytes() for file in (office.settings.instance / "people").glob("*.p12")}


def known(office, holder):
    """Say who a certificate's subject is here, as far as its signature goes."""
    with office.work(read_only=True) as work:
        anchors = certificates.load_anchors(office.settings.authority_folder / "identity")
        subject = certificates.recognise_subject(holder.certificate, holder.above, anchors, work.now)
        bound = work.session.get_one(Identity, (subject.issuer, subject.identifier))
        return work.session.get_one(Person, bound.person_id).code


def test_everybody_of_the_demonstration_has_a_certificate_for_their_eyes_only(office, city):
    made = files(office)
    assert made.keys() == {person["code"] for person in city["people"]}
    assert {known(office, opened(p12, DEMO_PASSWORD)) for p12 in made.values()} == made.keys()
    folder = office.settings.instance / "people"
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}


def test_a_second_start_makes_nothing_anew(office):
    before = files(office)
    offices.found_demo(office)
    assert files(office) == before


def test_after_a_power_cut_between_file_and_binding_the_file_is_made_again(office):
    before = files(office)
    with office.work() as work:
        chen = work.session.scalars(select(Person.id).where(Person.code == "chen")).one()
        work.session.execute(delete(Identity).where(Identity.person_id == chen))
    offices.found_demo(office)
    after = files(office)
    assert {code for code in after if after[code] != before[code]} == {"chen"}
    assert known(office, opened(after["chen"], DEMO_PASSWORD)) == "chen"


def test_an_office_from_before_there_were_certificates_gets_them(office):
    root = office.authority.root
    folder = office.settings.authority_folder / "identity"
    folder.rename(folder.with_name("away"))
    with office.work() as work:
        work.session.execute(delete(Identity))
    offices.found_demo(office)
    assert known(office, opened(files(office)["wang"], DEMO_PASSWORD)) == "wang"
    assert certificates.open_authority(office.settings.authority_folder).root == root


def test_an_operator_issues_one_more_and_revokes_them_all(office, run, tmp_path):
    out = tmp_path / "chen.p12"
    assert run("certificate", "chen", "--out", out, "--password", "another").exit_code == 0
    assert out.stat().st_mode & 0o077 == 0
    more = opened(out.read_bytes(), "another")
    assert known(office, more) == "chen"
    said = run("revoke-certificate", "chen")
    assert said.exit_code == 0
    assert said.output.strip().endswith("2")
    for holder in (more, opened(files(office)["chen"], DEMO_PASSWORD)):
        with pytest.raises(errors.CertificateRevoked):
            known(office, holder)
    assert known(office, opened(files(office)["lin"], DEMO_PASSWORD)) == "lin"
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Session)).all() == []


def test_an_operator_binds_a_citys_certificate(office, run, tmp_path):
    city = certificates.create_identity_authority(
        office.settings.authority_folder / "identity" / "city", office.clock()
    )
    lin = opened(city.issue("4711", "林示例", DEMO_PASSWORD, office.clock()), DEMO_PASSWORD)
    pem = tmp_path / "lin.pem"
    pem.write_bytes(lin.certificate.public_bytes(Encoding.PEM))
    assert "city 4711 林示例" in run("bind-certificate", "lin", pem).output
    assert known(office, lin) == "lin"


def test_without_the_demo_authority_nothing_is_issued(office, run, tmp_path):
    (office.settings.authority_folder / "identity" / identities.DEMO / "issuing.key").unlink()
    said = run("certificate", "chen", "--out", tmp_path / "x.p12", "--password", "another")
    assert isinstance(said.exception, errors.AuthorityUnusable)
    assert not (tmp_path / "x.p12").exists()
