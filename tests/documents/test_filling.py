"""Templates come from outside: they fill in what they are given, and reach nothing else."""

import pytest

from approval import documents
from approval.documents import codes, filling
from approval.domain.errors import Unavailable


class Sheet:
    """Something with insides."""

    secret = "kept"

    def method(self):
        return "called"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '%s'|format(x.__init__.__globals__) }}",
        "{{ x.method.__globals__ }}",
        "{{ x.method.__func__.__code__ }}",
        "{{ rows.append(1) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ namespace() }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{{ nobody }}",
        "{{ x.nothing }}",
        "{% if nobody %}{% endif %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'layout.html' %}",
        "{{ 1 / 0 }}",
        "{{ 'a' + 1 }}",
        "{{ [][7] + '' }}",
        "{{ 'a' | round }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'a' * 10 ** 9 }}",
        "{% unknown %}",
    ],
)
def test_no_template_reaches_what_it_was_not_given(template):
    with pytest.raises(Unavailable) as refused:
        filling.fill(template, {"x": Sheet(), "rows": []})
    assert refused.value.facts["template"]


def test_every_value_is_escaped_but_our_own_drawing():
    page = filling.fill("{{ name }}{{ qr }}", {"name": "<script>&'\"", "qr": codes.svg("x")})
    assert "<script>" not in page
    assert "&lt;script&gt;&amp;&#39;&#34;" in page
    assert "<svg" in page


def test_what_a_template_writes_itself_is_kept():
    assert filling.fill("<b>{{ a.b }}</b>", {"a": {"b": "值"}}) == "<b>值</b>"


def test_a_value_that_looks_like_a_template_is_only_text():
    assert filling.fill("{{ name }}", {"name": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    ("template", "line"), [("{{ a", 1), ("\n\n{% if %}", 3), ("a\n{% for x in y %}", 2), ("{% unknown %}", 1)]
)
def test_a_syntax_fault_is_told_with_its_line(template, line):
    fault = documents.fault(template)
    assert (fault.line, bool(fault.message)) == (line, True)


def test_a_sound_template_has_no_fault():
    assert documents.fault("{{ a }}{% if b %}{% endif %}") is None


def test_a_qr_code_is_the_same_for_the_same_address_and_another_for_another():
    address = "https://example.invalid/verify/ABC"
    assert codes.svg(address) == codes.svg(address)
    assert codes.svg(address) != codes.svg(address + "D")
    assert "viewBox" in codes.svg(address)
    assert "width" not in codes.svg(address).split(">")[0]
