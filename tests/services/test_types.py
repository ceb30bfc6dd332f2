"""The catalogue of licence types: packs bring them, administrators publish further versions, the newest counts."""

from dataclasses import replace

import pypdfium2
import pytest

from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound, NotSignedIn
from approval.domain.licence_types import TypeDefinition, TypeField
from approval.domain.texts import Words
from approval.services import items, licences, packs, registrations, types
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ITEM, REVIEW, SIGN

FOOD = "11100000000013338W032"
LABEL = Words("字段", "Field")


@pytest.fixture
def food(office):
    with office.work(read_only=True) as work:
        return types.newest(work, FOOD)


def publish(office, definition, template, *, by="admin"):
    with office.work(by=walks.signed_in(office, by)) as work:
        return registrations.publish(work, definition, template, tried=[])


def wrong(office, definition, template="<p>{{ licence.number }}</p>"):
    with office.work(read_only=True) as work:
        return {missing.where.removeprefix("answers.") for missing in registrations.survey(work, definition, template)}


def issued(office):
    case = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        licence = licences.of_case(work, walks.case(work, case))
        return licence, licences.rendition(work, case)


def text(pdf):
    return pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()


def test_a_pack_brings_its_type_into_the_catalogue(office, food):
    definition, template = food
    assert (definition.name.zh, definition.department, definition.validity_years) == ("食品经营许可证", "SCJ", 5)
    assert definition.holders == {"person", "organization"}
    assert {field.name: field.label.zh for field in definition.fields}["operator"] == "经营者名称"
    assert "operator" in definition.shared
    assert "operator" not in definition.public
    assert "<html" in template
    with office.work(read_only=True) as work:
        assert [(one.code, one.ordinal, one.origin) for one in types.catalogue(work)] == [(FOOD, 1, ITEM)]
        assert TypeDefinition.read(definition.data()) == definition
        assert types.labels(work, FOOD) == types.labels(work)
        assert types.labels(work, "x") == {}


def test_what_an_administrator_published_counts_from_then_on_and_outlasts_the_pack(office, pack, food):
    definition, template = food
    longer = replace(
        definition,
        name=Words("食品经营许可证（新）", "Food licence"),
        validity_years=None,
        fields=tuple(field._replace(public=field.name == "operator") for field in definition.fields),
    )
    version = publish(office, longer, template.replace("扫描二维码", "请扫描二维码"))
    assert version.ordinal == 2
    with office.work(by=walks.signed_in(office, "admin")) as work:
        packs.deploy(work, pack)
        assert types.newest(work, FOOD)[0] == longer
    licence, pdf = issued(office)
    assert (licence.type_name, licence.valid_until, licence.public_fields) == (
        "食品经营许可证（新）",
        None,
        ["operator"],
    )
    assert "请扫描二维码" in text(pdf)
    with office.work(read_only=True) as work:
        assert [one.ordinal for one in types.versions(work, FOOD)] == [2, 1]
        with pytest.raises(NotFound):
            types.versions(work, "x")


def test_the_same_content_is_the_same_version(office, food):
    assert [publish(office, *food).ordinal for _ in range(2)] == [2, 2]


def test_a_pack_that_says_something_else_is_the_newest_again(office, pack, food):
    publish(office, *food)
    changed = pack.files["licence.html"].replace("扫描二维码".encode(), "请扫码".encode())
    with office.work(by=walks.signed_in(office, "admin")) as work:
        packs.deploy(work, packs.read({**pack.files, "licence.html": changed}))
        assert (types.versions(work, FOOD)[0].ordinal, "请扫码" in types.newest(work, FOOD)[1]) == (3, True)


def test_a_case_of_an_earlier_version_ends_by_what_its_own_pack_says(office, pack):
    case = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    manifest = pack.files["item.toml"].replace(b"[licence.fields]", b'[licence.fields]\nseats = "12"', 1)
    template = pack.files["licence.html"].replace(b"{{ verify_url }}", b"{{ licence.fields.seats }}")
    with office.work(by=walks.signed_in(office, "admin")) as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": manifest, "licence.html": template}))
        assert items.find(work, ITEM).ordinal == 2
    walks.walk(office, case, SIGN)
    walks.run_errands(office)
    assert walks.outcome(office, case)["status"] == "concluded"


def test_everything_that_is_wrong_is_told_at_once(office, food):
    definition, _ = food
    assert wrong(office, definition) == set()
    bad = replace(
        definition,
        name=Words("", "x" * 201),
        holders=frozenset({"dog"}),
        department="XXX",
        number="JY{nothing}{serial:06d}",
        validity_years=0,
        basis="",
    )
    assert wrong(office, bad, " ") == {
        "name_zh",
        "name_en",
        "holders",
        "department",
        "number",
        "validity_years",
        "basis",
        "template",
    }
    assert wrong(office, replace(definition, code="X")) == {"code"}
    assert wrong(office, replace(definition, number="JY")) == {"number"}
    for fields in ((), definition.fields * 2, (*definition.fields, TypeField("A b", "text", LABEL, False, False))):
        assert "fields" in wrong(office, replace(definition, fields=fields))


def test_a_field_that_no_pack_fills_in_is_refused_by_the_name_of_the_item(office, food):
    definition, template = food
    more = replace(definition, fields=(*definition.fields, TypeField("seats", "number", LABEL, True, True)))
    with pytest.raises(AnswersInvalid) as refused:
        publish(office, more, template)
    (missing,) = refused.value.facts["missing"]
    assert (missing.where, missing.why) == ("answers.fields", "not-filled-in")
    assert "食品经营" in missing.label
    assert "seats" in missing.label
    # A type that no open item issues yet says what it likes.
    assert publish(office, replace(more, code="11100000000013338W999"), template).ordinal == 1


def test_a_template_is_drawn_once_before_it_counts(food):
    definition, template = food
    assert registrations.trial(definition, template) == []
    for hostile in (
        "{{ licence.fields.nothing }}",
        "{% for",
        "{{ cycler.__init__.__globals__ }}",
        "{{ 9 ** 9999999 }}",
    ):
        (missing,) = registrations.trial(definition, hostile)
        assert (missing.where, missing.why) == ("answers.template", "template")


def test_only_an_administrator_publishes(office, food):
    with pytest.raises(NotAllowed):
        publish(office, *food, by="cai")
    with office.work() as work, pytest.raises(NotSignedIn):
        registrations.publish(work.acting_as(replace(work.actor, system=False)), *food, tried=[])
