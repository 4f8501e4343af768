from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightsholders.train.common_words import front_coded
from rightsholders.words import SHIPPED, Words, WordsUnusable, load_words


@pytest.mark.parametrize(
    "word",
    ["red", "it", "light", "frozen", "shell", "puma", "pumas", "running", "happiest", "cities"],
)
def test_ordinary_words_are_known(words: Words, word: str) -> None:
    assert word in words


@pytest.mark.parametrize("word", ["pikachu", "lego", "hogwarts", "goku", "", "xyz"])
def test_names_are_not_words(words: Words, word: str) -> None:
    assert word not in words


def test_the_list_is_small() -> None:
    assert SHIPPED.stat().st_size <= 100_000


@given(st.sets(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=60), min_size=1))
def test_front_coding_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, listed: set[str]
) -> None:
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(front_coded(listed)), encoding="ascii")

    read = load_words(path)

    assert all(word in read for word in listed)


@pytest.mark.parametrize(
    "text", ["", "# only a notice\n", "0cat\n9dog\n", "0cat\n1\n", "0cät\n", "!cat\n"]
)
def test_a_damaged_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "words.txt"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(WordsUnusable):
        load_words(path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WordsUnusable):
        load_words(tmp_path / "words.txt")
