"""Forms on pages (网上表单): questions of a pack drawn, and what a browser sends for them read.

Without JavaScript a question that an answer brings up appears after 继续; with it, as soon as the answer is given.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from flask import request
from flask_babel import gettext

from approval.domain.answers import CHOICES, LISTS, Field, Form, Option, Section
from approval.domain.errors import Missing
from approval.domain.manifests import Manifest
from approval.services import forms
from approval.web import languages

_LOOK, _ADD, _DROP = "look", "add", "drop"
_ROW = re.compile(r"\[(\d+)\]\.?")
_STEP = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")
_WORD = re.compile(r"[^\W\d]\w*")


class Sheet(NamedTuple):
    """Questions ready to be drawn (待填表单): each with its WTForms field, and what is wrong by the field's id."""

    questions: list[tuple[Field, Any]]
    faults: Mapping[str, str]
    controls: frozenset[str]


class Told(NamedTuple):
    """An answer in words (填报内容的说法); `typed` by a person, so that no page can translate it."""

    text: str
    typed: bool


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
    # A list that must not be empty begins with a row to write in.
    first: dict[str, Any] = {each.key: [{}] for each in questions if each.kind == "dynamiclist" and each.required}
    bound = forms.bind(questions, {**given, **{key: given.get(key) or row for key, row in first.items()}})
    controls = {word for question in form.fields for word in _WORD.findall(question.hidden_when)}
    faults = {anchor(entry.where): entry.why for entry in missing}
    return Sheet([(question, bound[question.key]) for question in questions], faults, frozenset(controls))


def whole(form: Form) -> Sheet:
    """Make every question ready to be drawn (整张表单), also those that answers hide, where no server can be asked."""
    bound = forms.bind(form.fields, {})
    return Sheet([(question, bound[question.key]) for question in form.fields], {}, frozenset())


def brought_up_by(form: Form, question: Field) -> tuple[str, list[str]] | None:
    """Find the choice that a question waits for (显示条件), and its values that bring the question up: each is tried.

    None for one that waits for nothing, or for more than one choice: it always stands on the page, and what was not
    asked for is dropped when the form is received.
    """
    words = set(_WORD.findall(question.hidden_when))
    controls = [each for each in form.fields if each.key in words]
    if len(controls) != 1 or controls[0].kind not in CHOICES:
        return None
    key, values = controls[0].key, ["", *(option.value for option in controls[0].options)]
    return key, [value for value in values if question in forms.asked(form, {key: value})]


def portable(form: Form | None) -> bool:
    """Tell whether a form can be filled in without a network (可离线填写): it has no rows that a server adds."""
    return form is not None and all(question.kind != "dynamiclist" for question in form.fields)


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


def named(what: Field | Option | Section) -> str:
    """Name a question, an option or a section in the visitor's language (名称)."""
    return what.label_en if languages.english() else what.label


def labelled(missing: Iterable[Missing], form: Form, manifest: Manifest | None = None) -> list[Missing]:
    """Label what is missing or wrong in the visitor's language (错误清单), rows of a list by their number."""
    names = {material.code: languages.said(material.name) for material in manifest.materials} if manifest else {}

    def label(entry: Missing) -> str:
        kind, _, where = entry.where.partition(".")
        if kind == "commitment":
            return str(gettext("办理方式"))
        return (names.get(where, "") if kind == "materials" else _label(form.fields, where)) or entry.label

    return [entry._replace(label=label(entry)) for entry in missing]


def tell(question: Field, value: Any) -> Iterator[Told]:
    """Tell an answer in words (填报内容的说法), line by line; nothing is said of what was not answered."""
    if question.kind == "checkbox":
        yield Told(gettext("是") if value else gettext("否"), typed=False)
    elif question.kind in CHOICES | LISTS:
        known = {option.value: option for option in question.options}
        for chosen in [value] if isinstance(value, str) else value or ():
            if chosen in known:
                yield Told(named(known[chosen]), typed=False)
            elif question.source:  # of a list that is another today
                yield Told(str(chosen), typed=True)
    elif question.kind == "dynamiclist":
        for row in value or ():
            parts = ((inner, [told.text for told in tell(inner, row.get(inner.key))]) for inner in question.fields)
            row_text = gettext("；").join(f"{named(inner)} {' '.join(texts)}" for inner, texts in parts if texts)
            yield Told(row_text, typed=True)
    elif value not in {None, ""}:
        yield Told(str(value), typed=True)


def anchor(where: str) -> str:
    """Name the id on the page of what is missing or wrong: `answers.rows[1].name` is `answers.rows-0-name`."""
    return _ROW.sub(lambda found: f"-{int(found[1]) - 1}-", where).rstrip("-")


def _label(questions: Iterable[Field], where: str) -> str:
    labels = []
    for key, number in _STEP.findall(where):
        question = next((each for each in questions if each.key == key), None)
        if question is None:
            break
        labels.append(named(question))
        if number:
            labels.append(gettext("第 %(number)d 项", number=int(number)))
        questions = question.fields
    return " · ".join(labels)


def _change_rows(told: dict[str, Any], wanted: str, where: str) -> None:
    key, _, number = where.partition(":")
    rows = told.get(key)
    if not isinstance(rows, list):
        return
    if wanted == _ADD:
        rows.append({})
    elif number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
