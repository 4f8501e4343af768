"""One batch into the log: staged entries first, then what was asked for, under one checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.audit import checkpoint as notes
from service.audit import merkle, store, values
from service.audit.checkpoint import Checkpoint
from service.audit.entries import Prepared, stamp
from service.audit.errors import (
    AuditError,
    BadCheckpoint,
    BadProof,
    CommitmentBroken,
    KeyReused,
    LogTampered,
    NoEntry,
    NotDurable,
)
from service.audit.sequencer import Job, Landed, Outcome, Settle, StillStaged
from service.database import Database
from service.keys import SigningKey, VerifyingKey
from service.subjects import SubjectError, SubjectKeys

_STAGED_PER_BATCH = 1000
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Written:
    outcomes: list[Outcome]
    edge: merkle.Edge
    checkpoint: Checkpoint
    note: str


class Integration:
    """Writes batches and remembers the right edge between them. Used by one thread at a time.

    Several processes may each have one on the same database: the head row is the lock, and
    whoever finds that it moved reads the edge again.
    """

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        signer: SigningKey,
        trusted: Sequence[VerifyingKey],
        subjects: SubjectKeys,
        clock: Clock,
    ) -> None:
        self._database = database
        self._origin = notes.checked_origin(origin)
        self._signer = signer
        self._trusted = (signer.verifying, *trusted)
        self._subjects = subjects
        self._clock = clock
        self._edge: merkle.Edge | None = None
        self._known: Checkpoint | None = None
        self._note = ""

    def open(self) -> Checkpoint:
        """Check that the stored log is the one its checkpoint was signed for, and return that.

        Raises:
            LogTampered: it is not.
            NotDurable: the database may lose what it acknowledged.
            DatabaseUnavailable: it cannot be read and written now.
        """
        with self._database.transaction() as conn:
            self._require_durable(conn)
            head = store.locked_head(conn) or self._first(conn)
            checkpoint = self._caught_up(conn, head)
            last = store.last_place(conn)
            if last != checkpoint.size - 1:
                raise LogTampered(f"{checkpoint.size} entries are signed, the last is {last}")
            leaf = store.leaf(conn, last) if last >= 0 else None
            if (
                leaf is not None
                and merkle.leaf_hash(leaf)
                != store.tile(conn, 0, last // merkle.TILE_WIDTH)[-merkle.HASH_BYTES :]
            ):
                raise LogTampered(f"entry {last} is not the one that was logged")
        return checkpoint

    def drain(self) -> None:
        """Put everything that is staged into the tree."""
        waiting = True
        while waiting:
            self.commit([])
            with self._database.reading() as conn:
                waiting = bool(store.staged(conn, 1))

    def commit(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Write what is new among the intake and `jobs`; return what became of each job.

        Raises:
            DatabaseUnavailable, AuditError: nothing was written and nothing was signed for.
        """
        try:
            with self._database.transaction() as conn:
                written = self._integrate(conn, jobs)
        except BaseException:
            # The edge has grown by entries that are not stored: read it again next time.
            self._edge = None
            raise
        # The point of no return is behind us: the batch is durable, and acknowledged from here on.
        self._edge, self._known, self._note = written.edge, written.checkpoint, written.note
        return written.outcomes

    def _integrate(self, conn: Connection, jobs: Sequence[Job]) -> _Written:
        # 1. The lock, the promise of the very connection that will commit, and the edge.
        head = store.locked_head(conn)
        self._require_durable(conn)
        if head is None:
            raise LogTampered("the head row is gone")
        checkpoint, note = self._caught_up(conn, head), head.checkpoint
        edge = self._edge or merkle.Edge()
        # 2. What is new: the intake goes first, since its facts are committed already.
        staged = store.staged(conn, _STAGED_PER_BATCH)
        first: dict[str, Prepared] = {}
        for entry in (*(one.entry for one in staged), *jobs):
            if isinstance(entry, Prepared):
                first.setdefault(entry.key, entry)
        places = store.places(conn, list(first))
        fresh = {key: entry for key, entry in first.items() if key not in places}
        # 3. Entries, private values, tiles and the signed head, together.
        if fresh:
            places |= {key: place for place, key in enumerate(fresh, edge.size)}
            checkpoint, note = self._write(conn, edge, list(fresh.values()), head.logged_at)
        self._clear_intake(conn, staged, fresh, places)
        # 4. An answer for each job.
        outcomes: list[Outcome] = []
        for job in jobs:
            where = self._place(conn, job, fresh, places)
            outcomes.append(
                Landed(where, checkpoint.size, note) if isinstance(where, int) else where
            )
        return _Written(outcomes, edge, checkpoint, note)

    def _write(
        self, conn: Connection, edge: merkle.Edge, fresh: list[Prepared], previous: str
    ) -> tuple[Checkpoint, str]:
        # A clock that was set back does not turn the log's time back.
        at = max(previous, stamp(self._clock()))
        leaves = [entry.leaf(at) for entry in fresh]
        store.write_entries(conn, edge.size, fresh, leaves, at)
        store.write_values(conn, values.sealed(conn, self._subjects, fresh))
        store.write_tiles(conn, edge.extend(map(merkle.leaf_hash, leaves)))
        checkpoint = Checkpoint(self._origin, edge.size, edge.root())
        note = notes.sign(checkpoint, self._signer)
        store.replace_head(conn, store.Head(note, at))
        return checkpoint, note

    def _clear_intake(
        self,
        conn: Connection,
        staged: Sequence[store.Staged],
        fresh: Mapping[str, Prepared],
        places: Mapping[str, int],
    ) -> None:
        taken: list[int] = []
        refused: list[int] = []
        for one in staged:
            key = one.entry.key
            is_new = fresh.get(key) is one.entry
            same = is_new or self._same(conn, one.entry, places[key])
            (taken if same is True else refused).append(one.place)
        store.unstage(conn, taken)
        # Only two users of one key in two processes come here. The row stays for a person to see.
        store.refuse_staged(conn, refused)

    def _place(
        self,
        conn: Connection,
        job: Job,
        fresh: Mapping[str, Prepared],
        places: Mapping[str, int],
    ) -> int | StillStaged | AuditError:
        if isinstance(job, Settle):
            return self._settled(conn, job.key, places)
        if fresh.get(job.key) is job:
            return places[job.key]
        same = self._same(conn, job, places[job.key])
        if same is True:
            return places[job.key]
        return same or KeyReused(f"entry {places[job.key]} has this key and another body")

    def _settled(
        self, conn: Connection, key: str, places: Mapping[str, int]
    ) -> int | StillStaged | AuditError:
        place = places.get(key, store.places(conn, [key]).get(key))
        waiting = store.staged_by_key(conn, key)
        if waiting is not None and waiting.refused:
            return KeyReused("another entry with this key came first; the staged one is kept apart")
        if place is not None:
            return place
        return StillStaged() if waiting is not None else NoEntry("nothing was staged with this key")

    def _same(self, conn: Connection, entry: Prepared, place: int) -> bool | AuditError:
        leaf = store.leaf(conn, place)
        if leaf is None:
            return LogTampered(f"entry {place} is gone")
        try:
            return values.same(conn, self._subjects, entry, leaf)
        except (SubjectError, CommitmentBroken) as broken:
            return CommitmentBroken(f"entry {place}: {broken}")

    def _first(self, conn: Connection) -> store.Head:
        if store.last_place(conn) >= 0 or store.tile(conn, 0, 0):
            raise LogTampered("there are entries, but no head")
        empty = Checkpoint(self._origin, 0, merkle.EMPTY_ROOT)
        head = store.Head(notes.sign(empty, self._signer), stamp(self._clock()))
        store.create_head(conn, head)
        # On PostgreSQL another process may have been faster: its head counts.
        return store.locked_head(conn) or head

    def _caught_up(self, conn: Connection, head: store.Head) -> Checkpoint:
        """Return the head's checkpoint with the edge at it; both are checked when they moved."""
        if self._edge is not None and self._known is not None and head.checkpoint == self._note:
            return self._known

        def tiles(level: int, number: int) -> bytes:
            return store.tile(conn, level, number)

        try:
            checkpoint = notes.read(head.checkpoint, self._origin, self._trusted)
            edge = merkle.edge_of(checkpoint.size, tiles)
            if edge.root() != checkpoint.root:
                raise LogTampered("the tiles do not lead to the signed root")
            if self._known is not None:
                known = self._known
                proof = merkle.consistency_proof(known.size, checkpoint.size, tiles)
                merkle.check_consistency(
                    (known.size, known.root), (checkpoint.size, checkpoint.root), proof
                )
        except (BadCheckpoint, BadProof) as wrong:
            raise LogTampered(f"the stored head: {wrong}") from wrong
        self._edge, self._known, self._note = edge, checkpoint, head.checkpoint
        return checkpoint

    def _require_durable(self, conn: Connection) -> None:
        promised = self._database.durability(conn)
        if not promised.holds:
            said = ", ".join(f"{name}={value}" for name, value in promised.settings)
            raise NotDurable(f"{promised.backend} may lose what it acknowledged: {said}")
