"""A refusal is a class: its name is the code, its docstring the sentence, its keywords the facts."""

import pytest

from approval.domain import errors
from approval.domain.errors import AnswersInvalid, NotFound, OutOfTurn, Overtaken, Refusal

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refusal)]


def test_the_code_is_the_name_of_the_class():
    assert (NotFound.code, AnswersInvalid.code, Overtaken.code) == ("not-found", "answers-invalid", "overtaken")


def test_a_class_made_tomorrow_has_its_code_too():
    assert type("SealLost", (OutOfTurn,), {}).code == "seal-lost"


@pytest.mark.parametrize("kind", ALL)
def test_every_refusal_says_a_sentence_of_its_own(kind):
    sentence = str(kind())
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert [str(other()) for other in ALL].count(sentence) == 1


def test_the_facts_are_kept_and_shown():
    refused = NotFound(case="1", where="here")
    assert refused.facts == {"case": "1", "where": "here"}
    assert str(refused) == "Nothing of this name is here for you. (case='1', where='here')"


def test_no_two_refusals_share_a_code():
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
