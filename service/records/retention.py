"""Terms: what is dropped when its time is over, unless a hold keeps it. Each drop is logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.audit import retired
from service.audit.entries import Entry, stamp
from service.audit.errors import LogTampered
from service.ids import new_id
from service.jobs import Json
from service.jobs import erasing as requests
from service.records import destruction, erasures, holds
from service.records.erasures import Erasure
from service.records.subjects import covers_job
from service.rooms import Rooms

_VALUES, _REQUESTS = 500, 200


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long things are kept. Face templates go at once, when their owner revokes.

    Attributes:
        values: prompts and other private values beside the log. Six months is how long the EU's
            Digital Services Act (Article 20) lets people complain about a decision.
        requests: whole requests, with their pictures, of jobs that have ended: long enough for a
            fault to be looked into; what was decided about them stays in the log.
        entries: the log itself, before it may be pruned: as long as the DSA's database of
            decisions can be searched. What is pruned goes into an archive, which the DSA keeps
            for five years.
    """

    values: timedelta = field(default=timedelta(days=180))
    requests: timedelta = field(default=timedelta(days=30))
    entries: timedelta = field(default=timedelta(days=180))


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep dropped, and what it left because a hold keeps it."""

    values: int = 0
    requests: int = 0
    held: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(
            self.values + other.values, self.requests + other.requests, self.held + other.held
        )


def sweep(rooms: Rooms, schedule: Schedule) -> Swept:
    """Drop everything whose term is over; again drops nothing more.

    A process that dies half-way leaves whole batches, each dropped and logged in one transaction.
    """
    swept = _values(rooms, schedule) + _requests(rooms, schedule)
    if swept.values or swept.requests:
        rooms.database.overwritten()
    return swept


def sweep_erased(rooms: Rooms) -> int:
    """Drop what jobs left that were still stopping when their requester was erased."""
    with rooms.database.reading() as conn:
        waiting = erasures.with_left(conn)
    return sum(_after(rooms, wish) for wish in waiting)


def _values(rooms: Rooms, schedule: Schedule) -> Swept:
    before = rooms.clock() - schedule.values
    with rooms.database.reading() as conn:
        at = retired.resume(conn)
        cut = retired.first_since(conn, before)
    swept, first_held = Swept(), cut
    while at < cut:
        with rooms.database.transaction() as conn:
            holds.take_turns(conn)
            found, end = retired.kept(conn, at, cut, _VALUES)
            keeps = holds.in_force(conn)
            _require_old(found, before)
            held = [
                one
                for one in found
                if any(hold.covers_entry(one.entry, (one.subject,)) for hold in keeps)
            ]
            if held:
                first_held = min(first_held, held[0].entry.index)
            goes = [one for one in found if one not in held]
            dropped = retired.drop(conn, goes)
            facts: Mapping[str, Json] = {
                "below": end, "dropped": dropped, "held": len(held),
                "values": retired.said_of(goes),
            }  # fmt: skip
            key = _staged(rooms, conn, retired.SWEPT, facts) if dropped else ""
            if dropped:
                retired.note(conn, key, below=end, resume=min(first_held, end), dropped=dropped)
        _settled(rooms, key)
        swept += Swept(values=dropped, held=len(held))
        at = end
    return swept


def _require_old(found: Sequence[retired.Kept], before: datetime) -> None:
    """Return if all were logged before that: whoever changed an entry may have moved the cut."""
    for one in found:
        if one.entry.logged_at >= stamp(before):
            raise LogTampered(f"entry {one.entry.index} is younger than the one behind it")


def _requests(rooms: Rooms, schedule: Schedule) -> Swept:
    before, after, swept = rooms.clock() - schedule.requests, 0, Swept()
    while True:
        with rooms.database.transaction() as conn:
            holds.take_turns(conn)
            found = requests.ended_before(conn, before, after=after, limit=_REQUESTS)
            keeps = holds.in_force(conn)
            goes = [job for job in found if not any(covers_job(hold, job) for hold in keeps)]
            dropped = sum(requests.forget_words(conn, job) for job in goes)
            held = len(found) - len(goes)
            facts: Mapping[str, Json] = {"dropped": dropped, "held": held}
            key = _staged(rooms, conn, "retention.requests_dropped", facts) if dropped else ""
        _settled(rooms, key)
        swept += Swept(requests=dropped, held=held)
        if len(found) < _REQUESTS:
            return swept
        after = found[-1].seq


def _after(rooms: Rooms, wish: Erasure) -> int:
    with rooms.database.transaction() as conn:
        holds.take_turns(conn)
        counts, films = destruction.sweep_left(conn, wish, rooms.clock())
        if counts.running and not (counts.requests or films):
            return 0
        if not counts.running:
            erasures.settle_left(conn, wish.id)
        facts: Mapping[str, Json] = {
            "erasure": wish.id, "requests": counts.requests, "films": counts.films,
            "running": counts.running,
        }  # fmt: skip
        key = _staged(rooms, conn, "erasure.left_swept", facts, project=wish.project)
    _settled(rooms, key)
    destruction.drop_files(rooms, destruction.Destroyed(counts, (), (), films))
    return counts.requests


def _staged(
    rooms: Rooms, conn: Connection, kind: str, facts: Mapping[str, Json], *, project: str = ""
) -> str:
    now = rooms.clock()
    return rooms.log.stage(
        conn, Entry(key=new_id("act", now), type=kind, at=now, project=project, facts=facts)
    )


def _settled(rooms: Rooms, key: str) -> None:
    if key:
        rooms.log.settle(key)
