"""The whole log again from its entries, and every place where it differs from what was signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from service.audit import checkpoint as notes
from service.audit import merkle, reading, store, values
from service.audit.checkpoint import Checkpoint
from service.audit.entries import commitment, searched_decision, tail_of
from service.audit.errors import BadCheckpoint, LogTampered
from service.audit.store import log_entry, log_tile, log_value
from service.keys import VerifyingKey
from service.subjects import SubjectErased, SubjectError, SubjectKeys

SPLIT_VIEW = "split view: give a checkpoint that somebody else kept, to see that it is one log"
_ROWS = 2000
_MOST_NAMED = 1000
_GONE = bytes(merkle.HASH_BYTES)
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
        not_checked: what this check cannot say.
    """

    size: int
    root: str
    problems: tuple[Problem, ...]
    erased: int
    not_checked: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether everything that was checked agrees."""
        return not self.problems


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
        self._problems: list[Problem] = []
        self._commitments: dict[tuple[str, str], tuple[int, str]] = {}

    def run(self, seen: str) -> Verification:
        """Check everything; `seen` is a signed checkpoint that somebody kept, or empty."""
        # 1. What was signed, and what somebody else remembers.
        signed = self._signed()
        earlier = notes.read(seen, self._origin, self._keys) if seen else None
        # 2. What the entries hash to, against the tiles and the signed root.
        leaves = self._leaves(signed.size)
        root = self._compare(signed, leaves)
        if earlier is not None:
            self._remembered(earlier, leaves)
        # 3. Private values against their commitments.
        erased = self._values()
        return Verification(
            signed.size,
            root.hex(),
            tuple(self._problems),
            erased,
            () if seen else (SPLIT_VIEW,),
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
        for place, leaf, columns in self._rows():
            while len(leaves) < place:
                self._found(Kind.ENTRY_MISSING, str(len(leaves)), "the entry is gone")
                leaves.append(_GONE)
            if place >= size:
                self._found(Kind.ENTRY_UNSIGNED, str(place), "no checkpoint covers the entry")
                continue
            leaves.append(merkle.leaf_hash(leaf))
            self._columns(place, leaf, columns)
        for place in range(len(leaves), size):
            self._found(Kind.ENTRY_MISSING, str(place), "the log ends before its checkpoint does")
            leaves.append(_GONE)
        return leaves

    def _rows(self) -> Iterator[tuple[int, bytes, tuple[str, ...]]]:
        after = -1
        while True:
            query = select(log_entry).where(log_entry.c.place > after)
            rows = self._conn.execute(query.order_by(log_entry.c.place).limit(_ROWS)).all()
            for place, *columns, leaf in rows:
                yield place, leaf, tuple(columns)
            if not rows:
                return
            after = rows[-1][0]

    def _columns(self, place: int, leaf: bytes, columns: tuple[str, ...]) -> None:
        """What is searched must be what was logged: else an entry could be hidden from a search."""
        if _agrees_at_sight(leaf, columns):
            return
        try:
            entry = reading.parsed(place, leaf)
        except LogTampered:
            return  # its hash says so too
        said = (entry.key, entry.type, entry.request, entry.actor, entry.project)
        if columns != (*said, searched_decision(entry.facts), entry.logged_at):
            self._found(Kind.COLUMN_CHANGED, str(place), "a searched column differs from the leaf")
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

    def _values(self) -> int:
        """Check every private value; return how many are erased."""
        erased = 0
        left = dict(self._commitments)
        for row in self._conn.execute(select(log_value)).all():
            value = store.Sealed(row.key, row.field, row.subject, row.sealed)
            place, promised = left.pop((row.key, row.field), (-1, ""))
            if place < 0:
                if store.staged_by_key(self._conn, row.key) is None:
                    self._found(Kind.VALUE_CHANGED, "", "a private value belongs to no entry")
                continue
            try:
                opened = values.opened(self._conn, self._subjects, value)
            except SubjectErased:
                erased += 1
                continue
            except SubjectError as broken:
                self._found(Kind.VALUE_CHANGED, str(place), f"{row.field}: {broken}")
                continue
            if commitment(opened.salt, opened.text) != promised:
                said = f"{row.field} is not what the entry commits to"
                self._found(Kind.VALUE_CHANGED, str(place), said)
        for (_, name), (place, _) in left.items():
            self._found(Kind.VALUE_CHANGED, str(place), f"{name} was deleted, not erased")
        return erased

    def _found(self, kind: Kind, where: str, said: str) -> None:
        if len(self._problems) < _MOST_NAMED:
            self._problems.append(Problem(kind, where, said))


def _agrees_at_sight(leaf: bytes, columns: tuple[str, ...]) -> bool:
    """Whether an entry without private values has these columns; False where it must be parsed.

    A leaf is canonical, and inside a text a quotation mark has a backslash before it, so what
    ends or begins like this is the member itself. Parsing would take longer than all the hashing.
    """
    if not all(type(one) is str and '"' not in one and "\\" not in one for one in columns):
        return False
    key, type_, request, actor, project, decision, logged_at = columns
    ends = f',"key":"{key}","logged_at":"{logged_at}'.encode() + tail_of(project, request, type_)
    begins = f'{{"actor":"{actor}","at":"'.encode()
    after_time = len(begins) + len(logged_at)
    if not (
        leaf.startswith(begins) and leaf.startswith(_NO_VALUES, after_time) and leaf.endswith(ends)
    ):
        return False
    # Not the first of the facts, it may be a member of a member.
    first = f'"decision":"{decision}"'.encode() if b'"decision":' in leaf else b""
    return leaf.startswith(first, after_time + len(_NO_VALUES)) and bool(first or not decision)


def _kept(stored: dict[tuple[int, int], bytes], size: int) -> list[bytes]:
    """Return the hashes of entries as the lowest tiles have them, zeros where they do not."""
    hashes: list[bytes] = []
    width = merkle.HASH_BYTES
    for number in range(-(-size // merkle.TILE_WIDTH)):
        tile = stored.get((0, number), b"").ljust(merkle.TILE_WIDTH * width, b"\0")
        hashes += [tile[at : at + width] for at in range(0, merkle.TILE_WIDTH * width, width)]
    return hashes[:size]
