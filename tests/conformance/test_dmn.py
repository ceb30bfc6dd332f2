"""DMN TCK compliance level 2, from the folder that APPROVAL_CONFORMANCE names: every expected result must come."""

import json
import math
import os
from pathlib import Path

import pytest
from lxml import etree

from approval.domain.errors import Refusal
from approval.expressions import tables

FOLDER = os.environ.get("APPROVAL_CONFORMANCE")
TCK = "{http://www.omg.org/spec/DMN/20160719/testcase}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

pytestmark = pytest.mark.skipif(not FOLDER, reason="APPROVAL_CONFORMANCE names no folder of conformance cases")


def value(node):
    """Read a value, a list or components as JSON has them."""
    if (lists := node.find(f"{TCK}list")) is not None:
        return None if lists.get(f"{XSI}nil") == "true" else [value(item) for item in lists.findall(f"{TCK}item")]
    if components := node.findall(f"{TCK}component"):
        return {component.get("name"): value(component) for component in components}
    found = node.find(f"{TCK}value")
    if found is None or found.get(f"{XSI}nil") == "true":
        return None
    text, kind = found.text or "", found.get(f"{XSI}type", "").rpartition(":")[2]
    if kind in {"decimal", "double", "integer", "int", "float"}:
        return float(text)
    return text == "true" if kind == "boolean" else text


def alike(found, expected):
    """Compare as the TCK does: numbers by value."""
    if isinstance(expected, float):
        return isinstance(found, int | float) and math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and expected.keys() == found.keys()
            and all(alike(found[name], each) for name, each in expected.items())
        )
    return found == expected


def results():
    """Go through every expected result of level 2 that the manifest names."""
    for entry in json.loads(Path(FOLDER, "manifest.json").read_text("utf-8")):
        if not entry["file"].startswith("dmn/level2/") or not entry["file"].endswith(".xml"):
            continue
        file = Path(FOLDER, entry["file"])
        root = etree.parse(file).getroot()
        model = file.with_name(root.findtext(f"{TCK}modelName"))
        for case in root.findall(f"{TCK}testCase"):
            data = {node.get("name"): value(node) for node in case.findall(f"{TCK}inputNode")}
            for node in case.findall(f"{TCK}resultNode"):
                yield model, case.get("id"), node.get("name"), data, value(node.find(f"{TCK}expected"))


def test_every_expected_result_of_level_2_comes():
    count, missed = 0, []
    for model, case, name, data, expected in results():
        count += 1
        try:
            found = tables.pick(model.name, model.read_bytes(), name).decide(data).result
        except Refusal as refusal:
            found = refusal
        if not alike(found, expected):
            missed.append(f"{model.stem} {case} {name}: {found!r} instead of {expected!r}")
    assert not missed
    assert count == 126
