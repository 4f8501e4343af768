"""The log's tables, and every statement that reads or writes them.

What runs once per batch goes to the driver as it is: SQLAlchemy would cost as much as the rest of
an append.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    cast,
    func,
    select,
)

from service.audit.entries import Prepared
from service.database import driver, metadata

# SQLite keeps rows in the order of a column only when its type is INTEGER.
_Place = BigInteger().with_variant(Integer, "sqlite")


class Content(LargeBinary):
    """Bytes as they are stored. Whoever tampers with SQLite can leave text or a number there."""

    def column_expression(self, column: ColumnElement[bytes]) -> ColumnElement[bytes]:
        """Ask for bytes: the driver gives up on text that is not UTF-8."""
        return cast(column, LargeBinary)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], bytes]:  # noqa: ARG002 - SQLAlchemy's signature
        return content


def content(stored: object) -> bytes:
    """Return a column's bytes; those of a text, and nothing for what cannot have any."""
    if isinstance(stored, str):
        return stored.encode(errors="surrogateescape")
    return bytes(stored) if isinstance(stored, (bytes, memoryview)) else b""


log_entry = Table(
    "log_entry",
    metadata,
    Column("place", _Place, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("leaf", Content, nullable=False),
)
log_tile = Table(
    "log_tile",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", Content, nullable=False),
)
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
)
log_intake = Table(
    "log_intake",
    metadata,
    Column("place", _Place, primary_key=True),
    Column("key", String(200), nullable=False),
    Column("head", Content, nullable=False),
    Column("tail", Content, nullable=False),
    Column("signature", Content, nullable=False),
    Column("refused", Boolean, nullable=False, default=False),
    UniqueConstraint("key"),
)
log_value = Table(
    "log_value",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("field", String(100), primary_key=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("sealed", Content, nullable=False),
)

_INSERT = "INSERT INTO log_entry (place, key, leaf) VALUES (?, ?, ?)"
_AT_ONCE = 16
_INSERT_MANY = _INSERT + ", (?, ?, ?)" * (_AT_ONCE - 1)
_STAGED = "place, key, head, tail, signature, refused"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest checkpoint, a signed note."""

    checkpoint: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A row that a transaction left for the sequencer: a leaf but for its time, and who vouches.

    Attributes:
        signature: by the log's key, over `head` and `tail`.
    """

    place: int
    key: str
    head: bytes
    tail: bytes
    signature: bytes
    refused: bool


@dataclass(frozen=True, slots=True)
class Sealed:
    """A private value as it is stored: salt and text, sealed for its subject."""

    key: str
    field: str
    subject: str
    sealed: bytes


def head(conn: Connection) -> Head | None:
    """Return the head row."""
    note = _note(rows(conn, "SELECT checkpoint FROM log_head WHERE id = 1").fetchone())
    return None if note is None else Head(note)


def locked_head(conn: Connection) -> Head | None:
    """Return the head row; nobody else appends until this transaction ends."""
    if conn.dialect.name == "sqlite":
        return head(conn)  # the transaction holds the only write lock
    query = "SELECT checkpoint FROM log_head WHERE id = 1 FOR UPDATE"
    note = _note(rows(conn, query).fetchone())
    return None if note is None else Head(note)


def create_head(conn: Connection, note: str) -> None:
    """Write the first checkpoint unless another process just has."""
    run(
        conn,
        "INSERT INTO log_head (id, checkpoint) VALUES (1, ?) ON CONFLICT DO NOTHING",
        [(note,)],
    )


def replace_head(conn: Connection, note: str) -> None:
    """Write the newest checkpoint over the one before."""
    run(conn, "UPDATE log_head SET checkpoint = ? WHERE id = 1", [(note,)])


def tile(conn: Connection, level: int, number: int) -> bytes:
    """Return a tile's hashes, or nothing where there is none."""
    row = rows(
        conn, "SELECT hashes FROM log_tile WHERE level = ? AND number = ?", (level, number)
    ).fetchone()
    return content(row[0]) if row else b""


def write_tiles(conn: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Write tiles over what is there."""
    conflict = "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
    into = "log_tile (level, number, hashes)"
    values = [(level, number, hashes) for (level, number), hashes in tiles.items()]
    if conn.dialect.name == "postgresql":
        insert_arrays(conn, into, ("int", "bigint", "bytea"), values, conflict)
        return
    run(conn, f"INSERT INTO {into} VALUES (?, ?, ?) {conflict}", values)  # noqa: S608 - constants


def write_entries(
    conn: Connection, first: int, entries: Iterable[Prepared], leaves: Iterable[bytes]
) -> None:
    """Write entries at `first` and onwards."""
    values = [
        (place, one.key, leaf)
        for place, (one, leaf) in enumerate(zip(entries, leaves, strict=True), first)
    ]
    if conn.dialect.name == "postgresql":
        insert_arrays(conn, "log_entry (place, key, leaf)", ("bigint", "text", "bytea"), values)
        return
    whole = len(values) - len(values) % _AT_ONCE
    # One statement for many rows holds the interpreter's lock once, not once for each.
    for start in range(0, whole, _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        rows(conn, _INSERT_MANY, tuple(chain.from_iterable(some)))
    run(conn, _INSERT, values[whole:])


def places(conn: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Return where those of `keys` that are in the log are."""
    if not keys:
        return {}
    if conn.dialect.name == "postgresql":
        query = "SELECT key, place FROM log_entry WHERE key = ANY(?)"
        return {row[0]: row[1] for row in rows(conn, query, (list(keys),))}
    # One text whatever their number, so that SQLite prepares it once.
    query = "SELECT key, place FROM log_entry WHERE key IN (SELECT value FROM json_each(?))"
    return {row[0]: row[1] for row in rows(conn, query, (json.dumps(keys),))}


def leaves(conn: Connection, first: int, limit: int) -> Iterator[tuple[int, str, bytes]]:
    """Yield place, key and leaf of up to `limit` entries from `first` on, in order."""
    query = "SELECT place, key, leaf FROM log_entry WHERE place >= ? ORDER BY place LIMIT ?"
    for place, key, stored in rows(conn, query, (first, limit)):
        # What is checked here costs a third of hashing a million entries.
        yield place, key, stored if type(stored) is bytes else content(stored)


def leaf(conn: Connection, place: int) -> bytes | None:
    """Return the leaf's bytes."""
    row = rows(conn, "SELECT leaf FROM log_entry WHERE place = ?", (place,)).fetchone()
    return content(row[0]) if row else None


def last_entry(conn: Connection) -> tuple[int, bytes]:
    """Return the place of the last entry, or -1, and its leaf."""
    query = "SELECT place, leaf FROM log_entry ORDER BY place DESC LIMIT 1"
    row = rows(conn, query).fetchone()
    return (int(row[0]), content(row[1])) if row else (-1, b"")


def last_place(conn: Connection) -> int:
    """Return the place of the last entry, or -1."""
    last = conn.execute(select(func.max(log_entry.c.place))).scalar()
    return -1 if last is None else int(last)


def stage(conn: Connection, entry: Prepared, signature: bytes) -> bool:
    """Write an entry for the sequencer; False when its key is staged already."""
    done = rows(
        conn,
        "INSERT INTO log_intake (key, head, tail, signature, refused)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (entry.key, entry.head, entry.tail, signature, False),
    )
    return bool(done.rowcount == 1)


def staged(conn: Connection, limit: int) -> list[Staged]:
    """Return entries that wait, in order."""
    query = f"SELECT {_STAGED} FROM log_intake WHERE NOT refused ORDER BY place LIMIT ?"  # noqa: S608
    return [_staged(row) for row in rows(conn, query, (limit,))]


def staged_by_key(conn: Connection, key: str) -> Staged | None:
    """Return the entry that waits under this key, refused ones too."""
    query = f"SELECT {_STAGED} FROM log_intake WHERE key = ?"  # noqa: S608 - constants
    row = rows(conn, query, (key,)).fetchone()
    return _staged(row) if row else None


def unstage(conn: Connection, taken: Iterable[int]) -> None:
    """Remove entries from the intake."""
    run(conn, "DELETE FROM log_intake WHERE place = ?", [(place,) for place in taken])


def unstage_key(conn: Connection, key: str) -> None:
    """Remove the entry that waits under this key."""
    run(conn, "DELETE FROM log_intake WHERE key = ?", [(key,)])


def refuse_staged(conn: Connection, refused: Iterable[int]) -> None:
    """Keep entries in the intake that can never be integrated, and pass them over."""
    run(conn, "UPDATE log_intake SET refused = TRUE WHERE place = ?", [(one,) for one in refused])


def write_values(conn: Connection, values: Iterable[Sealed]) -> None:
    """Write sealed private values."""
    run(
        conn,
        "INSERT INTO log_value (key, field, subject, sealed) VALUES (?, ?, ?, ?)",
        [(one.key, one.field, one.subject, one.sealed) for one in values],
    )


def values(conn: Connection, key: str) -> dict[str, Sealed]:
    """Return an entry's private values by field."""
    found = conn.execute(select(log_value).where(log_value.c.key == key))
    return {row.field: Sealed(row.key, row.field, row.subject, row.sealed) for row in found}


def _note(row: Sequence[Any] | None) -> str | None:
    if row is None:
        return None
    # Whoever tampers with SQLite can leave bytes there: no note, and no error of another kind.
    return row[0] if isinstance(row[0], str) else ""


def _staged(row: Sequence[Any]) -> Staged:
    place, key, before, after, signature, refused = row
    parts = (content(before), content(after), content(signature))
    return Staged(place, key, *parts, bool(refused))


def rows(conn: Connection, query: str, values: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - the driver's cursor
    """Return the driver's cursor over one statement; `?` marks a value on both databases."""
    cursor = driver(conn)
    cursor.execute(_marked(conn, query), values)
    return cursor


def run(conn: Connection, query: str, values: Sequence[tuple[object, ...]]) -> None:
    """Run one statement for each of `values`."""
    if len(values) == 1:
        rows(conn, query, values[0])
    elif values:
        driver(conn).executemany(_marked(conn, query), values)


def insert_arrays(
    conn: Connection,
    into: str,
    types: Sequence[str],
    values: Sequence[tuple[object, ...]],
    conflict: str = "",
) -> None:
    """Insert many rows on PostgreSQL: one array for each column, one round trip for all."""
    arrays = ",".join(f"%b::{kind}[]" for kind in types)
    columns = tuple(list(column) for column in zip(*values, strict=True))
    query = f"INSERT INTO {into} SELECT * FROM unnest({arrays}) {conflict}"  # noqa: S608 - constants
    driver(conn).execute(query, columns)


def _marked(conn: Connection, query: str) -> str:
    return query.replace("?", "%s") if conn.dialect.name == "postgresql" else query
