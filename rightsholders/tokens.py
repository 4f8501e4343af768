"""A normalised text as words with their places, and as one string without gaps."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

# Scripts written without spaces, or, like Hangul, with endings stuck to the noun: each character
# is a word of its own. Thai to Myanmar, Hangul jamo, kana and Han, Hangul syllables, Han beyond.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x11FF),
    (0x1780, 0x17FF),
    (0x3040, 0x31FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_ASCII_WORD = re.compile(r"[0-9A-Za-z]+")
_KINDS_OF_WORD = re.compile(r"um*|l[lm]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it is; `end` exclusive."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Tokens:
    """The words of a text, and what they are when written together.

    Attributes:
        joined: all words without anything between them.
        starts, ends: for each word its place in `joined`.
    """

    words: tuple[Token, ...]

    @cached_property
    def joined(self) -> str:
        return "".join(word.text for word in self.words)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return tuple(end - len(word.text) for word, end in zip(self.words, self.ends, strict=True))

    @cached_property
    def ends(self) -> tuple[int, ...]:
        total, ends = 0, []
        for word in self.words:
            total += len(word.text)
            ends.append(total)
        return tuple(ends)

    @cached_property
    def ending_at(self) -> dict[int, int]:
        """The number of the word that ends at this place of `joined`."""
        return {end: number for number, end in enumerate(self.ends)}


def tokens(text: str) -> Tokens:
    """Return the words of `text`: letters, digits and their marks; all else parts them."""
    return Tokens(tuple(_words(text)))


def words_of(key: str) -> tuple[str, ...]:
    """Return the words of an alias's key."""
    return tuple(key.split())


def is_unspaced(character: str) -> bool:
    """Return whether `character` is of a script whose words are not parted by spaces."""
    code = ord(character)
    return code >= _UNSPACED[0][0] and any(low <= code <= high for low, high in _UNSPACED)


def _words(text: str) -> list[Token]:
    if text.isascii():
        return [Token(met[0], met.start(), met.end()) for met in _ASCII_WORD.finditer(text)]
    kinds = "".join(map(_kind, text))
    return [
        Token(text[met.start() : met.end()], met.start(), met.end())
        for met in _KINDS_OF_WORD.finditer(kinds)
    ]


@lru_cache(maxsize=16_384)
def _kind(character: str) -> str:
    """Return `u` for a letter that is a word by itself, `l` for others, `m` for a mark, or `-`."""
    if character.isalnum():
        return "u" if is_unspaced(character) else "l"
    return "m" if unicodedata.category(character).startswith("M") else "-"
