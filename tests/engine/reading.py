"""Drawings read and judged, without building anything: the reader, the lint and the walk one after the other."""

from approval.engine import grammar, soundness
from approval.engine.readers import Reader
from approval.expressions import markup
from tests.engine.drawing import NAMESPACES, bpmn

VENDORS = (
    NAMESPACES + ' xmlns:flowable="http://flowable.org/bpmn" xmlns:activiti="http://activiti.org/bpmn" '
    'xmlns:modeler="http://camunda.org/schema/modeler/1.0" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"'
)
SPIFF = 'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'


def drawn(*parts, also="", namespaces=VENDORS):
    """Return the bytes of a drawing in which every vendor's words may be used."""
    return bpmn(*parts, also=also).replace(NAMESPACES.encode(), namespaces.encode(), 1)


def read(source, names=None):
    """Return the reader of one file, after it has read."""
    reader = Reader("p.bpmn", markup.read("p.bpmn", source), names)
    reader.read()
    return reader


def judged(source, names=None, tables=(), elements=400):
    """Return every fault of one file, warnings included."""
    reader = read(source, names)
    found = reader.faults + grammar.faults(reader.scopes, dict.fromkeys(tables), elements)
    if not any(fault.level == "error" for fault in found):
        found += [fault for scope in reader.scopes.values() for fault in soundness.faults(scope)]
    return found


def errors(source, *args, **kwargs):
    return [fault for fault in judged(source, *args, **kwargs) if fault.level == "error"]


def node(source, name="t", names=None):
    """Return one node of a drawing that has no fault of its own."""
    reader = read(source, names)
    wrong = [fault for fault in reader.faults if fault.level == "error"]
    assert not wrong, wrong
    return next(scope.nodes[name] for scope in reader.scopes.values() if name in scope.nodes)
