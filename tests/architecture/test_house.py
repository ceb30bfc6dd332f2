"""The inspector checks that the house stands as it is drawn."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from approval.cli import approval
from approval.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ALLOWED_AT_ROOT = {
    "wsgi.py", "pyproject.toml", "README.md", "approval", "certificates", "workflows", "templates", "static", "tests",
    "Makefile", "requirements.lock", "package.json", "package-lock.json", "CHANGELOG.md", "docs", "benchmarks",
    "deploy", ".ci", ".gitignore", ".npmrc",
}  # fmt: skip
BANNED = {"utils", "helpers", "common", "misc", "base_service", "manager", "handler"}
NEVER_SAID = re.compile(
    r"\b(class|def) \w*(Application|Attachment|Ticket|Credential|Activity|Approve|Submit)\w*", re.IGNORECASE
)
LONGEST_ROOM = 400


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows what is tracked")


def product_rooms() -> list[Path]:
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in {"approval", "certificates"}
    ]


def test_only_named_things_stand_at_the_root():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= ALLOWED_AT_ROOT


def test_the_stairs_lead_down_only():
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_no_room_has_a_name_that_says_nothing():
    assert not [path for path in tracked() if path.stem in BANNED]


def test_no_room_grew_into_a_hall():
    halls = {path.name: len(path.read_text().splitlines()) for path in product_rooms() if "versions" not in path.parts}
    assert not {name: lines for name, lines in halls.items() if lines > LONGEST_ROOM}


def test_the_code_says_the_words_of_the_glossary():
    said = {path.name: NEVER_SAID.findall(path.read_text()) for path in product_rooms()}
    assert not {name: words for name, words in said.items() if words}


def test_only_the_office_commits():
    committing = [path for path in product_rooms() if ".commit()" in path.read_text()]
    assert [path.name for path in committing] == ["office.py"]


def test_nobody_but_the_office_reads_the_wall_clock():
    clock = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(")
    readers = [path for path in product_rooms() if clock.search(path.read_text())]
    assert [path.name for path in readers] == ["office.py"]


def test_nothing_evaluates_what_an_author_wrote_outside_expressions():
    for path in product_rooms():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, f"{path}:{node.lineno}"


def test_no_key_and_no_third_party_file_is_tracked():
    for path in tracked():
        assert path.suffix not in {".pem", ".key", ".p12", ".pfx", ".db", ".ttf", ".woff2", ".mo"}, path
        if path.suffix not in {".png", ".state"}:
            assert "PRIVATE KEY-----\n" not in path.read_text(errors="replace"), path


def test_public_functions_of_the_inner_floors_say_the_chinese_term():
    floors = {"domain", "services", "engine"}
    silent = []
    for path in product_rooms():
        parts = path.relative_to(ROOT).parts
        if parts[0] == "certificates" or parts[1] in floors:
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    first = (ast.get_docstring(node) or "").split("\n\n")[0]
                    if not re.search(r"[\u4e00-\u9fff]", first):
                        silent.append(f"{path.name}:{node.name}")
    assert not silent


def test_every_setting_is_documented():
    told = (ROOT / "docs" / "start.md").read_text()
    for name in Settings().shown():
        assert f"`{name}`" in told


def test_every_command_is_documented():
    told = (ROOT / "docs" / "start.md").read_text()
    for name in approval.commands:
        assert f"`approval {name}`" in told


def test_every_name_in_the_flows_exists():
    for page in sorted((ROOT / "docs" / "flows").glob("*.md")):
        for dotted in re.findall(r"`((?:approval|certificates)\.[\w.]+)`", page.read_text()):
            module, names = dotted, []
            while True:
                try:
                    found = importlib.import_module(module)
                    break
                except ModuleNotFoundError:
                    module, _, name = module.rpartition(".")
                    names.insert(0, name)
            for name in names:
                assert hasattr(found, name), f"{page.name}: {dotted}"
                found = getattr(found, name)


def test_the_readme_shows_the_two_commands_first():
    first_screen = (ROOT / "README.md").read_text().splitlines()[:14]
    assert any(line.startswith("make run") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)


def test_the_licence_is_an_spdx_expression():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license"] in (ROOT / "README.md").read_text()


def test_requirements_are_pinned_with_hashes_and_name_no_host():
    lock = (ROOT / "requirements.lock").read_text()
    assert "http" not in lock.replace("aiohttp", "").replace("httpx", "")
    pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[^]]+\])?==", lock, re.MULTILINE)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") > len(pins)
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
