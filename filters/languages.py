"""The language gate: is this English, which the heads read, and if not, what is it?

Two readers whose models lie in their wheels, since each alone is wrong too often: a dictionary
(simplemma, English) says word by word what is English, and is sure where a text is short; py3langid
names the language, and is sure where it is long. py3langid alone takes every eighth short English
prompt for another language ("a banana and a keyboard": Sotho), a dictionary alone takes French for
English where the words look alike. What neither can place is not English: it waits for a person.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import simplemma
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from filters.finding import Category, Finding, Surface

ENGLISH, UNNAMED = "en", "und"
# A finding is at least this where any stretch is not English: a German half is held like a German
# whole. The policy holds from 0.3.
FOREIGN = 0.5
# What a word adds to its stretch. A stretch is foreign from `STRETCH` on: three unknown words in a
# row, or six with an English word between each; names (unknown, with a capital) count for less.
UNKNOWN, NAME, KNOWN, GLUE = 1.0, 0.6, -0.7, -1.6
# From the second on it is foreign whatever py3langid says of it; between them only if that is
# `NAMED` sure of a language: artists' names in a row are unknown words too.
STRETCH, LONG_STRETCH = 2.4, 5.0
# Of all words, where the whole is judged.
FEW_KNOWN, MANY_KNOWN, MANY_SHARED = 0.5, 0.86, 3
# So many names among English words do not count against them.
FEW_NAMES = 3
# "naïve" and "café" are English without their accents; shorter words are too often not.
MEANT = 4
# py3langid's probabilities, over all its languages: of the best, and of English.
SURE, NAMED, HARDLY = 0.3, 0.2, 0.08
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# English words that stand in no other language's sentence: what holds English together.
_GLUE = frozenset(
    _WORD.findall("""
    the of and with from this that these those which while into onto through over under between
    behind around across their there they are was were has have is its his her and by for
    """)
)
# Words of an English dictionary that hold other languages' sentences together: they say nothing.
_SHARED = frozenset(
    _WORD.findall("""
    de la le les los las el un une und der die das des du son sont que en et con por para per non
    sa se si ma mai mi te tu lo na je ye ke ka di il ist ein e o y da do dos das os zu ne het ik
    van al ho ai sin dans pour sur nous vous ces ses mes tes elle ils ont trans gay gays negro
    negros blacks ek main hain hote log ni ti voi sono io ci
    """)
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text is written in.

    Attributes:
        foreign: share of the letters outside English, 0..1; at least `FOREIGN` where any stretch is
            not English, and 1 where there is no word at all.
        languages: ISO 639 codes of everything it holds, `und` for a stretch nobody can name.
    """

    foreign: float
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    weight: float
    known: bool | None


def language(text: str, surface: Surface, detector: str) -> Finding:
    """Return the share of `text`, as typed, that the heads cannot read, as a finding."""
    return Finding(Category.LANGUAGE, spoken(text).foreign, surface, detector)


def spoken(text: str) -> Spoken:
    """Return which languages a text holds, as typed, and how much of it is not English."""
    typed = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", text)
        if unicodedata.category(letter) not in {"Cf", "Co", "Cn"}
    )
    words = _WORD.findall(typed)
    letters = sum(map(len, words))
    latin = [word for word in words if _is_latin(word)]
    strange = [word for word in words if not _has_latin(word) and not (latin and len(word) == 1)]
    if not letters or not (latin or strange):
        return Spoken(1.0, frozenset({UNNAMED}))
    codes = set(map(_name, _by_script(strange)))
    foreign = sum(map(len, strange))
    if latin:
        found = _of_latin(typed if not strange else " ".join(latin), latin)
        foreign += found.letters
        codes |= found.codes
    if not foreign:
        return Spoken(0.0, frozenset({ENGLISH}))
    return Spoken(min(1.0, max(FOREIGN, foreign / letters)), frozenset(codes))


@dataclass(frozen=True, slots=True)
class _Found:
    letters: int
    codes: frozenset[str]


def _of_latin(text: str, latin: Sequence[str]) -> _Found:
    """Return how many letters of the Latin words are not English, and what those words are in."""
    words = _weighed(latin)
    known = _known(words)
    if known < FEW_KNOWN or _is_shared(words):
        return _Found(sum(map(len, latin)), frozenset({_name(text)}))
    if _is_foreign(text, words, known):
        return _Found(sum(map(len, latin)), frozenset({_name(text), ENGLISH}))
    stretch = _strongest(words)
    if not stretch:
        return _Found(0, frozenset({ENGLISH}))
    codes = frozenset({_name(_joined(stretch)), ENGLISH})
    return _Found(sum(len(word.text) for word in stretch), codes)


def _known(words: Sequence[_Word]) -> float:
    """Return the share of English among the words that tell; a few names among English do not."""
    telling = [word for word in words if word.known is not None]
    names = sum(word.weight == NAME for word in telling)
    if (names == 1 and len(telling) > FEW_NAMES) or (names <= FEW_NAMES and _is_glued(words)):
        telling = [word for word in telling if word.weight != NAME]
    return sum(bool(word.known) for word in telling) / len(telling) if telling else 0.0


def _is_glued(words: Sequence[_Word]) -> bool:
    return any(word.weight == GLUE for word in words)


def _is_shared(words: Sequence[_Word]) -> bool:
    shared = sum(word.known is None for word in words)
    return not _is_glued(words) and shared * MANY_SHARED >= len(words)


def _is_foreign(text: str, words: Sequence[_Word], known: float) -> bool:
    """Whether the whole is another language that shares many words with English."""
    sound = all(word.known or word.weight == NAME for word in words)
    if known >= MANY_KNOWN and (_is_glued(words) or sound):
        return False
    chances = dict(_identifier().rank(text))
    code, sure = max(chances.items(), key=lambda each: each[1])
    if code == ENGLISH or chances[ENGLISH] >= HARDLY:
        return False
    return known < MANY_KNOWN or sure >= SURE


def _weighed(words: Sequence[str]) -> list[_Word]:
    # Where every word has a capital, capitals say nothing about names.
    shouted = all(word[0].isupper() for word in words)
    return [_weigh(word, shouted=shouted) for word in words]


def _weigh(word: str, *, shouted: bool) -> _Word:
    lower = word.lower().replace("\u2019", "'")
    if lower in _SHARED or (len(lower) == 1 and lower != "a"):
        return _Word(word, 0.0, known=None)
    if lower in _GLUE:
        return _Word(word, GLUE, known=True)
    if _is_english(lower):
        return _Word(word, KNOWN, known=True)
    return _Word(word, NAME if word[0].isupper() and not shouted else UNKNOWN, known=False)


def _strongest(words: Sequence[_Word]) -> list[_Word]:
    """Return the stretch that weighs most, or nothing where none weighs `STRETCH`."""
    best, first, end = 0.0, 0, 0
    total, start = 0.0, 0
    for at, word in enumerate(words):
        if total <= 0:
            total, start = 0.0, at
        total += word.weight
        if total > best:
            best, first, end = total, start, at + 1
    stretch = list(words[first:end])
    if best >= LONG_STRETCH:
        return stretch
    return stretch if best >= STRETCH and _name(_joined(stretch)) != UNNAMED else []


def _joined(words: Sequence[_Word]) -> str:
    return " ".join(word.text for word in words)


def _by_script(strange: Iterable[str]) -> list[str]:
    """Return the words in other alphabets joined, one text per alphabet."""
    parts: dict[str, list[str]] = {}
    for word in strange:
        script = unicodedata.name(word[0], "?").partition(" ")[0]
        # Japanese writes in three scripts at once.
        script = "CJK" if script in {"HIRAGANA", "KATAKANA"} else script
        parts.setdefault(script, []).append(word)
    return [" ".join(words) for words in parts.values()]


def _name(text: str) -> str:
    code, sure = _identifier().classify(text)
    return str(code) if sure >= NAMED and code not in {ENGLISH, "zxx"} else UNNAMED


def _is_latin(word: str) -> bool:
    return word.isascii() or all(map(_is_latin_letter, word))


def _has_latin(word: str) -> bool:
    """Whether any letter is Latin: where others stand among them, `hidden` reports a disguise."""
    return word.isascii() or any(map(_is_latin_letter, word))


@lru_cache(maxsize=4096)
def _is_latin_letter(letter: str) -> bool:
    return letter in "'\u2019" or unicodedata.name(letter, "").startswith("LATIN ")


@lru_cache(maxsize=65_536)
def _is_english(lower: str) -> bool:
    stem = lower.removesuffix("'s")
    if len(stem) == 1 or simplemma.is_known(stem, lang=ENGLISH):
        return True
    plain = "".join(sign for sign in unicodedata.normalize("NFD", stem) if sign.isascii())
    return plain != stem and len(plain) >= MEANT and simplemma.is_known(plain, lang=ENGLISH)


@cache
def _identifier() -> LanguageIdentifier:
    """Return the reader with its model, loaded once: 0.6 s."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
