"""Comparisons (证照比对): what the store says of a licence that answers a requirement, beside what was applied for."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import certificates
from approval.domain.answers import Field, Form
from approval.domain.texts import Words
from approval.models.materials import Material
from approval.office import Work
from approval.services import types
from certificates import Identifier, Licence

_SCALARS = (str, int, float)


class Element(NamedTuple):
    """One element of a licence (照面要素): `question` is that of the same name in the application, if it has one.

    `agrees` is None where the two cannot be set against each other: nothing was asked, or answered in a list.
    """

    name: str
    label: Words | None
    value: Any
    question: Field | None
    answer: Any
    agrees: bool | None


class Comparison(NamedTuple):
    """A licence as the store keeps it today (库内证照) and its elements beside the application."""

    licence: Licence
    elements: list[Element]


def compare(work: Work, materials: Iterable[Material], form: Form, filed: Mapping[str, Any]) -> dict[str, Comparison]:
    """Set the licences among the materials against the answers that were filed (比对证照), by their numbers.

    Whoever reads the case was shown every element of them when it was filed, on record (see `sharing`). What happened
    to a licence since, such as a suspension or other premises, shows here.
    """
    questions = {question.key: question for section in form.sections for question in section.fields}
    found = {}
    for number in sorted({material.licence for material in materials if material.licence}):
        if (licence := certificates.find_by_number(work.session, number)) is None:
            continue
        labels = types.labels(work, Identifier.parse(licence.identifier).type_code)
        elements = [
            _beside(name, labels.get(name), value, questions.get(name), filed.get(name))
            for name, value in licence.fields.items()
        ]
        found[number] = Comparison(licence, elements)
    return found


def _beside(name: str, label: Words | None, value: Any, question: Field | None, answer: Any) -> Element:
    comparable = isinstance(answer, _SCALARS) and answer != ""
    agrees = str(value) in _said(question, answer) if question and comparable else None
    return Element(name, label, value, question, answer, agrees)


def _said(question: Field, answer: Any) -> set[str]:
    # A licence may say the code of what was chosen, or its name.
    return {str(answer)} | {option.label for option in question.options if option.value == answer}
