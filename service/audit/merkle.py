"""The Merkle tree of RFC 6962 in tiles of 256 hashes (C2SP tlog-tiles). Pure; SHA-256.

A hash of height `h` covers `2**h` entries. Tile `(level, n)` holds the hashes of height
`8 * level` numbered `256 * n` to `256 * n + 255`, one after the other, 32 bytes each; the last
tile of a level may be shorter. Every other hash is computed from these.

Source: RFC 6962 section 2.1, RFC 9162 section 2.1, https://c2sp.org/tlog-tiles.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from service.audit.errors import BadProof

HASH_BYTES = 32
TILE_WIDTH = 256
TILE_HEIGHT = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()

Tiles = Callable[[int, int], bytes]
"""Return tile `(level, n)`: at least the hashes that the tree of the size in question has."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash above two hashes of equal height, or of a larger and a smaller one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Edge:
    """The right edge of a growing tree: all that an append needs. Changes in place.

    Attributes:
        size: entries so far.
        peaks: hashes of the complete subtrees, the largest (leftmost) first.
        partial: by level, the last tile as far as it is filled, under 256 hashes.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)
    partial: list[bytearray] = field(default_factory=list)

    def extend(self, leaves: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
        """Append leaf hashes; return the tiles that changed, as they are now."""
        changed: dict[tuple[int, int], bytes] = {}
        peaks: list[bytes] = []
        row = list(leaves)
        height, added = 0, len(row)
        # Row by row: the new hashes of one height, then those above them.
        while row:
            first = self.size >> height
            if height % TILE_HEIGHT == 0:
                self._fill(height // TILE_HEIGHT, first // TILE_WIDTH, row, changed)
            if first & 1:
                row.insert(0, self.peaks.pop())
            if len(row) & 1:
                peaks.append(row.pop())
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
            height += 1
        self.peaks += reversed(peaks)
        self.size += added
        return changed

    def root(self) -> bytes:
        """Return the root hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def _fill(
        self, level: int, number: int, hashes: list[bytes], changed: dict[tuple[int, int], bytes]
    ) -> None:
        """Put hashes into the tiles of `level`, of which tile `number` is the first to grow."""
        if level == len(self.partial):
            self.partial.append(bytearray())
        tile = self.partial[level]
        tile += b"".join(hashes)
        while len(tile) >= TILE_WIDTH * HASH_BYTES:
            changed[level, number] = bytes(tile[: TILE_WIDTH * HASH_BYTES])
            del tile[: TILE_WIDTH * HASH_BYTES]
            number += 1
        if tile:
            changed[level, number] = bytes(tile)


def edge_of(size: int, tiles: Tiles) -> Edge:
    """Return the right edge of the tree with `size` entries, read from its tiles."""
    edge = Edge(size)
    level = 0
    while size >> (TILE_HEIGHT * level):
        hashes = size >> (TILE_HEIGHT * level)
        width = hashes % TILE_WIDTH
        stored = tiles(level, hashes // TILE_WIDTH) if width else b""
        edge.partial.append(bytearray(stored[: width * HASH_BYTES]))
        level += 1
    start = 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            edge.peaks.append(_complete(start, height, tiles))
            start += 1 << height
    return edge


def root_of(size: int, tiles: Tiles) -> bytes:
    """Return the root of the tree with `size` entries."""
    return _subtree(0, size, tiles) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, tiles: Tiles) -> tuple[bytes, ...]:
    """Return the hashes that lead from entry `index` to the root of the first `size` entries.

    Raises:
        BadProof: the tree of that size has no such entry.
    """
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} entries has no entry {index}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(_subtree(middle, end, tiles))
            end = middle
            continue
        path.append(_subtree(start, middle, tiles))
        start = middle
    return tuple(reversed(path))


def leaves_between(first: int, end: int, tiles: Tiles) -> list[bytes]:
    """Return the hashes of entries `first` up to `end`.

    Raises:
        BadProof: a tile is shorter than the tree of `end` entries has it.
    """
    hashes: list[bytes] = []
    for number in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
        start = max(0, first - number * TILE_WIDTH)
        stop = min(TILE_WIDTH, end - number * TILE_WIDTH)
        tile = tiles(0, number)[: stop * HASH_BYTES]
        if len(tile) != stop * HASH_BYTES:
            raise BadProof(f"tile 0/{number} is too short")
        hashes += [tile[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(start, stop)]
    return hashes


def consistency_proof(old: int, new: int, tiles: Tiles) -> tuple[bytes, ...]:
    """Return the hashes that show the first `old` of `new` entries to be unchanged.

    Raises:
        BadProof: not `0 <= old <= new`.
    """
    if not 0 <= old <= new:
        raise BadProof(f"a tree does not grow from {old} to {new} entries")
    if old in {0, new}:
        return ()
    start, end, path, whole = 0, new, [], True
    while old != end:
        middle = start + _left(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, tiles))
            end = middle
            continue
        path.append(_subtree(start, middle, tiles))
        start, whole = middle, False
    # The old root itself is left out where it is a complete subtree on the left edge: the
    # verifier has it.
    if not whole:
        path.append(_subtree(start, end, tiles))
    return tuple(reversed(path))


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that the proof leads to; compare it with a signed one (RFC 9162 2.1.3.2).

    Raises:
        BadProof: the proof has the wrong length for this place.
    """
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} entries has no entry {index}")
    number, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise BadProof("the proof is too long")
        if number & 1 or number == last:
            root = node_hash(step, root)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            root = node_hash(root, step)
        number >>= 1
        last >>= 1
    if last:
        raise BadProof("the proof is too short")
    return root


def check_consistency(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]
) -> None:
    """Return if the tree `(size, root)` of `old` is a beginning of `new` (RFC 9162 2.1.4.2).

    Raises:
        BadProof: it is not shown to be one.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 <= old_size <= new_size:
        raise BadProof(f"a tree does not grow from {old_size} to {new_size} entries")
    if old_size in {0, new_size}:
        if proof or old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise BadProof("two roots of one tree differ")
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise BadProof("the proof is too short")
    if _replayed(old_size, new_size, path) != (old_root, new_root):
        raise BadProof("the old tree is not a beginning of the new one")


def _replayed(old_size: int, new_size: int, path: list[bytes]) -> tuple[bytes, bytes]:
    number, last = old_size - 1, new_size - 1
    while number & 1:
        number >>= 1
        last >>= 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            raise BadProof("the proof is too long")
        if number & 1 or number == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        number >>= 1
        last >>= 1
    if last:
        raise BadProof("the proof is too short")
    return old, new


def _left(count: int) -> int:
    """Return how many of `count` > 1 entries lie in the left subtree: a power of two."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(start: int, end: int, tiles: Tiles) -> bytes:
    """Return the hash over entries `start` to `end`; `start` is aligned to the larger half."""
    count = end - start
    height = count.bit_length() - 1
    if count == 1 << height:
        return _complete(start, height, tiles)
    middle = start + _left(count)
    return node_hash(_subtree(start, middle, tiles), _subtree(middle, end, tiles))


def _complete(start: int, height: int, tiles: Tiles) -> bytes:
    """Return the hash of height `height` over the entries from `start`, a multiple of its width."""
    level, within = divmod(height, TILE_HEIGHT)
    first = start >> (TILE_HEIGHT * level)
    number, offset = divmod(first, TILE_WIDTH)
    tile = tiles(level, number)
    wanted = tile[offset * HASH_BYTES : (offset + (1 << within)) * HASH_BYTES]
    if len(wanted) != HASH_BYTES << within:
        raise BadProof(f"tile {level}/{number} is too short")
    hashes = [wanted[at : at + HASH_BYTES] for at in range(0, len(wanted), HASH_BYTES)]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]
