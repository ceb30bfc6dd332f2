"""docs/law.md says of every article which rule holds it, and which test proves the rule."""

import importlib.util

from approval.domain.laws import parse
from approval.services import laws
from tests.architecture.test_house import ROOT

_spec = importlib.util.spec_from_file_location("law", ROOT / "deploy" / "law.py")
assert _spec is not None
assert _spec.loader is not None
law = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(law)
FOUND = law.survey()


def test_the_page_is_what_make_law_writes():
    told = law.PAGE.read_text(encoding="utf-8") == law.page(FOUND, laws.shipped())
    assert told, "docs/law.md is not up to date: run `make law`"


def test_every_article_that_a_rule_cites_is_proved_by_a_test():
    assert len(FOUND.rules) > 15
    assert {each.canonical for each in FOUND.unproved()} == set(law.GAPS)


def test_every_article_that_code_or_packs_cite_has_a_text_in_the_shipped_library():
    library = laws.shipped()
    assert [each.canonical for each in (*FOUND.rules, *FOUND.places) if library.held(each) is None] == []


def test_every_gap_and_every_mark_is_a_citation():
    assert all(parse(each) for each in law.GAPS)
    assert all(each.number for each in FOUND.tests)
