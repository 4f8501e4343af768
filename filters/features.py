"""What the heads of the prompt filter are shown: words, windows of a text, and letter groups.

A change here needs new weights. Training takes its harmless examples from `windows`; which
windows are looked at in service is up to `filters.looks`.
"""

import itertools
import re
import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.normalise import Reading

WINDOW_WORDS, STRIDE_WORDS = 20, 10
# Beyond this the whole is a blur that costs as much as all its windows.
WHOLE_WORDS = 400
BUCKETS = 1 << 16
# A "word" of 10,000 letters would be one window and one unknown token; cut it instead. No English
# word in a prompt is longer.
_PIECE = re.compile(r"\S{1,24}")
_WORD = re.compile(r"[^\W_]+")
_GRAMS = (3, 4, 5)


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a reading: its text, and where it stands in what the user typed.

    Attributes:
        others: of a part, how many parts of the same reading are looked at; 0 for the whole.
    """

    text: str = field(repr=False)
    start: int
    end: int
    others: int = 0


def windows(reading: Reading) -> list[Window]:
    """Return `reading` whole, up to 400 words, and, if it is long, 20 words at a time, 10 on.

    One bad sentence in a long harmless prompt fades in the whole and stands out in its window.
    No text comes twice. Empty when there is no sign that the encoder would see.
    """
    words = pieces(reading.text)
    if not words:
        return []
    bounds = [(words[0][0], words[-1][1])] if len(words) <= WHOLE_WORDS else []
    if len(words) > WINDOW_WORDS:
        for first in range(0, len(words) - STRIDE_WORDS, STRIDE_WORDS):
            last = min(first + WINDOW_WORDS, len(words)) - 1
            bounds.append((words[first][0], words[last][1]))
    distinct: dict[str, Window] = {}
    for start, end in bounds:
        text = reading.text[start:end]
        distinct.setdefault(text, Window(text, *reading.span(start, end)))
    return list(distinct.values())


def pieces(text: str) -> list[tuple[int, int]]:
    """Return where the words of `text` are, those over 24 characters in pieces.

    None of what the encoder cannot see.
    """
    return [piece.span() for piece in _PIECE.finditer(text) if _visible(piece[0])]


def buckets(text: str) -> NDArray[np.int64]:
    """Return the sorted hash buckets of the words, word pairs and letter groups of `text`.

    Letter groups see through misspelling, words do not blur; CRC-32 is the same on every machine.
    """
    words = _WORD.findall(text)
    parts = {f"w:{word}" for word in words}
    parts.update(f"p:{first} {second}" for first, second in itertools.pairwise(words))
    for word in words:
        padded = f" {word} "
        for size in _GRAMS:
            parts.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    hashes = {zlib.crc32(part.encode()) % BUCKETS for part in parts}
    return np.array(sorted(hashes), np.int64)


def _visible(piece: str) -> bool:
    """Tell whether the tokenizer keeps anything of `piece`: it drops what cannot be seen."""
    return any(character.isprintable() and character != "\ufffd" for character in piece)
