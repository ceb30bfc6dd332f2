"""What an operator types, as the shell sees it: words, and the exit status."""

import json
import shutil
import sys
import zipfile
from dataclasses import fields, replace
from datetime import date
from typing import NamedTuple

import pytest
from sqlalchemy import select, update

import certificates
from approval.cli import main, offices
from approval.domain import sheets
from approval.domain.actors import SYSTEM
from approval.domain.countdown import Entry, EntryType
from approval.expressions import tables
from approval.models.cases import Case, CountdownEntry, JournalEntry
from approval.office import open_office
from approval.paths import WORKFLOWS
from approval.services import countdowns, laws, licences, offline, packs, rehearsals, workers
from approval.services import sheets as services
from tests.domain.samples import CALENDAR
from tests.kit.samples import ITEM


class Said(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def shell(empty_settings, monkeypatch, capsys):
    """Run a command in this process, as `python -m approval` would."""
    for each in fields(empty_settings):
        monkeypatch.setenv(f"APPROVAL_{each.name.upper()}", str(getattr(empty_settings, each.name)))

    def run(*words, **env):
        with monkeypatch.context() as here:
            for name, value in env.items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["approval", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                main()
        return Said(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def licence(empty_settings, pack):
    """Leave a demonstration office with one licence drawn; return its number, its token and its PDF."""
    office = offices.prepare(empty_settings)
    offices.found_demo(office)
    with office.work(by=SYSTEM) as work:
        packs.deploy(work, pack)
    granted = next(each for each in rehearsals.scenarios(pack) if each.file.endswith("/granted.toml"))
    number = rehearsals.play(office, granted, ITEM)
    with office.work(by=SYSTEM, read_only=True) as work:
        case = work.session.query(Case).filter_by(number=number).one()
        issued = licences.of_case(work, case)
        pdf = certificates.get_rendition(work.session, issued.id)
        found = issued.number, issued.token, pdf
    office.close()
    return found


def test_verify_says_yes_to_file_number_and_token_and_no_to_the_rest(shell, licence, tmp_path):
    number, token, pdf = licence
    (tmp_path / "good.pdf").write_bytes(pdf)
    (tmp_path / "bad.pdf").write_bytes(pdf.replace(b"/Type", b"/Tyqe", 1))
    for what in (tmp_path / "good.pdf", number, token):
        said = shell("verify", what)
        assert (said.returncode, said.stdout.splitlines()[0].split()[0]) == (0, "VALID"), said.stderr
    tampered = shell("verify", tmp_path / "bad.pdf", "--json")
    assert tampered.returncode == 1
    assert json.loads(tampered.stdout)["outcome"] == "tampered"
    unknown = shell("verify", "JY00000000000000")
    assert (unknown.returncode, unknown.stdout.splitlines()[0].split()[0]) == (1, "UNKNOWN")


def test_a_stranger_verifies_a_pdf_with_a_kit_and_no_office(shell, licence, empty_settings, tmp_path):
    number, _, pdf = licence
    with open_office(empty_settings) as office:
        assert workers.publish(office)
    with open_office(empty_settings) as office, office.work(read_only=True) as work:
        (tmp_path / "kit.json").write_bytes(offline.kit(work))
        root = certificates.OfflineKit.read(offline.kit(work)).fingerprint
    (tmp_path / "licence.pdf").write_bytes(pdf)
    nowhere = {"APPROVAL_INSTANCE": str(tmp_path / "nowhere"), "APPROVAL_DATABASE_URL": ""}

    def ask(what, *more):
        return shell("verify", what, "--kit", tmp_path / "kit.json", *more, **nowhere)

    said = ask(tmp_path / "licence.pdf", "--json")
    assert (said.returncode, json.loads(said.stdout)["licence"]["number"]) == (0, number)
    assert root in said.stderr
    assert ask(tmp_path / "licence.pdf", "--root", root.upper()).returncode == 0
    assert "not the one" in ask(tmp_path / "licence.pdf", "--root", "00" * 32).stderr
    (tmp_path / "licence.pdf").write_bytes(pdf.replace(b"/Type", b"/Tyqe", 1))
    assert json.loads(ask(tmp_path / "licence.pdf", "--json").stdout)["outcome"] == "tampered"
    assert json.loads(ask("nonsense", "--json").stdout)["outcome"] == "unreadable"
    (tmp_path / "kit.json").write_text("{}")
    assert (ask(tmp_path / "licence.pdf").returncode, "no offline kit" in ask("x").stderr) == (1, True)
    assert not (tmp_path / "nowhere").exists()


def test_the_log_is_checked_by_its_operator_and_from_a_copy_by_a_stranger(shell, licence, empty_settings, tmp_path):
    number, _, _ = licence
    assert shell("log", "proof", number).returncode == 1
    with open_office(empty_settings) as office:
        workers.sequence(office)
    said = json.loads(shell("log", "verify", "--json").stdout)
    assert (said["ok"], said["findings"]) == (True, [])
    proof = json.loads(shell("log", "proof", number).stdout)
    assert json.loads(proof["content"])["act"] == "seal"
    copy, key, kept = tmp_path / "copy", tmp_path / "copy" / "key", tmp_path / "kept"
    assert shell("log", "publish", copy).returncode == 0
    assert shell("log", "publish", copy).returncode == 0
    kept.write_text(proof["checkpoint"])
    stranger = ("log", "verify", "--public", copy, "--key", key, "--since", kept)
    assert shell(*stranger).returncode == 0, shell(*stranger)
    bundle = next((copy / "tile" / "entries" / "000.p").iterdir())
    bundle.write_bytes(bundle.read_bytes()[:-32] + bytes(32))
    assert (shell(*stranger).returncode, "root_wrong" in shell(*stranger).stdout) == (1, True)
    bundle.unlink()
    assert "entry_missing" in shell(*stranger).stdout
    assert shell("log", "verify", "--public", copy).returncode == 2
    with open_office(empty_settings) as office, office.work() as work:
        work.session.execute(update(JournalEntry).values(actor="somebody else"))
    told = shell("log", "verify")
    assert (told.returncode, told.stdout.count("changed journal") > 3) == (1, True)


def test_a_key_for_the_log_is_made_in_a_folder_of_its_own(shell, tmp_path):
    said = shell("log", "key", tmp_path / "log", "example.org/log")
    assert said.stdout.startswith("example.org/log+")
    assert shell("log", "key", tmp_path / "log", "example.net/log").stdout == said.stdout
    (tmp_path / "log" / "log.key").unlink()
    assert shell("log", "key", tmp_path / "log", "example.org/log").returncode == 0


def test_migrate_brings_the_shipped_acts_into_the_library(shell, empty_settings):
    for _ in range(2):
        assert shell("migrate").returncode == 0
    with open_office(empty_settings) as office, office.work(read_only=True) as work:
        assert laws.library(work) == laws.shipped()
        assert laws.count(work, "licensing") == 2


def test_init_doctor_and_people(shell):
    assert shell("init", "--demo").returncode == 0
    doctor = shell("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "all well" in doctor.stdout
    listed = shell("people", "list")
    assert "wang" in listed.stdout
    assert "3505021" not in listed.stdout, "identity numbers are never listed"


def test_doctor_says_what_is_missing(shell):
    said = shell("doctor")
    assert said.returncode == 1
    assert "✗" in said.stdout


def test_production_founds_no_demonstration_city(shell, tmp_path):
    real = {
        "APPROVAL_ENVIRONMENT": "production",
        "APPROVAL_SECRET_KEY": "x" * 40,
        "APPROVAL_AUTHORITY": str(tmp_path),
        "APPROVAL_ORIGIN": "https://approval.example",
    }
    said = shell("init", "--demo", **real)
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert shell("dev", **real).returncode == 1


def test_a_pack_with_faults_is_told_all_of_them_and_nothing_is_published(shell, tmp_path):
    assert shell("init", "--demo").returncode == 0
    folder = tmp_path / "bed" / ITEM
    shutil.copytree(WORKFLOWS / ITEM, folder)
    shutil.copytree(WORKFLOWS / "_shared", folder.parent / "_shared")
    manifest = folder / "item.toml"
    manifest.write_text(
        manifest.read_text().replace('"审查岗" =', '"别的岗" =').replace("[limits.fire_opinion]", "[limits.other]")
    )
    said = shell("pack", "check", folder)
    assert said.returncode == 1
    assert "审查岗" in said.stderr
    assert "fire_opinion" in said.stderr
    assert shell("pack", "deploy", folder).returncode == 1
    assert shell("pack", "list").stdout == ""


def test_a_cut_zip_is_refused_in_one_sentence(shell, tmp_path):
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.write(WORKFLOWS / ITEM / "item.toml", "item.toml")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:200])
    said = shell("pack", "check", cut)
    assert said.returncode == 1
    assert "PackRefused" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_decision_of_a_file_is_asked(shell, tmp_path):
    file = WORKFLOWS / ITEM / "rules" / "site-check.dmn"
    decision = next(iter(tables.load(file.name, file.read_bytes())))
    said = shell("pack", "decide", file, "--decision", "nothing", "--json")
    assert (said.returncode, said.stdout, json.loads(said.stderr)["refused"]) == (1, "", "not-found")
    broken = tmp_path / "broken.dmn"
    broken.write_bytes(b"<x/>")
    assert json.loads(shell("pack", "decide", broken, "--json").stderr)["faults"][0]["line"] == 1
    assert "DMN" in shell("pack", "decide", broken).stderr
    assert shell("pack", "decide", file, "--data", "[1]").returncode == 2
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"activities": ["raw_food"], "business_form": "2"}))
    said = shell("pack", "decide", file, "--decision", decision, "--data", f"@{data}")
    assert said.returncode == 0
    told = json.loads(said.stdout)
    assert told.keys() == {"result", "rows"}
    assert {row["decision"] for row in told["rows"]} == {decision}


def test_a_proof_sheet_is_counted_again_without_an_office(shell, tmp_path):
    begun = Entry(EntryType.START, date(2026, 9, 21), 20, "行政许可法第四十二条第一款")
    about = {"case": "示例", "item": "示例", "kind": "decision", "department": "SCJ"}
    sheet = sheets.compose(about, [begun], CALENDAR)
    whole, moved, other = (tmp_path / f"{name}.json" for name in ("whole", "moved", "other"))
    whole.write_bytes(services.canonical(sheet))
    moved.write_bytes(services.canonical(sheet | {"due": "2026-10-23"}))
    other.write_text("{}")
    said = shell("countdown", "verify", whole)
    assert (said.returncode, "due 2026-10-22" in said.stdout, services.digest(sheet) in said.stdout) == (0, True, True)
    assert shell("countdown", "verify", whole, "--sha256", services.digest(sheet)).returncode == 0
    assert shell("countdown", "verify", whole, "--sha256", "0" * 64).returncode == 1
    told = shell("countdown", "verify", moved, "--json")
    assert (told.returncode, json.loads(told.stdout)["faults"]) == (1, ["due"])
    refused = shell("countdown", "verify", other)
    assert (refused.returncode, "SheetUnreadable" in refused.stderr) == (1, True)


def test_a_notice_of_holidays_is_taken_over_and_moves_what_runs(shell, empty_settings, pack, tmp_path):
    office = offices.prepare(empty_settings)
    offices.found_demo(office)
    with office.work(by=SYSTEM) as work:
        packs.deploy(work, pack)
    filed = next(each for each in rehearsals.scenarios(pack) if each.file.endswith("/granted.toml"))
    rehearsals.play(office, replace(filed, steps=()), ITEM)
    with office.work(by=SYSTEM, read_only=True) as work:
        ahead = work.session.scalars(select(CountdownEntry)).one().due["day"]
        year = date.fromisoformat(ahead).year
    office.close()
    table = tmp_path / "notice.csv"
    table.write_text(f"day,kind\n{ahead},放假\n", encoding="utf-8")
    said = shell("countdown", "calendar", table, "--basis", "示例放假通知")
    assert (said.returncode, f"{year}: 示例放假通知" in said.stdout) == (0, True)
    with open_office(empty_settings) as office, office.work(by=SYSTEM, read_only=True) as work:
        moved = work.session.scalars(select(CountdownEntry).order_by(CountdownEntry.ordinal)).all()
        assert [(row.type, row.due["day"] > ahead) for row in moved] == [("start", False), ("recount", True)]
        assert countdowns.calendar(work).basis_of(date.fromisoformat(ahead)) == "示例放假通知"
    assert shell("countdown", "calendar", table).returncode == 1
