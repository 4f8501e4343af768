import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.normalise import normalise
from filters.repairs import repaired
from filters.sounds import meant


@pytest.mark.parametrize(
    ("spelt", "word"),
    [
        ("seggs", "sex"), ("phuk", "fuck"), ("nekkid", "naked"), ("kil", "kill"),
        ("merder", "murder"), ("soocide", "suicide"), ("kokane", "cocaine"),
        ("jenoside", "genocide"), ("masaker", "massacre"), ("unalive", "kill"),
        ("rayp", "rape"), ("bludd", "blood"),
    ],
)  # fmt: skip
def test_a_word_that_is_spelt_by_ear_is_heard(spelt: str, word: str) -> None:
    assert meant(spelt) == word


@pytest.mark.parametrize(
    "name", ["goliath", "galahad", "kazimir", "tilda", "ronja", "zorblax", "ab", "quokka", "mitt"]
)
def test_a_name_that_sounds_otherwise_is_left_alone(name: str) -> None:
    assert meant(name) is None


def test_what_was_typed_is_still_where_it_was() -> None:
    typed = "A man tries to MERDER his wife."

    (reading,) = repaired(normalise(typed))

    at = reading.text.index("murder")
    assert typed[slice(*reading.span(at, at + len("murder")))] == "MERDER"


@pytest.mark.parametrize("text", ["a keel of oak", "pawn and porn", "the shoe suits her"])
def test_a_word_that_is_one_is_never_heard_as_another(text: str) -> None:
    assert repaired(normalise(text)) == []


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=60))
def test_any_letters_mean_the_same_each_time(word: str) -> None:
    assert meant(word) == meant(word)
