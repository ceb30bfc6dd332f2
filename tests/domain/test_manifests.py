"""Manifests: an author learns every fault at once, each by its key."""

import tomllib
from datetime import date

import pytest

from approval.domain.errors import PackRefused
from approval.domain.manifests import Lane, read
from approval.paths import WORKFLOWS

SOURCE = (WORKFLOWS / "food-business-licence" / "item.toml").read_text(encoding="utf-8")


def changed(*changes):
    source = SOURCE
    for old, new in changes:
        assert old in source, f"the manifest no longer says {old!r}"
        source = source.replace(old, new, 1)
    return source.encode()


def faults(source):
    with pytest.raises(PackRefused) as refused:
        read(source)
    return {(fault.element, fault.why) for fault in refused.value.facts["faults"]}


def test_a_whole_manifest_is_read():
    manifest = read(SOURCE.encode())
    assert manifest.code == "food-business-licence"
    assert manifest.limits["acceptance"].days == 5
    assert manifest.lanes["申请人"] == Lane("", "applicant")
    assert manifest.lanes["消防岗"] == Lane("XFJ", "examiner")
    assert manifest.legal_basis[0].valid_from == date(2015, 10, 1)
    assert {material.code: material.when for material in manifest.materials if material.need == "when"} == {
        "health_certificates": "answers.staff > 0",
        "authorisation": "applicant.agent = true",
    }
    assert manifest.serves == {"person", "organization"}


def test_all_faults_are_told_at_once_and_by_key():
    source = changed(
        ('code = "food-business-licence"', "code = 7"),
        ('department = "SPJ", ', ""),
        ("days = 5", 'days = "five"'),
        ('need = "required"', 'need = "perhaps"'),
        ('when = "answers.staff > 0"\n', ""),
        ('zh = "营业执照"\n', ""),
        ("validity_years = 5\n", ""),
        ('operator = "applicant.name"', "operator = 7"),
        ("valid_from = 2015-10-01", 'valid_from = "2015"'),
        ('serves = ["person", "organization"]', "serves = [1]"),
        ('tasks = ["formal_check", "fire_opinion"]', 'tasks = "fire_opinion"'),
    )
    assert faults(source) == {
        ("code", "must be a text"),
        ("lanes.综合窗口.department", "is missing"),
        ("limits.acceptance.days", "must be a whole number"),
        ("materials[1].need", "must be one of optional, required, when"),
        ("materials[4].when", "is missing"),
        ("materials[1].zh", "is missing"),
        ("licence.validity_years", "is missing"),
        ("licence.fields.operator", "must be a text"),
        ("legal_basis[1].valid_from", "must be a date"),
        ("serves", "must be a list of texts"),
        ("apart[3].tasks", "must be a list"),
    }


def test_an_empty_manifest_names_every_missing_key():
    named = {element for element, why in faults(b"") if why == "is missing"}
    assert {"code", "name.zh", "name.en", "department.code", "limits", "lanes", "materials", "apart"} <= named
    assert "licence.code" not in named  # an item may end without a licence
    assert "facts" not in named


@pytest.mark.parametrize("source", [b"code = ", b"\xff", b'a = 1\na = 2\n[a]\nb = "', b"code = '''"])
def test_what_is_no_toml_is_one_fault(source):
    ((element, why),) = faults(source)
    assert element == ""
    assert why


@pytest.mark.parametrize("table", ["materials", "legal_basis", "conditions", "apart"])
def test_a_row_that_is_no_table_is_a_fault_and_no_crash(table):
    kept = tomllib.loads(SOURCE)
    assert isinstance(kept[table], list)
    start = SOURCE.index(f"[[{table}]]")
    source = f"{table} = [7]\n" + SOURCE[:start] + SOURCE[start:].replace(f"[[{table}]]", f"[[x_{table}]]")
    assert any(element.startswith(f"{table}[1].") for element, _ in faults(source.encode()))


@pytest.mark.parametrize("days", ["0", "-5", "100000000", "true"])
def test_a_limit_is_a_sensible_number_of_working_days(days):
    assert {element for element, _ in faults(changed(("days = 5", f"days = {days}")))} == {"limits.acceptance.days"}


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        ('serves = ["person", "organization"]', 'serves = [["person"]]', "serves"),
        ('tasks = ["formal_check", "fire_opinion"]', 'tasks = [["formal_check"], {}]', "apart[3].tasks"),
        ('code = "food-business-licence"', 'code = ""', "code"),
        ('code = "food-business-licence"', 'code = "Food/licence"', "code"),
        ('code = "food-business-licence"', f'code = "{"a" * 81}"', "code"),
        ('code = "business_licence"', f'code = "{"a" * 81}"', "materials[1].code"),
        ('code = "layout_plan"', 'code = "business_licence"', "materials[2].code"),
        ('formats = ["pdf", "png", "jpeg"]', 'formats = ["pdf", "exe"]', "materials[1].formats"),
        ('formats = ["pdf", "png", "jpeg"]', "formats = []", "materials[1].formats"),
        ('role = "window"', f'role = "{"a" * 81}"', "lanes.综合窗口.role"),
        ('department = "SPJ"', f'department = "{"a" * 81}"', "lanes.综合窗口.department"),
        ('code = "business_licence"', 'code = ""', "materials[1].code"),
        ("[limits.correction]", f"[limits.{'a' * 81}]", f"limits.{'a' * 73}"),
        ('filing = "filing"', f'filing = "{"a" * 81}"', "forms.filing"),
        ("validity_years = 5", "validity_years = 0", "licence.validity_years"),
        ("validity_years = 5", "validity_years = 101", "licence.validity_years"),
        ('zh = "营业执照"', 'zh = "营业\\u0000执照"', "materials.zh"),
        ('"申请人" = {', '"申请\\u200b人" = {', "lanes"),
        ("days = 10\nrole", "days = 0\nrole", "limits.decision.extension.days"),
        ("days = 10\nrole", "days = 10\ndepartment = 7\nrole", "limits.decision.extension.department"),
        ("[limits.decision.extension]", "[limits.promised.extension]", "limits.promised.extension"),
        ("[limits.acceptance]", "[exclusions]\npublic_notice = 9\n\n[limits.acceptance]", "exclusions.public_notice"),
        ("validity_years = 5", "validity_years = 5\nrenew_days = -1", "licence.renew_days"),
    ],
)
def test_what_no_column_and_no_page_could_take_is_a_fault(old, new, element):
    assert {where for where, _ in faults(changed((old, new)))} == {element}


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "9" * 5000], ids=["brackets", "digits"])
def test_no_depth_and_no_length_crashes_the_reader(value):
    ((element, _),) = faults(f"deep = {value}".encode())
    assert element == ""
