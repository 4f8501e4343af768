"""The index itself: its tables, and how it catches up with the log."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, UniqueConstraint

from service.audit import store
from service.audit.search.postings import CHUNK, joined
from service.audit.search.terms import EDITION, MAX_VALUE_CHARACTERS, terms_of
from service.audit.store import Content
from service.database import Database, driver, metadata

_Id = BigInteger().with_variant(Integer, "sqlite")
log_term = Table(
    "log_term",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("name", String(40), nullable=False),
    Column("value", String(MAX_VALUE_CHARACTERS), nullable=False),
    # The first and the last chunk in which an entry has it.
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    UniqueConstraint("name", "value"),
)
log_posting = Table(
    "log_posting",
    metadata,
    # In this order, whatever is written is written to the end.
    Column("chunk", BigInteger, primary_key=True, autoincrement=False),
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("places", Content, nullable=False),
    sqlite_with_rowid=False,
)
log_indexed = Table(
    "log_indexed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("terms", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("edition", Integer, nullable=False),
)

_ROWS = 1024
_KNOWN_TERMS = 20_000
_BEGINNINGS = "%.*"
Pair = tuple[str, str]
"""A name and a value."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a term: its id, and the first and last chunk that have it."""

    id: int
    first: int
    last: int


class Posting(NamedTuple):
    """Where in a chunk a term is, as it is stored."""

    chunk: int
    term: int
    places: bytes


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a name, and the first and last chunk that have it."""

    value: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Standing:
    size: int
    terms: int


class TermIndex:
    """Brings the index up to date. Safe to use from many threads and processes.

    The row of `log_indexed` is the lock, so that each entry is indexed once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Of terms that come again and again; those of one request are asked for once.
        self._ids: OrderedDict[Pair, int] = OrderedDict()
        self._generation = -1

    def catch_up(self, size: int) -> None:
        """Return once the first `size` entries can be found.

        Raises:
            DatabaseUnavailable: they cannot now.
        """
        with self._database.reading() as conn:
            indexed = size_of(conn)
        while indexed < size:
            before, indexed = indexed, self.advance()
            if indexed == before:
                return  # entries are gone; `Rehash` says which

    def advance(self, rows: int = _ROWS) -> int:
        """Index up to `rows` more entries; return how many entries are indexed now."""
        with self._database.transaction() as conn:
            stands = self._locked(conn)
            # Not beyond the chunk, so that a term has one row to be written.
            room = CHUNK - stands.size % CHUNK
            leaves = list(store.leaves(conn, stands.size, min(rows, room)))
            if not leaves:
                return stands.size
            after = leaves[-1][0] + 1
            chunks: dict[int, dict[Pair, list[int]]] = {}
            for place, _, leaf in leaves:
                # Where entries are gone, the rows may reach into other chunks.
                chunk, offset = divmod(place, CHUNK)
                found = chunks.setdefault(chunk, {})
                for pair in terms_of(leaf):
                    found.setdefault(pair, []).append(offset)
            terms = stands.terms
            for chunk, found in chunks.items():
                terms = self._write(conn, chunk, found, terms)
            store.run(conn, "UPDATE log_indexed SET size = ?, terms = ?", [(after, terms)])
        return after

    def forget(self) -> None:
        """Throw the index away; it is made anew, from the first entry on."""
        with self._database.transaction() as conn:
            self._locked(conn)
            _emptied(conn)

    def _locked(self, conn: Connection) -> _Standing:
        """Return how much there is; nobody else indexes until the commit."""
        store.run(
            conn,
            "INSERT INTO log_indexed (id, size, terms, generation, edition)"
            " VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(0, 0, 0, EDITION)],
        )
        lock = " FOR UPDATE" if conn.dialect.name == "postgresql" else ""
        query = f"SELECT size, terms, generation, edition FROM log_indexed WHERE id = 1{lock}"  # noqa: S608 - constants
        size, terms, generation, edition = store.rows(conn, query).fetchone()
        if edition != EDITION:
            _emptied(conn)
            size, generation = 0, generation + 1
        if generation != self._generation:
            # Another process threw the index away, and with it the ids that we know.
            self._ids.clear()
            self._generation = generation
        return _Standing(int(size), int(terms))

    def _write(
        self, conn: Connection, chunk: int, found: Mapping[Pair, list[int]], terms: int
    ) -> int:
        """Write one chunk's share; return how many terms there are now."""
        ids = self._known(conn, found)
        fresh = [pair for pair in found if pair not in ids]
        stored = _stored(conn, chunk, list(ids.values()))
        moved = [(chunk, number) for number in ids.values() if number not in stored]
        ids |= {pair: number for number, pair in enumerate(fresh, terms)}
        _insert(
            conn,
            "log_term (id, name, value, first, last)",
            ("bigint", "text", "text", "bigint", "bigint"),
            [(ids[pair], *pair, chunk, chunk) for pair in fresh],
        )
        store.run(conn, "UPDATE log_term SET last = ? WHERE id = ?", moved)
        _insert(
            conn,
            "log_posting (chunk, term, places)",
            ("bigint", "bigint", "bytea"),
            sorted(
                (chunk, ids[pair], joined(stored.get(ids[pair], b""), offsets))
                for pair, offsets in found.items()
            ),
            "ON CONFLICT (chunk, term) DO UPDATE SET places = excluded.places",
        )
        return terms + len(fresh)

    def _known(self, conn: Connection, wanted: Iterable[Pair]) -> dict[Pair, int]:
        ids: dict[Pair, int] = {}
        unknown: list[Pair] = []
        for pair in wanted:
            known = self._ids.get(pair)
            if known is None:
                unknown.append(pair)
            else:
                ids[pair] = known
        stored = {pair: known.id for pair, known in terms(conn, unknown).items()}
        for pair, number in stored.items():
            self._ids[pair] = number
            if len(self._ids) > _KNOWN_TERMS:
                self._ids.popitem(last=False)
        return ids | stored


def size_of(conn: Connection) -> int:
    """Return how many entries are indexed."""
    query = "SELECT size FROM log_indexed WHERE id = 1 AND edition = ?"
    row = store.rows(conn, query, (EDITION,)).fetchone()
    return int(row[0]) if row else 0


def terms(conn: Connection, wanted: Sequence[Pair]) -> dict[Pair, Known]:
    """Return those terms that any entry has."""
    if not wanted:
        return {}
    columns = "t.name, t.value, t.id, t.first, t.last"
    if conn.dialect.name == "postgresql":
        query = (
            f"SELECT {columns} FROM unnest(?::text[], ?::text[]) w(name, value)"  # noqa: S608 - constants
            " JOIN log_term t ON t.name = w.name AND t.value = w.value"
        )
        names, values = (list(part) for part in zip(*wanted, strict=True))
        found = store.rows(conn, query, (names, values))
    else:
        # CROSS JOIN: SQLite then walks the list and not the table.
        query = (
            f"SELECT {columns} FROM json_each(?) w CROSS JOIN log_term t"  # noqa: S608 - constants
            " ON t.name = w.value ->> 0 AND t.value = w.value ->> 1"
        )
        found = store.rows(conn, query, (json.dumps(wanted),))
    return {(row[0], row[1]): Known(int(row[2]), int(row[3]), int(row[4])) for row in found}


def values_of(conn: Connection, name: str) -> dict[int, Value]:
    """Return every value that an entry has under this name, by the id of the term."""
    query = "SELECT id, value, first, last FROM log_term WHERE name = ? AND value NOT LIKE ?"
    rows = store.rows(conn, query, (name, _BEGINNINGS))
    return {int(row[0]): Value(str(row[1]), int(row[2]), int(row[3])) for row in rows}


def postings(conn: Connection, first: int, end: int, numbers: Sequence[int]) -> Iterator[Posting]:
    """Yield the postings of the terms `numbers` in the chunks from `first` up to `end`."""
    chunks = range(first, end)
    if conn.dialect.name == "postgresql":
        query = "SELECT chunk, term, places FROM log_posting WHERE chunk = ANY(?) AND term = ANY(?)"
        found = store.rows(conn, query, (list(chunks), list(numbers)))
    else:
        query = (
            "SELECT p.chunk, p.term, p.places FROM json_each(?) c CROSS JOIN json_each(?) t"
            " CROSS JOIN log_posting p ON p.chunk = c.value AND p.term = t.value"
        )
        found = store.rows(conn, query, (json.dumps(list(chunks)), json.dumps(list(numbers))))
    for chunk, term, places in found:
        yield Posting(int(chunk), int(term), store.content(places))


def every_posting(conn: Connection, first: int, end: int) -> Iterator[Posting]:
    """Yield the postings of all terms in the chunks from `first` up to `end`."""
    query = "SELECT chunk, term, places FROM log_posting WHERE chunk >= ? AND chunk < ?"
    for chunk, term, places in store.rows(conn, query, (first, end)):
        yield Posting(int(chunk), int(term), store.content(places))


def _stored(conn: Connection, chunk: int, numbers: Sequence[int]) -> dict[int, bytes]:
    if not numbers:
        return {}
    return {term: places for _, term, places in postings(conn, chunk, chunk + 1, numbers)}


def _emptied(conn: Connection) -> None:
    store.rows(conn, "DELETE FROM log_posting")
    store.rows(conn, "DELETE FROM log_term")
    store.rows(
        conn,
        "UPDATE log_indexed SET size = 0, generation = generation + 1, edition = ?",
        (EDITION,),
    )


def _insert(
    conn: Connection,
    into: str,
    types: Sequence[str],
    values: Sequence[tuple[object, ...]],
    conflict: str = "",
) -> None:
    """Insert many rows; on PostgreSQL as arrays, in one statement."""
    if not values:
        return
    if conn.dialect.name != "postgresql":
        marks = ",".join("?" * len(types))
        driver(conn).executemany(f"INSERT INTO {into} VALUES ({marks}) {conflict}", values)  # noqa: S608 - constants
        return
    store.insert_arrays(conn, into, types, values, conflict)
