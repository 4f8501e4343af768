"""Asking the log: pages that do not shift, counts, facets, and a note of who looked at whom.

Whoever asks by a person is named in the log, before the answer, with what was asked by and how
much was found; the person's id is not, since it would say about whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from service.audit.entries import Entry
from service.audit.log import AuditLog
from service.audit.reading import LoggedEntry
from service.audit.search.finding import Facet
from service.audit.search.query import EVERYTHING, All, AnyOf, Places, Query, Term, leaves_of
from service.audit.search.terms import NAMES, NO_PROJECT
from service.ids import new_id

MAX_FACETS = 5
TOP = 20
"""How many values a facet shows; it says how many more there are."""

ABOUT_PEOPLE = frozenset({"actor", "holder", "subject"})
"""Names by which somebody looks at a person."""

# Nearly every entry has another value of these: counting them says nothing.
_NO_FACETS = frozenset(
    {"appeal", "content", "decision", "entry", "erasure", "job", "manifest", "mark", "request"}
    | {"review"}
)
FACETS = tuple(name for name in NAMES if name not in _NO_FACETS)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What somebody asks of the log.

    Attributes:
        project: whose entries, with those that concern everybody; empty for all.
        after: index of the last entry of the page before.
        size: answer about the first so many entries, as the first page did.
        facets: names of `FACETS`.
    """

    query: Query = EVERYTHING
    project: str = ""
    newest: bool = True
    limit: int = 100
    after: int | None = None
    size: int | None = None
    wants_count: bool = False
    facets: tuple[str, ...] = ()

    @property
    def about_people(self) -> tuple[str, ...]:
        """Names by which this looks at people; none for most questions."""
        asked = {one.name for one in leaves_of(self.query) if isinstance(one, Term)}
        return tuple(sorted((asked | set(self.facets)) & ABOUT_PEOPLE))


@dataclass(frozen=True, slots=True)
class Answer:
    """One page, and what was asked besides.

    Attributes:
        tree_size: of how many entries this is true.
        count: how many entries meet the query, if that was asked.
    """

    entries: tuple[LoggedEntry, ...]
    has_more: bool
    tree_size: int
    count: int | None
    facets: Mapping[str, Facet]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and when."""

    actor: str
    project: str
    at: datetime


def answered(log: AuditLog, asked: Inquiry, reader: Reader | None) -> Answer:
    """Return the answer, once the log says who looked if it is about people.

    Args:
        reader: None where the log says so already, for an earlier page.

    Raises:
        LogTampered, IndexBroken: an entry is not the one that was logged, or asked for.
        DatabaseUnavailable, AuditError: there is no answer.
    """
    people = asked.about_people if reader else ()
    with log.finding() as (finder, read):
        size = finder.size if asked.size is None else min(asked.size, finder.size)
        query = All((asked.query, _within(asked.project), Places(0, size)))
        places = finder.places(query, newest=asked.newest, after=asked.after, limit=asked.limit + 1)
        entries = tuple(read(query, islice(places, asked.limit)))
        count = finder.count(query) if asked.wants_count or people else 0
        facets = {name: finder.facet(query, name, TOP) for name in asked.facets}
    if reader and people:
        log.append(_read(reader, people, count, size))
    return Answer(
        entries,
        len(places) > asked.limit,
        size,
        count if asked.wants_count else None,
        facets,
    )


def _within(project: str) -> Query:
    if not project:
        return EVERYTHING
    # What belongs to no project, such as a change of policy, concerns everybody.
    return AnyOf((Term("project", project), Term("project", NO_PROJECT)))


def _read(reader: Reader, people: tuple[str, ...], count: int, size: int) -> Entry:
    return Entry(
        key=new_id("act", reader.at),
        type="audit.read",
        at=reader.at,
        actor=reader.actor,
        project=reader.project,
        facts={"by": list(people), "entries": count, "tree_size": size},
    )
