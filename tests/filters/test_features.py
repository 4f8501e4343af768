from hypothesis import given, settings
from hypothesis import strategies as st

from filters.features import STRIDE_WORDS, WINDOW_WORDS, buckets, windows
from filters.normalise import normalise


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_a_short_text_is_one_window() -> None:
    (window,) = windows(normalise(words(WINDOW_WORDS)))

    assert window.text == words(WINDOW_WORDS)


def test_every_word_of_a_long_text_is_in_a_window_of_twenty() -> None:
    whole, *parts = windows(normalise(words(57)))

    assert whole.text == words(57)
    assert all(len(part.text.split()) <= WINDOW_WORDS for part in parts)
    assert set(" ".join(part.text for part in parts).split()) == set(words(57).split())


def test_ten_words_in_a_row_are_never_torn_apart() -> None:
    parts = [window.text for window in windows(normalise(words(95)))[1:]]

    for first in range(95 - STRIDE_WORDS + 1):
        run = " ".join(f"word{number}" for number in range(first, first + STRIDE_WORDS))
        assert any(run in part for part in parts)


def test_a_window_stands_where_the_user_typed_it() -> None:
    typed = "caf\u00e9\u200b " + words(40)
    last = windows(normalise(typed))[-1]

    assert typed[last.start : last.end].endswith("word39")


def test_a_very_long_text_is_read_in_windows_alone_and_to_its_end() -> None:
    parts = [window.text for window in windows(normalise(words(1001)))]

    assert all(len(part.split()) <= WINDOW_WORDS for part in parts)
    assert parts[-1].endswith("word1000")


def test_text_that_nobody_can_see_has_no_window() -> None:
    assert windows(normalise("\u200b \ue000 \ufffd\n")) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_windows_of_any_text_lie_inside_it_and_differ(text: str) -> None:
    parts = windows(normalise(text))

    assert all(0 <= part.start <= part.end <= len(text) for part in parts)
    assert len({part.text for part in parts}) == len(parts)


def test_a_text_without_spaces_is_cut_and_not_skipped() -> None:
    parts = windows(normalise("a" * 2000))

    assert all(len(part.text) <= WINDOW_WORDS * 24 for part in parts[1:])
    assert len(parts) > 2


def test_buckets_are_the_same_on_every_machine() -> None:
    # CRC-32 of "w:a" and of " a ", modulo the number of buckets.
    assert buckets("a").tolist() == [0x2870, 0xE5DC]


def test_misspelt_words_share_buckets() -> None:
    right, wrong, other = (set(buckets(text).tolist()) for text in ("naked", "nakedd", "window"))

    assert len(right & wrong) > 3 * len(right & other)
    assert buckets("").tolist() == []
