"""Words that were taken apart or bent so that no filter knows them, made words again.

Spaced-out letters, digits for letters, drawls, masked and swapped letters, words split in two,
words spelt by ear.
"""

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import pairwise, product
from math import log

from filters import sounds
from filters.reading import Reading, replaced, spliced
from filters.words import RARE, by_length, rank

# Any sign or gap between single letters will do, the same or not: "n·a·k·e·d", "(n)(a)(k)(e)(d)".
_SPACED_OUT = re.compile(
    r"(?<![a-z0-9])[a-z0-9@$!](?:(?:(?![a-z0-9@$!])[\W_]){1,4}[a-z0-9@$!]){2,}(?![a-z0-9])"
)
_GAP = re.compile(r"(?:(?![a-z0-9@$!])[\W_])+")
_TYPED_WORD = re.compile(r"[a-z0-9@$!]+")
# Looked for inside a word: one pattern for both would go through a long word once per letter.
_DIGIT_BESIDE_LETTER = re.compile(r"[a-z][013457@$!]|[013457@$][a-z]")
_RUN = re.compile(r"([a-z])\1+")
_LETTER = str.maketrans("013457@$!", "oieastasi")
_MEASURE = re.compile(
    r"\d+(?:k|d|p|i|x|s|h|m|f|g|l|w|v|c|fps|mm|cm|km|kg|ml|mph|hz|px|min|sec|st|nd|rd|th|am|pm|bit|mp|a|b)"
    r"|[a-z]+!+|[a-z]\d+"
)


# Words of a few letters that are this common: "to", "go", "is".
_COMMON = 2_500


def _closed_up(found: str) -> str:
    """Return spaced-out letters as words: the gap that is usual goes, a wider one is a space."""
    gaps = _GAP.findall(found)
    usual = max(sorted(set(gaps)), key=gaps.count)

    def closed(gap: re.Match[str]) -> str:
        parts = any(sign.isspace() for sign in gap[0]) and gap[0] != usual
        rare = len(gap[0]) > len(usual) or 2 * gaps.count(gap[0]) < gaps.count(usual)
        return " " if parts and rare else ""

    return _GAP.sub(closed, found)


def _letters_for_digits(found: str) -> str:
    if not _DIGIT_BESIDE_LETTER.search(found) or _MEASURE.fullmatch(found):
        return found
    return found.translate(_LETTER)


def _letters_for_small_digits(found: str) -> str:
    """Return "to" for "t0": what may be a measure is none beside words that were bent so."""
    meant = found.translate(_LETTER)
    return meant if _MEASURE.fullmatch(found) and rank(meant) < _COMMON else found


# How many words a mask may stand for: "s*x" is six, sex or sax.
ALTERNATIVES = 3
_MASKED = re.compile(r"(?<![\w*#])(?=[a-z]*[*#_%^~])[a-z*#_%^~]{3,16}(?![\w*#])")
_MASK = re.compile(r"[*#_%^~]")
_VOWELS = frozenset("aeiou")
_WHOLE_WORD = re.compile(r"[a-z]{2,}")
_HALF = re.compile("[a-z]+")
_SPLITS = frozenset((" ", "-", "_", "\n"))
# Runs of one letter that are tried as one and as two: more would double the work each.
_RUNS = 4
# Shorter words are each other with two letters swapped.
_SWAPPED = 4
# Up to 24 letters may be a word of its own; more than 400 are no sentence.
_GLUED, _LONGEST_GLUED, _LONGEST_WORD = 14, 400, 16


def repaired(reading: Reading) -> list[Reading]:
    """Return `reading` with its words put together; empty if they are whole.

    Several where a mask may stand for several words, at most `ALTERNATIVES`.
    """
    plain = closed_up(reading)
    mended = replaced(plain, _TYPED_WORD, _letters_for_digits)
    if mended.text != plain.text:
        plain = replaced(mended, _TYPED_WORD, _letters_for_small_digits)
    chances = ALTERNATIVES if _MASKED.search(plain.text) else 1
    distinct: dict[str, Reading] = {}
    for choice in range(chances):
        other = replaced(plain, _MASKED, partial(_unmasked, choice=choice))
        other = _rejoined(other)
        other = replaced(other, _WHOLE_WORD, _mended)
        if other.text != reading.text:
            distinct.setdefault(other.text, other)
    return list(distinct.values())


def closed_up(reading: Reading) -> Reading:
    """Return `reading` with spaced-out letters as words; what stood there was no word at all."""
    return replaced(reading, _SPACED_OUT, _closed_up)


def _unmasked(found: str, choice: int) -> str:
    meant = _meant(found)
    return meant[min(choice, len(meant) - 1)] if meant else found


@lru_cache(maxsize=4096)
def _meant(masked: str) -> list[str]:
    """Return words that `masked` may stand for: first those that lost vowels, then common ones."""
    holes = [at for at, sign in enumerate(masked) if _MASK.match(sign)]
    if 2 * len(holes) > len(masked):
        return []
    fits = re.compile(_MASK.sub("[a-z]", masked))
    words = [word for word in by_length().get(len(masked), []) if fits.fullmatch(word)]
    words.sort(key=lambda word: not all(word[at] in _VOWELS for at in holes))
    return words[:ALTERNATIVES]


def _rejoined(reading: Reading) -> Reading:
    """Return `reading` with halves put together that are rarer than the word they make."""
    return spliced(reading, _split(reading.text))


def _split(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where two halves of a word stand, and the word; no half belongs to two."""
    words = list(_HALF.finditer(text))
    taken = 0
    for one, other in pairwise(words):
        word = one[0] + other[0]
        if one.start() < taken or text[one.end() : other.start()] not in _SPLITS:
            continue
        if len(word) > 3 and rank(word) < max(rank(one[0]), rank(other[0])):
            yield one.start(), other.end(), word
            taken = other.end()


@lru_cache(maxsize=16_384)
def _mended(word: str) -> str:
    """Return `word` with fewer repeats, by ear, with a swap or in parts, where that is common."""
    if rank(word) < RARE:
        return word
    best = min(_single(word), key=rank)
    if rank(best) < RARE:
        return best
    heard = sounds.meant(word)
    if heard or len(word) < _SWAPPED:
        return heard or word
    swaps = [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(min(len(word), 24) - 1)
    ]
    best = min(swaps, key=rank)
    if rank(best) < RARE:
        return best
    if _GLUED <= len(word) <= _LONGEST_GLUED:
        return _parted(word)
    return re.sub(r"([a-z])\1{2,}", r"\1", word)


def _single(word: str) -> list[str]:
    """Return `word` with each run of one letter, the first few, as one letter and as two."""
    runs = list(_RUN.finditer(word))[:_RUNS]
    if not runs:
        return [word]
    after = word[runs[-1].end() :]
    before = [
        word[start : run.start()]
        for start, run in zip([0, *(run.end() for run in runs)], runs, strict=False)
    ]
    return [
        "".join(
            text + run[1] * times for text, run, times in zip(before, runs, counts, strict=True)
        )
        + after
        for counts in product((1, 2), repeat=len(runs))
    ]


def _parted(word: str) -> str:
    """Return `word` cut into the most common words, or as it is if that needs rare ones."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(word) + 1):
        options = []
        for start in range(max(0, end - _LONGEST_WORD), end):
            part = word[start:end]
            known = rank(part) if len(part) > 1 else (2000 if part in "ai" else RARE * 100)
            options.append((best[start][0] + log(known + 1 if known < RARE else RARE**3), start))
        best.append(min(options))
    parts: list[str] = []
    end = len(word)
    while end:
        parts.append(word[best[end][1] : end])
        end = best[end][1]
    known = sum(len(part) for part in parts if len(part) > 1 and rank(part) < RARE)
    return " ".join(reversed(parts)) if 10 * known >= 9 * len(word) else word
