"""What a prompt has somebody say or show in letters: read before anything is rendered.

Quotes, `says: …`, `sings …` and subtitles are a few words in a long description, and a score of
the whole hardly notices them. Each is judged by itself, and then all of a kind joined, so that
two speakers cannot share a sentence that neither may say.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from filters.finding import FilterError, Finding, Span, Surface

Judge = Callable[[str, Surface], Sequence[Finding]]
"""From a text as typed to everything found in it, as `PromptClassifier.read`."""

# Lines of one kind that are also judged alone; from there on only joined, so that a prompt of
# nothing but quotation marks costs no more than its length.
_ALONE = 6

# No pattern crosses its own opening mark: thousands of unclosed ones are gone through once. One
# that is never closed runs to the end, since a model would read it so.
_QUOTED = re.compile(
    r"[\"\uff02\u2033](?P<a>[^\"\uff02\u2033]+)"
    r"|[\u201c\u201f\u201e](?P<b>[^\u201c\u201d\u201e\u201f]+)"
    r"|\u00ab(?P<c>[^\u00ab\u00bb]+)"
    r"|[\u300c\u300e](?P<d>[^\u300c-\u300f]+)"
    r"|(?<!\w)['\u2018](?P<e>(?:[^'\u2018\u2019\n]|(?<=\w)['\u2019](?=\w)){2,300})['\u2019](?!\w)"
)
# The mark that ends a straight quote would begin the next one, so it is taken along.
_CLOSING = frozenset("\"\uff02\u2033\u201d\u201c\u00bb\u300d\u300f'\u2019")
_SHOWN = (
    r"captions?|subtitles?|signs?|banners?|billboards?|placards?|headlines?|graffiti|tattoos?"
    r"|labels?|posters?|on-?screen text|text overlay|title cards?|lettering"
)
_SPOKEN = (
    r"says?|saying|said|shouts?|shouting|yells?|yelling|screams?|screaming|whispers?|whispering"
    r"|sings?|singing|raps?|rapping|chants?|chanting|recites?|reciting|narrates?|narrating"
    r"|announces?|announcing|declares?|declaring|replies|replying|lyrics|dialogue|narrator"
    r"|voice-?over|voiceover"
)
_CUE = re.compile(
    rf"\b(?:(?P<shown>{_SHOWN}|reads?|reading|written)|(?P<spoken>{_SPOKEN}))\b", re.IGNORECASE
)
# "a sign reads …", "subtitles: …", "she sings …", "voice-over (a man): …".
_CUED = re.compile(
    rf"\b(?:(?P<shown>(?:{_SHOWN})(?: (?:which|that))?"
    r"(?: ?:| (?:reads?|reading|says?|saying)\b ?:?))"
    rf"|(?P<spoken>(?:{_SPOKEN})\b(?:[^:.!?\n\"\u201c\u00ab]{{0,30}}:)?))"
    r"\s*(?P<words>[^.!?\n\"\u201c\u201d\u00ab\u00bb]{2,600})",
    re.IGNORECASE,
)
# How far before a quote what announces it may stand.
_NEAR = 60


class NotJudged(FilterError):
    """A line was read by nothing, so nobody can say that it is harmless."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words that are to be heard or read in the film.

    Attributes:
        surface: `SPEECH` or `CAPTIONS`.
        text: as typed, without the marks around it; several are joined by line feeds.
        places: for each part of `text`, where it starts there, and its characters in the prompt.
    """

    surface: Surface
    text: str = field(repr=False)
    places: tuple[tuple[int, Span], ...]

    def span(self, start: int, end: int) -> Span:
        """Return where `text[start:end]` stands in the prompt, from its first part to its last."""
        return Span(self._typed(start), max(self._typed(end - 1) + 1, self._typed(start)))

    def _typed(self, at: int) -> int:
        begins, part = self.places[max(0, bisect_right(self.places, at, key=_begins) - 1)]
        return min(part.start + at - begins, part.end)


def lines(text: str) -> list[Line]:
    """Return what is to be spoken or shown in `text`, in order; most prompts have none."""
    found: list[Line] = []
    taken = bytearray(len(text))
    for surface, start, end in [*_quoted(text), *_announced(text)]:
        words = text[start:end]
        # A mark, or a number on a jersey, says nothing. A quote that a verb announces is the same
        # line.
        if any(map(str.isalpha, words)) and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.append(Line(surface, words, ((0, Span(start, end)),)))
    return sorted(found, key=lambda line: line.places[0][1].start)


def judged(text: str, judge: Judge) -> list[Finding]:
    """Return what `judge` finds in the lines of `text`, with places in `text`.

    Raises:
        FilterError: as `judge` does, or it found nothing at all and so has not looked.
    """
    return [
        _placed(line, finding) for line in _asked(lines(text)) for finding in _heard(judge, line)
    ]


def _heard(judge: Judge, line: Line) -> Sequence[Finding]:
    # The looser thresholds of captions are for signs that a reader found in a picture.
    typed = Surface.PROMPT if line.surface is Surface.CAPTIONS else line.surface
    found = judge(line.text, typed)
    if not found:
        raise NotJudged("no category was looked for in what is said")
    return found


def _asked(found: Sequence[Line]) -> Iterator[Line]:
    for surface in (Surface.SPEECH, Surface.CAPTIONS):
        same = [line for line in found if line.surface is surface]
        if len(same) <= _ALONE:
            yield from same
        if len(same) > 1:
            yield _joined(surface, same)


def _joined(surface: Surface, parts: Sequence[Line]) -> Line:
    places: list[tuple[int, Span]] = []
    at = 0
    for part in parts:
        places.append((at, part.places[0][1]))
        at += len(part.text) + 1
    return Line(surface, "\n".join(part.text for part in parts), tuple(places))


def _placed(line: Line, finding: Finding) -> Finding:
    if not isinstance(finding.place, Span):
        return finding
    return replace(finding, place=line.span(finding.place.start, finding.place.end))


def _quoted(text: str) -> Iterator[tuple[Surface, int, int]]:
    at = 0
    while match := _QUOTED.search(text, at):
        group = match.lastgroup or ""
        start, end = match.span(group)
        yield _surface_before(text, at, match.start()), start, end
        at = max(match.end(), end + (text[end : end + 1] in _CLOSING and end < len(text)))


def _surface_before(text: str, since: int, at: int) -> Surface:
    """Return how a quote at `at` comes to be noticed, as the words after the last one say."""
    cues = list(_CUE.finditer(text, max(since, at - _NEAR), at))
    # "the sign says" is a sign: a verb of speaking after it changes nothing.
    if cues and (cues[-1]["shown"] or (len(cues) > 1 and cues[-2]["shown"])):
        return Surface.CAPTIONS
    return Surface.SPEECH


def _announced(text: str) -> Iterator[tuple[Surface, int, int]]:
    for match in _CUED.finditer(text):
        surface = Surface.CAPTIONS if match["shown"] else Surface.SPEECH
        yield surface, *match.span("words")


def _begins(place: tuple[int, Span]) -> int:
    return place[0]
