"""Writing over time, read by the real reader or by one that a test wrote, and judged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.written.clips import Look, Picture, Spoilt, drawn, spoilt
from filters.captions.captions import MOST_BOXES, MOST_READ, Captions, NotJudged
from filters.captions.reader import Line, Page, ReadingFailed, TextReader
from filters.finding import (
    Box,
    Category,
    FilterError,
    Finding,
    NothingToLookAt,
    Span,
    Surface,
)
from filters.frames import NotAFrame

LOOK = Look(24, ((240, 240, 240), (30, 60, 90)), (20, 150))
DETECTOR = "filters.text@test"


class Words:
    """A judge that knows words, and remembers what it was asked."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[str] = []

    def read(self, text: str, surface: Surface) -> list[Finding]:
        assert surface is Surface.CAPTIONS
        self.asked.append(text)
        for word in self.known:
            at = text.find(word)
            if at >= 0:
                place = Span(at, at + len(word))
                return [Finding(Category.HATE, 0.9, surface, DETECTOR, place)]
        return [Finding(Category.HATE, 0.01, surface, DETECTOR, Span(0, len(text)))]


def written(*pages: Sequence[str], sure: float = 0.99) -> Captions:
    """Return captions over pages that say what a test wrote, whatever the picture."""
    left = iter(pages)

    def read(_frame: Picture, number: int) -> Page:
        lines = [
            Line(text, sure, 0.8, Box(number, 10, 10 + 40 * row, 10 * len(text), 20))
            for row, text in enumerate(next(left))
        ]
        return Page(tuple(lines))

    return Captions(Words("rotten").read, read)


def frames(count: int) -> list[tuple[int, Picture]]:
    """Return pictures that are all different."""
    return [
        (number * 12, np.full((90, 160, 3), 20 + 23 * (number % 10), np.uint8))
        for number in range(count)
    ]


def by_category(findings: Sequence[Finding]) -> dict[str, float]:
    return {one.category.value: one.score for one in findings}


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.mark.slow
def test_a_word_of_which_two_frames_show_a_half_each_is_found_in_both(reader: TextReader) -> None:
    captions = Captions(Words("rotten fish").read, reader.read)

    found = captions.look([(0, drawn("rot", LOOK)), (12, drawn("ten fish", LOOK))])

    hate = [one for one in found if one.category is Category.HATE]
    assert [one.score for one in hate] == [0.9, 0.9]
    assert [one.place.frame for one in hate if isinstance(one.place, Box)] == [0, 12]
    assert {one.surface for one in hate} == {Surface.CAPTIONS}


@pytest.mark.slow
def test_a_frame_that_has_not_changed_is_not_read_again(reader: TextReader) -> None:
    read: list[int] = []

    def counted(frame: Picture, number: int) -> Page:
        read.append(number)
        return reader.read(frame, number)

    calm, sign = drawn("", LOOK), drawn("tea at four", LOOK)
    noisy = np.clip(sign.astype(int) + np.indices(sign.shape).sum(0) % 3 - 1, 0, 255)
    shown = [calm, calm, sign, noisy.astype(np.uint8), sign, calm]

    Captions(Words().read, counted).look(list(enumerate(shown)))

    assert read == [0, 2, 5]


@pytest.mark.slow
def test_letters_that_can_just_be_read_are_a_change(reader: TextReader) -> None:
    plain = np.full((720, 1280, 3), 100, np.uint8)
    faint = Image.fromarray(plain.copy())
    font = ImageFont.load_default(20)
    ImageDraw.Draw(faint).text((100, 300), "the old cinema", fill=(116, 116, 116), font=font)
    judge = Words()

    Captions(judge.read, reader.read).look([(0, plain), (12, np.asarray(faint))])

    assert any("cinema" in text for text in judge.asked)


def test_pictures_without_text_say_so_and_nothing_is_judged() -> None:
    captions = written([], [])

    (only,) = captions.look(frames(2))

    assert (only.category, only.score, only.surface) == (
        Category.UNREADABLE, 0.0, Surface.FRAMES,
    )  # fmt: skip


def test_a_picture_is_said_to_be_one() -> None:
    (only,) = written([]).look(frames(1), Surface.PICTURE)

    assert only.surface is Surface.PICTURE


def test_numbers_and_single_letters_that_are_not_sure_are_no_text() -> None:
    assert by_category(written(["42", "3:1"]).look(frames(1))) == {"unreadable": 0.0}
    assert by_category(written(["O", "VA"], sure=0.8).look(frames(1))) == {"unreadable": 0.0}


def test_writing_that_cannot_be_read_is_reported_with_its_place() -> None:
    found = written(["tha oid cjnema"], sure=0.4).look(frames(1))

    assert by_category(found) == {"unreadable": 0.6}
    assert found[0].place == Box(0, 10, 10, 140, 20)


WORD, ROW = Box(0, 10, 10, 40, 18), Box(0, 10, 10, 60, 14)


@pytest.mark.parametrize(
    ("line", "unread"),
    [
        # In letters that the reader does not know.
        (Line(",", 0.98, 0.8, Box(0, 10, 10, 120, 12)), 0.8),  # a Cyrillic sentence, as it is read
        (Line("", 0.98, 0.8, ROW), 0.8),
        (Line("\u2605\u2605\u2605\u2605", 1.0, 0.8, ROW), 0.0),  # four stars of five
        (Line("", 0.0, 0.6, Box(0, 10, 10, 20, 14)), 0.0),  # a button
        (Line("", 0.0, 0.6, Box(0, 0, 50, 160, 40)), 0.0),  # a floor
        # Short words that were read badly, or not at all.
        (Line("", 0.0, 0.86, WORD), 0.86),
        (Line("KOIL", 0.5, 0.8, WORD), 0.8),
        (Line("DIE", 0.85, 0.8, WORD), 0.8),
        (Line("1OOHS", 0.7, 0.8, WORD), 0.3),
        (Line("KILL", 1.0, 0.8, WORD), 0.0),
        # Patterns.
        (Line("KOIL", 0.5, 0.65, WORD), 0.0),
        (Line("7", 0.3, 0.9, Box(0, 10, 10, 22, 20)), 0.0),  # a ball
        (Line("III", 0.3, 0.9, Box(0, 10, 10, 14, 50)), 0.0),  # teeth, on their side
        (Line("0", 0.1, 0.8, Box(0, 0, 30, 160, 60)), 0.0),  # a floor
    ],
)
def test_what_looks_like_writing_and_was_not_read_is_reported(line: Line, unread: float) -> None:
    page = Page((line,))
    picture = (0, np.full((90, 160, 3), 20, np.uint8))

    found = Captions(Words().read, lambda _frame, _number: page).look([picture])

    assert by_category(found)["unreadable"] == pytest.approx(unread)


@pytest.mark.slow
@pytest.mark.parametrize("word", ["KILL", "DIE", "die now"])
def test_a_short_word_that_was_struck_through_is_not_passed_over(
    reader: TextReader, word: str
) -> None:
    picture = spoilt(word, replace(LOOK, size=28), Spoilt.STRUCK, np.random.default_rng(1))

    found = Captions(Words().read, reader.read).look([(0, picture)])

    assert by_category(found)["unreadable"] >= 0.25


@pytest.mark.slow
@pytest.mark.parametrize("word", ["OPEN", "ATM", "SCORE 3 - 2", "PUSH", "Gate B12"])
def test_a_short_sign_that_is_plain_is_read(reader: TextReader, word: str) -> None:
    found = Captions(Words().read, reader.read).look([(0, drawn(word, LOOK))])

    assert by_category(found)["unreadable"] < 0.25


def test_lines_that_were_not_read_are_reported_as_sure() -> None:
    line = Line("tea", 0.99, 0.8, Box(0, 1, 1, 9, 9))
    captions = Captions(Words().read, lambda _frame, _number: Page((line,), unread=3))

    assert by_category(captions.look(frames(1)))["unreadable"] == 1.0


def test_a_picture_too_large_for_small_letters_is_not_called_read() -> None:
    captions = Captions(Words().read, lambda _frame, _number: Page((), is_too_large=True))

    (only,) = captions.look(frames(1))

    assert (only.category, only.score) == (Category.UNREADABLE, 1.0)
    assert only.place == Box(0, 0, 0, 160, 90)


def test_a_film_that_shows_too_much_is_not_called_read() -> None:
    reads: list[int] = []

    def read(_frame: Picture, number: int) -> Page:
        reads.append(number)
        return Page(())

    found = Captions(Words().read, read).look(frames(MOST_READ + 5))

    assert len(reads) == MOST_READ
    assert by_category(found) == {"unreadable": 1.0}


def test_each_text_is_judged_once() -> None:
    judge = Words()
    pages = iter([["tea"], ["cake"], ["tea"], ["cake"]])
    captions = Captions(
        judge.read,
        lambda _frame, number: Page(
            tuple(Line(text, 0.99, 0.8, Box(number, 1, 1, 9, 9)) for text in next(pages))
        ),
    )

    captions.look(frames(4))

    assert len(judge.asked) == len(set(judge.asked))


def test_what_is_harmful_has_several_boxes_and_the_rest_one() -> None:
    found = written(*([f"rotten {number}"] for number in range(9))).look(frames(9))
    calm = written(*([f"sweet {number}"] for number in range(9))).look(frames(9))

    assert len([one for one in found if one.category is Category.HATE]) <= MOST_BOXES
    assert len([one for one in calm if one.category is Category.HATE]) == 1


@pytest.mark.parametrize(("text", "held"), [("CAFE ROMA", 0.0), ("寿司 東京", 1.0)])
def test_a_few_words_in_latin_letters_are_names(text: str, held: float) -> None:
    def foreign(_text: str, surface: Surface) -> list[Finding]:
        return [Finding(Category.LANGUAGE, 1.0, surface, DETECTOR)]

    captions = Captions(
        foreign, lambda _frame, number: Page((Line(text, 0.99, 0.8, Box(number, 1, 1, 9, 9)),))
    )

    assert by_category(captions.look(frames(1)))["language"] == held


def test_words_are_in_no_other_language_because_nobody_put_a_space_between_them() -> None:
    def gate(text: str, surface: Surface) -> list[Finding]:
        english = {"we", "have", "tea", "at", "four", "in", "the", "old", "garden"}
        score = 0.0 if set(text.split()) <= english else 1.0
        return [Finding(Category.LANGUAGE, score, surface, DETECTOR)]

    def shown(*texts: str) -> float:
        pages = iter(texts)
        read = Captions(
            gate,
            lambda _frame, number: Page((Line(next(pages), 0.99, 0.8, Box(number, 1, 1, 9, 9)),)),
        )
        return by_category(read.look(frames(len(texts))))["language"]

    assert shown("we have tea at four", "in the old garden") == 0.0
    assert shown("wir gehen heute Abend", "in den alten Garten") == 1.0


def test_a_reader_or_a_judge_that_fails_is_no_all_clear() -> None:
    def broken(_frame: Picture, _number: int) -> Page:
        raise ReadingFailed("x")

    def gone(_text: str, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    page = Page((Line("tea time", 0.99, 0.8, Box(0, 1, 1, 9, 9)),))
    for captions, fault in (
        (Captions(Words().read, broken), ReadingFailed),
        (Captions(gone, lambda _frame, _number: page), FilterError),
        (Captions(lambda _text, _surface: [], lambda _frame, _number: page), NotJudged),
    ):
        with pytest.raises(fault):
            captions.look(frames(1))


def test_looking_at_nothing_is_an_error() -> None:
    with pytest.raises(NothingToLookAt):
        written().look([])


def test_a_frame_of_another_kind_is_refused() -> None:
    with pytest.raises(NotAFrame):
        written([]).look([(0, np.zeros((8, 8), np.uint8))])
