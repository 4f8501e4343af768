"""What the log answers: entries and proofs. Nothing here writes."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection, select

from service.audit import merkle, store
from service.audit.entries import Json
from service.audit.errors import LogTampered, NoEntry
from service.audit.store import log_entry

MAX_PAGE = 1000
# 8 KiB each. A proof in a log of a million entries reads three.
_CACHED_TILES = 1024


class Order(StrEnum):
    """In which direction a page runs."""

    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries, all conditions together; what is empty is no condition.

    Attributes:
        after: index of the last entry of the page before.
        limit: 1 to 1,000.
    """

    type: str = ""
    request: str = ""
    actor: str = ""
    project: str = ""
    decision: str = ""
    after: int | None = None
    limit: int = 100
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry as the log holds it. `leaf` is the bytes whose hash is in the tree.

    Attributes:
        at, logged_at: when it happened, and when it was logged; RFC 3339, UTC.
        commitments: by field, for values that `AuditLog.disclose` opens.
    """

    index: int
    key: str
    type: str
    at: str
    logged_at: str
    request: str
    actor: str
    project: str
    facts: Mapping[str, Json]
    commitments: Mapping[str, str]
    leaf: bytes = field(repr=False)


class TileCache:
    """Tiles that are full, and so never change again. Safe to share between threads."""

    def __init__(self) -> None:
        self._full: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def reading(self, conn: Connection) -> merkle.Tiles:
        """Return the tiles as `conn` sees them."""

        def tile(level: int, number: int) -> bytes:
            known = self._full.get((level, number))
            if known is not None:
                return known
            hashes = store.tile(conn, level, number)
            if len(hashes) == merkle.TILE_WIDTH * merkle.HASH_BYTES:
                if len(self._full) >= _CACHED_TILES:
                    self._full.popitem(last=False)
                self._full[level, number] = hashes
            return hashes

        return tile


def entry(conn: Connection, index: int) -> LoggedEntry:
    """Return one entry.

    Raises:
        NoEntry: there is none at this index.
        LogTampered: it is not the one that was logged.
    """
    leaf = store.leaf(conn, index) if index >= 0 else None
    if leaf is None:
        raise NoEntry(f"no entry {index}")
    offset = index % merkle.TILE_WIDTH * merkle.HASH_BYTES
    hashes = store.tile(conn, 0, index // merkle.TILE_WIDTH)
    if hashes[offset : offset + merkle.HASH_BYTES] != merkle.leaf_hash(leaf):
        raise LogTampered(f"entry {index} is not the one that was logged")
    return parsed(index, leaf)


def entries(conn: Connection, wanted: EntryFilter) -> list[LoggedEntry]:
    """Return one page."""
    query = select(log_entry.c.place, log_entry.c.leaf)
    for name in ("type", "request", "actor", "project", "decision"):
        value = getattr(wanted, name)
        if value:
            query = query.where(log_entry.c[name] == value)
    place = log_entry.c.place
    newest = wanted.order is Order.NEWEST
    if wanted.after is not None:
        query = query.where(place < wanted.after if newest else place > wanted.after)
    query = query.order_by(place.desc() if newest else place)
    rows = conn.execute(query.limit(max(1, min(wanted.limit, MAX_PAGE))))
    return [parsed(row.place, row.leaf) for row in rows]


def parsed(index: int, leaf: bytes) -> LoggedEntry:
    """Return a leaf's content."""
    try:
        content = json.loads(leaf)
        return LoggedEntry(
            index=index,
            key=content["key"],
            type=content["type"],
            at=content["at"],
            logged_at=content["logged_at"],
            request=content["request"],
            actor=content["actor"],
            project=content["project"],
            facts=content["facts"],
            commitments=content["commitments"],
            leaf=leaf,
        )
    except (ValueError, KeyError, TypeError) as broken:
        raise LogTampered(f"entry {index} cannot be read") from broken
