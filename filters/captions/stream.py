"""What is written in a film, in the order in which it comes to be read.

One frame may show half of a word and the next the rest. What stays, moves or is typed out letter
by letter is one line; what is new is appended; and every character knows its frame and box.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from filters.captions.reader import Line
from filters.finding import Box, Span

# Of one line that is read twice: as alike as this, and one of them unsure, it is a slip.
ALIKE, SURE = 0.75, 0.9
# Letters that a line and the next share where text runs through the picture.
SHARED = 4
# Characters that are joined; when there are more, the oldest go, and `KEPT` stay for what follows.
MOST, KEPT = 1200, 400


@dataclass(frozen=True, slots=True)
class Joined:
    """Lines as one text.

    Attributes:
        between: what stands between two lines; nothing, where their ends may be halves of a word.
        places: where each line begins in `text`, and its box.
    """

    text: str = field(repr=False)
    between: str
    places: tuple[tuple[int, Box], ...]

    def boxes(self, span: Span) -> list[Box]:
        """Return the boxes of the lines that hold the characters of `span`, in order."""
        ends = [start for start, _ in self.places[1:]] + [len(self.text)]
        return [
            box
            for (start, box), end in zip(self.places, ends, strict=True)
            if start < max(span.end, span.start + 1) and span.start < end
        ]


@dataclass(slots=True, eq=False)
class _Part:
    """A line as long as it is to be read, and the sign on which it stands."""

    line: Line
    sign: "list[_Part]"


class Stream:
    """Lines of frame after frame, each once."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._seen: list[_Part] = []

    def add(self, lines: Sequence[Line]) -> list[Joined]:
        """Take the lines of the next frame; return what is to be judged now.

        All that is joined, and each sign whose words have changed: what stands between its two
        halves elsewhere in the picture does not part them. Nobody sees whether a line ends with its
        word, so both is tried.
        """
        gone = list(self._seen)
        seen: list[_Part] = []
        new: list[_Part] = []
        for line in lines:
            part = self._known(line, gone)
            if part is None:
                part = _Part(line, [])
                new.append(part)
            else:
                gone.remove(part)
            seen.append(part)
        changed = [self._succeed(part, gone) for part in new]
        self._parts += new
        self._seen = seen
        texts = [text for sign in changed for text in _both_ways(sign)]
        texts += _both_ways(self._parts)
        self._forget()
        return texts

    def _known(self, line: Line, gone: Sequence[_Part]) -> _Part | None:
        for part in gone:
            whole = _one_line(part.line, line)
            if whole is not None:
                # Evidence is the frame that shows most of it.
                longer = len(whole) > len(part.line.text)
                part.line = replace(line if longer else part.line, text=whole)
                if part not in self._parts:
                    self._parts.append(part)
                return part
        return None

    def _succeed(self, part: _Part, gone: Sequence[_Part]) -> list[_Part]:
        before = next((one for one in gone if _same_place(one.line.box, part.line.box)), None)
        part.sign = before.sign if before is not None else []
        if not part.sign and before is not None:
            part.sign.append(before)
        part.sign.append(part)
        while sum(len(one.line.text) for one in part.sign) > MOST:
            del part.sign[0]
        return part.sign

    def _forget(self) -> None:
        length = sum(len(part.line.text) + 1 for part in self._parts)
        if length <= MOST:
            return
        while length > KEPT and len(self._parts) > 1:
            length -= len(self._parts.pop(0).line.text) + 1


def joined(lines: Sequence[Line], between: str = " ") -> Joined:
    """Return lines as one text."""
    places: list[tuple[int, Box]] = []
    at = 0
    for line in lines:
        places.append((at, line.box))
        at += len(line.text) + len(between)
    return Joined(between.join(line.text for line in lines), between, tuple(places))


def _both_ways(parts: "Sequence[_Part]") -> list[Joined]:
    lines = [part.line for part in parts]
    return [joined(lines, between) for between in (" ", "")[: len(lines)]]


def _one_line(old: Line, new: Line) -> str | None:
    """Return the whole of what two readings show of one line, or None where they are two."""
    if old.text.casefold() == new.text.casefold():
        return old.text
    if not _same_row(old.box, new.box):
        return None
    if new.text.startswith(old.text) or old.text.startswith(new.text):
        return max(old.text, new.text, key=len)
    for shared in range(min(len(old.text), len(new.text)), SHARED - 1, -1):
        if old.text.endswith(new.text[:shared]):
            return (old.text + new.text[shared:])[-MOST:]
    unsure = min(old.confidence, new.confidence) < SURE
    if unsure and SequenceMatcher(None, old.text, new.text).ratio() >= ALIKE:
        return (new if new.confidence > old.confidence else old).text
    return None


def _same_row(one: Box, other: Box) -> bool:
    shared = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return shared > 0.5 * min(one.height, other.height)


def _same_place(one: Box, other: Box) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > 0 and down > 0
