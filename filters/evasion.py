"""Signs that text was written so that a person or a filter would not see it."""

import re
from collections.abc import Iterator

from filters.finding import Category, Finding, Span, Surface
from filters.normalise import masked_words
from filters.payloads import payloads
from filters.turned import stretches

DETECTOR = "filters.evasion@3"

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
    for payload in payloads(text):
        yield 1.0, payload.start, payload.end
    # "\u0130".lower() is two characters, so that a place can be some too far.
    for stretch in stretches(text.lower()):
        yield 1.0, min(stretch.start, len(text)), min(stretch.end, len(text))
