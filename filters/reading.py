"""A text as it is judged, with the way back to the characters that the user typed."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reading:
    """Text to judge, and where each of its characters came from.

    Attributes:
        text: as a filter reads it.
        starts: for each character of `text`, where its stretch of the original begins.
        ends: and where it ends, exclusive. Neither decreases, save where words stood backwards.
        length: characters of the original.
    """

    text: str = field(repr=False)
    starts: Sequence[int] = field(repr=False)
    ends: Sequence[int] = field(repr=False)
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in what the user typed.

        Raises:
            ValueError: not 0 <= start <= end <= len(text).
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"{start} to {end} is no span of {len(self.text)} characters")
        if start == end:
            at = self.starts[start] if start < len(self.text) else self.length
            return at, at
        return min(self.starts[start:end]), max(self.ends[start:end])


def replaced(reading: Reading, pattern: re.Pattern[str], change: Callable[[str], str]) -> Reading:
    """Return `reading` with each match changed; one that changes length keeps its whole span."""
    return spliced(
        reading, [(*found.span(), change(found[0])) for found in pattern.finditer(reading.text)]
    )


def spliced(reading: Reading, changes: Iterable[tuple[int, int, str]]) -> Reading:
    """Return `reading` with each stretch from start to end, in order, saying something else."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    after = 0
    for begin, end, new in changes:
        if new == reading.text[begin:end]:
            continue
        text += [reading.text[after:begin], new]
        starts += reading.starts[after:begin]
        ends += reading.ends[after:begin]
        if len(new) == end - begin:
            starts += reading.starts[begin:end]
            ends += reading.ends[begin:end]
        else:
            starts += [min(reading.starts[begin:end])] * len(new)
            ends += [max(reading.ends[begin:end])] * len(new)
        after = end
    if not after:
        return reading
    text.append(reading.text[after:])
    starts += reading.starts[after:]
    ends += reading.ends[after:]
    return Reading("".join(text), starts, ends, reading.length)
