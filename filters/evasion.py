"""Signs that text was written so that a person or a filter would not see it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from filters.finding import Category, Finding, Span, Surface
from filters.languages import spoken
from filters.normalise import masked_words
from filters.payloads import payloads
from filters.reading import Reading
from filters.turned import stretches

DETECTOR = "filters.evasion@4"

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
# One mended word is a slip; two that are a quarter of the text are a way of writing. Chosen on
# plain prompts of VBench and COCO and on the disguises of benchmarks/transforms.py.
BENT_WORDS, BENT_SHARE = 2, 0.25


def bent(
    text: str, reading: Reading, mended: Sequence[Reading], surface: Surface = Surface.PROMPT
) -> list[Finding]:
    """Return an `evasion` finding of the whole where much of `text` had to be mended to be read.

    What is mended may not be what was meant, so that the score of the mended text is not enough.
    Only of what a person typed: what was read in pictures or heard has slips of the reader.

    Args:
        reading: `text`, normalised.
        mended: from `repaired`, the likeliest first.
    """
    if not mended or surface is not Surface.PROMPT:
        return []
    typed = Counter(reading.text.split())
    changed = (typed - Counter(mended[0].text.split())).total()
    if changed < max(BENT_WORDS, BENT_SHARE * typed.total()):
        return []
    # Words of another language look bent too, and are held as unread.
    if spoken(mended[0].text).foreign and spoken(text).foreign:
        return []
    return [Finding(Category.EVASION, 1.0, surface, DETECTOR, Span(0, reading.length))]


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
