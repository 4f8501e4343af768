from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from service.ids import is_id, new_id

MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)


@given(MOMENTS, MOMENTS)
def test_identifiers_sort_by_time(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))

    if int(first.timestamp() * 1000) < int(second.timestamp() * 1000):
        assert new_id("dec", first) < new_id("dec", second)


@given(MOMENTS)
def test_an_identifier_is_one_and_is_new(moment: datetime) -> None:
    assert is_id(new_id("video", moment))
    assert new_id("video", moment) != new_id("video", moment)


@given(st.text(max_size=40))
def test_nothing_with_a_slash_or_a_dot_is_an_identifier(text: str) -> None:
    assert not is_id(f"dec_{text}/../x")
