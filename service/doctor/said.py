"""What a check says."""

from dataclasses import dataclass
from enum import IntEnum

START = "imprimatur serve"
"""The command that makes whatever a first start makes."""


class Level(IntEnum):
    """How bad it is; the worst of all is the exit code."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What was seen, and the command that mends it, or empty."""

    level: Level
    said: str
    fix: str = ""
