"""Legal holds: one person asks, another confirms; ending one takes two again. Each step is logged.

A release that is done lets the erasures go on that waited for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service import accounts
from service.audit import retired
from service.audit.entries import Entry, Private
from service.audit.errors import NoEntry
from service.decision import Receipt
from service.ids import new_id
from service.jobs import Json
from service.records import holds, subjects
from service.records.erasing import Erasing, Wished
from service.records.holds import Hold, Kind, State, Target
from service.records.words import (
    HoldNotPossible,
    Keeper,
    NoSuchHold,
    NoSuchSubject,
    Reach,
    SamePerson,
)
from service.rooms import Rooms
from service.subjects import SubjectError

_WHY = "why"
_LIVES = (State.ASKED, State.IN_FORCE, State.RELEASE_ASKED)


@dataclass(frozen=True, slots=True)
class Held:
    """A hold after a step, the proof of it, and the erasures that went on because of it."""

    hold: Hold
    receipt: Receipt
    erased: tuple[Wished, ...] = ()


class Holding:
    """The steps of a hold, each by somebody who may take it."""

    def __init__(self, rooms: Rooms, erasing: Erasing) -> None:
        self._rooms = rooms
        self._erasing = erasing

    def ask(self, keeper: Keeper, target: Target, why: str) -> Held:
        """Ask for a hold; it keeps nothing until another person confirms it.

        Raises:
            NoSuchSubject: the subject, or the project, is not the keeper's.
            SamePerson: the keeper's account is closed.
        """

        def act(conn: Connection, now: datetime) -> tuple[Hold, Entry]:
            _require_within(conn, keeper, target)
            _require_open(conn, keeper.actor)
            project = "" if keeper.reach is Reach.HOUSE else keeper.project
            hold = holds.add(conn, target, project, keeper.actor, now)
            said = Private(_WHY, keeper.actor, why)
            return hold, _entry("hold.asked", hold, keeper, now, values=(said,))

        return self._logged(act)

    def confirm(self, keeper: Keeper, hold_id: str, note: str = "") -> Held:
        """Put a hold that somebody else has asked for in force.

        Raises:
            NoSuchHold: there is none in this project.
            HoldNotPossible: it was confirmed, released or withdrawn before.
            SamePerson: the keeper asked for it, or one of the two accounts is closed.
        """

        def act(conn: Connection, now: datetime) -> tuple[Hold, Entry]:
            hold = self._own(conn, keeper, hold_id, State.ASKED)
            _require_two(conn, hold.asked_by, keeper.actor)
            hold = holds.change(
                conn, hold, State.IN_FORCE, confirmed_by=keeper.actor, confirmed_at=now
            )
            return hold, _entry("hold.in_force", hold, keeper, now, values=_noted(keeper, note))

        return self._logged(act)

    def release(self, keeper: Keeper, hold_id: str, note: str = "") -> Held:
        """Ask for the end of a hold, or end it where somebody else has asked for that.

        One that never came into force ends at once. When a hold ends, erasures that waited go on.

        Raises:
            NoSuchHold, HoldNotPossible, SamePerson: as `confirm`.
        """

        def act(conn: Connection, now: datetime) -> tuple[Hold, Entry]:
            _require_open(conn, keeper.actor)
            hold = _ended(conn, self._own(conn, keeper, hold_id, *_LIVES), keeper.actor, now)
            kind = f"hold.{hold.state.value}"
            return hold, _entry(kind, hold, keeper, now, values=_noted(keeper, note))

        done = self._logged(act)
        if done.hold.state is not State.RELEASED:
            return done
        return Held(done.hold, done.receipt, self._erasing.go_on())

    def known(self, keeper: Keeper, hold_id: str) -> Hold:
        """Return a hold of the keeper's project.

        Raises:
            NoSuchHold: there is none.
        """
        with self._rooms.database.reading() as conn:
            found = self._own(conn, keeper, hold_id, *State)
        self._rooms.log.drain()
        return found

    def why(self, keeper: Keeper, hold: Hold) -> str | None:
        """Return the reason that was given, once the log says who reads it; None if it is erased.

        Raises:
            DatabaseUnavailable, AuditError: the reading cannot be logged; nothing is shown.
        """
        self._rooms.log.append(_entry("hold.read", hold, keeper, self._rooms.clock()))
        try:
            entry = self._rooms.log.entry_by_key(_asked_key(hold))
            with self._rooms.database.reading() as conn:
                return self._rooms.log.disclose(conn, entry.index, _WHY).text
        except (SubjectError, NoEntry):
            return None

    def _own(self, conn: Connection, keeper: Keeper, hold_id: str, *states: State) -> Hold:
        found = holds.get(conn, hold_id)
        if keeper.reach is Reach.PROJECT and found.project != keeper.project:
            raise NoSuchHold(f"there is no hold {hold_id}")
        if found.state not in states:
            raise HoldNotPossible(f"{hold_id} is {found.state.value}")
        return found

    def _logged(self, act: Callable[[Connection, datetime], tuple[Hold, Entry]]) -> Held:
        now = self._rooms.clock()
        with self._rooms.database.transaction() as conn:
            holds.take_turns(conn)
            hold, entry = act(conn, now)
            key = self._rooms.log.stage(conn, entry)
        return Held(hold, self._rooms.log.settle(key))


def _ended(conn: Connection, hold: Hold, by: str, now: datetime) -> Hold:
    """Move a hold one step nearer to its end."""
    if hold.state is State.ASKED:
        return holds.change(conn, hold, State.WITHDRAWN, release_by=by)
    if hold.state is State.IN_FORCE:
        return holds.change(conn, hold, State.RELEASE_ASKED, release_by=by)
    _require_two(conn, hold.release_by, by)
    # What it kept from the last sweep is looked at by the next.
    retired.look_again(conn)
    return holds.change(conn, hold, State.RELEASED, released_by=by, released_at=now)


def _noted(keeper: Keeper, note: str) -> tuple[Private, ...]:
    return (Private("note", keeper.actor, note),) if note else ()


def _asked_key(hold: Hold) -> str:
    return f"hold:{hold.id}:asked"


def _entry(
    kind: str, hold: Hold, keeper: Keeper, now: datetime, *, values: tuple[Private, ...] = ()
) -> Entry:
    facts: Mapping[str, Json] = {
        "hold": hold.id, "kind": hold.target.kind.value, "target": hold.target.id,
    }  # fmt: skip
    return Entry(
        key=_asked_key(hold) if kind == "hold.asked" else new_id("act", now),
        type=kind,
        at=now,
        actor=keeper.actor,
        project=keeper.project,
        facts=facts,
        values=values,
    )


def _require_within(conn: Connection, keeper: Keeper, target: Target) -> None:
    if keeper.reach is Reach.HOUSE:
        return
    if target.kind is Kind.PROJECT and target.id != keeper.project:
        raise NoSuchSubject(f"{target.id} is not of this project")
    if (
        target.kind is Kind.SUBJECT
        and keeper.project not in subjects.found(conn, target.id).projects
    ):
        raise NoSuchSubject(f"{target.id} is not of this project")


def _require_two(conn: Connection, first: str, second: str) -> None:
    if first == second:
        raise SamePerson("the first step was yours: the second takes another person")
    _require_open(conn, first)
    _require_open(conn, second)


def _require_open(conn: Connection, actor: str) -> None:
    try:
        found = accounts.actor(conn, actor)
    except accounts.NoSuchAccount:
        raise SamePerson(f"{actor} has no account") from None
    if found.disabled_at is not None:
        raise SamePerson(f"the account {actor} is closed: ask again with two open ones")
