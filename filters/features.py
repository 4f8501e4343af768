"""What the heads of the prompt filter are shown: words, and letter groups.

A change here needs new weights. Which parts of a text are looked at is up to `filters.looks`.
"""

import itertools
import re
import zlib

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
# A "word" of 10,000 letters would be one part and one unknown token; cut it instead. No English
# word in a prompt is longer.
_PIECE = re.compile(r"\S{1,24}")
_WORD = re.compile(r"[^\W_]+")
_GRAMS = (3, 4, 5)


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
