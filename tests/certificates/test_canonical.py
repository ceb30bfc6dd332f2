import pytest

from certificates import NotCanonical, canonical


def test_key_order_and_space_do_not_matter():
    assert canonical.dump(canonical.load('{ "b": 1.0, "a": "证照" }'.encode())) == '{"a":"证照","b":1}'.encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        '"e\u0301"'.encode(),
        '{"e\u0301":1}'.encode(),
        b'"\\u0000"',
        b'"\\ud800"',
        b"NaN",
        b"\xff",
        b'{"a":',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_json_with_two_readings_is_refused(data: bytes):
    with pytest.raises(NotCanonical):
        canonical.dump(canonical.load(data))


def test_what_json_cannot_say_is_refused():
    for value in (float("inf"), 2**60, {1: 2}, {"\ud800": 1}, object(), ["a", {"b": "e\u0301"}]):
        with pytest.raises(NotCanonical):
            canonical.dump(value)
