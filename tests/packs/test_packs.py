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


@pytest.mark.parametrize("name", PACKS)
def test_no_identity_in_a_pack_belongs_to_anybody(name):
    texts = b"\n".join(PACKS[name].files.values()).decode()
    assert re.findall(r"(?<!\d)1[3-9]\d{9}(?!\d)", texts) == [], "no mobile number that could ring"
    assert re.findall(r"(?<!\d)\d{17}[\dX](?!\d)", texts) == [], "no identity number"
