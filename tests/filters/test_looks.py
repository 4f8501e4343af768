from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.features import pieces
from filters.looks import (
    PASSES,
    SHORT_WORDS,
    STRETCH_CHARACTERS,
    STRETCH_WORDS,
    TILE_WORDS,
    Look,
    Stretch,
    affordable,
    stretches,
)
from filters.normalise import normalise
from filters.weights import HEADS, load_weights

CALM = "waves roll onto the sand while gulls fly over a quiet bay at dawn and a boat leaves "


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def tiles(found: Sequence[Stretch]) -> list[Look]:
    """Return the looks that are less than their stretch."""
    return [look for stretch in found for look in stretch.looks if look.text != stretch.text]


def test_a_short_text_is_one_look() -> None:
    (stretch,) = stretches(normalise(words(SHORT_WORDS)))

    assert [look.text for look in stretch.looks] == [words(SHORT_WORDS)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=300))
def test_every_word_of_any_text_is_in_one_stretch_and_in_a_look_there(typed: list[str]) -> None:
    text = " ".join(typed)
    reading = normalise(text)
    found = stretches(reading)

    read = [piece for stretch in found for piece in _words(stretch.text)]
    assert read == _words(reading.text)
    for stretch in found:
        least = min(stretch.looks, key=lambda look: look.place)
        assert least.place[0] == 0
        for look in stretch.looks:
            assert stretch.text[slice(*look.place)] == look.text
            assert 0 <= look.start <= look.end <= len(text)


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in pieces(text)]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 900), st.integers(3, 40))
def test_tiles_hold_every_word_of_their_stretch_once(count: int, sentence: int) -> None:
    text = " ".join(
        f"word{number}" + ("." if number % sentence == sentence - 1 else "")
        for number in range(count)
    )
    for stretch in stretches(normalise(text)):
        inner = stretch.looks[1:] or stretch.looks

        assert " ".join(look.text for look in inner) == stretch.text
        assert len(stretch.text.split()) <= STRETCH_WORDS
        assert len(stretch.text) <= STRETCH_CHARACTERS
        assert all(len(look.text.split()) <= max(SHORT_WORDS, TILE_WORDS) for look in inner)


def test_a_text_that_the_encoder_reads_at_once_is_one_stretch_and_looked_at_whole_too() -> None:
    (stretch,) = stretches(normalise(words(STRETCH_WORDS)))

    assert stretch.text == stretch.looks[0].text == words(STRETCH_WORDS)
    assert len(stretch.looks) == 1 + STRETCH_WORDS / TILE_WORDS


def test_a_sentence_is_looked_at_by_itself_where_it_says_enough() -> None:
    text = "A quiet bay at dawn with gulls. She dies. A small boat leaves the wooden pier slowly. "

    (stretch,) = stretches(normalise(text * 3))

    assert stretch.text == normalise(text * 3).text.strip()
    assert [look.text for look in stretch.looks[1:3]] == [
        "a quiet bay at dawn with gulls. she dies.",
        "a small boat leaves the wooden pier slowly.",
    ]


def test_the_same_text_has_the_same_looks() -> None:
    assert stretches(normalise(CALM * 30)) == stretches(normalise(CALM * 30))


def test_a_look_stands_where_the_user_typed_it() -> None:
    typed = "caf\u00e9\u200b " + words(40)

    last = stretches(normalise(typed))[-1].looks[-1]

    assert typed[last.start : last.end].endswith("word39")


def test_text_that_nobody_can_see_has_no_look() -> None:
    assert stretches(normalise("\u200b \ue000 \ufffd\n")) == []


@pytest.mark.parametrize("passes", [1, 5])
def test_no_text_costs_more_passes_than_allowed(passes: int) -> None:
    found = [(stretch, passes) for stretch in stretches(normalise(words(10_000)))]

    read = affordable(found, load_weights().letters)

    assert 0 < len(read) * passes <= PASSES < len(found) * passes


def test_what_looks_worst_is_read_first() -> None:
    text = f"{words(6000)}. a naked woman having sex. {words(6000)}"
    found = [(stretch, 1) for stretch in stretches(normalise(text))]

    read = affordable(found, load_weights().letters)

    assert any("naked" in stretch.text for stretch in read)
    assert read == [stretch for stretch, _ in found if stretch in read]


def test_a_stretch_that_takes_more_than_there_is_is_left_out() -> None:
    (stretch,) = stretches(normalise(words(5)))

    assert affordable([(stretch, PASSES + 1)], np.zeros((1 << 16, len(HEADS)), np.float32)) == []
