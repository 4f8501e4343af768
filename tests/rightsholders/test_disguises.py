import pytest
from sqlalchemy import Engine

from rightsholders.claims import Action
from rightsholders.disguises import undisguised
from rightsholders.words import Words
from tests.rightsholders.builders import NOW, a_draft, a_register, in_force, met


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("Pikachu", "p1kachu"),
        ("Pikachu", "pikachuuuu"),
        ("Pikachu", "pikachu2"),
        ("Pikachu", "p!k@chu"),
        ("Zorblax", "z0r8l4x"),
        ("Zorblax", "zorb|ax"),
        ("C-3PO", "c3p0"),
        ("Moomin Zed", "m00000min zed"),
        ("Pink Zorbo", "p!nk z0rbo"),
        ("Harry Potter", "h4rry p0tters"),
    ],
)
def test_a_name_with_signs_for_letters_is_met_where_it_stands(
    words: Words, sqlite: Engine, alias: str, text: str
) -> None:
    claims = a_register(words)
    with sqlite.begin() as conn:
        in_force(claims, conn, a_draft(alias))

        assert met(claims, conn, f"the {text} runs") == [text]


@pytest.mark.parametrize(
    "text", ["a red ball", "4k at 24fps in 1080p", "100 men in 1984", "the 10th of may", ""]
)
def test_ordinary_words_and_measures_name_nothing_new(
    words: Words, sqlite: Engine, text: str
) -> None:
    claims = a_register(words)
    with sqlite.begin() as conn:
        in_force(claims, conn, a_draft("Fps Zorbo", "Iobo", "Thze"))

        assert met(claims, conn, text) == []


def test_a_plain_text_has_no_other_reading() -> None:
    assert undisguised("a red ball, \u4e2d\u6587") == []


def test_a_place_of_another_reading_is_one_of_the_text() -> None:
    (reading, *_) = undisguised("so p1kachuuuu runs")

    assert [(word.start, word.end) for word in reading.words] == [(0, 2), (3, 13), (14, 18)]


def test_a_long_name_in_two_of_which_one_is_a_word_is_held_and_not_blocked(
    words: Words, sqlite: Engine
) -> None:
    claims = a_register(words)
    with sqlite.begin() as conn:
        in_force(claims, conn, a_draft("Zorblax"))

        (match,) = claims.match(conn, "a zorb lax", territory="DE", now=NOW)

    assert match.action is Action.HOLD


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("Bluesky", "a blue sky"),
        ("Mark's", "two marks"),
        ("E-Motion", "emotion"),
        ("It's Zorbo", "its zorbo"),
    ],
)
def test_ordinary_words_that_happen_to_make_a_name_are_not_met(
    words: Words, sqlite: Engine, alias: str, text: str
) -> None:
    claims = a_register(words)
    with sqlite.begin() as conn:
        in_force(claims, conn, a_draft(alias))

        assert met(claims, conn, text) == []
