"""The log as static resources (C2SP tlog-tiles): addresses, hash tiles and bundles of entries.

A tile is named `<level>/<number>`, a bundle `entries/<number>`; `.p/<width>` follows where it is
not full. The number stands in groups of three digits, all but the last with an `x`: 1234067 is
`x001/x234/067`. Every resource has one name, so that a cache holds it once.

Source: https://c2sp.org/tlog-tiles.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from service.audit import merkle, pruning, store
from service.audit.errors import LogTampered, NoTile
from service.audit.merkle import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH

_MAX_LEVEL = 63
_LENGTH_BYTES = 2
# Fifteen digits: no log grows that long, and a database is never asked for more than it can count.
_NUMBER = r"(?P<number>(?:x[0-9]{3}/){0,4}[0-9]{3})"
_ADDRESS = re.compile(
    rf"(?P<level>entries|0|[1-9][0-9]?)/{_NUMBER}(?:\.p/(?P<width>[1-9][0-9]{{0,2}}))?"
)


@dataclass(frozen=True, slots=True)
class HashTile:
    """Hashes of height `8 * level`, `width` of them (1 to 256), from `256 * number` on."""

    level: int
    number: int
    width: int = TILE_WIDTH

    def __str__(self) -> str:
        return f"{self.level}/{_numbered(self.number, self.width)}"


@dataclass(frozen=True, slots=True)
class EntryBundle:
    """`width` entries (1 to 256) from `256 * number` on."""

    number: int
    width: int = TILE_WIDTH

    def __str__(self) -> str:
        return f"entries/{_numbered(self.number, self.width)}"


def parsed(address: str) -> HashTile | EntryBundle:
    """Return what `address` names, such as `0/x001/234` or `entries/000.p/17`.

    Raises:
        NoTile: it is not the one way to write a name.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise NoTile("no tile has such a name")
    number = int(found["number"].replace("x", "").replace("/", ""))
    width = int(found["width"]) if found["width"] else TILE_WIDTH
    named: HashTile | EntryBundle = (
        EntryBundle(number, width)
        if found["level"] == "entries"
        else HashTile(int(found["level"]), number, width)
    )
    # The comparison refuses leading groups of zeros, and a full tile that is called partial.
    too_high = isinstance(named, HashTile) and named.level > _MAX_LEVEL
    if str(named) != address or width > TILE_WIDTH or too_high:
        raise NoTile("no tile has such a name")
    return named


def hash_tile(size: int, wanted: HashTile, tiles: merkle.Tiles) -> bytes:
    """Return the hashes of a tile in the tree of `size` entries; a wider one is cut.

    Raises:
        NoTile: the tree has not so many of them.
        LogTampered: the stored tile is shorter than the tree says.
    """
    if wanted.number * TILE_WIDTH + wanted.width > size >> (TILE_HEIGHT * wanted.level):
        raise NoTile("the log is not that long yet")
    stored = tiles(wanted.level, wanted.number)[: wanted.width * HASH_BYTES]
    if len(stored) != wanted.width * HASH_BYTES:
        raise LogTampered(f"tile {wanted.level}/{wanted.number} is too short")
    return stored


def entry_bundle(conn: Connection, size: int, wanted: EntryBundle, tiles: merkle.Tiles) -> bytes:
    """Return the entries of a bundle, each held against its hash in the tree.

    Raises:
        NoTile: the log has not so many entries.
        LogTampered: one is gone, or is not the one that was logged.
    """
    hashes = hash_tile(size, HashTile(0, wanted.number, wanted.width), tiles)
    first = wanted.number * TILE_WIDTH
    rows = list(store.leaves(conn, first, wanted.width))
    is_whole = [place for place, _, _ in rows] == list(range(first, first + wanted.width))
    if not is_whole and first < pruning.missing(conn).below:
        raise NoTile("entries of this bundle were pruned; the hashes are still there")
    leaves = [leaf for _, _, leaf in rows]
    if b"".join(map(merkle.leaf_hash, leaves)) != hashes:
        raise LogTampered(f"the entries from {first} on are not those that were logged")
    return bundled(leaves)


def bundled(entries: Iterable[bytes]) -> bytes:
    """Return entries one after another, each behind its length in two bytes, big-endian."""
    return b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in entries)


def unbundled(bundle: bytes) -> Sequence[bytes]:
    """Return the entries of a bundle.

    Raises:
        NoTile: it does not end where its last entry does, or holds over 256.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
        if start > len(bundle) or at > len(bundle) or len(entries) > TILE_WIDTH:
            raise NoTile("not a bundle of entries")
    return entries


def _numbered(number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return name if width == TILE_WIDTH else f"{name}.p/{width}"
