"""The log's tables, and every statement that reads or writes them.

What runs once per batch goes to the driver as it is: SQLAlchemy would cost as much as the rest of
an append.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Index,
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
_SEARCHED = ("request", "actor", "project", "decision")


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
    Column("type", String(200), nullable=False, index=True),
    *(Column(name, String(200), nullable=False) for name in _SEARCHED),
    Column("logged_at", String(27), nullable=False),
    Column("leaf", Content, nullable=False),
)
for _name in _SEARCHED:
    _filled = log_entry.c[_name] != ""
    Index(f"log_entry_{_name}", log_entry.c[_name], sqlite_where=_filled, postgresql_where=_filled)
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

_COLUMNS = "key, type, request, actor, project, decision"
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
    note = _note(_rows(conn, "SELECT checkpoint FROM log_head WHERE id = 1").fetchone())
    return None if note is None else Head(note)


def locked_head(conn: Connection) -> Head | None:
    """Return the head row; nobody else appends until this transaction ends."""
    if conn.dialect.name == "sqlite":
        return head(conn)  # the transaction holds the only write lock
    query = "SELECT checkpoint FROM log_head WHERE id = 1 FOR UPDATE"
    note = _note(_rows(conn, query).fetchone())
    return None if note is None else Head(note)


def create_head(conn: Connection, note: str) -> None:
    """Write the first checkpoint unless another process just has."""
    _run(
        conn,
        "INSERT INTO log_head (id, checkpoint) VALUES (1, ?) ON CONFLICT DO NOTHING",
        [(note,)],
    )


def replace_head(conn: Connection, note: str) -> None:
    """Write the newest checkpoint over the one before."""
    _run(conn, "UPDATE log_head SET checkpoint = ? WHERE id = 1", [(note,)])


def tile(conn: Connection, level: int, number: int) -> bytes:
    """Return a tile's hashes, or nothing where there is none."""
    row = _rows(
        conn, "SELECT hashes FROM log_tile WHERE level = ? AND number = ?", (level, number)
    ).fetchone()
    return content(row[0]) if row else b""


def write_tiles(conn: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Write tiles over what is there."""
    _run(
        conn,
        "INSERT INTO log_tile (level, number, hashes) VALUES (?, ?, ?)"
        " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
        [(level, number, hashes) for (level, number), hashes in tiles.items()],
    )


def write_entries(
    conn: Connection, first: int, entries: Sequence[Prepared], leaves: Sequence[bytes], at: str
) -> None:
    """Write entries at `first` and onwards."""
    _run(
        conn,
        f"INSERT INTO log_entry (place, {_COLUMNS}, logged_at, leaf)"  # noqa: S608 - constants
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (place, one.key, one.type, one.request, one.actor, one.project, one.decision, at, leaf)
            for place, (one, leaf) in enumerate(zip(entries, leaves, strict=True), first)
        ],
    )


def places(conn: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Return where those of `keys` that are in the log are."""
    if not keys:
        return {}
    if conn.dialect.name == "postgresql":
        rows = _rows(conn, "SELECT key, place FROM log_entry WHERE key = ANY(?)", (list(keys),))
        return {key: place for key, place in rows}  # noqa: C416 - rows are not pairs to mypy
    found: dict[str, int] = {}
    # SQLite takes up to 32,766 parameters in one statement.
    for start in range(0, len(keys), 1000):
        some = tuple(keys[start : start + 1000])
        marks = ",".join("?" * len(some))
        query = f"SELECT key, place FROM log_entry WHERE key IN ({marks})"  # noqa: S608 - marks
        found.update({row[0]: row[1] for row in _rows(conn, query, some)})
    return found


def leaf(conn: Connection, place: int) -> bytes | None:
    """Return the leaf's bytes."""
    row = _rows(conn, "SELECT leaf FROM log_entry WHERE place = ?", (place,)).fetchone()
    return content(row[0]) if row else None


def last_place(conn: Connection) -> int:
    """Return the place of the last entry, or -1."""
    last = conn.execute(select(func.max(log_entry.c.place))).scalar()
    return -1 if last is None else int(last)


def stage(conn: Connection, entry: Prepared, signature: bytes) -> bool:
    """Write an entry for the sequencer; False when its key is staged already."""
    done = _rows(
        conn,
        "INSERT INTO log_intake (key, head, tail, signature, refused)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (entry.key, entry.head, entry.tail, signature, False),
    )
    return bool(done.rowcount == 1)


def staged(conn: Connection, limit: int) -> list[Staged]:
    """Return entries that wait, in order."""
    query = f"SELECT {_STAGED} FROM log_intake WHERE NOT refused ORDER BY place LIMIT ?"  # noqa: S608
    return [_staged(row) for row in _rows(conn, query, (limit,))]


def staged_by_key(conn: Connection, key: str) -> Staged | None:
    """Return the entry that waits under this key, refused ones too."""
    query = f"SELECT {_STAGED} FROM log_intake WHERE key = ?"  # noqa: S608 - constants
    row = _rows(conn, query, (key,)).fetchone()
    return _staged(row) if row else None


def unstage(conn: Connection, taken: Iterable[int]) -> None:
    """Remove entries from the intake."""
    _run(conn, "DELETE FROM log_intake WHERE place = ?", [(place,) for place in taken])


def unstage_key(conn: Connection, key: str) -> None:
    """Remove the entry that waits under this key."""
    _run(conn, "DELETE FROM log_intake WHERE key = ?", [(key,)])


def refuse_staged(conn: Connection, refused: Iterable[int]) -> None:
    """Keep entries in the intake that can never be integrated, and pass them over."""
    _run(conn, "UPDATE log_intake SET refused = TRUE WHERE place = ?", [(one,) for one in refused])


def write_values(conn: Connection, values: Iterable[Sealed]) -> None:
    """Write sealed private values."""
    _run(
        conn,
        "INSERT INTO log_value (key, field, subject, sealed) VALUES (?, ?, ?, ?)",
        [(one.key, one.field, one.subject, one.sealed) for one in values],
    )


def values(conn: Connection, key: str) -> dict[str, Sealed]:
    """Return an entry's private values by field."""
    rows = conn.execute(select(log_value).where(log_value.c.key == key))
    return {row.field: Sealed(row.key, row.field, row.subject, row.sealed) for row in rows}


def _note(row: Sequence[Any] | None) -> str | None:
    if row is None:
        return None
    # Whoever tampers with SQLite can leave bytes there: no note, and no error of another kind.
    return row[0] if isinstance(row[0], str) else ""


def _staged(row: Sequence[Any]) -> Staged:
    place, key, before, after, signature, refused = row
    parts = (content(before), content(after), content(signature))
    return Staged(place, key, *parts, bool(refused))


def _rows(conn: Connection, query: str, values: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - the driver's cursor
    cursor = driver(conn)
    cursor.execute(_marked(conn, query), values)
    return cursor


def _run(conn: Connection, query: str, rows: list[tuple[object, ...]]) -> None:
    if len(rows) == 1:
        _rows(conn, query, rows[0])
    elif rows:
        driver(conn).executemany(_marked(conn, query), rows)


def _marked(conn: Connection, query: str) -> str:
    return query.replace("?", "%s") if conn.dialect.name == "postgresql" else query
