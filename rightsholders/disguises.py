"""Other ways to read a text in which names are written so that a plain search misses them."""

import re
from dataclasses import replace

from rightsholders.tokens import Token, Tokens, tokens

# A sign between letters that is typed for one of them, and digits likewise. "1" may be either
# letter, and a stretched letter may have been one or two; so several readings are made.
_SIGN = re.compile(r"[@$!|](?=[a-z])|(?<=[a-z])[@$!|](?=[a-z0-9@$!|])")
_LETTER_FOR_SIGN = {"@": "a", "$": "s", "!": "i", "|": "l"}
_DRAWL = re.compile(r"([^\W\d_])\1{2,}")
_LETTERS_FOR_DIGITS = (
    (str.maketrans("0", "o"), r"\1"),
    (str.maketrans("0134578", "oieastb"), r"\1"),
    (str.maketrans("0134578", "oleastb"), r"\1\1"),
)
# "pikachu2" is still about Pikachu, "f16" is a word of its own.
_NUMBERED = re.compile(r"([^\W\d_]{4,})\d+")

# What any of the above begins with: most texts hold none of it, and read only one way.
_DISGUISE = re.compile(r"[\d@$!|]|([^\W\d_])\1{2,}")


def undisguised(text: str) -> list[Tokens]:
    """Return the readings of a normalised `text` that differ from its plain one; mostly none.

    Places are those of `text`: a word there may have fewer or other letters than it spans.
    """
    if not _DISGUISE.search(text):
        return []
    plain = tokens(text)
    signs = tokens(_SIGN.sub(lambda met: _LETTER_FOR_SIGN[met[0]], text))
    seen = {plain.joined}
    readings = []
    for letters, drawl in _LETTERS_FOR_DIGITS:
        words = Tokens(tuple(_unmasked(word, letters, drawl) for word in signs.words))
        if words.joined not in seen:
            seen.add(words.joined)
            readings.append(words)
    return readings


def _unmasked(word: Token, letters: dict[int, int], drawl: str) -> Token:
    text = word.text
    if text.isalpha() and not _DRAWL.search(text):
        return word
    if any(character.isalpha() for character in text):
        numbered = _NUMBERED.fullmatch(text)
        text = numbered[1] if numbered else text.translate(letters)
    return replace(word, text=_DRAWL.sub(drawl, text))
