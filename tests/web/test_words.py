"""Every code that a page may meet has words, and every word has its English."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import approval
from approval.domain.cases import Status
from approval.domain.manifests import APPLICANT
from approval.paths import TEMPLATES, TRANSLATIONS, WORKFLOWS
from approval.services import forms, licences, packs
from approval.web import verdicts, words
from certificates import Act, Outcome, Question, State

SOURCES = Path(approval.__file__).parent
SERVICES = "".join(file.read_text(encoding="utf-8") for file in sorted((SOURCES / "services").glob("*.py")))


def test_every_status_outcome_and_question_has_words():
    assert set(words.STATUSES) == set(Status)
    assert set(verdicts.OUTCOMES) == set(Outcome)
    assert set(verdicts.QUESTIONS) == set(Question)
    assert set(words.LICENCE_ACTS) == set(Act)
    assert set(words.LICENCE_STATES) == set(State)


def test_every_journal_line_has_words():
    nouns = "case|task|timer|errand|licence|notice|procedure|countersign|memo|commitment|material|card|evidence|party"
    tags = set(re.findall(rf'"((?:{nouns}):[a-z-]+)"', SERVICES))
    assert tags | {"case:granted", "case:refused"} == set(words.JOURNAL)


def test_every_notice_has_words():
    codes = set(re.findall(r'\btell\(work, case, "([a-z-]+)"', SERVICES))
    codes |= {code for _, code in licences.TOLD.values()}
    assert codes | {"granted", "refused"} == set(words.NOTICES)


def test_everything_that_can_be_wrong_has_words():
    given = set(re.findall(r'Missing\([^)]*?, "([a-z-]+)"', SERVICES))
    given |= set(re.findall(r'(?:message=|Required\(|ValidationError\(|StopValidation\()"([a-z-]+)"', SERVICES))
    assert len(given) > 9
    assert given <= set(words.WHY)


def test_what_the_form_library_says_itself_has_words():
    pack = packs.read(packs.from_folder(WORKFLOWS / "food-business-licence"))
    nonsense = {"business_form": "x", "activities": ["x"], "seats": "x", "staff": "x", "delivery": "x", "more": "x"}
    _cleaned, missing = forms.check(pack.forms["filing"], nonsense)
    said = {entry.why for entry in missing}
    assert {"not-a-choice", "not-a-number", "not-asked-for", "required"} <= said <= set(words.WHY)


@pytest.mark.parametrize("folder", sorted(file.parent for file in WORKFLOWS.glob("*/item.toml")), ids=lambda f: f.name)
def test_what_a_pack_brings_has_words(folder):
    manifest = packs.read(packs.from_folder(folder)).manifest
    assert {lane.role for lane in manifest.lanes.values()} | {APPLICANT} <= set(words.ROLES)
    assert {material.source for material in manifest.materials} <= set(words.SOURCES)
    assert set(manifest.serves) <= set(words.APPLICANTS)
    if manifest.licence:
        assert manifest.licence.fields.keys() == manifest.licence.labels.keys()


def _extracted():
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None}
    for folder, method in ((SOURCES / "web", ("**.py", "python")), (TEMPLATES, ("**.html", "jinja2"))):
        for _file, _line, message, _comments, _context in extract_from_dir(folder, [method], keywords=keywords):
            yield message[0] if isinstance(message, tuple) else message


@pytest.mark.parametrize("file", sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")), ids=lambda f: f.parts[-3])
def test_every_word_is_translated(file):
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.parts[-3])
    wanted = set(_extracted())
    assert len(wanted) > 200
    untranslated = [said for said in wanted if not (found := catalogue.get(said)) or not found.string or found.fuzzy]
    assert untranslated == []
    assert [found.id for found in catalogue if found.id and _first(found.id) not in wanted] == []
    assert [found.id for found in catalogue if found.id and list(found.check(catalogue))] == []


def _first(message):
    return message[0] if isinstance(message, tuple) else message
