import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.features import pieces
from filters.looks import FOCUS_WORDS, SHORT_WORDS, TILE_WORDS, WHOLE_WORDS, looks
from filters.normalise import normalise
from filters.weights import load_weights

LETTERS = load_weights().letters
CALM = "waves roll onto the sand while gulls fly over a quiet bay and a boat leaves the pier "


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_a_short_text_is_one_look() -> None:
    (look,) = looks(normalise(words(SHORT_WORDS)), LETTERS)

    assert look.text == words(SHORT_WORDS)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=120))
def test_every_word_of_any_text_is_in_a_look(typed: list[str]) -> None:
    text = " ".join(typed)
    reading = normalise(text)
    parts = looks(reading, LETTERS)

    for start, end in pieces(reading.text):
        assert any(reading.text[start:end] in part.text for part in parts)
    assert len({part.text for part in parts}) == len(parts)
    assert all(0 <= part.start <= part.end <= len(text) for part in parts)


def test_a_text_that_the_encoder_reads_at_once_is_looked_at_whole_too() -> None:
    assert looks(normalise(words(WHOLE_WORDS)), LETTERS)[0].text == words(WHOLE_WORDS)


def test_no_look_at_a_longer_text_holds_more_than_a_tile() -> None:
    for count in (WHOLE_WORDS + 1, 295, 1001):
        parts = looks(normalise(words(count)), LETTERS)

        assert all(len(part.text.split()) <= TILE_WORDS for part in parts)
        assert len(parts) <= count / TILE_WORDS + 2 + 3 * (count // 800 + 1)


def test_a_short_sentence_in_a_long_text_has_a_look_of_its_own() -> None:
    text = CALM * 8 + "a naked woman having sex " + CALM * 8

    parts = looks(normalise(text), LETTERS)

    shortest = [part.text for part in parts if "naked woman having sex" in part.text]
    assert min(len(part.split()) for part in shortest) <= FOCUS_WORDS


def test_a_part_knows_how_many_were_looked_at_and_the_whole_is_no_part() -> None:
    (short,) = looks(normalise(words(SHORT_WORDS)), LETTERS)
    whole, *parts = looks(normalise(words(WHOLE_WORDS)), LETTERS)
    long = looks(normalise(words(1001)), LETTERS)

    assert short.others == whole.others == 0
    assert {part.others for part in parts} == {len(parts)}
    assert {part.others for part in long} == {len(long)}


def test_a_sentence_is_looked_at_by_itself_where_it_says_enough() -> None:
    text = "A quiet bay at dawn with gulls. She dies. A small boat leaves the wooden pier slowly. "

    whole, *parts = looks(normalise(text * 3), LETTERS)

    assert whole.text == normalise(text * 3).text.strip()
    assert [part.text for part in parts] == [
        "a quiet bay at dawn with gulls. she dies.",
        "a small boat leaves the wooden pier slowly.",
    ]


def test_the_same_text_has_the_same_looks() -> None:
    reading = normalise(CALM * 30)

    assert looks(reading, LETTERS) == looks(reading, np.array(LETTERS))


def test_text_that_nobody_can_see_has_no_look() -> None:
    assert looks(normalise("\u200b \ue000 \ufffd\n"), LETTERS) == []
