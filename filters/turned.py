"""Words that stand backwards or in rot13: where they are, and what they say."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from filters.reading import Reading
from filters.words import RARE, rank

_WORD = re.compile("[a-z]+")
# Shorter words are words by chance in every direction.
_LETTERS = 3
# Two words nearer than so many are one stretch; that many are no accident, if few are words as
# they stand.
_WITHIN, _ENOUGH = 8, 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters `start` to `end` of a text, and how to read them."""

    start: int
    end: int
    backwards: bool


def stretches(text: str) -> list[Stretch]:
    """Return where `text`, in lower case, says more when turned; at most one for each way."""
    words = [word for word in _WORD.finditer(text) if len(word[0]) >= _LETTERS]
    ways: tuple[tuple[bool, Callable[[str], str]], ...] = (
        (True, lambda word: word[::-1]),
        (False, lambda word: codecs.encode(word, "rot13")),
    )
    found = []
    for backwards, turn in ways:
        says = [number for number, word in enumerate(words) if _better(turn(word[0]), word[0])]
        group = _longest(says)
        if len(group) < _ENOUGH:
            continue
        start, end = words[group[0]].start(), words[group[-1]].end()
        if 2 * len(group) > group[-1] - group[0] + 1:
            found.append(Stretch(start, end, backwards))
    return found


def turned(reading: Reading) -> list[Reading]:
    """Return `reading` with a stretch turned, once for each way; empty if none says more so."""
    return [_turned(reading, stretch) for stretch in stretches(reading.text)]


def _better(turned: str, typed: str) -> bool:
    return rank(typed) >= RARE and rank(turned) < RARE


def _longest(numbers: list[int]) -> list[int]:
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number - groups[-1][-1] < _WITHIN:
            groups[-1].append(number)
        else:
            groups.append([number])
    return max(groups, key=len, default=[])


def _turned(reading: Reading, stretch: Stretch) -> Reading:
    text = reading.text
    start, end = stretch.start, stretch.end
    if not stretch.backwards:
        # Small words beside the stretch are of one piece with it.
        return Reading(codecs.encode(text, "rot13"), reading.starts, reading.ends, reading.length)
    order = range(end - 1, start - 1, -1)
    return Reading(
        text[:start] + text[start:end][::-1] + text[end:],
        [*reading.starts[:start], *(reading.starts[at] for at in order), *reading.starts[end:]],
        [*reading.ends[:start], *(reading.ends[at] for at in order), *reading.ends[end:]],
        reading.length,
    )
