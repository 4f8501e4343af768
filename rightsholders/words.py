"""Ordinary English words, so that a claim on one does not silence everybody who uses it.

The list is SCOWL's sizes 10 to 35 (some 39,000 words), kept without inflections whose stem is
there too, front-coded: each line is how many letters it shares with the line before (0-9, a-z),
then the rest. `rightsholders/train/common_words.py` makes it; licence in its first lines.
"""

import string
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from rightsholders.claims import RightsError

SHIPPED = Path(__file__).with_name("common_words.txt")
DIGITS = string.digits + string.ascii_lowercase
_ENDINGS = (
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("ers", ("", "e")),
    ("er", ("", "e")),
    ("est", ("", "e")),
    ("ly", ("",)),
    ("ness", ("",)),
)
_SHORTEST_STEM = 3


class WordsUnusable(RightsError):
    """The word list is missing or damaged; no claim can be filed or matched safely."""


class Words:
    """The words of a language, inflections included."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._known = lru_cache(maxsize=65_536)(self._look_up)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self._known(word)

    def _look_up(self, word: str) -> bool:
        return word in self._words or any(stem in self._words for stem in stems(word))


def stems(word: str) -> Iterator[str]:
    """Yield what `word` may be an inflection of: `running` gives `runn`, `runne` and `run`."""
    for ending, replacements in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < _SHORTEST_STEM:
            continue
        yield from (stem + replacement for replacement in replacements)
        if len(stem) > _SHORTEST_STEM and stem[-1] == stem[-2]:
            yield stem[:-1]


def load_words(path: Path = SHIPPED) -> Words:
    """Return the words in `path`.

    Raises:
        WordsUnusable: missing, empty or not front-coded.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as broken:
        raise WordsUnusable(f"{path.name} cannot be read") from broken
    words: list[str] = []
    last = ""
    for line in lines:
        if not line or line.startswith("#"):
            continue
        shared = DIGITS.find(line[0])
        if not 0 <= shared <= len(last) or not line[1:].isalpha():
            raise WordsUnusable(f"{path.name} is damaged after {len(words)} words")
        last = last[:shared] + line[1:]
        words.append(last)
    if not words:
        raise WordsUnusable(f"{path.name} holds no words")
    return Words(words)
