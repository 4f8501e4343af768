"""Which parts of a text the prompt filter looks at: the whole, and every word once more in a tile.

What the encoder costs is its tokens, so that windows which overlap throughout cost twice what the
text does. The whole shows what is meant; one harmful sentence fades in it and stands out in its
tile. A text too long for the encoder has no whole: there, what an edge cuts in two is looked at
again where the letters alone look worst (figures: docs/models/text.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filters.features import Window, buckets, pieces
from filters.minilm import PIECE_TOKENS
from filters.normalise import Reading

# Sentences are looked at one by one, shorter ones with a neighbour, longer ones in parts.
LEAST_WORDS, TILE_WORDS = 6, 20
# Up to here the whole is all there is to see, and up to there it is looked at beside its tiles:
# some 240 tokens, of the 254 that the encoder reads.
SHORT_WORDS, WHOLE_WORDS = 30, 180
# A short sentence fills most of twelve words, and fades in twenty.
FOCUS_WORDS = 12
# Second looks per stretch of so many words. A prompt is one stretch; a long text gets its share.
FOCUS_EVERY, FOCUS_TIMES = 800, 3
# Runs of the encoder for one text, whatever its length: the rest waits for a person.
PASSES = 32
_STOPS = frozenset(".!?;")


def looks(reading: Reading, letters: NDArray[np.float32]) -> list[Window]:
    """Return parts of `reading` that together hold every word of it, and no text twice.

    Args:
        letters: (heads, `BUCKETS`), the weights of letter groups; they rank second looks only.
    """
    words = pieces(reading.text)
    if not words:
        return []
    whole = _window(reading, words[0][0], words[-1][1])
    if len(words) <= SHORT_WORDS:
        return [whole]
    # Of a very long text, as many sentences as fit: each by itself would be too many passes.
    least = LEAST_WORDS if len(words) <= WHOLE_WORDS else TILE_WORDS
    bounds = _tiles(_sentences(reading.text, words), least)
    if len(words) > WHOLE_WORDS:
        chances = _chances([reading.text[start:end] for start, end in words], letters)
        bounds += [(first, first + FOCUS_WORDS - 1) for first in _focused(chances)]
    distinct: dict[str, Window] = {}
    for first, last in bounds:
        part = _window(reading, words[first][0], words[last][1])
        distinct.setdefault(part.text, part)
    distinct.pop(whole.text, None)
    parts = [replace(part, others=len(distinct)) for part in distinct.values()]
    return [whole, *parts] if len(words) <= WHOLE_WORDS else parts


def _window(reading: Reading, start: int, end: int) -> Window:
    return Window(reading.text[start:end], *reading.span(start, end))


def affordable(parts: Sequence[Window], letters: NDArray[np.float32]) -> list[Window]:
    """Return what of `parts`, as they come, the encoder reads in `PASSES` passes.

    Of more, those whose letters look worst.
    """
    if sum(_passes(part.text) for part in parts) <= PASSES:
        return list(parts)
    groups = [buckets(part.text) for part in parts]
    worst = [
        float(letters[:, found].sum(axis=1).max() / np.sqrt(max(1, len(found)))) for found in groups
    ]
    left, kept = PASSES, set()
    for number in sorted(range(len(parts)), key=lambda number: (-worst[number], number)):
        if _passes(parts[number].text) <= left:
            left -= _passes(parts[number].text)
            kept.add(number)
    return [part for number, part in enumerate(parts) if number in kept]


def _passes(text: str) -> int:
    """Return how often the encoder runs for `text`, at most: Hangul is three tokens a sign."""
    return -(-len(text) * (1 if text.isascii() else 3) // PIECE_TOKENS)


def _sentences(text: str, words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first word of each sentence, and the first after it."""
    ends = [number + 1 for number, (_, end) in enumerate(words[:-1]) if text[end - 1] in _STOPS]
    return list(pairwise([0, *ends, len(words)]))


def _tiles(sentences: Sequence[tuple[int, int]], least: int) -> list[tuple[int, int]]:
    """Return the first and last word of each tile: a sentence, or several if one has under `least`.

    A harmful sentence that shares its tile with a harmless one fades.
    """
    tiles: list[tuple[int, int]] = []
    for first, after in sentences:
        if tiles and after - tiles[-1][0] <= TILE_WORDS:
            shorter = min(after - first, tiles[-1][1] + 1 - tiles[-1][0])
            if shorter < least:
                tiles[-1] = (tiles[-1][0], after - 1)
                continue
        parts = -(-(after - first) // TILE_WORDS)
        edges = [first + (after - first) * number // parts for number in range(parts + 1)]
        tiles += [(start, end - 1) for start, end in pairwise(edges)]
    return tiles


def _chances(words: Sequence[str], letters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the letters of each run of `FOCUS_WORDS` say, shape (runs, heads).

    The sum over its words over the root of their groups: nearly what the heads will add for it.
    """
    found = {word: buckets(word) for word in set(words)}
    sums = {word: letters[:, groups].sum(axis=1) for word, groups in found.items()}
    says = np.array([sums[word] for word in words], np.float64).cumsum(axis=0)
    groups = np.array([len(found[word]) for word in words]).cumsum()
    says = np.concatenate([np.zeros((1, len(letters))), says])
    groups = np.concatenate([[0], groups])
    inside = np.maximum(1, groups[FOCUS_WORDS:] - groups[:-FOCUS_WORDS])
    run: NDArray[np.float64] = (says[FOCUS_WORDS:] - says[:-FOCUS_WORDS]) / np.sqrt(inside)[:, None]
    return run


def _focused(chances: NDArray[np.float64]) -> list[int]:
    """Return the runs in which some head stands out most from the rest of the text."""
    spread = (chances - chances.mean(axis=0)) / (chances.std(axis=0) + 1e-9)
    chosen: list[int] = []
    for section in range(0, len(spread), FOCUS_EVERY):
        part = spread[section : section + FOCUS_EVERY]
        peaks = section + part.argmax(axis=0)
        taken: list[int] = []
        for head in np.argsort(-part.max(axis=0), kind="stable"):
            peak = int(peaks[head])
            if len(taken) < FOCUS_TIMES and all(
                abs(peak - other) >= FOCUS_WORDS // 3 for other in taken
            ):
                taken.append(peak)
        chosen += taken
    return chosen
