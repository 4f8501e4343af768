"""What the log answers: entries and proofs. Nothing here writes."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from sqlalchemy import Connection

from service.audit import merkle, pruning, store
from service.audit.entries import Json
from service.audit.errors import IndexBroken, LogTampered, Pruned
from service.audit.search.query import All, Facts, Query, Term, meets
from service.audit.search.terms import terms_of

MAX_PAGE = 1000
_AT_ONCE = 500
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

    @property
    def query(self) -> Query:
        """The same as a query."""
        named = ("type", "request", "actor", "project", "decision")
        return All(tuple(Term(name, value) for name in named if (value := getattr(self, name))))


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
        NoEntry: there is none at this index, or (`Pruned`) none any more.
        LogTampered: it is not the one that was logged.
    """
    leaf = store.leaf(conn, index) if index >= 0 else None
    if leaf is None:
        raise pruning.absent(conn, index)
    _require_hash(index, leaf, lambda level, number: store.tile(conn, level, number))
    return parsed(index, leaf)


def found(
    conn: Connection, tiles: merkle.Tiles, query: Query, places: Iterable[int]
) -> Iterator[LoggedEntry]:
    """Yield the entries at `places`, each held against its hash in the tree, and the query.

    The index that named the places can hide an entry; it cannot pass one off for another.

    Raises:
        LogTampered: one is gone, or is not the one that was logged.
        IndexBroken: one does not meet the query.
    """
    for index in places:
        leaf = store.leaf(conn, index)
        if leaf is None:
            if isinstance(pruning.absent(conn, index), Pruned):
                continue  # the index was made before that
            raise LogTampered(f"entry {index} is gone")
        _require_hash(index, leaf, tiles)
        entry = parsed(index, leaf)
        if not meets(query, Facts(index, terms_of(leaf), entry.logged_at)):
            raise IndexBroken(f"the search index names entry {index}, which is not what was asked")
        yield entry


def leaves(
    conn: Connection, tiles: merkle.Tiles, places: Iterable[int]
) -> Iterator[tuple[int, bytes]]:
    """Yield the leaves at `places`, in order, each held against its hash in the tree.

    Raises:
        LogTampered: one is gone, or is not the one that was logged.
    """
    remaining = iter(places)
    while some := list(islice(remaining, _AT_ONCE)):
        wanted, first = set(some), some[0]
        # Decisions stand close together: what lies between them is read over.
        stretch = min(some[-1] - first + 1, _AT_ONCE * 4)
        for index, _, leaf in store.leaves(conn, first, stretch):
            if index in wanted:
                wanted.discard(index)
                _require_hash(index, leaf, tiles)
                yield index, leaf
        for index in sorted(wanted):
            yield index, entry(conn, index).leaf


def _require_hash(index: int, leaf: bytes, tiles: merkle.Tiles) -> None:
    offset = index % merkle.TILE_WIDTH * merkle.HASH_BYTES
    hashes = tiles(0, index // merkle.TILE_WIDTH)
    if hashes[offset : offset + merkle.HASH_BYTES] != merkle.leaf_hash(leaf):
        raise LogTampered(f"entry {index} is not the one that was logged")


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
