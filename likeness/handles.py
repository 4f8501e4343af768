"""`@handles` in a text: the only way to ask for somebody who agreed."""

import re
from dataclasses import dataclass
from enum import StrEnum

# Not after a letter, digit, dot or another @: `anna@example.org` is an address. The name is taken
# as far as it goes, so that `@anna_bell` is never read as `@anna`.
_HANDLE = re.compile(r"(?<![\w.@])@(\w+)")


class MentionStatus(StrEnum):
    """Whether the actor may use who is mentioned."""

    GRANTED = "granted"
    NOT_GRANTED = "not_granted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mention:
    """A handle in a text.

    Attributes:
        handle: without the `@`, lower case.
        start, end: characters of the text, the `@` included, end exclusive.
        likeness: id of the likeness, or empty where nobody has or had this handle.
        grant: what permits it, as in `Sighting.grant`; empty unless granted.
    """

    handle: str
    start: int
    end: int
    status: MentionStatus
    likeness: str = ""
    grant: str = ""


def handles_written(text: str) -> list[tuple[str, int, int]]:
    """Return each handle in `text` with where it starts and ends, in order."""
    return [(met[1].casefold(), met.start(), met.end()) for met in _HANDLE.finditer(text)]
