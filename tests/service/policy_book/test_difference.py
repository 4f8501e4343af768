"""What a document changes, said in meanings, and what in it has no effect."""

from datetime import date

import pytest

from service.policy_book.difference import Direction, difference
from service.policy_book.lint import warnings
from service.wiring import DEFAULT_POLICY, policy
from tests.service.policy_book.test_language import (
    DEFAULT,
    loaded,
    rule_of,
    with_exception,
)


def changed(old: str, new: str) -> list[tuple[str, Direction]]:
    text = DEFAULT_POLICY.read_text()
    assert old in text
    made = policy(text.replace(old, new, 1).encode())
    return [(one.sentence, one.direction) for one in difference(DEFAULT, made)]


@pytest.mark.parametrize(
    ("old", "new", "sentence", "direction"),
    [
        (
            "frames: {hold: 0.6, block: 0.85}", "frames: {hold: 0.5, block: 0.85}",
            "filters.sexual on frames: hold from 0.5 instead of 0.6", Direction.STRICTER,
        ),
        (
            "frames: {hold: 0.6, block: 0.85}", "frames: {hold: 0.6, block: never}",
            "filters.sexual on frames: no block any more (was from 0.85)", Direction.LOOSER,
        ),
        (
            "output: [filters, likeness]", "output: [filters]",
            "likeness is not required at output any more", Direction.LOOSER,
        ),
        (
            "This looks like gore.", "This looks gory.",
            "filters.gore: its message reads 'This looks gory.'", Direction.NEITHER,
        ),
        (
            "    fixed: true\n", "",
            "filters.minors can be loosened", Direction.LOOSER,
        ),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_meanings(
    old: str, new: str, sentence: str, direction: Direction
) -> None:
    assert (sentence, direction) in changed(old, new)


def test_a_comment_changes_the_hash_and_no_meaning() -> None:
    assert changed("id: default", "# by hand\nid: default") == []


def test_a_join_and_an_exception_are_named_in_a_difference() -> None:
    document = with_exception(
        "filters.gore", plans=["research"], until="2027-03-31", hold=0.3, block=0.6
    )
    del document["joins"][0]

    said = {one.sentence: one.direction for one in difference(DEFAULT, loaded(document))}

    assert (
        said["filters.gore under the plan research until 2027-03-31: hold from 0.3, block from 0.6"]
        is Direction.LOOSER
    )
    assert any("policy.person_sexual" in one and "is gone" in one for one in said)


def test_lint_names_what_has_no_effect() -> None:
    today = date(2026, 11, 21)
    assert warnings(DEFAULT, today) == ()

    document = with_exception("filters.gore", plans=["a"], until="2026-01-01", hold=0.3, block=0.6)
    rule = rule_of(document, "filters.gore")
    rule["exceptions"] += [
        {"plans": ["b"], "hold": 0.3, "block": 0.6},
        {"plans": ["b"], "territories": ["DE"], "hold": 0.2, "block": 0.6},
        {"plans": ["c"], "until": "2030-01-01", "hold": 0.3, "block": 0.6},
    ]
    rule_of(document, "filters.hate")["thresholds"]["default"] = {"hold": 0.5, "block": 0.5}

    said = "\n".join(warnings(loaded(document), today))

    for part in ("it ended on 2026-01-01", "no effect", "over a year", "hold is block"):
        assert part in said
