"""Which entries: values that the language is parsed into and that a `Finder` answers."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from service.audit.entries import stamp


@dataclass(frozen=True, slots=True)
class Term:
    """Entries with this value; `likeness.*` for every value that begins so."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class All:
    """Entries that meet every part; every entry if there is none."""

    parts: "tuple[Query, ...]" = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Entries that meet one part; none if there is none."""

    parts: "tuple[Query, ...]" = ()


@dataclass(frozen=True, slots=True)
class Not:
    """Entries that do not meet it."""

    part: "Query"


@dataclass(frozen=True, slots=True)
class Since:
    """Entries logged at `at` or later."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Before:
    """Entries logged before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Places:
    """Entries from `first` up to, and without, `end`."""

    first: int
    end: int


Query = Term | All | AnyOf | Not | Since | Before | Places
EVERYTHING = All()


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry says that a query can be held against.

    Attributes:
        terms: as `terms.terms_of` reads them from the leaf.
        logged_at: as it stands in the leaf.
    """

    place: int
    terms: Set[tuple[str, str]]
    logged_at: str


def meets(query: Query, entry: Facts) -> bool:
    """Whether an entry meets the query, by what itself says."""
    match query:
        case Term(name, value):
            return (name, value) in entry.terms
        case All(parts):
            return all(meets(part, entry) for part in parts)
        case AnyOf(parts):
            return any(meets(part, entry) for part in parts)
        case Not(part):
            return not meets(part, entry)
        case Since(at):
            return entry.logged_at >= stamp(at)
        case Before(at):
            return entry.logged_at < stamp(at)
        case Places(first, end):
            return first <= entry.place < end
        case _:
            assert_never(query)


def leaves_of(query: Query) -> Iterator[Term | Since | Before | Places]:
    """Yield every condition of a query that has no parts, in order."""
    match query:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves_of(part)
        case Not(part):
            yield from leaves_of(part)
        case Term() | Since() | Before() | Places():
            yield query
        case _:
            assert_never(query)
