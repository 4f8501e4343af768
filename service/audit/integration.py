"""One batch into the log: staged entries first, then what was asked for, under one checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.audit import checkpoint as notes
from service.audit import merkle, reading, staging, store, values
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
# Beyond that, reading the edge anew is less work than hashing what others appended.
_REPLAYED = 4096
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Known:
    """The log as this process last saw it whole, and what an append needs of it.

    Attributes:
        edge: stands at the checkpoint; grows in place when a batch is written.
        logged_at: the time in the newest entry, or empty.
    """

    edge: merkle.Edge
    checkpoint: Checkpoint
    note: str
    logged_at: str


@dataclass(frozen=True, slots=True)
class _Intake:
    """What waits: the rows, those that nobody of ours signed, and the entries of the others."""

    rows: list[store.Staged]
    forged: list[int]
    entries: dict[str, Prepared]


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
        self._known: Known | None = None
        # Whether the edge still stands where `_known` says.
        self._edge_holds = False

    @property
    def known(self) -> Known | None:
        """What was committed, or found, last; ask before reading to know what must be there."""
        return self._known

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
            known = self._caught_up(conn, head.checkpoint)
        self._known, self._edge_holds = known, True
        return known.checkpoint

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
                known, outcomes = self._integrate(conn, jobs)
        except BaseException:
            # The edge has grown by entries that are not stored: read it again next time.
            self._edge_holds = False
            raise
        # The point of no return is behind us: the batch is durable, and acknowledged from here on.
        self._known, self._edge_holds = known, True
        return outcomes

    def _integrate(self, conn: Connection, jobs: Sequence[Job]) -> tuple[Known, list[Outcome]]:
        # 1. The lock, the promise of the very connection that will commit, and the edge.
        head = store.locked_head(conn)
        self._require_durable(conn)
        if head is None:
            raise LogTampered("the head row is gone")
        known = self._caught_up(conn, head.checkpoint)
        # 2. What is new: the intake goes first, since its facts are committed already.
        intake = self._intake(conn)
        first = dict(intake.entries)
        for job in jobs:
            if isinstance(job, Prepared):
                first.setdefault(job.key, job)
        places = store.places(conn, list(first))
        fresh = {key: entry for key, entry in first.items() if key not in places}
        # 3. Entries, private values, tiles and the signed head, together.
        if fresh:
            places |= {key: place for place, key in enumerate(fresh, known.edge.size)}
            known = self._write(conn, known, list(fresh.values()))
        if intake.rows:
            self._clear_intake(conn, intake, fresh, places)
        # 4. An answer for each job.
        size, note = known.checkpoint.size, known.note
        outcomes: list[Outcome] = []
        for job in jobs:
            if isinstance(job, Prepared) and fresh.get(job.key) is job:
                outcomes.append(Landed(places[job.key], size, note))
                continue
            where = self._place(conn, job, places)
            outcomes.append(Landed(where, size, note) if isinstance(where, int) else where)
        return known, outcomes

    def _intake(self, conn: Connection) -> _Intake:
        rows = store.staged(conn, _STAGED_PER_BATCH)
        forged: list[int] = []
        entries: dict[str, Prepared] = {}
        for row in rows:
            entry = staging.genuine(row, self._trusted)
            if entry is None:
                forged.append(row.place)
                continue
            entries[entry.key] = entry
        return _Intake(rows, forged, entries)

    def _write(self, conn: Connection, known: Known, fresh: list[Prepared]) -> Known:
        # A clock that was set back does not turn the log's time back.
        at = max(known.logged_at, stamp(self._clock()))
        edge, stamped = known.edge, at.encode()
        leaves = [entry.head + stamped + entry.tail for entry in fresh]
        store.write_entries(conn, edge.size, fresh, leaves)
        store.write_values(conn, values.sealed(conn, self._subjects, fresh))
        store.write_tiles(conn, edge.extend(map(merkle.leaf_hash, leaves)))
        checkpoint = Checkpoint(self._origin, edge.size, edge.root())
        note = notes.sign(checkpoint, self._signer)
        store.replace_head(conn, note)
        return Known(edge, checkpoint, note, at)

    def _clear_intake(
        self,
        conn: Connection,
        intake: _Intake,
        fresh: Mapping[str, Prepared],
        places: Mapping[str, int],
    ) -> None:
        taken: list[int] = []
        refused = list(intake.forged)
        for row in intake.rows:
            if row.place in intake.forged:
                continue
            entry = intake.entries[row.key]
            same = fresh.get(row.key) is entry or self._same(conn, entry, places[row.key])
            (taken if same is True else refused).append(row.place)
        store.unstage(conn, taken)
        # Forged, or one key of two users in two processes. The row stays for a person to see.
        store.refuse_staged(conn, refused)

    def _place(
        self, conn: Connection, job: Job, places: Mapping[str, int]
    ) -> int | StillStaged | AuditError:
        if isinstance(job, Settle):
            return self._settled(conn, job.key, places)
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
            return KeyReused(
                "the staged entry is kept apart: another entry with this key came first, or it was"
                " changed while it waited"
            )
        if place is not None:
            return place
        return StillStaged() if waiting is not None else NoEntry("nothing was staged with this key")

    def _same(self, conn: Connection, entry: Prepared, place: int) -> bool | AuditError:
        try:
            return values.same(conn, self._subjects, entry, reading.entry(conn, place).leaf)
        except NoEntry:
            return LogTampered(f"entry {place} is gone")
        except LogTampered as changed:
            return changed
        except (SubjectError, CommitmentBroken) as broken:
            return CommitmentBroken(f"entry {place}: {broken}")

    def _first(self, conn: Connection) -> store.Head:
        if store.last_place(conn) >= 0 or store.tile(conn, 0, 0):
            raise LogTampered("there are entries, but no head")
        note = notes.sign(Checkpoint(self._origin, 0, merkle.EMPTY_ROOT), self._signer)
        store.create_head(conn, note)
        # On PostgreSQL another process may have been faster: its head counts.
        return store.locked_head(conn) or store.Head(note)

    def _caught_up(self, conn: Connection, note: str) -> Known:
        """Return the log as the head `note` has it; all of it is checked when it moved."""
        known = self._known
        if known is not None and self._edge_holds and note == known.note:
            return known

        try:
            checkpoint = notes.read(note, self._origin, self._trusted)
            edge = self._edge(conn, checkpoint, known)
            if edge.root() != checkpoint.root:
                raise LogTampered("the tiles do not lead to the signed root")
        except (BadCheckpoint, BadProof) as wrong:
            raise LogTampered(f"the stored head: {wrong}") from wrong
        return Known(edge, checkpoint, note, self._newest_time(conn, checkpoint.size, edge))

    def _edge(self, conn: Connection, checkpoint: Checkpoint, known: Known | None) -> merkle.Edge:
        """Return the right edge at `checkpoint`, which continues what this process has seen.

        Where our own edge still stands, it grows by the hashes that others appended: leading to
        the signed root from there is the proof that nothing before was changed.
        """

        def tiles(level: int, number: int) -> bytes:
            return store.tile(conn, level, number)

        if known is None:
            return merkle.edge_of(checkpoint.size, tiles)
        seen = known.checkpoint
        if self._edge_holds and 0 <= checkpoint.size - seen.size <= _REPLAYED:
            # It is ours no more until the batch is committed.
            self._edge_holds = False
            known.edge.extend(merkle.leaves_between(seen.size, checkpoint.size, tiles))
            return known.edge
        proof = merkle.consistency_proof(seen.size, checkpoint.size, tiles)
        merkle.check_consistency((seen.size, seen.root), (checkpoint.size, checkpoint.root), proof)
        return merkle.edge_of(checkpoint.size, tiles)

    def _newest_time(self, conn: Connection, size: int, edge: merkle.Edge) -> str:
        """Return the time in the last entry, which is where the checkpoint says, and whole."""
        last, leaf = store.last_entry(conn)
        if last != size - 1:
            raise LogTampered(f"{size} entries are signed, the last is {last}")
        if not size:
            return ""
        # A tile that is full is not a part of the edge any more.
        full = not size % merkle.TILE_WIDTH
        row = store.tile(conn, 0, last // merkle.TILE_WIDTH) if full else edge.partial[0]
        if merkle.leaf_hash(leaf) != row[-merkle.HASH_BYTES :]:
            raise LogTampered(f"entry {last} is not the one that was logged")
        return reading.parsed(last, leaf).logged_at

    def _require_durable(self, conn: Connection) -> None:
        promised = self._database.durability(conn)
        if not promised.holds:
            said = ", ".join(f"{name}={value}" for name, value in promised.settings)
            raise NotDurable(f"{promised.backend} may lose what it acknowledged: {said}")
