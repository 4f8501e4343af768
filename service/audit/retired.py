"""Private values whose term is over: dropped one by one, and the log says which.

A value that is merely gone is a sign of tampering. So each sweep writes an entry
`retention.swept` in the transaction that drops the values, and in it the entry and the field of
each: a number alone would cover for any other value. The table here only finds those entries
again; what counts is what they say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from service.audit import reading, store
from service.audit.entries import Json, stamp
from service.audit.errors import LogTampered, NoEntry
from service.audit.reading import LoggedEntry
from service.audit.store import log_entry, log_value
from service.database import metadata

SWEPT = "retention.swept"

log_retention = Table(
    "log_retention",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("below", BigInteger, nullable=False),
    # Where the next sweep begins: what a hold kept lies above.
    Column("resume", BigInteger, nullable=False),
    Column("dropped", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A private value that is still there, and the entry it belongs to."""

    field: str
    subject: str
    entry: LoggedEntry


def retired(conn: Connection, least: int = -1) -> frozenset[tuple[int, str]]:
    """Return which values the sweeps that went beyond `least` have dropped: index and field.

    A row that no entry bears out counts for nothing: whoever deletes a value and writes a row
    has not written the log.
    """
    keys = conn.execute(select(log_retention.c.key).where(log_retention.c.below > least))
    places = store.places(conn, keys.scalars().all())
    return frozenset(one for place in places.values() for one in _swept(conn, place))


def is_retired(conn: Connection, index: int, field: str) -> bool:
    """Whether a sweep dropped the value `field` of the entry at `index`."""
    return (index, field) in retired(conn, index)


def resume(conn: Connection) -> int:
    """Return the index from which on the next sweep looks."""
    return int(conn.execute(select(func.max(log_retention.c.resume))).scalar() or 0)


def note(conn: Connection, key: str, *, below: int, resume: int, dropped: int) -> None:
    """Remember a sweep; its entry, under `key`, is staged in the same transaction."""
    conn.execute(insert(log_retention).values(key=key, below=below, resume=resume, dropped=dropped))


def look_again(conn: Connection) -> None:
    """Let the next sweep begin at the first entry: a hold that kept values has ended."""
    conn.execute(update(log_retention).values(resume=0))


def first_since(conn: Connection, at: datetime) -> int:
    """Return the index of the first entry that was logged at `at` or later; the size if none."""
    wanted = stamp(at.astimezone(UTC))
    low, high = 0, store.last_place(conn) + 1
    # The time of the log never goes backwards, so a search by halves finds it.
    while low < high:
        middle = (low + high) // 2
        leaf = store.leaf(conn, middle)
        if leaf is None or reading.parsed(middle, leaf).logged_at < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def kept(conn: Connection, first: int, below: int, limit: int) -> tuple[list[Kept], int]:
    """Return about `limit` values of the entries from `first` on, before `below`, in order.

    The number is the index before which all have been returned; no entry is cut in two. What an
    entry does not commit to is none of its values.

    Raises:
        LogTampered: an entry is not the one that was logged: it may look older than it is.
    """
    query = (
        select(log_entry.c.place, log_value.c.field, log_value.c.subject)
        .join(log_value, log_value.c.key == log_entry.c.key)
        .where(log_entry.c.place >= first, log_entry.c.place < below)
        .order_by(log_entry.c.place, log_value.c.field)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    if len(rows) < limit:
        end = below
    elif (last := rows[-1].place) == rows[0].place:
        return kept(conn, first, below, limit * 2)
    else:
        end = last
    entries = {
        place: reading.entry(conn, place)
        for place in dict.fromkeys(row.place for row in rows if row.place < end)
    }
    found = [
        Kept(row.field, row.subject, entries[row.place])
        for row in rows
        if row.place < end and row.field in entries[row.place].commitments
    ]
    return found, end


def drop(conn: Connection, values: Sequence[Kept]) -> int:
    """Delete values; return how many there were. The entry that says so is the caller's."""
    dropped = 0
    for one in values:
        gone = conn.execute(
            delete(log_value).where(
                log_value.c.key == one.entry.key, log_value.c.field == one.field
            )
        )
        dropped += gone.rowcount
    return dropped


def entries_of(conn: Connection, subject: str) -> Iterator[LoggedEntry]:
    """Yield the entries that have a private value of `subject`, those that wait too."""
    keys = select(log_value.c.key).where(log_value.c.subject == subject).distinct()
    found = select(log_entry.c.place, log_entry.c.leaf).where(log_entry.c.key.in_(keys))
    for row in conn.execute(found.order_by(log_entry.c.place)):
        yield reading.parsed(row.place, row.leaf)
    for key in conn.execute(keys).scalars().all():
        waiting = store.staged_by_key(conn, key)
        if waiting is not None:
            yield reading.parsed(-1, waiting.head + waiting.tail)


def said_of(values: Sequence[Kept]) -> Json:
    """Return what a sweep's entry says of the values that it drops: which, by index."""
    fields: dict[int, list[Json]] = {}
    for one in values:
        fields.setdefault(one.entry.index, []).append(one.field)
    return [[index, *names] for index, names in fields.items()]


def _swept(conn: Connection, place: int) -> Iterator[tuple[int, str]]:
    try:
        said = reading.entry(conn, place)
    except (LogTampered, NoEntry):
        return
    # Its hash is in the tree, so it is of ours, unless it is no sweep.
    which = said.facts.get("values") if said.type == SWEPT else None
    for one in which if isinstance(which, list) else ():
        if isinstance(one, list) and isinstance(one[0], int):
            yield from ((one[0], str(name)) for name in one[1:])
