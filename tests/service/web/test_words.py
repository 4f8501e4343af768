from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from service.web.words import stretches

TEXTS = st.text(max_size=40)
SPANS = st.lists(st.lists(st.integers(-3, 45), min_size=1, max_size=3), max_size=6)


def reasons(*spans: list[int], param: str = "prompt") -> list[dict[str, object]]:
    return [{"param": param, "span": span} for span in spans]


def cut(text: str, *spans: list[int]) -> list[tuple[str, bool]]:
    return [(one.text, one.seen) for one in stretches(text, reasons(*spans))]


def test_what_reasons_point_at_is_cut_out() -> None:
    assert cut("a nude model", [2, 6]) == [("a ", False), ("nude", True), (" model", False)]


def test_places_that_touch_or_overlap_become_one() -> None:
    assert cut("abcdef", [0, 2], [1, 3], [3, 4]) == [("abcd", True), ("ef", False)]


def test_a_place_outside_of_the_text_marks_nothing() -> None:
    assert cut("abc", [1, 9], [2, 2], [-1, 2]) == [("abc", False)]


def test_a_place_in_something_else_marks_nothing() -> None:
    found = stretches("abc", reasons([0, 2], param="input_reference"))

    assert [one.seen for one in found] == [False]


@settings(deadline=None)  # the machine may be busy
@given(TEXTS, SPANS)
def test_whatever_is_marked_the_text_is_whole(text: str, spans: list[list[int]]) -> None:
    found = stretches(text, reasons(*spans))

    assert "".join(one.text for one in found) == text
    assert all(one.text for one in found)
    assert all(first.seen != second.seen for first, second in pairwise(found))
