from approval.engine import support
from approval.engine.diagrams import NODES
from approval.paths import ROOT


def test_the_page_on_bpmn_is_what_the_tables_say():
    assert (ROOT / "docs/bpmn.md").read_text("utf-8") == support.page()


def test_every_element_of_the_vocabulary_is_told():
    assert set(support.NODES) == NODES
