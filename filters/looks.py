"""Which parts of a text the prompt filter looks at: the whole, and its sentences one by one.

The whole shows what is meant; one harmful sentence fades in it and stands out by itself. The
encoder reads a stretch once, and every place in it is the mean of its own tokens, so that sentences
cost nothing beside the whole. A text longer than a stretch is several of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filters.features import buckets, pieces
from filters.reading import Reading

# Sentences are looked at one by one, shorter ones with a neighbour, longer ones in parts.
LEAST_WORDS, TILE_WORDS = 6, 20
# Up to here the whole is all there is to see.
SHORT_WORDS = 30
# Some 240 tokens, of the 254 that the encoder reads at once. No text of so many characters takes
# more passes than there are: Hangul is three tokens a sign.
STRETCH_WORDS, STRETCH_CHARACTERS = 180, 2_000
# Runs of the encoder for one text, whatever its length: the rest waits for a person.
PASSES = 32
_STOPS = frozenset(".!?;")


@dataclass(frozen=True, slots=True)
class Look:
    """Part of a text that is judged by itself.

    Attributes:
        place: where it is in its stretch.
        start, end: where it is in what the user typed.
    """

    text: str = field(repr=False)
    place: tuple[int, int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """As much text as the encoder reads at once, and the looks in it: the whole, and its tiles."""

    text: str = field(repr=False)
    looks: tuple[Look, ...]


def stretches(reading: Reading) -> list[Stretch]:
    """Return stretches of `reading` that together hold every word of it; none if it has none."""
    words = pieces(reading.text)
    if not words:
        return []
    if len(words) <= SHORT_WORDS:
        return [_stretch(reading, words, [(0, len(words) - 1)])]
    groups = _groups(_tiles(_sentences(reading.text, words)), words)
    return [_stretch(reading, words, group) for group in groups]


def affordable(found: Sequence[tuple[Stretch, int]], letters: NDArray[np.float32]) -> list[Stretch]:
    """Return what of `found`, as it comes, the encoder reads in `PASSES` passes.

    Of more, those with the look whose letters are worst.

    Args:
        found: each stretch, and the passes that it takes.
        letters: (`BUCKETS`, outputs), the weights of letter groups.
    """
    if sum(passes for _, passes in found) <= PASSES:
        return [stretch for stretch, _ in found]
    worst = [max(_letters_say(look, letters) for look in stretch.looks) for stretch, _ in found]
    left, kept = PASSES, set()
    for number in sorted(range(len(found)), key=lambda number: (-worst[number], number)):
        if found[number][1] <= left:
            left -= found[number][1]
            kept.add(number)
    return [stretch for number, (stretch, _) in enumerate(found) if number in kept]


def _letters_say(look: Look, letters: NDArray[np.float32]) -> float:
    groups = buckets(look.text)
    return float(letters[groups].sum(axis=0).max() / np.sqrt(max(1, len(groups))))


def _stretch(
    reading: Reading, words: Sequence[tuple[int, int]], tiles: Sequence[tuple[int, int]]
) -> Stretch:
    """Return the stretch from the first of `tiles` to the last."""
    base, end = words[tiles[0][0]][0], words[tiles[-1][1]][1]

    def look(first: int, last: int) -> Look:
        place = words[first][0], words[last][1]
        inside = place[0] - base, place[1] - base
        return Look(reading.text[slice(*place)], inside, *reading.span(*place))

    found = [look(tiles[0][0], tiles[-1][1])]
    if len(tiles) > 1:
        found += [look(first, last) for first, last in tiles]
    return Stretch(reading.text[base:end], tuple(found))


def _sentences(text: str, words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first word of each sentence, and the first after it."""
    ends = [number + 1 for number, (_, end) in enumerate(words[:-1]) if text[end - 1] in _STOPS]
    return list(pairwise([0, *ends, len(words)]))


def _tiles(sentences: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first and last word of each tile: a sentence, or several that are short.

    A harmful sentence that shares its tile with a harmless one fades.
    """
    tiles: list[tuple[int, int]] = []
    for first, after in sentences:
        if tiles and after - tiles[-1][0] <= TILE_WORDS:
            shorter = min(after - first, tiles[-1][1] + 1 - tiles[-1][0])
            if shorter < LEAST_WORDS:
                tiles[-1] = (tiles[-1][0], after - 1)
                continue
        parts = -(-(after - first) // TILE_WORDS)
        edges = [first + (after - first) * number // parts for number in range(parts + 1)]
        tiles += [(start, end - 1) for start, end in pairwise(edges)]
    return tiles


def _groups(
    tiles: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]]
) -> list[list[tuple[int, int]]]:
    """Return `tiles`, as many together as a stretch holds."""
    groups: list[list[tuple[int, int]]] = []
    for first, last in tiles:
        begun = groups[-1][0][0] if groups else first
        fits = last + 1 - begun <= STRETCH_WORDS
        if groups and fits and words[last][1] - words[begun][0] <= STRETCH_CHARACTERS:
            groups[-1].append((first, last))
        else:
            groups.append([(first, last)])
    return groups
