"""README's example runs as it is printed, on the demonstration city."""

import os
import re
import subprocess
import sys
from pathlib import Path

from approval.cli import offices
from approval.services import packs, rehearsals
from tests.kit.samples import ITEM

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_example_lists_the_case_of_the_restaurant(empty_settings, pack):
    office = offices.prepare(empty_settings)
    offices.found_demo(office)
    with office.work() as work:
        packs.deploy(work, pack)
    walk = next(scenario for scenario in rehearsals.scenarios(pack) if scenario.walk)
    number = rehearsals.play(office, walk, ITEM, settle=lambda *_: None)
    office.close()

    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    env = {"APPROVAL_INSTANCE": str(empty_settings.instance), "APPROVAL_DATABASE_URL": empty_settings.database_url}
    told = subprocess.run(
        [sys.executable, "-c", example], env={**os.environ, **env}, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == f"{number} granted"
