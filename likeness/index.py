"""Everybody's templates in memory, searched exhaustively. Imports faiss, alone.

The database is the truth and this a cache of it, brought up to date before every answer. Flat
search misses nobody; approximate indexes lose half of the mates of a face that has aged or turned.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness import store, templates
from likeness.faces import LikenessError
from likeness.vault import DIMENSIONS, Vault

CANARIES = 16
# Above it a rebuild is as fast, and SQLite takes no more than 32,766 ids in one statement.
PATCH_AT_MOST = 1000
# Float32 sums over 128 products; our vectors have a norm of about 1.4.
CANARY_TOLERANCE = 1e-3
# Where readers do not see one moment throughout, somebody may enrol between two statements.
ATTEMPTS = 5


class IndexUnusable(LikenessError):
    """The index is behind the database, of another model, or fails its own test: no answer."""


@dataclass(frozen=True, slots=True)
class Hit:
    """How near a face came to the nearest template of one likeness."""

    likeness: str
    distance: float


class FlatIndex:
    """Nearest templates, exactly. Not safe for several threads; `LikenessIndex` is."""

    def __init__(self) -> None:
        self._faiss = faiss.IndexIDMap2(faiss.IndexFlatL2(DIMENSIONS))
        self._owners: dict[int, str] = {}
        self._numbers: dict[str, list[int]] = {}
        self._next = 0

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    def add(self, likeness: str, vectors: NDArray[np.float32]) -> None:
        """Add the templates of a likeness, shape (templates, 128)."""
        numbers = list(range(self._next, self._next + len(vectors)))
        self._next += len(vectors)
        self._faiss.add_with_ids(
            np.ascontiguousarray(vectors, np.float32), np.asarray(numbers, np.int64)
        )
        self._owners.update(dict.fromkeys(numbers, likeness))
        self._numbers.setdefault(likeness, []).extend(numbers)

    def remove(self, likeness: str) -> None:
        """Forget a likeness; nothing happens if it is not here."""
        numbers = self._numbers.pop(likeness, [])
        if numbers:
            self._faiss.remove_ids(faiss.IDSelectorBatch(np.asarray(numbers, np.int64)))
        for number in numbers:
            del self._owners[number]

    def search(self, vector: NDArray[np.float32], within: float) -> list[Hit]:
        """Return every likeness at most `within` away, nearest first, each once."""
        if not len(self):
            return []
        query = np.ascontiguousarray(vector, np.float32).reshape(1, DIMENSIONS)
        # A little further than asked, so that rounding in faiss cannot lose one on the edge.
        _, squares, numbers = self._faiss.range_search(query, within**2 * 1.01 + 1e-6)
        nearest: dict[str, float] = {}
        for square, number in zip(squares, numbers, strict=True):
            owner = self._owners[int(number)]
            away = float(np.sqrt(max(float(square), 0.0)))
            if away <= within:
                nearest[owner] = min(away, nearest.get(owner, away))
        found = [Hit(likeness, away) for likeness, away in nearest.items()]
        return sorted(found, key=lambda hit: (hit.distance, hit.likeness))

    def test(self) -> None:
        """Find some of its own templates again, each at distance 0.

        Raises:
            IndexUnusable: one was not found, or the sizes do not agree.
        """
        if len(self._owners) != len(self):
            raise IndexUnusable(f"{len(self)} templates are indexed, {len(self._owners)} known")
        step = max(1, len(self._owners) // CANARIES)
        for number in sorted(self._owners)[::step]:
            hits = self.search(self._faiss.reconstruct(number), CANARY_TOLERANCE)
            if self._owners[number] not in {hit.likeness for hit in hits}:
                raise IndexUnusable("the index does not find its own templates; restart to rebuild")


class LikenessIndex:
    """The index of all active likenesses, as new as the connection that asks. Thread-safe.

    Args:
        model: SHA-256 of the recogniser; a template of another is an error, not a miss.
        empty: makes an index without templates.
    """

    def __init__(
        self, vault: Vault, model: str, *, empty: Callable[[], FlatIndex] = FlatIndex
    ) -> None:
        self._vault = vault
        self._model = model
        self._empty = empty
        self._lock = threading.Lock()
        self._flat = empty()
        self._at: store.Change | None = None

    def search(
        self, conn: Connection, vectors: Sequence[NDArray[np.float32]], within: float
    ) -> tuple[list[list[Hit]], str]:
        """Return for each vector everybody within that distance, and the checkpoint asked.

        Raises:
            IndexUnusable: it cannot be brought to where `conn` is, or fails its test.
            TemplateDamaged, VaultKeyUnusable: a template does not open.
        """
        with self._lock:
            self._refresh(conn)
            return [self._flat.search(vector, within) for vector in vectors], self._checkpoint()

    def warm(self, conn: Connection) -> None:
        """Bring the index to where `conn` is, so that the next search has little left to open.

        Raises:
            IndexUnusable, TemplateDamaged, VaultKeyUnusable: as `search`.
        """
        with self._lock:
            self._refresh(conn)

    def _refresh(self, conn: Connection) -> None:
        """Bring the index to where `conn` is, again if the registry changed in the meantime."""
        for _ in range(ATTEMPTS):
            newest = store.last_change(conn)
            if newest == self._at or self._reached(conn, newest):
                return
        raise IndexUnusable(f"the registry changed {ATTEMPTS} times while it was read; ask again")

    def _reached(self, conn: Connection, newest: store.Change | None) -> bool:
        """Read what changed until `newest`; False if something else changed meanwhile."""
        behind, here = self._flat, self._at
        self._flat, self._at = self._empty(), None
        # Whatever stops this halfway makes the next caller build the index anew. It is also built
        # anew where `conn` does not see the change we came from: that was rolled back, or `conn`
        # reads an older moment than another reader did.
        changed = None
        if here is not None and store.change_at(conn, here.seq) == here:
            changed = sorted(store.changed_since(conn, here.seq))
        if changed is None or len(changed) > PATCH_AT_MOST:
            fresh = self._built(conn, None, self._empty())
        else:
            for likeness in changed:
                behind.remove(likeness)
            fresh = self._built(conn, changed, behind)
        fresh.test()
        expected = templates.count_templates(conn)
        if store.last_change(conn) != newest:
            return False
        if len(fresh) != expected:
            raise IndexUnusable("an active likeness has lost a template; revoke it and enrol again")
        self._flat, self._at = fresh, newest
        return True

    def _built(
        self, conn: Connection, likenesses: Sequence[str] | None, flat: FlatIndex
    ) -> FlatIndex:
        for template in templates.templates_of(conn, likenesses):
            if template.model != self._model:
                raise IndexUnusable(
                    f"{template.likeness} was enrolled with another model; enrol it again"
                )
            opened = self._vault.open(template.sealed, template.likeness, template.model)
            flat.add(template.likeness, opened[np.newaxis])
        return flat

    def _checkpoint(self) -> str:
        return f"likeness:{0 if self._at is None else self._at.seq}"
