"""Forms (表单): a WTForms class built from a form schema, and answers checked by it, without Flask.

Messages are codes (`required`, `too-long`); pages and the command line find the words.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import fields, validators
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta

from approval.domain.answers import CHOICES, LISTS, LONGEST_TEXT, TEXTS, Field, Form, Section
from approval.domain.errors import Missing
from approval.domain.texts import unseen
from approval.expressions import feel

# Questions may be called by any word; on a page their names keep clear of the page's own.
PREFIX = "answers."
_MOST_ROWS = 100
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,6})?")
# What WTForms says by itself, as codes.
_CODES = {
    "Not a valid choice.": "not-a-choice",
    "'%(value)s' is not a valid choice for this field.": "not-a-choice",
    "Not a valid date value.": "not-a-date",
}


class _Codes:
    def gettext(self, sentence: str) -> str:
        return _CODES.get(sentence, sentence)

    def ngettext(self, sentence: str, _plural: str, _count: int) -> str:
        return _CODES[sentence]


class _Meta(DefaultMeta):
    def get_translations(self, _form: BaseForm) -> _Codes:
        return _Codes()


@lru_cache(maxsize=256)
def build(questions: tuple[Field, ...]) -> type[BaseForm]:
    """Build the WTForms class (生成表单类) for the questions of a form; keys may be any word, even `data`."""
    unbound = {question.key: _field(question) for question in questions}

    class AnswerForm(BaseForm):
        def __init__(self, formdata: Any = None, prefix: str = "", **_given: Any) -> None:
            super().__init__(unbound, prefix=prefix, meta=_Meta())
            self.process(formdata)

    return AnswerForm


def check(form: Form, given: Mapping[str, Any], only: Section | None = None) -> tuple[dict[str, Any], list[Missing]]:
    """Check answers against their form (核对填报内容): cleaned answers, and everything missing or wrong at once.

    `given` is JSON; numbers come back as int or float, dates as ISO 8601 text. Questions that a FEEL
    condition hides are neither asked nor kept; unknown keys are refused. `only` judges and returns one section,
    while conditions read all that is given.
    """
    faults = list(_misshapen(form.fields, given))
    misshapen = {fault.where for fault in faults}
    readable = {key: value for key, value in given.items() if f"answers.{key}" not in misshapen}
    judged = frozenset(question.key for question in (only or form).fields)
    cleaned, wrong = _clean(form.fields, _flat(readable), judged)
    faults = [fault for fault in faults if only is None or fault.where.removeprefix("answers.") in judged]
    return cleaned, [*faults, *(fault for fault in wrong if fault.where not in misshapen)]


def asked(form: Form, given: Mapping[str, Any]) -> tuple[Field, ...]:
    """Pick the questions that answers do not hide (应填项); half-filled and wrong ones are read as far as can be."""
    return _asked(form.fields, _flat(_readable(form.fields, given)))


def read(questions: Iterable[Field], data: "MultiDict[str, Any]") -> dict[str, Any]:
    """Read what a browser sent for questions (读取表单提交) as JSON; texts as typed, rows in their order."""
    return {question.key: _read(question, PREFIX + question.key, data) for question in questions}


def bind(questions: tuple[Field, ...], given: Mapping[str, Any]) -> BaseForm:
    """Bind answers to the form that shows them (表单回填); what cannot be read stays out."""
    return build(questions)(_flat(_readable(questions, given), PREFIX), prefix=PREFIX)


def choices(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a procedure may know of answers (流程可知内容): choices, numbers and yes/no, never free text."""
    free = TEXTS | {"dynamiclist"}
    return {
        question.key: answers[question.key]
        for question in form.fields
        if question.key in answers and question.kind not in free
    }


def _misshapen(questions: tuple[Field, ...], given: Mapping[str, Any]) -> Iterator[Missing]:
    """Find answers that no browser could have sent for their question: another shape of JSON, unprintable text."""
    known = {question.key: question for question in questions}
    for key, value in sorted(given.items()):
        question = known.get(key)
        if question is None:
            yield Missing(f"answers.{key}", "not-asked-for", key)
        elif not _fits(question, value):
            yield Missing(f"answers.{key}", "wrong-form", question.label)
        elif _rows(question, value) > _MOST_ROWS:
            yield Missing(f"answers.{key}", "too-many", question.label)


def _rows(question: Field, value: Any) -> int:
    """Count the rows of the longest list in a fitting answer, lists within lists included."""
    if question.kind != "dynamiclist" or not value:
        return 0
    known = {inner.key: inner for inner in question.fields}
    return max([len(value), *(_rows(known[key], entry) for row in value for key, entry in row.items())])


def _fits(question: Field, value: Any) -> bool:
    if value is None:
        return True
    if question.kind == "dynamiclist":
        known = {inner.key: inner for inner in question.fields}
        return isinstance(value, list) and all(
            isinstance(row, Mapping) and all(key in known and _fits(known[key], entry) for key, entry in row.items())
            for row in value
        )
    if question.kind in LISTS and isinstance(value, list):
        return all(isinstance(entry, str) for entry in value)
    if isinstance(value, str):
        return not unseen(value, lines=question.kind == "textarea")
    return isinstance(value, bool | int | float | Decimal)


def _readable(questions: tuple[Field, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    misshapen = {fault.where for fault in _misshapen(questions, given)}
    return {key: value for key, value in given.items() if f"answers.{key}" not in misshapen}


def _read(question: Field, name: str, data: "MultiDict[str, Any]") -> Any:
    if question.kind == "dynamiclist":
        rows = {int(found[1]) for key in data if (found := re.match(rf"{re.escape(name)}-(\d{{1,3}})-", key))}
        return [
            {inner.key: _read(inner, f"{name}-{row}-{inner.key}", data) for inner in question.fields}
            for row in sorted(rows)
        ]
    if question.kind in LISTS:
        return data.getlist(name)
    return name in data if question.kind == "checkbox" else data.get(name, "")


def _asked(questions: tuple[Field, ...], data: "MultiDict[str, Any]") -> tuple[Field, ...]:
    # Conditions read the answers as given, so the first pass only reads and the second judges what is asked.
    everything = {question.key: _plain(field.data) for question, field in _bound(questions, data)}
    return tuple(
        question
        for question in questions
        if not (question.hidden_when and feel.evaluate(question.hidden_when, everything) is True)
    )


def _clean(
    questions: tuple[Field, ...], data: "MultiDict[str, Any]", judged: Container[str]
) -> tuple[dict[str, Any], list[Missing]]:
    wanted = tuple(question for question in _asked(questions, data) if question.key in judged)
    bound = build(wanted)(data)
    bound.validate()
    faults = []
    for question in wanted:
        field = bound[question.key]
        faults += [
            Missing(f"answers.{where}", why, question.label) for where, why in _faults(question.key, field.errors)
        ]
    return {question.key: _plain(bound[question.key].data) for question in wanted}, faults


def _bound(questions: tuple[Field, ...], data: "MultiDict[str, Any]") -> Iterator[tuple[Field, Any]]:
    bound = build(questions)(data)
    for question in questions:
        yield question, bound[question.key]


def _faults(where: str, errors: Any) -> Iterator[tuple[str, str]]:
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _faults(f"{where}.{key}", inner)
        return
    for number, error in enumerate(errors):
        if isinstance(error, str):
            yield where, error
        else:
            yield from _faults(f"{where}[{number + 1}]", error)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _flat(given: Mapping[str, Any], prefix: str = "") -> "MultiDict[str, Any]":
    """Turn JSON into what a browser would have sent."""
    flat: MultiDict[str, Any] = MultiDict()

    def put(name: str, value: Any) -> None:
        if isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
            for number, row in enumerate(value):
                flat.add(f"{name}-{number}-", "")  # a row that nobody has written in yet is a row too
                for key, entry in row.items() if isinstance(row, Mapping) else ():
                    put(f"{name}-{number}-{key}", entry)
        elif isinstance(value, list):
            flat.setlist(name, [str(entry) for entry in value])
        elif isinstance(value, bool):
            if value:
                flat.add(name, "true")
        elif value is not None:
            flat.add(name, str(value))

    for key, value in given.items():
        put(prefix + key, value)
    return flat


class _NumberField(fields.DecimalField):
    """Takes a number as people write it: no exponents, no infinities, 15 digits and 6 behind the point."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and (text := valuelist[0].strip()):
            if not _NUMBER.fullmatch(text):
                raise ValueError("not-a-number")
            self.data = Decimal(text)

    def pre_validate(self, _form: BaseForm) -> None:
        if self.process_errors:  # what is no number is not out of range as well
            raise validators.StopValidation


_PLAIN: dict[str, Any] = {
    "textarea": fields.TextAreaField,
    "number": _NumberField,
    "checkbox": fields.BooleanField,
    "datetime": fields.DateField,
}


def _field(question: Field) -> Any:
    options: dict[str, Any] = {
        "label": question.label,
        "description": question.help,
        "validators": list(_validators(question)),
    }
    if question.kind in TEXTS:
        options["filters"] = [_stripped]
    if question.kind in CHOICES | LISTS:
        kind = fields.RadioField if question.kind in CHOICES else fields.SelectMultipleField
        return kind(choices=[fields.SelectChoice(option.value, option.label) for option in question.options], **options)
    if question.kind == "dynamiclist":
        return fields.FieldList(fields.FormField(build(question.fields)), max_entries=_MOST_ROWS, **options)
    return _PLAIN.get(question.kind, fields.StringField)(**options)


def _stripped(value: str | None) -> str:
    return (value or "").strip()


def _validators(question: Field) -> Iterator[Any]:
    limits = question.limits
    if question.kind == "dynamiclist":
        if question.required:
            yield validators.Length(min=1, message="required")
        return
    # A text of blanks says nothing; of a number and a choice, 0 and no are answers.
    needed = validators.DataRequired if question.kind in TEXTS else validators.InputRequired
    yield needed("required") if question.required else validators.Optional()
    if question.kind in TEXTS:
        yield validators.Length(max=int(limits.get("maxLength", LONGEST_TEXT)), message="too-long")
        if "minLength" in limits:
            yield validators.Length(min=int(limits["minLength"]), message="too-short")
        if pattern := limits.get("pattern"):
            yield _pattern(pattern)
    if question.kind == "number":
        if "decimalDigits" in limits:
            yield _digits(limits["decimalDigits"])
        if "min" in limits or "max" in limits:
            yield validators.NumberRange(limits.get("min"), limits.get("max"), message="out-of-range")


def _digits(most: int) -> Any:
    def few_enough(_form: BaseForm, field: Any) -> None:
        if field.data != round(field.data, most):
            raise validators.StopValidation("not-a-number")

    return few_enough


def _pattern(pattern: str) -> Any:
    def matches(_form: BaseForm, field: Any) -> None:
        # An author's pattern runs where time and memory are limited, never in this process's own engine.
        if feel.evaluate("matches(text, pattern)", {"text": field.data, "pattern": pattern}) is not True:
            raise validators.ValidationError("wrong-form")

    return matches
