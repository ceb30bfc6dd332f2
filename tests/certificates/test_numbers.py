from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session, sessionmaker

from certificates import NumberPatternInvalid, NumbersExhausted, numbers

JY = "JY{business_form}{region}{serial:06d}{check}"
PARTS = {"business_form": "2", "region": "350502"}


def test_a_food_licence_number_has_form_region_serial_and_check(session: Session):
    assert numbers.draw(session, JY, PARTS) == "JY23505020000012"
    assert numbers.draw(session, JY, PARTS)[:-1] == "JY2350502000002"


def test_each_region_counts_for_itself(session: Session):
    numbers.draw(session, JY, PARTS)
    assert numbers.draw(session, JY, PARTS | {"region": "350503"})[:-1] == "JY2350503000001"


def test_a_pattern_may_hold_chinese_and_no_check_digit(session: Session):
    pattern = "闽泉卫公字[{year}]第{serial:04d}号"
    assert numbers.draw(session, pattern, {"year": "2026"}) == "闽泉卫公字[2026]第0001号"


def test_a_rolled_back_number_is_used_again(session: Session):
    first = numbers.draw(session, JY, PARTS)
    session.rollback()
    assert numbers.draw(session, JY, PARTS) == first


@pytest.mark.parametrize(
    "pattern",
    [
        "JY{region}",
        "{serial}",
        "{serial:6d}",
        "{serial:06d}{serial:06d}",
        "{check}{serial:06d}",
        "{serial:06d}{region.__class__}",
        "{serial:06d}{}",
        "{serial:06d}}",
        "A/{serial:06d}",
        "A\u202e{serial:06d}",
        "A" * 65 + "{serial:06d}",
    ],
)
def test_a_pattern_that_cannot_be_filled_in_is_refused(session: Session, pattern: str):
    with pytest.raises(NumberPatternInvalid):
        numbers.draw(session, pattern, PARTS)


@pytest.mark.parametrize("region", [None, "", "泉州", "35{serial:06d}"])
def test_a_missing_or_unfit_part_is_named(session: Session, region: str | None):
    parts = {"business_form": "2"} | ({} if region is None else {"region": region})
    with pytest.raises(NumberPatternInvalid) as refusal:
        numbers.draw(session, JY, parts)
    assert refusal.value.facts["unfit"] == ["region"]


@pytest.mark.parametrize(("length", "fits"), [(46, True), (47, False)])
def test_a_number_is_no_longer_than_its_column(session: Session, length: int, *, fits: bool):
    parts = {"business_form": "2" * length, "region": "350502"}
    if fits:
        assert len(numbers.draw(session, f"JYX{JY}", parts)) == 64
    else:
        with pytest.raises(NumberPatternInvalid):
            numbers.draw(session, f"JYX{JY}", parts)


def test_the_last_number_is_followed_by_a_refusal(session: Session):
    for _ in range(9):
        numbers.draw(session, "A{serial:01d}", {})
    with pytest.raises(NumbersExhausted):
        numbers.draw(session, "A{serial:01d}", {})


def test_two_counters_at_once_never_draw_the_same_number(sessions: sessionmaker[Session]):
    def draw_twenty(_: int) -> list[str]:
        drawn = []
        for _ in range(20):
            with sessions.begin() as session:
                drawn.append(numbers.draw(session, JY, PARTS))
        return drawn

    with ThreadPoolExecutor(2) as clerks:
        first, second = clerks.map(draw_twenty, range(2))
    assert len({*first, *second}) == 40
