"""Erasing a subject: the wish is in the log before anything goes, and what went is logged too.

1. The wish and its entry are written. 2. In one transaction: no hold is in the way, the list
outside the database has the wish, on the disk; then keys and what they opened are destroyed and
`erasure.done` is written. A process that dies between leaves the wish, and the next start goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from service.audit.entries import Entry, stamp
from service.decision import Receipt
from service.ids import new_id
from service.jobs import Json
from service.records import destruction, erasures, holds, subjects
from service.records.erasures import Counts, Erasure, Films, State
from service.records.holds import Hold
from service.records.ledger import Ledger, Line
from service.records.words import Keeper, NoSuchErasure
from service.rooms import Rooms

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wished:
    """An erasure as it stands, and the proof of the last thing that is in the log about it."""

    erasure: Erasure
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Done:
    key: str
    gone: destruction.Destroyed | None


class Erasing:
    """Asks for erasures, does them, and goes on with those that were interrupted."""

    def __init__(self, rooms: Rooms, ledger: Ledger) -> None:
        self._rooms = rooms
        self._ledger = ledger

    def ask(self, keeper: Keeper, subject: str, *, case: str, films: Films) -> Wished:
        """Have a subject erased; where a legal hold keeps something of theirs, it waits for that.

        Raises:
            NoSuchSubject, NotYours, CaseMissing, BelongsElsewhere: `keeper` may not ask for it.
            LedgerUnwritable: the wish is written and nothing is destroyed; the next start goes on.
        """
        now = self._rooms.clock()
        made = new_id("ers", now)
        with self._rooms.database.transaction() as conn:
            holds.take_turns(conn)
            who = subjects.permitted(conn, keeper, subject, case)
            hold = subjects.kept_by(conn, who, holds.in_force(conn))
            wish = Erasure(
                made, who.id, keeper.project, keeper.actor, case, films,
                State.QUEUED if hold else State.REQUESTED, now, None, has_left=False,
                counts=Counts(),
            )  # fmt: skip
            erasures.add(conn, wish)
            key = self._stage(conn, "erasure.requested", wish, {"films": films.value})
            if hold is not None:
                key = self._refused(conn, wish, hold)
        receipt = self._rooms.log.settle(key)
        if hold is not None:
            return self._wished(made, receipt)
        # Everything before can be repeated; from here on it can only be finished.
        return self.finish(made) or self._wished(made, receipt)

    def finish(self, erasure_id: str, *, kind: str = "erasure.done") -> Wished | None:
        """Destroy what an erasure is about, unless a hold is in the way; None if it is done.

        Raises:
            NoSuchErasure: there is none.
            LedgerUnwritable: nothing is destroyed.
        """
        now = self._rooms.clock()
        with self._rooms.database.transaction() as conn:
            holds.take_turns(conn)
            wish = erasures.get(conn, erasure_id)
            if wish.state is State.DONE:
                return None
            done = self._destroy(conn, wish, now, kind)
        receipt = self._rooms.log.settle(done.key)
        if done.gone is not None:
            self._overwrite()
            destruction.drop_files(self._rooms, done.gone)
        return self._wished(erasure_id, receipt)

    def go_on(self) -> tuple[Wished, ...]:
        """Do what is not done: interrupted, unknown to a restored backup, or held until now.

        Call it when the house opens, and when a hold has ended.

        Raises:
            LedgerDamaged: it cannot be known who was erased: nobody should be served.
        """
        lost = self._restored()
        with self._rooms.database.reading() as conn:
            waiting = [one.id for one in erasures.undone(conn) if self._is_due(conn, one)]
        done = [
            self.finish(one, kind="erasure.replayed" if one in lost else "erasure.done")
            for one in waiting
        ]
        return tuple(one for one in done if one is not None)

    def known(self, keeper: Keeper, erasure_id: str) -> Erasure:
        """Return an erasure to who asked for it, whom it is about, or an officer of its project.

        Raises:
            NoSuchErasure: there is none, or it is none of theirs; both alike.
        """
        with self._rooms.database.reading() as conn:
            found = erasures.get(conn, erasure_id)
        self._rooms.log.drain()
        is_own = keeper.actor in {found.subject, found.asked_by}
        if not is_own and not (keeper.is_officer and keeper.project == found.project):
            raise NoSuchErasure(f"there is no erasure {erasure_id}")
        return found

    def _destroy(self, conn: Connection, wish: Erasure, now: datetime, kind: str) -> _Done:
        who = subjects.whoever(conn, wish.subject)
        hold = subjects.kept_by(conn, who, holds.in_force(conn))
        if hold is not None:
            erasures.queue(conn, wish.id)
            return _Done(self._refused(conn, wish, hold), None)
        self._ledger.append(_line(wish))
        gone = destruction.destroyed(conn, self._rooms, wish, who, now)
        erasures.finish(conn, wish.id, gone.counts, now)
        # The check takes no other key for erased.
        facts = {**_facts(gone.counts), "destroyed": list(gone.subjects)}
        return _Done(self._stage(conn, kind, wish, facts), gone)

    def _restored(self) -> frozenset[str]:
        """Write the wishes that the list has and the database has lost; return their ids."""
        lines = self._ledger.lines()
        with self._rooms.database.reading() as conn:
            lost = [line for line in lines if erasures.known(conn, line.erasure) is None]
        for line in lost:
            with self._rooms.database.transaction() as conn:
                if erasures.known(conn, line.erasure) is None:
                    erasures.add(conn, _wish(line))
        return frozenset(line.erasure for line in lost)

    def _is_due(self, conn: Connection, wish: Erasure) -> bool:
        """Whether there is something to do; a wish that still waits is not logged each time."""
        if wish.state is not State.QUEUED:
            return True
        who = subjects.whoever(conn, wish.subject)
        return subjects.kept_by(conn, who, holds.in_force(conn)) is None

    def _overwrite(self) -> None:
        if not self._rooms.database.overwritten():
            log.warning("erasure.pages_remain")

    def _refused(self, conn: Connection, wish: Erasure, hold: Hold) -> str:
        facts: Mapping[str, Json] = {"hold": hold.id, "reason": "legal_hold"}
        return self._stage(conn, "erasure.refused", wish, facts)

    def _stage(self, conn: Connection, kind: str, wish: Erasure, facts: Mapping[str, Json]) -> str:
        now = self._rooms.clock()
        about: Mapping[str, Json] = {
            "erasure": wish.id, "subject": wish.subject, "case": wish.case, **facts,
        }  # fmt: skip
        return self._rooms.log.stage(
            conn,
            Entry(
                key=new_id("act", now),
                type=kind,
                at=now,
                actor=wish.asked_by,
                project=wish.project,
                facts=about,
            ),
        )

    def _wished(self, erasure_id: str, receipt: Receipt) -> Wished:
        with self._rooms.database.reading() as conn:
            return Wished(erasures.get(conn, erasure_id), receipt)


def _facts(counts: Counts) -> Mapping[str, Json]:
    return {name: getattr(counts, name) for name in Counts.__slots__}


def _line(wish: Erasure) -> Line:
    return Line(
        wish.id, wish.subject, wish.project, wish.asked_by, wish.case,
        wish.films is Films.REMOVE, stamp(wish.asked_at),
    )  # fmt: skip


def _wish(line: Line) -> Erasure:
    return Erasure(
        line.erasure,
        line.subject,
        line.project,
        line.asked_by,
        line.case,
        Films.REMOVE if line.films else Films.KEEP,
        State.REQUESTED,
        datetime.fromisoformat(line.at),
        None,
        has_left=False,
        counts=Counts(),
    )
