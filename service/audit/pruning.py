"""Entries that are no longer kept (C2SP tlog-tiles, "pruning"): their leaves go, the tree stays.

Every hash stays in its tile, so roots, receipts and proofs are as they were. That entries are
gone, and which, is itself an entry `log.pruned`, written in the transaction that drops them; it
has a hash of all places that are empty then. The table here only finds those entries again.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    delete,
    insert,
    select,
)

from service.audit import merkle, store
from service.audit.errors import NoEntry, Pruned
from service.audit.store import log_entry, log_value
from service.database import metadata

PRUNED = "log.pruned"

log_pruned = Table(
    "log_pruned",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("below", BigInteger, nullable=False),
    Column("dropped", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Missing:
    """What all prunings together have dropped, as the log says it.

    Attributes:
        below: every missing entry stood before this index.
        dropped: how many there are.
        places_sha256: of their places, as `places_hash` has them; empty if none are missing.
    """

    below: int
    dropped: int
    places_sha256: str


def missing(conn: Connection) -> Missing:
    """Return how far entries were dropped, and how many.

    A row that no entry bears out counts for nothing.
    """
    below = dropped = 0
    said, newest = "", -1
    rows = conn.execute(select(log_pruned)).all()
    places = store.places(conn, [row.key for row in rows])
    for row in rows:
        place = places.get(row.key, -1)
        borne_out = _bears_out(conn, place, row.below, row.dropped)
        if borne_out is None:
            continue
        below, dropped = max(below, row.below), dropped + row.dropped
        # Each names all that are gone by then, so that the last one counts.
        said, newest = (borne_out, place) if place > newest else (said, newest)
    return Missing(below, dropped, said)


def places_hash(places: Iterable[int]) -> str:
    """Return SHA-256 over places in order, eight bytes each, big-endian, as hex."""
    return hashlib.sha256(b"".join(one.to_bytes(8, "big") for one in places)).hexdigest()


def empty_places(conn: Connection, below: int) -> Iterator[int]:
    """Yield every place before `below` that has no entry."""
    expected = 0
    for place in (*places(conn, 0, below), below):
        yield from range(expected, place)
        expected = place + 1


def absent(conn: Connection, index: int) -> NoEntry:
    """Return why there is no leaf at `index`: it was pruned, or there never was one."""
    if 0 <= index < missing(conn).below:
        return Pruned(f"entry {index} was pruned; its archive has it, and its proofs still hold")
    return NoEntry(f"no entry {index}")


def candidates(conn: Connection, below: int) -> Iterator[tuple[int, bytes]]:
    """Yield place and leaf of every entry before `below` that has no private value any more."""
    has_values = select(log_value.c.key).where(log_value.c.key == log_entry.c.key).exists()
    after = -1
    while True:
        query = (
            select(log_entry.c.place, log_entry.c.leaf)
            .where(log_entry.c.place > after, log_entry.c.place < below, ~has_values)
            .order_by(log_entry.c.place)
            .limit(1000)
        )
        rows = conn.execute(query).all()
        if not rows:
            return
        for row in rows:
            yield row.place, row.leaf
        after = rows[-1].place


def places(conn: Connection, first: int, end: int) -> list[int]:
    """Return the places of the entries from `first` up to `end` that are still there."""
    query = select(log_entry.c.place).where(log_entry.c.place >= first, log_entry.c.place < end)
    return list(conn.execute(query).scalars())


def drop(conn: Connection, places: Collection[int]) -> int:
    """Delete entries; return how many there were. The entry that says so is the caller's."""
    dropped = 0
    some = sorted(places)
    for start in range(0, len(some), 1000):
        gone = delete(log_entry).where(log_entry.c.place.in_(some[start : start + 1000]))
        dropped += conn.execute(gone).rowcount
    return dropped


def note(conn: Connection, key: str, *, below: int, dropped: int) -> None:
    """Remember a pruning; its entry, under `key`, is staged in the same transaction."""
    conn.execute(insert(log_pruned).values(key=key, below=below, dropped=dropped))


def hashes(conn: Connection, places: Sequence[int]) -> list[bytes]:
    """Return the leaf hashes at `places` as the tiles have them; zeros where they do not."""
    width, known = merkle.HASH_BYTES, dict[int, bytes]()
    found = []
    for place in places:
        number, offset = divmod(place, merkle.TILE_WIDTH)
        if number not in known:
            known = {number: store.tile(conn, 0, number)}
        found.append(known[number][offset * width : (offset + 1) * width].ljust(width, b"\0"))
    return found


def _bears_out(conn: Connection, place: int, below: int, dropped: int) -> str | None:
    """Return the hash in the entry of a pruning; None if it is not what the row says."""
    leaf = None if place < 0 else store.leaf(conn, place)
    if leaf is None or hashes(conn, [place]) != [merkle.leaf_hash(leaf)]:
        return None
    # Its hash is in the tree, so it is JSON of ours.
    said = json.loads(leaf)
    facts = said["facts"]
    if said["type"] != PRUNED or (facts["below"], facts["dropped"]) != (below, dropped):
        return None
    return str(facts.get("places_sha256", ""))
