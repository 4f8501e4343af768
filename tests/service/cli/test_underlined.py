"""The characters that a rule met, marked below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.underlined import underlined


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("a nude model", [(2, 6)], ["a nude model", "  ^^^^"]),
        ("nothing", [], []),
        ("one\ntwo @ann\nthree", [(8, 12)], ["two @ann", "    ^^^^"]),
        ("ab", [(0, 1), (1, 2)], ["ab", "^^"]),
        ("弾む ball", [(0, 2)], ["弾む ball", "^^^^"]),
        ("x\u202ey", [(2, 3)], ["x\\u202ey", "       ^"]),
        ("e\u0301a", [(2, 3)], ["e\u0301a", " ^"]),
        ("a b", [(0, 99)], ["a b", "^^^"]),
    ],
)
def test_marks_stand_below_what_was_met(
    text: str, spans: list[tuple[int, int]], expected: list[str]
) -> None:
    assert underlined(text, spans) == expected


def test_a_long_text_is_broken_and_then_cut() -> None:
    lines = underlined("a" * 5_000, [(0, 5_000)])

    assert max(map(len, lines)) == 76
    assert (len(lines), lines[-1]) == (25, "…")


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_nothing_in_it_moves_the_cursor(text: str, start: int, end: int) -> None:
    lines = underlined(text, [(start, end)])

    assert all(line.isprintable() for line in lines)
    assert bool(lines) == bool(text[start:end].replace("\n", ""))
