"""Every bed of the garden: its parts fit together, and every scenario comes out as its author wrote."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from approval.domain.errors import PackRefused
from approval.paths import WORKFLOWS
from approval.services import packs, rehearsals
from approval.services.rehearsals import Scenario
from approval.settings import Settings
from tests.kit import walks

PACKS = {
    folder.name: packs.read(packs.from_folder(folder))
    for folder in sorted(WORKFLOWS.iterdir())
    if not folder.name.startswith("_")
}
SCENARIOS = [
    pytest.param(name, scenario, id=f"{name}/{scenario.file}")
    for name, pack in PACKS.items()
    for scenario in rehearsals.scenarios(pack)
]


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_named_after_its_bed_and_its_parts_fit_together(name):
    assert packs.check(PACKS[name].files, Settings()).manifest.code == name


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_has_a_guide_and_enough_scenarios_and_one_to_walk(name):
    scenarios = rehearsals.scenarios(PACKS[name])
    assert PACKS[name].files["guide.md"]
    assert len(scenarios) >= 5
    assert [scenario.walk for scenario in scenarios].count(True) == 1
    assert {"granted", "refused"} <= {scenario.expect.get("decision") for scenario in scenarios}


@pytest.mark.parametrize("name", PACKS)
def test_every_task_of_a_pack_is_done_in_some_scenario(name):
    done = {step["task"] for scenario in rehearsals.scenarios(PACKS[name]) for step in scenario.steps if "task" in step}
    assert set(PACKS[name].definition.tasks) == done


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS)
def test_a_scenario_comes_out_as_written(office, name: str, scenario: Scenario):
    with office.work() as work:
        packs.deploy(work, PACKS[name])
    number = rehearsals.play(office, scenario, name)
    came_out = walks.outcome(office, number)
    for key, wanted in scenario.expect.items():
        got = {part: came_out[key][part] for part in wanted} if isinstance(wanted, Mapping) else came_out[key]
        assert got == wanted, key


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        ('status = "concluded"', 'status = "declined"', "expect.status"),
        ("decision_due = 2026-10-23", "decision_due = 2026-10-22", "expect.decision_due"),
        ('business_form_name = "食品销售经营者"', 'business_form_name = "别的"', "expect.licence"),
        ('by = "huang"', 'by = "su"', ""),
        ('result = "pass", ', "", ""),
        ("at = 2026-09-21T09:00:00+08:00", "when = 2026", ""),
    ],
)
def test_a_scenario_that_comes_out_otherwise_is_told(old, new, element):
    path = "scenarios/granted.toml"
    pack = PACKS["food-business-licence"]
    assert old.encode() in pack.files[path]
    source = pack.files[path].replace(old.encode(), new.encode(), 1)
    only = {name: content for name, content in pack.files.items() if not name.startswith("scenarios/")}
    with pytest.raises(PackRefused) as refused:
        rehearsals.check(replace(pack, files={**only, path: source}), Settings())
    (fault,) = refused.value.facts["faults"]
    assert (fault.file, fault.element) == (path, element)


def only(*sources):
    """Return the pack with no scenarios but these."""
    pack = PACKS["food-business-licence"]
    files = {name: content for name, content in pack.files.items() if not name.startswith("scenarios/")}
    return replace(pack, files=files | {f"scenarios/{number}.toml": source for number, source in enumerate(sources)})


def faults(pack, **limits):
    with pytest.raises(PackRefused) as refused:
        rehearsals.check(pack, Settings(), **limits)
    return [(fault.file, fault.why) for fault in refused.value.facts["faults"]]


FILING = "at = 2026-09-21T09:00:00+08:00\nby = 'chen'\nanswers = {}\nmaterials = []\n"
WHOLE = f"title = 't'\nsteps = []\n[expect]\n[filing]\n{FILING}"
DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("steps = []", "steps = 5"),
        ("steps = []", "steps = ['x']"),
        ("steps = []", "steps = {}"),
        ("steps = []", f"steps = [{'{at = 2026-09-21T09:00:00Z, timers = true},' * 201}]"),
        ("steps = []", "steps = [{at = 2026-09-21T09:00:00Z, by = 'wang', task = 5}]"),
        ("steps = []", "steps = [{at = 2026-09-21T09:00:00Z, by = 'wang', task = 'x', answers = 5}]"),
        ("steps = []", "steps = [{at = 2026-09-21T09:00:00Z, by = 'wang', withdraw = 5}]"),
        ("title = 't'", "title = 5"),
        ("title = 't'", f"title = {DEEP}"),
        ("title = 't'", f"title = {'9' * 5000}"),
        ("[expect]", "[[expect]]"),
        (f"[filing]\n{FILING}", "[[filing]]\n"),
        ("2026-09-21T09:00:00+08:00", "2026-09-21"),
        ("2026-09-21T09:00:00+08:00", "2026-09-21T09:00:00"),
        ("2026-09-21T09:00:00+08:00", "0001-01-01T00:00:00+08:00"),
        ("2026-09-21T09:00:00+08:00", "9999-12-31T23:59:59-08:00"),
        ("by = 'chen'", "by = 5"),
        ("by = 'chen'", "by = 'chen'\nfor = 5"),
        ("answers = {}", "answers = 5"),
        ("materials = []", "materials = 'x'"),
        ("materials = []", "materials = [5]"),
    ],
)
def test_a_scenario_of_another_shape_is_told_by_its_file(old, new):
    assert old in WHOLE
    ((file, why),) = faults(only(WHOLE.replace(old, new).encode()))
    assert (file, "not a scenario" in why) == ("scenarios/0.toml", True)


def test_a_pack_shows_in_a_scenario_how_it_works():
    assert [file for file, _ in faults(only())] == ["scenarios/"]


def test_what_nobody_foresaw_in_a_scenario_is_a_fault_that_names_it(monkeypatch, caplog):
    def stumble(*_given, **_more):
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(rehearsals.cases, "file", stumble)
    ((file, why),) = faults(only(WHOLE.encode()))
    assert (file, why) == ("scenarios/0.toml", "t: ZeroDivisionError: nobody foresaw this")
    assert "scenarios/0.toml" in caplog.text


def test_all_scenarios_together_take_no_longer_than_they_may():
    granted = PACKS["food-business-licence"].files["scenarios/granted.toml"]
    told = faults(only(granted, granted), seconds=0)
    assert {file for file, _ in told} == {"scenarios/0.toml"}
    assert all("more than 0 s" in why for _, why in told)


def test_what_is_expected_of_a_licence_is_not_looked_for_elsewhere():
    granted = PACKS["food-business-licence"].files["scenarios/granted.toml"].decode()
    assert 'status = "concluded"' in granted
    ((_, why),) = faults(only(granted.replace('status = "concluded"', "status = { a = 1 }", 1).encode()))
    assert "came out {'a': None}" in why


@pytest.mark.parametrize("name", PACKS)
def test_no_identity_in_a_pack_belongs_to_anybody(name):
    texts = b"\n".join(PACKS[name].files.values()).decode()
    assert re.findall(r"(?<!\d)1[3-9]\d{9}(?!\d)", texts) == [], "no mobile number that could ring"
    assert re.findall(r"(?<!\d)\d{17}[\dX](?!\d)", texts) == [], "no identity number"


def _questions(fields):
    for question in fields:
        yield question
        yield from _questions(question.fields)


@pytest.mark.parametrize("name", PACKS)
def test_every_form_says_in_english_what_it_says_in_chinese(name):
    for form in PACKS[name].forms.values():
        said = [(section.label, section.label_en) for section in form.sections]
        for question in _questions(form.fields):
            said += [(question.label, question.label_en), (question.help, question.help_en)]
            said += [(option.label, option.label_en) for option in question.options]
        for chinese, english in said:
            assert bool(chinese) == bool(english), (form.id, chinese)
            assert not re.search(r"[\u4e00-\u9fff]", english), (form.id, english)


@pytest.mark.parametrize("name", PACKS)
def test_what_an_applicant_is_told_of_a_task_is_told_in_english_too(name):
    tasks = PACKS[name].definition.tasks
    assert tasks
    for element, task in tasks.items():
        assert task.properties.get("citizenText"), element
        assert re.fullmatch(r"[^\u4e00-\u9fff]{10,}", task.properties.get("citizenTextEn", "")), element
