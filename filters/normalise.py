"""Text as a filter should read it, with the way back to the characters the user typed.

Everything here works one character at a time, so that each character of a reading knows which
stretch of the original it stands for. Order (notes/filters.md, section 4): decode tag characters,
NFKC, drop what cannot be seen, drop accents, fold case, then letters of other scripts that pass
for Latin ones. Sources: Unicode 15 `Default_Ignorable_Code_Point`, UTS #39 (confusables).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from filters.lookalikes import FOREIGN, LATIN, TYPED_INSTEAD
from filters.reading import Reading as Reading
from filters.repairs import repaired
from filters.turned import turned

_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# Accents proper. Vowel signs of Indic, Thai or Hebrew writing stay: without them names cannot be
# told apart, and other gates get this text too.
_ACCENT = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
# The marks that make "ka" a "ga", and the vowels and ends of Hangul: each joins what precedes it.
_JOINING = re.compile("[\u3099\u309a\u1161-\u1175\u11a8-\u11c2]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TAGS = range(0xE0020, 0xE007F)
_WORD = re.compile(r"[^\W_]+")
_LATIN_LETTER = re.compile("[a-z]")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one character becomes: `text`, and `twins`, as long: the Latin letters it resembles."""

    text: str
    twins: str


def normalise(text: str) -> Reading:
    """Return `text` as a filter should read it; any text will do, and none gives none.

    Reading the `text` of a reading again changes nothing.
    """
    if text.isascii() and not _CONTROL.search(text):
        return Reading(text.lower(), range(len(text)), range(1, len(text) + 1), len(text))
    letters: list[str] = []
    twins: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, character in enumerate(text):
        cell = _cell(character)
        letters.append(cell.text)
        twins.append(cell.twins)
        starts += [at] * len(cell.text)
    if _JOINING.search("".join(letters)):
        letters, twins, starts, ends = _composed(letters, twins, starts)
    plain = "".join(letters)
    resembling = "".join(twins)
    if resembling.strip():
        plain = _unmasked(plain, resembling)
    return Reading(plain, starts, ends or [start + 1 for start in starts], len(text))


def variants(reading: Reading) -> list[Reading]:
    """Return other ways to read the same text, likeliest first, at most `ALTERNATIVES` + 1.

    With what was taken apart put together, and with what stands backwards or in rot13 turned.
    Empty when there is no other way. All maps lead to the same original.

    Raises:
        ModelUnavailable: the list of English words is missing or changed.
    """
    return [*repaired(reading), *turned(reading)]


def masked_words(text: str) -> Iterator[tuple[int, int]]:
    """Yield where `text` has words that mix Latin letters with others posing as Latin ones."""
    if text.isascii():
        return
    for word in _WORD.finditer(text):
        if word[0].isascii():
            continue
        cells = [_cell(character) for character in word[0]]
        foreign = [cell for cell in cells if not cell.text.isascii()]
        # "Δt" and "µm" are physics; a mask has a twin for every foreign letter.
        hides = foreign and all(cell.twins.strip() for cell in foreign)
        if hides and len(word[0]) > 2 and any(_LATIN_LETTER.search(cell.text) for cell in cells):
            yield word.start(), word.end()


@lru_cache(maxsize=16_384)
def _cell(character: str) -> _Cell:
    code = ord(character)
    if code in _TAGS:  # invisible ASCII, read by language models and by nobody else
        return _cell(chr(code - 0xE0000))
    if _IGNORABLE.match(character) or _CONTROL.match(character):
        return _Cell("", "")
    if 0xD800 <= code <= 0xDFFF:  # half a pair: no tokenizer takes it
        return _Cell("\ufffd", " ")
    open_form = unicodedata.normalize("NFKD", character)
    bare = unicodedata.normalize("NFC", _IGNORABLE.sub("", _ACCENT.sub("", open_form)))
    if bare != character:
        parts = [_cell(part) for part in bare]
        return _Cell("".join(part.text for part in parts), "".join(part.twins for part in parts))
    if character in LATIN:
        return _Cell(LATIN[character], " ")
    # The twin comes before case is folded: "\u0412" has a Latin twin, small "\u0432" has none.
    twin = FOREIGN.get(character, "")
    folded = character.casefold()
    if folded != character:
        parts = [_cell(part) for part in folded]
        text = "".join(part.text for part in parts)
        return _Cell(text, twin if twin and len(text) == 1 else "".join(p.twins for p in parts))
    return _Cell(character, twin or (character if character in TYPED_INSTEAD else " "))


def _composed(
    letters: list[str], twins: list[str], starts: list[int]
) -> tuple[list[str], list[str], list[int], list[int]]:
    """Return the characters with kana and their voicing, and the parts of Hangul, made one.

    Half-width kana and what a Mac calls a file come in parts; names are stored whole.
    """
    whole: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    shadows: list[str] = []
    for character, shadow, start in zip("".join(letters), "".join(twins), starts, strict=True):
        joined = ""
        if whole and _JOINING.match(character):
            joined = unicodedata.normalize("NFC", whole[-1] + character)
        if len(joined) == 1:
            whole[-1], shadows[-1], ends[-1] = joined, " ", start + 1
            continue
        whole.append(character)
        shadows.append(shadow)
        begins.append(start)
        ends.append(start + 1)
    return whole, shadows, begins, ends


def _unmasked(plain: str, twins: str) -> str:
    """Return `plain` with Latin twins in mixed words, and in whole words of a mostly Latin text."""

    def in_mixed(word: re.Match[str]) -> str:
        if word[0].isascii() or not _LATIN_LETTER.search(word[0]):
            return word[0]
        pairs = zip(word[0], twins[word.start() : word.end()], strict=True)
        return "".join(c if twin == " " else TYPED_INSTEAD.get(twin, twin) for c, twin in pairs)

    def in_whole(word: re.Match[str]) -> str:
        others = twins[word.start() : word.end()]
        return others if others.isascii() and " " not in others else word[0]

    plain = _WORD.sub(in_mixed, plain)
    letters = sum(character.isalpha() for character in plain)
    if 2 * len(_LATIN_LETTER.findall(plain)) > letters:
        plain = _WORD.sub(in_whole, plain)
    return plain
