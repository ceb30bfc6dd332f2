"""`make law`: docs/law.md anew, article by article: the rule, the code that holds it, the data, and what proves it.

Docstrings of the code and the packs are asked what they cite; a test says it by its docstring or by the marker
`@pytest.mark.article("行政许可法#32.1.4")`. What is under `GAPS` is cited and proved by no test, and why.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from approval.domain.laws import Citation, Library, find, parse  # noqa: E402 -- the checkout's own
from approval.services import citations, laws, packs  # noqa: E402

PAGE = ROOT / "docs" / "law.md"
# What a docstring means that names an article and no act.
_DEFAULT = "行政许可法"
GAPS: dict[str, str] = {}
_HEAD = """# The law, article by article

Made by `make law` from docstrings, packs and tests; do not edit. A rule is the sentence of the function that holds it.
The texts are in the library of laws ([flows/law.md](flows/law.md)), most of them as our own short paraphrases.
"""


class Rule(NamedTuple):
    """What a function says it does by an article."""

    sentence: str
    code: str


class Map(NamedTuple):
    """What cites each article: rules in the code, places in packs, tests."""

    rules: dict[Citation, list[Rule]]
    places: dict[Citation, list[str]]
    tests: dict[Citation, list[str]]

    def unproved(self) -> list[Citation]:
        """List the articles that code or packs cite and no test of them or a part of them proves."""
        cited = {each for each in (*self.rules, *self.places) if each.number}
        return sorted(each for each in cited if not any(each in proved.broader() for proved in self.tests))


def survey(root: Path = ROOT) -> Map:
    """Walk code, packs and tests."""
    library = laws.shipped()
    rules: defaultdict[Citation, list[Rule]] = defaultdict(list)
    places: defaultdict[Citation, list[str]] = defaultdict(list)
    tests: defaultdict[Citation, list[str]] = defaultdict(list)
    for path, node, said in _functions(root, "approval", "certificates"):
        if path.endswith("/laws.py"):  # what is said of citations is no rule of the article that it names
            continue
        for citation in find(said, library.names, default=_DEFAULT if "第" in said else ""):
            rules[citation].append(Rule(said.split("\n\n")[0].split(". ")[0].replace("\n", " "), f"{path}:{node.name}"))
    for folder in sorted(root.glob("workflows/*/item.toml")):
        pack = packs.read(packs.from_folder(folder.parent))
        for basis in citations.of_pack(pack.digest, lambda files=pack.files: files):
            where = basis.file if basis.file.startswith("_") else f"{folder.parent.name}/{basis.file}"
            for citation in library.find(basis.text):
                places[citation].append(f"{where}:{basis.place}")
    for path, node, said in _functions(root, "tests"):
        for citation in (*_marked(node), *find(said, library.names)):
            tests[citation].append(f"{path}:{node.name}")
    return Map(dict(rules), dict(places), dict(tests))


def page(found: Map, library: Library) -> str:
    """Write the page."""
    lines = [_HEAD]
    cited = {each for each in (*found.rules, *found.places) if each.number}
    for law in sorted({each.law for each in cited}):
        lines += [f"## {law}\n", "| article | rule | code | data | tests |", "|---|---|---|---|---|"]
        for each in sorted((one for one in cited if one.law == law), key=lambda one: _order(one.number)):
            rules = found.rules.get(each, [])
            proved = sorted({test for one, names in found.tests.items() if each in one.broader() for test in names})
            cells = (
                each.human.removeprefix(law) + ("" if library.held(each) else " (not in the library)"),
                "<br>".join(dict.fromkeys(rule.sentence.replace("|", "\\|") for rule in rules)),
                _listed(rule.code for rule in rules),
                _listed(found.places.get(each, [])),
                _listed(proved) or GAPS.get(each.canonical, ""),
            )
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _listed(names: Iterator[str] | list[str]) -> str:
    return "<br>".join(f"`{name}`" for name in dict.fromkeys(names))


def _order(number: str) -> list[list[int]]:
    return [[int(each) for each in part.split("-")] for part in number.split(".")]


def _functions(root: Path, *folders: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef, str]]:
    """Bring functions and classes with their docstrings, by the path of their file; those of tests without too."""
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if "/_shipped/" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield name, node, ast.get_docstring(node) or ""


def _marked(node: ast.FunctionDef | ast.ClassDef) -> Iterator[Citation]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.article":
            for given in mark.args:
                citation = parse(ast.literal_eval(given))
                if citation is None:
                    raise ValueError(f"{node.name}: {ast.unparse(given)} is no citation")
                yield citation


if __name__ == "__main__":
    PAGE.write_text(page(survey(), laws.shipped()), encoding="utf-8")
