"""Forms on pages (网上表单): questions of a pack drawn, and what a browser sends for them read.

Without JavaScript a question that an answer brings up appears after 继续; with it, as soon as the answer is given.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask import request

from approval.domain.answers import Field, Form, Section
from approval.domain.errors import Missing
from approval.services import forms

_LOOK, _ADD, _DROP = "look", "add", "drop"
_ROW = re.compile(r"\[(\d+)\]\.?")
_WORD = re.compile(r"[^\W\d]\w*")


class Sheet(NamedTuple):
    """Questions ready to be drawn (待填表单): each with its WTForms field, and what is wrong by the field's id."""

    questions: list[tuple[Field, Any]]
    faults: Mapping[str, str]
    controls: frozenset[str]


class Reply(NamedTuple):
    """What a browser sent (表单提交): all that is given so far, and whether the visitor means to go on.

    Not `finished` is who asked for another row, or whose answers bring up questions that were not on the page.
    """

    given: dict[str, Any]
    finished: bool


def draw(
    form: Form, given: Mapping[str, Any], section: Section | None = None, missing: Iterable[Missing] = ()
) -> Sheet:
    """Make a section, or the whole form, ready to be drawn with what is given and what is wrong with it."""
    questions = tuple(question for question in forms.asked(form, given) if question in (section or form).fields)
    bound = forms.bind(questions, given)
    controls = {word for question in form.fields for word in _WORD.findall(question.hidden_when)}
    faults = {anchor(entry.where): entry.why for entry in missing}
    return Sheet([(question, bound[question.key]) for question in questions], faults, frozenset(controls))


def receive(form: Form, given: Mapping[str, Any], section: Section | None = None) -> Reply:
    """Read the questions that stood on the page, on top of what was given before."""
    shown = set(request.form.getlist("shown"))
    questions = (section or form).fields
    told = {**given, **forms.read((question for question in questions if question.key in shown), request.form)}
    wanted, _, where = request.form.get("do", "").partition(":")
    if wanted in {_ADD, _DROP}:
        _change_rows(told, wanted, where)
    new = {question.key for question in forms.asked(form, told) if question in questions} - shown
    return Reply(told, finished=wanted not in {_LOOK, _ADD, _DROP} and not new)


def anchor(where: str) -> str:
    """Name the id on the page of what is missing or wrong: `answers.rows[1].name` is `answers.rows-0-name`."""
    return _ROW.sub(lambda found: f"-{int(found[1]) - 1}-", where).rstrip("-")


def _change_rows(told: dict[str, Any], wanted: str, where: str) -> None:
    key, _, number = where.partition(":")
    rows = told.get(key)
    if not isinstance(rows, list):
        return
    if wanted == _ADD:
        rows.append({})
    elif number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
