"""Finding every entry that belongs to a request, whichever of its ids somebody has in hand."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, select

from service import jobs, reviews
from service.audit.errors import NoEntry
from service.audit.log import AuditLog, Read
from service.audit.reading import LoggedEntry
from service.audit.search.finding import Finder
from service.audit.search.query import All, AnyOf, Places, Query, Term
from service.audit.search.terms import NO_PROJECT
from service.database import Database
from service.jobs import Job, UnknownJob, tables
from service.reviews import Ruling, UnknownReview
from service.story.wording import DECISION

MOST = 2000
"""How many entries a story has at most; it says so where there are more."""

# Each round follows the ids that the one before has found; nothing known needs more than four.
_ROUNDS = 6
_BY_PREFIX = {
    "req": "request",
    "dec": "decision",
    "video": "job",
    "rev": "review",
    "apl": "appeal",
    "app": "appeal",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHAPE = re.compile(r"[!-~]{1,200}")
_FOLLOWED = {
    "decision": "decision",
    "allowed_by": "decision",
    "job": "job",
    "review": "review",
    "appeal": "appeal",
    "content_sha256": "content",
}
_ERASED = ("erasure.done", "erasure.replayed")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What belongs to one request, in the log's order.

    Attributes:
        request: its id, or empty where no entry names one.
        job: its row, if there is one.
        waits: ids of reviews that nobody has decided.
        erasures: of people that it is about, since.
        is_cut: there are more entries than `MOST`.
    """

    request: str
    project: str
    entries: tuple[LoggedEntry, ...]
    job: Job | None
    waits: tuple[str, ...]
    erasures: tuple[LoggedEntry, ...]
    tree_size: int
    is_cut: bool


def gathered(log: AuditLog, database: Database, wanted: str, project: str) -> Gathered:
    """Return what belongs to a request.

    Args:
        wanted: id of the request, of one of its decisions, of its job, review or appeal, or the
            SHA-256 of what was released.
        project: leave out what belongs to another; empty for everything.

    Raises:
        NoEntry: nothing is known under this id.
    """
    with database.reading() as conn:
        start = _start(conn, wanted)
    # What the database said is in the tree before it is told.
    log.drain()
    with log.finding() as (finder, read):
        found = _Search(finder, read, project)
        entries = found.follow(start)
        erasures = found.erasures(entries)
    if not entries:
        raise NoEntry(f"the log knows no {wanted[:80]}")
    request = next((one.request for one in entries if _is_decision(one)), "") or next(
        (one.request for one in entries if one.request), ""
    )
    with database.reading() as conn:
        job = _job(conn, request, project)
        waits = _waits(conn, job) if job else ()
    return Gathered(
        request,
        next((one.project for one in entries if one.project), ""),
        tuple(entries),
        job,
        waits,
        tuple(erasures),
        finder.size,
        found.is_cut,
    )


class _Search:
    def __init__(self, finder: Finder, read: Read, project: str) -> None:
        self._finder = finder
        self._read = read
        self._within: Query = All()
        if project:
            self._within = AnyOf((Term("project", project), Term("project", NO_PROJECT)))
        self.is_cut = False

    def follow(self, start: frozenset[Term]) -> list[LoggedEntry]:
        """Return the entries that hang together with `start`, in order."""
        terms, entries = set(start), list[LoggedEntry]()
        for _ in range(_ROUNDS):
            entries = self._entries(AnyOf(tuple(sorted(terms, key=str))))
            more = {term for entry in entries for term in _links(entry)}
            if more <= terms:
                break
            terms |= more
        return entries

    def erasures(self, entries: list[LoggedEntry]) -> list[LoggedEntry]:
        """Return what was erased later of those whom the request is about."""
        people = {one.actor for one in entries if one.actor and _is_decision(one)}
        if not people:
            return []
        about = AnyOf(tuple(Term("subject", one) for one in sorted(people)))
        kinds = AnyOf(tuple(Term("type", kind) for kind in _ERASED))
        later = Places(entries[0].index, self._finder.size)
        return self._entries(All((about, kinds, later)))

    def _entries(self, query: Query) -> list[LoggedEntry]:
        asked = All((query, self._within))
        places = list(islice(self._finder.every_place(asked), MOST + 1))
        self.is_cut = self.is_cut or len(places) > MOST
        return list(self._read(asked, places[:MOST]))


def _start(conn: Connection, wanted: str) -> frozenset[Term]:
    """Return what to look for first; a job and a review name their request in the database."""
    if _SHA256.fullmatch(wanted):
        return frozenset({Term("content", wanted)})
    name = _BY_PREFIX.get(wanted.partition("_")[0])
    if name is None or not _SHAPE.fullmatch(wanted):
        raise NoEntry(
            "this is no id of a request (req_…), decision (dec_…), video (video_…), review (rev_…)"
            " or appeal, and no SHA-256"
        )
    found = {Term(name, wanted)}
    with suppress(UnknownReview, UnknownJob):
        if name == "review":
            review = reviews.get(conn, wanted)
            found |= {Term("decision", review.decision_id), Term("job", review.job)}
        if name == "job":
            found.add(Term("request", jobs.get(conn, wanted).request_id))
    return frozenset(found)


def _links(entry: LoggedEntry) -> Iterator[Term]:
    if entry.request:
        yield Term("request", entry.request)
    for fact, name in _FOLLOWED.items():
        value = entry.facts.get(fact)
        if isinstance(value, str) and value:
            yield Term(name, value)
    # What is about this entry names it by its number.
    yield Term("entry", str(entry.index))


def _job(conn: Connection, request: str, project: str) -> Job | None:
    column = tables.job.c
    found = tables.jobs_where(conn, column.request_id == request, order=column.seq.asc(), limit=1)
    if not found or (project and found[0].project != project):
        return None
    return found[0]


def _waits(conn: Connection, job: Job) -> tuple[str, ...]:
    table = reviews.review
    query = select(table.c.id).where(table.c.job == job.id, table.c.ruling == Ruling.OPEN)
    return tuple(conn.execute(query).scalars())


def _is_decision(entry: LoggedEntry) -> bool:
    return entry.type == DECISION
