"""What is one line, what is new, and where each character stands."""

import pytest

from filters.captions.reader import Line
from filters.captions.stream import MOST, Stream
from filters.finding import Box, Span


def a_line(
    text: str, frame: int = 0, x: int = 10, y: int = 10, *, sure: float = 0.99, wide: int = 0
) -> Line:
    return Line(text, sure, 0.8, Box(frame, x, y, wide or 10 * len(text), 20))


def told(*frames: list[Line]) -> list[str]:
    """Return every text that is to be judged, in order."""
    stream = Stream()
    return [text.text for lines in frames for text in stream.add(lines)]


@pytest.mark.parametrize(
    ("shown", "whole"),
    [
        (["we will", "meet"], "we will meet"),
        (["har", "bour"], "harbour"),
        (["h", "ha", "harb", "harbour"], "harbour"),
        (["we will meet a", "will meet again", "meet again soon"], "we will meet again soon"),
        (["meet", "meet", "again"], "meet again"),
    ],
    ids=["words", "halves", "typed", "running", "stays"],
)
def test_what_is_shown_in_turn_is_joined_in_the_order_of_time(shown: list[str], whole: str) -> None:
    texts = told(*([a_line(text, number)] for number, text in enumerate(shown)))

    assert whole in texts


def test_a_line_that_stays_or_moves_is_there_once() -> None:
    texts = told(
        [a_line("the old cinema", 0, 10, 300), a_line("we", 0)],
        [a_line("the old cinema", 1, 40, 200), a_line("meet", 1)],
    )

    assert texts[-2].count("cinema") == 1
    assert "the old cinema we meet" in texts


def test_a_sign_is_joined_by_itself_whatever_stands_beside_it() -> None:
    texts = told(
        [a_line("har", 0), a_line("tea", 0, 10, 200)],
        [a_line("bour", 1), a_line("cake", 1, 10, 200)],
    )

    assert {"har bour", "harbour", "tea cake"} <= set(texts)


def test_a_slip_of_the_reader_is_no_new_line() -> None:
    texts = told(
        [a_line("we will meet at the harbour", 0, sure=0.8)],
        [a_line("we will meet at the harb0ur", 1, sure=0.7)],
        [a_line("tonight", 2, 300, 200)],
    )

    assert texts[-2] == "we will meet at the harbour tonight"


def test_a_word_that_was_changed_is_a_new_line() -> None:
    texts = told([a_line("we will miss you", 0)], [a_line("we will kiss you", 1)])

    assert "we will miss you we will kiss you" in texts


def test_boxes_are_those_of_the_lines_that_hold_the_characters() -> None:
    stream = Stream()
    stream.add([a_line("har", 3)])
    stream.add([a_line("bour", 9)])
    texts = stream.add([a_line("tea", 15, 300, 200)])

    whole = next(text for text in texts if text.text == "har bour tea")
    shut = next(text for text in texts if text.text == "harbourtea")
    assert [box.frame for box in whole.boxes(Span(0, 8))] == [3, 9]
    assert [box.frame for box in whole.boxes(Span(9, 12))] == [15]
    assert [box.frame for box in shut.boxes(Span(2, 4))] == [3, 9]
    assert [box.frame for box in shut.boxes(Span(0, 10))] == [3, 9, 15]


def test_a_long_film_takes_no_more_memory_and_loses_no_neighbours() -> None:
    stream = Stream()
    longest, together = 0, set[str]()
    for number in range(600):
        for text in stream.add([a_line(f"line {number} of many", number, 10, number * 30)]):
            longest = max(longest, len(text.text))
            together.add(text.text)

    assert longest < MOST + 40
    assert len(stream._parts) < 100
    assert all(
        any(f"line {one} of many line {one + 1} of many" in text for text in together)
        for one in range(599)
    )
