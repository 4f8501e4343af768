"""`@handles` in a text: the only way to ask for somebody who agreed."""

import re
from dataclasses import dataclass
from enum import StrEnum

# The name is taken as far as it goes, so that `@anna_bell` is never read as `@anna`; but where
# words are not parted by spaces, as in Japanese, it ends with the last letter a handle can have.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_HANDLE = re.compile(rf"@([A-Za-z0-9_]+(?=[{_UNSPACED}])|\w+)")
_ADDRESS = re.compile(r"[\w+-]@[\w-]+(?:\.[\w-]+)+")


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
    """Return each handle in `text` with where it starts and ends, in order.

    `anna@example.org` is an address and holds none; `meet@anna` is a slip, or an attempt.
    """
    return [
        (met[1].casefold(), met.start(), met.end())
        for met in _HANDLE.finditer(text)
        if not _ADDRESS.match(text, max(0, met.start() - 1))
    ]
