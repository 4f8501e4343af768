"""The words of record keeping: who asks and how far they reach, and what can be wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """How far somebody's word goes: over one project, or over the whole house."""

    PROJECT = "project"
    HOUSE = "house"


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who asks, for themselves or in an office.

    Attributes:
        is_officer: whether they may ask for others; everybody may for themselves.
    """

    actor: str
    project: str
    is_officer: bool
    reach: Reach = Reach.PROJECT


class RecordsError(Exception):
    """Base of everything `service.records` raises."""


class NoSuchSubject(RecordsError):
    """Nobody has this id, or not in this project; both alike."""


class NoSuchErasure(RecordsError):
    """There is no such erasure, or it is none of the asker's business."""


class NoSuchHold(RecordsError):
    """There is no such hold in this project."""


class NotYours(RecordsError):
    """Only the person, or an operator on their behalf, can ask for this."""


class CaseMissing(RecordsError):
    """Whoever asks for somebody else names the case."""


class BelongsElsewhere(RecordsError):
    """The subject belongs to other projects as well, whose records would go too."""


class SamePerson(RecordsError):
    """A hold, and its release, take two people, whose accounts are both open."""


class HoldNotPossible(RecordsError):
    """The hold does not stand where this step begins."""


class TooYoung(RecordsError):
    """Entries of that age stay in the log."""


class NothingToPrune(RecordsError):
    """No entry is both old enough and free to go."""


class LedgerUnwritable(RecordsError):
    """The list of erasures outside the database cannot be written: nothing is destroyed."""


class LedgerDamaged(RecordsError):
    """The list of erasures outside the database cannot be read."""
