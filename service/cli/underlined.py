"""What somebody typed, with marks under the characters that a rule met."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from service.cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_COLUMNS = 76
# A rule that met a long text met all of it; nobody counts more than a screen of marks.
_LINES = 12


def underlined(text: str, spans: Collection[tuple[int, int]]) -> list[str]:
    """Return those lines of `text` that a span touches, each with a line of `^` below.

    Args:
        spans: characters, end exclusive.
    """
    marked = {at for start, end in spans for at in range(start, min(end, len(text)))}
    said: list[str] = []
    for start, end in _lines(text):
        if not marked.isdisjoint(range(start, end)):
            if len(said) >= 2 * _LINES:
                return [*said, "…"]
            said += _pair(text, start, end, marked)
    return said


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each line of the screen starts and ends."""
    start, width = 0, 0
    for at, character in enumerate(text):
        ends, wide = character == "\n", _width(character)
        if ends or width + wide > _COLUMNS:
            yield start, at
            start, width = at + ends, 0 if ends else wide
        else:
            width += wide
    yield start, len(text)


def _pair(text: str, start: int, end: int, marked: Collection[int]) -> tuple[str, str]:
    shown = "".join(plain(text[at]) for at in range(start, end))
    marks = "".join(("^" if at in marked else " ") * _width(text[at]) for at in range(start, end))
    return shown, marks.rstrip()


def _width(character: str) -> int:
    """Return how many columns a terminal gives to a character, as `plain` shows it."""
    shown = plain(character)
    if len(shown) > 1:
        return len(shown)
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
