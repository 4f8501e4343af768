"""From every entry to one root: what a tile of 256 entries has in common is computed once."""

from collections.abc import Sequence

from service.audit import merkle
from service.audit.errors import LogTampered
from service.audit.merkle import TILE_HEIGHT, TILE_WIDTH, Tiles

_NOT_THE_ROOT = "an entry does not lead to the signed root"


class Paths:
    """Inclusion proofs in the tree of `size` entries, each shown to lead to `root`.

    Quick for entries in order; one tile is remembered.
    """

    def __init__(self, size: int, root: bytes) -> None:
        self._size = size
        self._root = root
        self._number = -1
        self._rows: list[list[bytes]] = []
        self._above: Sequence[bytes] = ()

    def path(self, index: int, tiles: Tiles) -> Sequence[bytes]:
        """Return the hashes from entry `index` to the root.

        Raises:
            LogTampered: the stored tiles lead elsewhere.
            BadProof: the tree has no such entry, or a tile is too short.
        """
        number, offset = divmod(index, TILE_WIDTH)
        if (number + 1) * TILE_WIDTH > self._size:
            return self._single(index, tiles)
        if number != self._number:
            self._open(number, tiles)
        beside = [row[(offset >> height) ^ 1] for height, row in enumerate(self._rows)]
        return (*beside, *self._above)

    def _single(self, index: int, tiles: Tiles) -> Sequence[bytes]:
        """Return a path in the last tile, which is not full."""
        path = merkle.inclusion_proof(index, self._size, tiles)
        (leaf,) = merkle.leaves_between(index, index + 1, tiles)
        self._require_root(leaf, index, path)
        return path

    def _open(self, number: int, tiles: Tiles) -> None:
        first = number * TILE_WIDTH
        whole = merkle.inclusion_proof(first, self._size, tiles)
        row = merkle.leaves_between(first, first + TILE_WIDTH, tiles)
        # The rows are made from the leaves, so one proof that holds shows that all do.
        self._require_root(row[0], first, whole)
        self._rows = []
        while len(row) > 1:
            self._rows.append(row)
            row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        self._above = whole[TILE_HEIGHT:]
        self._number = number

    def _require_root(self, leaf: bytes, index: int, path: Sequence[bytes]) -> None:
        if merkle.root_from_inclusion(leaf, index, self._size, path) != self._root:
            raise LogTampered(_NOT_THE_ROOT)
