"""The style page (样式): every component and every kind of question with sample data; in development only."""

import json
from typing import Any

from flask import render_template

from approval.domain import answers
from approval.domain.errors import Missing
from approval.office import Work
from approval.web import forms
from approval.web.door import Door

door = Door("styles", __name__)

_WRONG = "_wrong"
_CHOICES = [{"label": "示例一", "value": "a"}, {"label": "示例二", "value": "b"}]
_ENGLISH = {"en": "Sample question", "en.help": "Sample help.", "en.a": "First sample", "en.b": "Second sample"}


@door.get("/styles")
def show(work: Work) -> str:
    """Show every component (样式页), drawn by the macros that all pages use."""
    form = answers.read_form("sample.json", _sample())
    missing = [
        Missing(f"answers.{question.key}", "required") for question in form.fields if question.key.endswith(_WRONG)
    ]
    return render_template(
        "styles/show.html",
        now=work.now,
        waiting=[{"kind": "decision", "day": work.now.date(), "left": left} for left in (9, 0, -2)],
        sheet=forms.draw(form, {"dynamiclist": [{}, {}]}, missing=missing),
        missing=forms.labelled(missing, form),
        anchor=forms.anchor,
    )


def _sample() -> bytes:
    """Ask one question of each kind, and one more of each that will be wrong."""
    components = [_component(kind, kind + ending) for kind in sorted(answers.KINDS) for ending in ("", _WRONG)]
    return json.dumps({"id": "sample", "components": components}).encode()


def _component(kind: str, key: str) -> dict[str, Any]:
    component: dict[str, Any] = {"type": kind, "id": key, "key": key, "label": "示例问题", "description": "示例说明。"}
    component["properties"] = _ENGLISH
    if kind in answers.CHOICES | answers.LISTS:
        component["values"] = _CHOICES
    if kind == "dynamiclist":
        component |= {"path": key, "components": [_component("textfield", "what")]}
    return component
