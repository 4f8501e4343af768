import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightsholders.tokens import tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a spider-man's web", ["a", "spider", "man", "s", "web"]),
        ("snake_case", ["snake", "case"]),
        ("r2-d2!", ["r2", "d2"]),
        ("孫悟空abc", ["孫", "悟", "空", "abc"]),
        ("abc피카", ["abc", "피", "카"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("e\u0301a", ["e\u0301a"]),
        ("", []),
        ("… !", []),
    ],
)
def test_words_are_what_people_take_them_for(text: str, words: list[str]) -> None:
    assert [word.text for word in tokens(text).words] == words


@given(st.text())
def test_words_stand_where_they_say_and_none_overlap(text: str) -> None:
    found = tokens(text)

    last = 0
    for number, word in enumerate(found.words):
        assert text[word.start : word.end] == word.text
        assert word.start >= last
        assert found.joined[found.starts[number] : found.ends[number]] == word.text
        last = word.end


@given(st.text())
def test_no_letter_is_lost(text: str) -> None:
    kept = [character for character in tokens(text).joined if character.isalnum()]

    assert kept == [character for character in text if character.isalnum()]
