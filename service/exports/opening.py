"""Beginning an export: what is in it is counted, summed up and logged before the first byte.

The entry `audit.exported` holds how many entries there are and one hash over all of them; it is
in the tree under the checkpoint that the export carries. So whoever has the log's key sees that
the file is the one that was made, to the last line, whatever format the entries are in.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from service.audit import checkpoint as notes
from service.audit import merkle
from service.audit.entries import Entry, Private
from service.audit.log import AuditLog
from service.audit.reading import LoggedEntry, TileCache
from service.audit.search.finding import Finder
from service.audit.search.language import INDEX, TIME, printed
from service.audit.search.query import (
    EVERYTHING,
    All,
    AnyOf,
    Not,
    Places,
    Query,
    Term,
    leaves_of,
)
from service.audit.search.terms import NO_PROJECT
from service.audit.values import Disclosure
from service.database import Database
from service.exports.paths import Paths
from service.exports.words import Asked, ExportBroken, Exporter, Format, Proofs, Row
from service.ids import new_id
from service.wire import JSON

EXPORTED = "audit.exported"
QUERY = "query"
"""The private value that says what was asked for: it may name people."""

_PAGE = 1000
_STATEMENTS = All(
    (
        Not(Term("mode", "shadow")),
        Not(Term("mode", "dry_run")),
        AnyOf(
            (
                All((Term("type", "decision.made"), Term("verdict", "block"))),
                Term("type", "review.refused"),
            )
        ),
    )
)
"""What a statement of reasons is owed for: refusals that count, by a rule or by a person."""


@dataclass(frozen=True, slots=True)
class Books:
    """The log, and the database that it is in."""

    log: AuditLog
    database: Database


@dataclass(frozen=True, slots=True)
class Opened:
    """An export that is in the log, and not written yet.

    Attributes:
        text: the whole query, as canonical text.
        count: how many entries meet it among the first `below`.
        size, root: what the checkpoint states; it covers `exported`, too.
        exported: the entry that says what this export is.
        beat: told how many entries more were written, now and then.
    """

    books: Books
    asked: Asked
    query: Query
    text: str
    count: int
    below: int
    note: str
    size: int
    root: bytes
    exported: LoggedEntry
    path: tuple[bytes, ...] = field(repr=False)
    salt: str = field(repr=False)
    beat: Callable[[int], None] = field(default=lambda _: None, repr=False)

    def rows(self) -> Iterator[Row]:
        """Yield every entry, oldest first, each held against the tree.

        Between pages no transaction is open: whoever reads slowly keeps nobody waiting.

        Raises:
            ExportBroken: there are not as many any more as were announced.
            LogTampered, IndexBroken: an entry is not the one that was logged, or asked for.
            DatabaseUnavailable: it cannot be read on.
        """
        paths, cache, count = Paths(self.size, self.root), TileCache(), 0
        after: int | None = None
        with_paths = self.asked.proofs is Proofs.EACH and self.asked.format is Format.JSONL
        while True:
            with self.books.log.finding() as (finder, read):
                places = finder.places(self.query, newest=False, after=after, limit=_PAGE)
                tiles = cache.reading(finder.conn)
                page = [
                    Row(entry, paths.path(entry.index, tiles) if with_paths else ())
                    for entry in read(self.query, places)
                ]
            yield from page
            self.beat(len(page))
            count += len(page)
            if len(places) < _PAGE:
                break
            after = places[-1]
        if count != self.count:
            raise ExportBroken(f"{self.count} entries were announced, and there are {count} now")

    def envelope(self) -> JSON:
        """Return what stands before the entries, whatever the format."""
        return {
            "object": "audit.export",
            "version": 1,
            "format": self.asked.format.value,
            "log": self.books.log.origin,
            "made_at": self.exported.at,
            "project": self.asked.project,
            "query": self.text,
            "query_salt": notes.base64_of(bytes.fromhex(self.salt)),
            "entries": self.count,
            "below": self.below,
            "proofs": self._proofs.value,
            "tree_size": self.size,
            "checkpoint": self.note,
            "keys": list(self.books.log.verifier_keys()),
            "exported": {
                "index": self.exported.index,
                "leaf": self.exported.leaf.decode(),
                "proof": [notes.base64_of(one) for one in self.path],
            },
            "not_proved": self._not_proved(),
        }

    @property
    def _proofs(self) -> Proofs:
        return self.asked.proofs if self.asked.format is Format.JSONL else Proofs.NONE

    def _not_proved(self) -> list[str]:
        said = []
        if self.count != self.below:
            said.append("that no entry met the query besides these: only the log says so")
        if self.asked.format is not Format.JSONL:
            said.append("that the rows say what the entries say: export as jsonl to check them")
        elif self._proofs is Proofs.NONE:
            said.append("each entry by itself: only that the log vouches for all of them together")
        return said


def opened(books: Books, asked: Asked, exporter: Exporter) -> Opened:
    """Return an export once it is in the log who makes it, of what and how much.

    Raises:
        AuditError, DatabaseUnavailable: there is no export.
    """
    query = asked.query
    if asked.format is Format.DSA_SOR:
        query = _STATEMENTS if query == EVERYTHING else All((query, _STATEMENTS))
    text = printed(query) or f"{INDEX}>=0"
    with books.log.finding() as (finder, _):
        below = finder.size
        bound = All((query, _within(asked.project), Places(0, below)))
        count, summed = _summed(finder, bound)
    facts = {
        "format": asked.format.value,
        "entries": count,
        "below": below,
        "entries_sha256": summed,
        "whose": "project" if asked.project else "all",
        "by": _names(query),
    }
    entry = Entry(
        key=new_id("act", exporter.at),
        type=EXPORTED,
        at=exporter.at,
        actor=exporter.actor,
        project=asked.project,
        facts=facts,
        values=(Private(QUERY, exporter.actor, text),),
    )
    index = books.log.append(entry).index
    # Newer than the append: the export's own entry is under it.
    note = books.log.checkpoint()
    stated = notes.stated(notes.parts(note)[0], books.log.origin)
    return Opened(
        books,
        asked,
        bound,
        text,
        count,
        below,
        note,
        stated.size,
        stated.root,
        books.log.entry(index),
        books.log.inclusion_proof(index, stated.size),
        _disclosed(books, index).salt,
    )


def closing(count: int, **more: int) -> JSON:
    """Return what stands after the entries: without it, the file was cut off."""
    return {"object": "audit.export.end", "entries": count, **more}


def _within(project: str) -> Query:
    if not project:
        return EVERYTHING
    # What belongs to no project, such as a change of policy, concerns everybody.
    return AnyOf((Term("project", project), Term("project", NO_PROJECT)))


def _names(query: Query) -> list[str]:
    """Return by what was asked, without the values, which may name people."""
    names = {
        one.name if isinstance(one, Term) else INDEX if isinstance(one, Places) else TIME
        for one in leaves_of(query)
    }
    return sorted(names)


def _summed(finder: Finder, query: Query) -> tuple[int, str]:
    """Return how many entries there are, and one hash over where each is and its own hash."""
    tiles, summed, count = TileCache().reading(finder.conn), hashlib.sha256(), 0
    number, tile, width = -1, b"", merkle.HASH_BYTES
    for place in finder.every_place(query):
        if place // merkle.TILE_WIDTH != number:
            number = place // merkle.TILE_WIDTH
            tile = tiles(0, number)
        at = place % merkle.TILE_WIDTH * width
        summed.update(place.to_bytes(8, "big") + tile[at : at + width])
        count += 1
    return count, summed.hexdigest()


def _disclosed(books: Books, index: int) -> Disclosure:
    with books.database.reading() as conn:
        return books.log.disclose(conn, index, QUERY)
