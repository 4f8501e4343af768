"""Signs that text was written so that a person or a filter would not see it."""

import base64
import binascii
import html
import re
import urllib.parse
from collections.abc import Callable, Iterator
from itertools import pairwise

from filters.finding import Category, Finding, Span, Surface
from filters.normalise import masked_words

DETECTOR = "filters.evasion@2"

# A flag of England, Scotland or Wales is the one honest use of tag characters.
_FLAG = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    "\U000e007f"
)
_CERTAIN = (
    re.compile("[\U000e0000-\U000e007f]+"),  # tag characters: invisible ASCII
    re.compile("[\u202d\u202e]"),  # overrides show text in another order than it is stored
    re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"),  # bytes smuggled as variation selectors
)
_DOUBTFUL = (
    re.compile(
        "(?<=[A-Za-z])[\u200b-\u200d\u2060\ufeff]+(?=[A-Za-z])"
    ),  # split words; also web pages
    re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]+"),  # private use: no one knows how it looks
)
# Words that are no English backwards or by rot13, and that few sentences do without.
# fmt: off
_TURNED = frozenset([
    "eht", "dna", "htiw", "gnivah", "rof", "morf", "taht", "siht", "namow", "owt", "sih", "reh",
    "yeht", "elohw", "sdnah", "seye", "ydob", "gur", "naq", "jvgu", "univat", "sebz", "gung",
    "guvf", "jbzna", "gjb", "uvf", "ure", "gurl", "unaqf", "rlrf", "obql", "sbe",
])
# fmt: on
# Two such words in so many are no accident; more apart, one may be a name.
_TURNED_WITHIN = 12
_LETTERS = re.compile("[a-z]+")
_PRINTABLE = re.compile(r"[\t\n\r -~]+")
_THREE_LETTERS = re.compile("[A-Za-z]{3}")
# A pasted web page has zero-width spaces too, so that alone should not stop anybody.
DOUBT = 0.5


def hidden(text: str, surface: Surface = Surface.PROMPT) -> list[Finding]:
    """Return an `evasion` finding for each stretch of `text`, as typed, that hides something.

    1.0 for what has no honest use in a prompt, `DOUBT` for what a pasted page may hold.
    """
    shown = _FLAG.sub(lambda flag: " " * len(flag[0]), text)
    return [
        Finding(Category.EVASION, score, surface, DETECTOR, Span(start, end))
        for score, start, end in _stretches(shown)
    ]


def _stretches(text: str) -> Iterator[tuple[float, int, int]]:
    for score, patterns in ((1.0, _CERTAIN), (DOUBT, _DOUBTFUL)):
        for pattern in patterns:
            for found in pattern.finditer(text):
                yield score, found.start(), found.end()
    for start, end in masked_words(text):
        yield 1.0, start, end
    for start, end in _encoded(text):
        yield 1.0, start, end
    for start, end in _turned(text):
        yield 1.0, start, end


def _encoded(text: str) -> Iterator[tuple[int, int]]:
    """Yield where text is written in a code that a program reads and a person does not."""
    for pattern, decoded in _CODES:
        for found in pattern.finditer(text):
            said = decoded(found[0])
            letters = sum(sign.isalpha() or sign == " " for sign in said)
            readable = _PRINTABLE.fullmatch(said) and _THREE_LETTERS.search(said)
            if readable and 4 * letters >= 3 * len(said):
                yield found.start(), found.end()


def _turned(text: str) -> Iterator[tuple[int, int]]:
    """Yield from the first to the last of words that stand backwards or in rot13."""
    # "\u0130".lower() is two characters, so that a place can be one too far.
    words = list(_LETTERS.finditer(text.lower()))
    turned = [number for number, word in enumerate(words) if word[0] in _TURNED]
    near = [pair for pair in pairwise(turned) if pair[1] - pair[0] < _TURNED_WITHIN]
    if near:
        yield words[near[0][0]].start(), min(words[near[-1][1]].end(), len(text))


def _from_base64(found: str) -> str:
    plain = found.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _from_hex(found: str) -> str:
    digits = re.sub(r"[^0-9a-fA-F]", "", found.replace("0x", ""))
    try:
        return bytes.fromhex(digits).decode("ascii")
    except ValueError:
        return ""


_CODES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}={0,2}"), _from_base64),
    (re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){6,}"), _from_hex),
    (re.compile(r"(?:%[0-9a-fA-F]{2}){4,}"), urllib.parse.unquote),
    (re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};){4,}"), html.unescape),
)
