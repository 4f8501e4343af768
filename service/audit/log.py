"""The log: append, and prove what was appended.

An append is durable, in the tree and under a signed checkpoint before it returns. A fact that is
stored elsewhere stages its entry in the same transaction and settles it afterwards; the sequencer
of whichever process comes next puts it into the tree.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from service.audit import checkpoint as notes
from service.audit import cosign, cosigned, merkle, reading, store, tiles, values
from service.audit.checkpoint import Checkpoint
from service.audit.cosign import Cosigner
from service.audit.cosigned import NOBODY, Outside, OwnLine, Standing
from service.audit.entries import Entry, prepare
from service.audit.errors import (
    BadCheckpoint,
    LogTampered,
    NoEntry,
    NoSuchTree,
    NotAcknowledged,
)
from service.audit.integration import Clock, Integration
from service.audit.proof import proof_text
from service.audit.reading import EntryFilter, LoggedEntry, Order, TileCache
from service.audit.rehash import Rehash, Verification
from service.audit.search.checking import IndexCheck, checked
from service.audit.search.finding import Finder
from service.audit.search.index import TermIndex
from service.audit.search.query import Query
from service.audit.sequencer import Batch, Landed, Sequencer, Settle, StillStaged
from service.audit.staging import stage
from service.audit.tiles import EntryBundle, HashTile
from service.database import Database, DatabaseUnavailable
from service.decision import Receipt
from service.keys import SigningKey, VerifyingKey
from service.subjects import SubjectKeys

log = structlog.get_logger()

_BATCH = 1000
Read = Callable[[Query, Iterable[int]], Iterator[LoggedEntry]]
"""Yields the entries at the places that were found for a query, and holds them against it."""


class AuditLog:
    """One process's hand on the log. Safe to use from many threads; other processes may have one.

    Args:
        signer: signs checkpoints; those of the keys it replaced, `trusted`, still count.
        origin: the log's name, such as `example.com/imprimatur`.
        clock: now, aware; what the log writes never goes backwards.
        proofs: where proofs are served; an index is appended.
        outside: who else vouches for its checkpoints.
        timeout_s: how long an append waits for its commit.

    Raises:
        LogTampered: the stored log is not the one its checkpoint was signed for.
        NotDurable: the database may lose what it acknowledged.
        DatabaseUnavailable: it cannot be read and written now.
    """

    def __init__(
        self,
        database: Database,
        *,
        signer: SigningKey,
        origin: str,
        subjects: SubjectKeys,
        clock: Clock,
        trusted: Sequence[VerifyingKey] = (),
        proofs: str = "/v1/audit/proofs/",
        outside: Outside = NOBODY,
        timeout_s: float = 30.0,
    ) -> None:
        self.origin = origin
        self.outside = outside
        self._own = OwnLine(outside.key, clock)
        self._database = database
        self._keys = (signer.verifying, *trusted)
        self._subjects = subjects
        self._proofs = proofs
        self._timeout_s = timeout_s
        self._tiles = TileCache()
        self._signer = signer
        self._integration = Integration(
            database,
            origin=origin,
            signer=signer,
            trusted=trusted,
            subjects=subjects,
            clock=clock,
        )
        self._integration.open()
        # Whatever a process that died had staged goes in before anything new.
        self._integration.drain()
        self._index = TermIndex(database)
        self._sequencer = Sequencer(self._integration.commit, self._index_some)

    def __enter__(self) -> "AuditLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what was submitted, then append nothing more."""
        self._sequencer.close()

    def append(self, entry: Entry) -> Receipt:
        """Log one entry; return once it is durable, in the tree and signed for.

        The same entry with the same key again gives a receipt for the first one.

        Raises:
            BadEntry: it cannot be logged.
            KeyReused: its key belongs to another entry.
            DatabaseUnavailable, LogTampered, NotDurable: it was not logged.
            NotAcknowledged: no answer in time; append it again.
        """
        batch, place = self._sequencer.submit([prepare(entry)])
        return self._receipt(batch.outcome(place, self._timeout_s))

    async def append_async(self, entry: Entry) -> Receipt:
        """Log one entry like `append`, without a thread for each that waits."""
        batch, place = self._sequencer.submit([prepare(entry)])
        await batch.answered(self._timeout_s)
        return self._receipt(batch.outcome(place, 0.0))

    def append_many(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Log entries in order, a thousand to a transaction.

        Raises:
            KeyReused: a key belongs to another entry; the entries beside it are logged.
        """
        prepared = [prepare(entry) for entry in entries]
        waiting: list[tuple[Batch, int]] = []
        for start in range(0, len(prepared), _BATCH):
            some = prepared[start : start + _BATCH]
            batch, first = self._sequencer.submit(some)
            waiting += [(batch, first + offset) for offset in range(len(some))]
        return [self._receipt(batch.outcome(place, self._timeout_s)) for batch, place in waiting]

    def stage(self, conn: Connection, entry: Entry) -> str:
        """Write an entry into the caller's transaction; return its key for `settle`.

        Raises:
            BadEntry: it cannot be logged.
            KeyReused: its key belongs to another entry.
            LogTampered: the entry with its key was changed since.
        """
        stage(conn, self._subjects, self._signer, prepare(entry))
        return entry.key

    def settle(self, key: str) -> Receipt:
        """Return once the entry that was staged under `key`, and committed, is in the tree.

        Raises:
            NoEntry: nothing was staged with this key, or its transaction was rolled back.
        """
        until = time.monotonic() + self._timeout_s
        while time.monotonic() < until:
            batch, place = self._sequencer.submit([Settle(key)])
            outcome = batch.outcome(place, self._timeout_s)
            if not isinstance(outcome, StillStaged):
                return self._receipt(outcome)
        raise NotAcknowledged(f"{key} was not integrated in {self._timeout_s} s: ask again")

    def drain(self) -> None:
        """Return once everything that is staged and committed is in the tree.

        Raises:
            DatabaseUnavailable, NotAcknowledged: it is not.
        """
        while self._staged():
            # No entry has an empty key: the batch takes what is staged, and that is all it does.
            batch, place = self._sequencer.submit([Settle("")])
            with suppress(NoEntry):
                batch.outcome(place, self._timeout_s)

    def check_index(self) -> IndexCheck:
        """Hold the search index against what the entries say."""
        with self.finding() as (finder, _):
            return checked(finder)

    def forget_index(self) -> None:
        """Have the search index made anew from the entries."""
        self._index.forget()

    def _index_some(self) -> bool:
        known = self._integration.known
        size = known.checkpoint.size if known else 0
        try:
            return self._index.advance() < size
        except DatabaseUnavailable as broken:
            # A search catches up by itself, and says so where it cannot.
            log.warning("audit.index_behind", cause=broken.cause)
            return False

    def _staged(self) -> bool:
        with self._database.reading() as conn:
            return bool(store.staged(conn, 1))

    def entry(self, index: int) -> LoggedEntry:
        """Return one entry; `NoEntry` if there is none, `LogTampered` if it was changed."""
        with self._database.reading() as conn:
            return reading.entry(conn, index)

    def entry_by_key(self, key: str) -> LoggedEntry:
        """Return the entry with this key, likewise."""
        with self._database.reading() as conn:
            index = store.places(conn, [key]).get(key)
            if index is None:
                raise NoEntry("no entry has this key")
            return reading.entry(conn, index)

    def entries(self, wanted: EntryFilter) -> list[LoggedEntry]:
        """Return one page of entries, each held against the tree.

        Raises:
            LogTampered: one is not the one that was logged.
            IndexBroken: the index named one that does not meet the filter.
        """
        query = wanted.query
        limit = max(1, min(wanted.limit, reading.MAX_PAGE))
        with self.finding() as (finder, read):
            newest = wanted.order is Order.NEWEST
            return list(
                read(query, finder.places(query, newest=newest, after=wanted.after, limit=limit))
            )

    @contextmanager
    def finding(self) -> Iterator[tuple[Finder, Read]]:
        """Yield what finds places, and what reads the entries at them, at one moment."""
        with self._signed() as now:
            size = now.checkpoint.size
        self._index.catch_up(size)
        with self._database.reading() as conn:
            hashes = self._tiles.reading(conn)
            yield Finder(conn, size), partial(reading.found, conn, hashes)

    def head(self) -> tuple[str, Checkpoint]:
        """Return the newest checkpoint with the log's own signatures alone, and what it states."""
        with self._signed() as now:
            return self._own.under(now.note, now.checkpoint), now.checkpoint

    def checkpoint(self) -> str:
        """Return the newest checkpoint, a signed note, with the cosignatures it has already."""
        with self._signed() as now:
            return self._vouched(now, now.checkpoint.size)[0]

    def published(self) -> str:
        """Return the checkpoint that most witnesses cosigned; the newest where none did."""
        with self._signed() as now:
            return self._vouched(now, 0)[0]

    def standings(self) -> list[Standing]:
        """Return how far each witness is."""
        with self._signed() as now:
            return cosigned.standings(now.conn, self.outside, now.checkpoint)

    def _vouched(self, now: "_Signed", least: int) -> tuple[str, Checkpoint]:
        """Return the checkpoint that most witnesses cosigned, if it covers `least` entries."""
        by = [one.key for one in self.outside.witnesses]
        best = cosigned.best(now.conn, by, self.origin)
        if best is not None and least <= best[1].size <= now.checkpoint.size:
            return best
        return self._own.under(now.note, now.checkpoint), now.checkpoint

    def receipt(self, index: int) -> Receipt:
        """Return a receipt for an entry under the newest checkpoint."""
        with self._signed() as now:
            now.require(index)
        return self._receipt(Landed(index, now.checkpoint.size, now.note))

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the hashes from entry `index` to the root of the first `size` entries."""
        with self._signed() as now:
            now.require_size(size)
            return merkle.inclusion_proof(index, size, self._tiles.reading(now.conn))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the hashes that show the first `old` of `new` entries to be unchanged."""
        with self._signed() as now:
            now.require_size(new)
            return merkle.consistency_proof(old, new, self._tiles.reading(now.conn))

    def tile(self, wanted: HashTile | EntryBundle) -> bytes:
        """Return one resource of C2SP tlog-tiles; `NoTile` if the log is not that long."""
        with self._signed() as now:
            size, known = now.checkpoint.size, self._tiles.reading(now.conn)
            if isinstance(wanted, HashTile):
                return tiles.hash_tile(size, wanted, known)
            return tiles.entry_bundle(now.conn, size, wanted, known)

    def proof_text(self, index: int) -> str:
        """Return an entry with its proof as one file that `verify_file` checks offline."""
        with self._signed() as now:
            now.require(index)
            # A cosigned checkpoint proves more than the newest one.
            note, signed = self._vouched(now, index + 1)
            leaf = reading.entry(now.conn, index).leaf
            proof = merkle.inclusion_proof(index, signed.size, self._tiles.reading(now.conn))
        hashed = merkle.leaf_hash(leaf)
        if merkle.root_from_inclusion(hashed, index, signed.size, proof) != signed.root:
            raise LogTampered(f"entry {index} does not lead to the signed root")
        return proof_text(index, proof, note, leaf)

    def verifier_keys(self) -> tuple[str, ...]:
        """Return the public keys to publish, one line each, the newest first."""
        return tuple(notes.verifier_key(self.origin, key.public) for key in self._keys)

    def verify(self, *, seen: str = "", by: Sequence[Cosigner] = ()) -> Verification:
        """Hash the whole log again, also against the checkpoints that witnesses cosigned.

        Args:
            seen: a checkpoint of it that somebody else kept.
            by: whose cosignature must be on it; where there is none, on one that is kept here.

        Raises:
            BadCheckpoint: `seen` is not a checkpoint of this log, or not cosigned so.
        """
        with self._database.reading() as conn:
            remembered = self._remembered(conn, seen, by)
            return Rehash(conn, origin=self.origin, keys=self._keys, subjects=self._subjects).run(
                remembered
            )

    def _remembered(self, conn: Connection, seen: str, by: Sequence[Cosigner]) -> list[Checkpoint]:
        theirs = by or [one.key for one in self.outside.witnesses]
        kept = {one.by: one.stated for one in cosigned.kept(conn, theirs, self.origin)}
        if seen and not by:
            return [notes.read(seen, self.origin, self._keys), *kept.values()]
        if seen:
            return [*(cosign.read(seen, self.origin, one) for one in by), *kept.values()]
        for one in by:
            if one not in kept:
                raise BadCheckpoint(f"nothing that {one.id} cosigned is kept here: use --seen FILE")
        return list(kept.values())

    def disclose(self, conn: Connection, index: int, field: str) -> values.Disclosure:
        """Return a private value, shown to match its commitment.

        Raises:
            NoEntry: no such entry or value.
            SubjectErased: it was erased.
            CommitmentBroken: it is not what was logged.
        """
        return values.disclosed(conn, self._subjects, index, field)

    @contextmanager
    def _signed(self) -> Iterator["_Signed"]:
        """Yield one moment of the log, no older than what this process has acknowledged."""
        # Asked before the moment begins: what is committed in between may be in it or not.
        known = self._integration.known
        with self._database.reading() as conn:
            head = store.head(conn)
            if head is None:
                raise LogTampered("the head row is gone")
            note = head.checkpoint
            if known is not None and note == known.note:
                yield _Signed(conn, note, known.checkpoint)
                return
            stored = notes.read(note, self.origin, self._keys)
            if known is not None and stored.size <= known.checkpoint.size:
                raise LogTampered("the stored head is older than what was acknowledged")
            yield _Signed(conn, note, stored)

    def _receipt(self, outcome: Landed | StillStaged) -> Receipt:
        if isinstance(outcome, StillStaged):
            raise NotAcknowledged("the batch was full: ask again")
        proof_url = f"{self._proofs}{outcome.index}"
        return Receipt(self.origin, outcome.index, outcome.size, outcome.checkpoint, proof_url)


@dataclass(frozen=True, slots=True)
class _Signed:
    """A snapshot of the log with the checkpoint that covers it."""

    conn: Connection
    note: str
    checkpoint: Checkpoint

    def require(self, index: int) -> None:
        if not 0 <= index < self.checkpoint.size:
            raise NoEntry(f"no entry {index}")

    def require_size(self, size: int) -> None:
        if size > self.checkpoint.size:
            raise NoSuchTree(f"the log has {self.checkpoint.size} entries, not {size}")
