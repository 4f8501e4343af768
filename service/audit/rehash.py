"""The whole log again from its entries, and every place where it differs from what was signed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

import msgspec
from sqlalchemy import Connection, select

from service.audit import checkpoint as notes
from service.audit import merkle, pruning, reading, retired, store, values
from service.audit.checkpoint import Checkpoint
from service.audit.entries import commitment
from service.audit.errors import BadCheckpoint, LogTampered
from service.audit.store import log_tile, log_value
from service.keys import VerifyingKey
from service.subjects import SubjectErased, SubjectError, SubjectKeys, generation_of

SPLIT_VIEW = "split view: give a checkpoint that somebody else kept, to see that it is one log"
_ROWS = 2000
_MOST_NAMED = 1000
_GONE = bytes(merkle.HASH_BYTES)
ERASED = ("erasure.done", "erasure.replayed")
"""Types of entries that say which subjects' keys were destroyed, as `destroyed` in their facts."""
# A leaf is canonical, and its type stands nearly last.
_ERASED_LEAVES = tuple(f'"type":"{kind}","v":1}}'.encode() for kind in ERASED)
_NO_VALUES = b'","commitments":{},"facts":{'


class Kind(StrEnum):
    """What is wrong."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_MOVED = "entry_moved"
    ENTRY_MISSING = "entry_missing"
    ENTRY_UNSIGNED = "entry_unsigned"
    COLUMN_CHANGED = "column_changed"
    TILE_CHANGED = "tile_changed"
    VALUE_CHANGED = "value_changed"
    HEAD_INVALID = "head_invalid"
    ROOT_DIFFERS = "root_differs"
    HISTORY_REWRITTEN = "history_rewritten"


@dataclass(frozen=True, slots=True)
class Problem:
    """One contradiction. `where` is an index, `level/number` of a tile, or empty."""

    kind: Kind
    where: str
    said: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a full check found.

    Attributes:
        problems: the first 1,000; none if the log is sound.
        erased: private values whose subject's key was destroyed, as it should be possible.
        pruned: entries that are no longer kept, as an entry of the log says.
        retired: private values that a sweep dropped, as an entry of the log says.
        not_checked: what this check cannot say.
    """

    size: int
    root: str
    problems: tuple[Problem, ...]
    erased: int
    pruned: int
    retired: int
    not_checked: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether everything that was checked agrees."""
        return not self.problems


class _Promises(msgspec.Struct, frozen=True):
    """What of a leaf is held against other tables. The rest is only hashed."""

    key: str
    commitments: dict[str, str]


_promises = msgspec.json.Decoder(_Promises).decode


class Rehash:
    """One run over one moment of the log."""

    def __init__(
        self,
        conn: Connection,
        *,
        origin: str,
        keys: Sequence[VerifyingKey],
        subjects: SubjectKeys,
    ) -> None:
        self._conn = conn
        self._origin = origin
        self._keys = keys
        self._subjects = subjects
        self._gone = pruning.missing(conn)
        self._empty: list[range] = []
        # How often each subject's key was destroyed: as many generations of it are gone.
        self._erasures: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._commitments: dict[tuple[str, str], tuple[int, str]] = {}

    def run(self, remembered: Sequence[Checkpoint]) -> Verification:
        """Check everything; `remembered` are checkpoints that others kept or cosigned."""
        # 1. What was signed.
        signed = self._signed()
        # 2. What the entries hash to, against the tiles and the signed root.
        leaves = self._leaves(signed.size)
        root = self._compare(signed, leaves)
        for earlier in remembered:
            self._remembered(earlier, leaves)
        # 3. Private values against their commitments.
        erased, gone = self._values()
        return Verification(
            signed.size,
            root.hex(),
            tuple(self._problems),
            erased,
            sum(map(len, self._empty)),
            gone,
            _not_checked(signed.size, remembered),
        )

    def _signed(self) -> Checkpoint:
        head = store.head(self._conn)
        if head is None:
            self._found(Kind.HEAD_INVALID, "", "there is no head")
        else:
            try:
                return notes.read(head.checkpoint, self._origin, self._keys)
            except BadCheckpoint as wrong:
                self._found(Kind.HEAD_INVALID, "", str(wrong))
        # What is there can still be checked against the tiles.
        return Checkpoint(self._origin, store.last_place(self._conn) + 1, merkle.EMPTY_ROOT)

    def _leaves(self, size: int) -> list[bytes]:
        """Return the hash of every entry in order; a missing one leaves zeros."""
        leaves: list[bytes] = []
        for place, key, leaf in self._rows():
            if place != len(leaves):
                leaves += self._absent(len(leaves), place)
            if place >= size:
                self._found(Kind.ENTRY_UNSIGNED, str(place), "no checkpoint covers the entry")
                continue
            leaves.append(merkle.leaf_hash(leaf))
            # At sight: parsing would take longer than all the hashing. A leaf is canonical, and
            # inside a text a quotation mark has a backslash before it.
            if leaf.endswith(_ERASED_LEAVES):
                self._erasures.update(_destroyed(place, leaf))
            if _NO_VALUES not in leaf or b',"key":"%b","logged_at":"' % key.encode() not in leaf:
                self._read(place, key, leaf)
        for place in range(len(leaves), size):
            self._found(Kind.ENTRY_MISSING, str(place), "the log ends before its checkpoint does")
            leaves.append(_GONE)
        pruned = sum(map(len, self._empty))
        places = pruning.places_hash(chain.from_iterable(self._empty))
        if pruned != self._gone.dropped or (pruned and places != self._gone.places_sha256):
            said = f"{pruned} are gone; the log says {self._gone.dropped} were pruned, and which"
            self._found(Kind.ENTRY_MISSING, f"0..{self._gone.below}", said)
        return leaves

    def _absent(self, first: int, end: int) -> list[bytes]:
        """Return the hashes of entries that are not there: from the tiles where pruned, or zeros.

        Whether the tiles tell the truth is seen where the hashes lead to the signed root.
        """
        pruned = range(first, max(first, min(end, self._gone.below)))
        self._empty.append(pruned)
        for place in range(pruned.stop, end):
            self._found(Kind.ENTRY_MISSING, str(place), "the entry is gone")
        return [*pruning.hashes(self._conn, pruned), *[_GONE] * (end - pruned.stop)]

    def _rows(self) -> Iterator[tuple[int, str, bytes]]:
        after = -1
        while rows := list(store.leaves(self._conn, after + 1, _ROWS)):
            yield from rows
            after = rows[-1][0]

    def _read(self, place: int, key: str, leaf: bytes) -> None:
        try:
            entry = _promises(leaf)
        except msgspec.MsgspecError:
            return  # its hash says so too
        if key != entry.key:
            # An entry could be logged twice, or be taken for another.
            self._found(Kind.COLUMN_CHANGED, str(place), "the key beside the leaf is not its own")
        for name, promised in entry.commitments.items():
            self._commitments[entry.key, name] = (place, promised)

    def _tiles(self) -> dict[tuple[int, int], bytes]:
        rows = self._conn.execute(select(log_tile))
        return {(row.level, row.number): row.hashes for row in rows}

    def _compare(self, signed: Checkpoint, leaves: list[bytes]) -> bytes:
        """Name what differs, and return the root that the entries lead to."""
        edge = merkle.Edge()
        tiles = edge.extend(leaves)
        root = edge.root()
        stored = self._tiles()
        if root != signed.root:
            # The tiles remember the entries: where they still lead to the signed root, they say
            # which entry it is.
            kept = _kept(stored, signed.size)
            self._entries(leaves, kept)
            edge = merkle.Edge()
            tiles = edge.extend(kept)
            if edge.root() != signed.root:
                said = "neither the entries nor the tiles lead to the signed root"
                self._found(Kind.ROOT_DIFFERS, "", said)
        for level, number in sorted(tiles.keys() | stored.keys()):
            if tiles.get((level, number)) != stored.get((level, number)):
                said = "the tile is not what its entries hash to"
                self._found(Kind.TILE_CHANGED, f"{level}/{number}", said)
        return root

    def _entries(self, leaves: list[bytes], kept: list[bytes]) -> None:
        places = {hashed: place for place, hashed in enumerate(leaves)}
        for place, (ours, logged) in enumerate(zip(leaves, kept, strict=True)):
            if ours in (logged, _GONE):
                continue
            if logged in places:
                said = f"the entry that was logged here is now at {places[logged]}"
                self._found(Kind.ENTRY_MOVED, str(place), said)
                continue
            self._found(Kind.ENTRY_CHANGED, str(place), "the entry is not the one that was logged")

    def _remembered(self, earlier: Checkpoint, leaves: list[bytes]) -> None:
        if earlier.size > len(leaves):
            said = f"a checkpoint of {earlier.size} entries was seen; the log has {len(leaves)}"
            self._found(Kind.HISTORY_REWRITTEN, "", said)
            return
        edge = merkle.Edge()
        edge.extend(leaves[: earlier.size])
        if edge.root() != earlier.root:
            said = f"the first {earlier.size} entries are not those of the checkpoint that was seen"
            self._found(Kind.HISTORY_REWRITTEN, "", said)

    def _values(self) -> tuple[int, int]:
        """Check every private value; return how many are erased, and how many were dropped."""
        erased = 0
        left = dict(self._commitments)
        open_value = self._subjects.at_one_moment(self._conn)
        for row in self._conn.execute(select(log_value)).all():
            value = store.Sealed(row.key, row.field, row.subject, row.sealed)
            place, promised = left.pop((row.key, row.field), (-1, ""))
            if place < 0:
                if store.staged_by_key(self._conn, row.key) is None:
                    self._found(Kind.VALUE_CHANGED, "", "a private value belongs to no entry")
                continue
            try:
                opened = values.opened(open_value, value)
            except SubjectErased:
                erased += 1
                if generation_of(value.sealed) > self._erasures[value.subject]:
                    said = f"{row.field}: its key is gone, and no entry says that it was erased"
                    self._found(Kind.VALUE_CHANGED, str(place), said)
                continue
            except SubjectError as broken:
                self._found(Kind.VALUE_CHANGED, str(place), f"{row.field}: {broken}")
                continue
            if commitment(opened.salt, opened.text) != promised:
                said = f"{row.field} is not what the entry commits to"
                self._found(Kind.VALUE_CHANGED, str(place), said)
        return erased, self._dropped(left)

    def _dropped(self, left: Mapping[tuple[str, str], tuple[int, str]]) -> int:
        """Return how many of the missing values a sweep dropped; name those that none did."""
        swept, dropped = retired.retired(self._conn) if left else frozenset(), 0
        for (_, name), (place, _) in left.items():
            if (place, name) in swept:
                dropped += 1
                continue
            self._found(Kind.VALUE_CHANGED, str(place), f"{name} was deleted, not erased")
        return dropped

    def _found(self, kind: Kind, where: str, said: str) -> None:
        if len(self._problems) < _MOST_NAMED:
            self._problems.append(Problem(kind, where, said))


def _destroyed(place: int, leaf: bytes) -> list[str]:
    try:
        subjects = reading.parsed(place, leaf).facts.get("destroyed")
    except LogTampered:
        return []  # its hash says so too
    return [str(one) for one in subjects] if isinstance(subjects, list) else []


def _not_checked(size: int, remembered: Sequence[Checkpoint]) -> tuple[str, ...]:
    if not remembered:
        return (SPLIT_VIEW,)
    held = max(one.size for one in remembered)
    return (f"split view after the first {held} entries",) if held < size else ()


def _kept(stored: dict[tuple[int, int], bytes], size: int) -> list[bytes]:
    """Return the hashes of entries as the lowest tiles have them, zeros where they do not."""
    hashes: list[bytes] = []
    width = merkle.HASH_BYTES
    for number in range(-(-size // merkle.TILE_WIDTH)):
        tile = stored.get((0, number), b"").ljust(merkle.TILE_WIDTH * width, b"\0")
        hashes += [tile[at : at + width] for at in range(0, merkle.TILE_WIDTH * width, width)]
    return hashes[:size]
