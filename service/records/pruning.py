"""Pruning the log: old entries go into an archive, and then out of the database.

What a hold covers stays, and so does an entry that still has a private value, and every entry that
says what was dropped. Proofs go on: the tree keeps all its hashes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from service.audit import archive, pruning, reading, retired, store
from service.audit.entries import Entry
from service.audit.errors import ArchiveBroken
from service.audit.rehash import ERASED
from service.decision import Receipt
from service.ids import new_id
from service.jobs import Json
from service.keys import VerifyingKey
from service.records import holds
from service.records.retention import Schedule
from service.records.words import Keeper, NothingToPrune, TooYoung
from service.rooms import Rooms

_NEVER = frozenset({pruning.PRUNED, retired.SWEPT, *ERASED})


@dataclass(frozen=True, slots=True)
class Gone:
    """A pruning: before which index, how many entries went, and where they are now."""

    below: int
    dropped: int
    kept: int
    sha256: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to cut the log, and what vouches for the file.

    Attributes:
        before: entries that were logged before this moment go.
        archive: a new file for them.
        keys: what checkpoints are signed with, for holding the file against the log.
    """

    before: datetime
    archive: Path
    keys: Sequence[VerifyingKey]


def prune(rooms: Rooms, schedule: Schedule, keeper: Keeper, cut: Cut) -> Gone:
    """Write an archive of old entries, hold it against the log, then drop them.

    Raises:
        TooYoung: entries of that age are not old enough.
        NothingToPrune: there is no such entry.
        ArchiveBroken: the file is not what was to be written; nothing is dropped.
        OSError: it exists, or cannot be written; nothing is dropped.
    """
    if cut.before > rooms.clock() - schedule.entries:
        raise TooYoung(f"entries are kept for {schedule.entries.days} days")
    below, written = _archived(rooms, cut)
    places = archive.checked(cut.archive, rooms.log.origin, cut.keys)
    if len(places) != written:
        raise ArchiveBroken("the archive has not what was written into it")
    sha256 = hashlib.sha256(cut.archive.read_bytes()).hexdigest()
    now = rooms.clock()
    # From here on the archive is the only copy.
    with rooms.database.transaction() as conn:
        holds.take_turns(conn)
        # A hold may have begun since; the archive then has more than has gone.
        goes = [place for place, _ in _going(conn, below) if place in places]
        dropped = pruning.drop(conn, goes)
        # An earlier pruning may have gone further.
        empty = pruning.empty_places(conn, max(below, pruning.missing(conn).below))
        facts: Mapping[str, Json] = {
            "below": below, "dropped": dropped, "archive_sha256": sha256,
            "places_sha256": pruning.places_hash(empty),
        }  # fmt: skip
        key = new_id("act", now)
        pruning.note(conn, key, below=below, dropped=dropped)
        entry = Entry(
            key=key, type=pruning.PRUNED, at=now, actor=keeper.actor, facts=facts,
        )  # fmt: skip
        rooms.log.stage(conn, entry)
    receipt = rooms.log.settle(key)
    # A search would go on to count what is gone until its index is made anew.
    rooms.log.forget_index()
    rooms.database.overwritten()
    return Gone(below, dropped, below - dropped, sha256, receipt)


def _archived(rooms: Rooms, cut: Cut) -> tuple[int, int]:
    """Write the file; return before which index it ends, and how many entries it has."""
    note = rooms.log.checkpoint()
    with rooms.database.reading() as conn:
        # The newest entry stays: where the log stands is read from it.
        below = min(retired.first_since(conn, cut.before), store.last_place(conn))
        hashes = pruning.hashes(conn, range(below))
        going = list(_going(conn, below))
    if not going:
        raise NothingToPrune("no entry is that old and free to go")
    size = int(note.split("\n")[1])
    proof = rooms.log.consistency_proof(below, size)
    proved = archive.Proved(rooms.log.origin, note, hashes, proof)
    return below, archive.write(cut.archive, proved, going)


def _going(conn: Connection, below: int) -> list[tuple[int, bytes]]:
    keeps = holds.in_force(conn)
    going = []
    for place, leaf in pruning.candidates(conn, below):
        entry = reading.parsed(place, leaf)
        if entry.type in _NEVER or any(hold.covers_entry(entry) for hold in keeps):
            continue
        going.append((place, leaf))
    return going
