"""What an operator types, as the shell sees it: words, and the exit status."""

import json
import shutil
import sys
import zipfile
from dataclasses import fields
from typing import NamedTuple

import pytest

import certificates
from approval.cli import main, offices
from approval.domain.actors import SYSTEM
from approval.expressions import tables
from approval.models.cases import Case
from approval.paths import WORKFLOWS
from approval.services import licences, packs, rehearsals
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
