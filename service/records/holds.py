"""Legal holds as stored: asked for by one person, in force when another has confirmed it.

While it is in force nothing that it covers is erased, dropped or pruned. Nothing here commits.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, RowMapping, String, Table, insert, select, text, update

from likeness import store as likenesses
from service.audit.reading import LoggedEntry
from service.database import metadata
from service.ids import new_id
from service.jobs import Instant
from service.jobs.tables import word
from service.records.words import HoldNotPossible, NoSuchHold

# Any number of our own: who changes a hold and who destroys a key take turns.
_LOCK = 7_270_915_302


class Kind(StrEnum):
    """What a hold keeps."""

    SUBJECT = "subject"
    CASE = "case"
    PROJECT = "project"


class State(StrEnum):
    """Where a hold stands; it keeps things in the second and the third."""

    ASKED = "asked"
    IN_FORCE = "in_force"
    RELEASE_ASKED = "release_asked"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


_KEEPS = (State.IN_FORCE, State.RELEASE_ASKED)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be kept: a subject, a case or a project, by its id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, `hld_…`.

    Attributes:
        project: where it was asked for, and the only one whose cases it keeps; empty for the
            whole house.
        theirs: of a hold on a subject, the likenesses of a person, or the owner of a likeness;
            only `in_force` says.
        asked_by, confirmed_by, release_by, released_by: four actors, two and two different.
    """

    id: str
    target: Target
    project: str
    state: State
    asked_by: str
    asked_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None
    release_by: str
    released_by: str
    released_at: datetime | None
    theirs: frozenset[str] = frozenset()

    @property
    def everybody(self) -> frozenset[str]:
        """Whom a hold on a subject keeps."""
        return self.theirs | {self.target.id}

    def covers_entry(self, entry: LoggedEntry, subjects: Collection[str] = ()) -> bool:
        """Whether an entry is kept; `subjects` are those of its private values."""
        match self.target.kind:
            case Kind.PROJECT:
                return entry.project == self.target.id
            case Kind.SUBJECT:
                return not self.everybody.isdisjoint({*subjects, *_ids(entry)})
            case Kind.CASE:
                return self.project in {"", entry.project} and self.target.id in _ids(entry)

    def covers(self, project: str, ids: Collection[str]) -> bool:
        """Whether something of `project` that has these ids is kept."""
        match self.target.kind:
            case Kind.PROJECT:
                return project == self.target.id
            case Kind.SUBJECT:
                return self.target.id in ids
            case Kind.CASE:
                return self.project in {"", project} and self.target.id in ids


legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("kind", word(Kind, "legal_hold_kind"), nullable=False),
    Column("target", String(200), nullable=False),
    Column("project", String(80), nullable=False),
    Column("state", word(State, "legal_hold_state"), nullable=False, index=True),
    Column("asked_by", String(80), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_by", String(80), nullable=False, server_default=""),
    Column("confirmed_at", Instant),
    Column("release_by", String(80), nullable=False, server_default=""),
    Column("released_by", String(80), nullable=False, server_default=""),
    Column("released_at", Instant),
)


def take_turns(conn: Connection) -> None:
    """Wait until nobody else changes a hold or destroys what one could keep; first in a write.

    Without it, a hold could come into force between the question and the destruction.
    """
    # SQLite has one writer anyway.
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def add(conn: Connection, target: Target, project: str, by: str, now: datetime) -> Hold:
    """Write a hold that one person asks for; it keeps nothing yet."""
    made = new_id("hld", now)
    conn.execute(
        insert(legal_hold).values(
            id=made,
            kind=target.kind,
            target=target.id,
            project=project,
            state=State.ASKED,
            asked_by=by,
            asked_at=now,
        )
    )
    return get(conn, made)


def get(conn: Connection, hold: str) -> Hold:
    """Return the hold.

    Raises:
        NoSuchHold: there is none.
    """
    row = conn.execute(select(legal_hold).where(legal_hold.c.id == hold)).mappings().first()
    if row is None:
        raise NoSuchHold(f"there is no hold {hold}")
    return _hold(row)


def list_of(
    conn: Connection, *, project: str | None = None, after: str = "", limit: int = 50
) -> list[Hold]:
    """Return holds, oldest first; of one project unless it is None."""
    c = legal_hold.c
    query = select(legal_hold).where(c.id > after)
    if project is not None:
        query = query.where(c.project == project)
    return [_hold(row) for row in conn.execute(query.order_by(c.id).limit(limit)).mappings()]


def in_force(conn: Connection) -> tuple[Hold, ...]:
    """Return every hold that keeps something now, of every project."""
    query = select(legal_hold).where(legal_hold.c.state.in_(_KEEPS)).order_by(legal_hold.c.id)
    found = conn.execute(query).mappings().all()
    return tuple(replace(hold, theirs=_theirs(conn, hold.target)) for hold in map(_hold, found))


def _theirs(conn: Connection, target: Target) -> frozenset[str]:
    if target.kind is not Kind.SUBJECT:
        return frozenset()
    likeness = likenesses.likeness_by_id(conn, target.id)
    if likeness is not None:
        return frozenset({likeness.owner})
    return frozenset(one.id for one in likenesses.owned(conn, target.id))


def change(conn: Connection, hold: Hold, state: State, **values: object) -> Hold:
    """Move a hold on to `state`.

    Raises:
        HoldNotPossible: somebody has moved it meanwhile.
    """
    c = legal_hold.c
    moved = conn.execute(
        update(legal_hold)
        .where(c.id == hold.id, c.state == hold.state)
        .values(state=state, **values)
    )
    if not moved.rowcount:
        raise HoldNotPossible(f"{hold.id} is {get(conn, hold.id).state.value}")
    return get(conn, hold.id)


def _hold(row: RowMapping) -> Hold:
    return Hold(
        row["id"],
        Target(row["kind"], row["target"]),
        row["project"],
        row["state"],
        row["asked_by"],
        row["asked_at"],
        row["confirmed_by"],
        row["confirmed_at"],
        row["release_by"],
        row["released_by"],
        row["released_at"],
    )


def _ids(entry: LoggedEntry) -> frozenset[str]:
    """Return every word of an entry that may be an id."""
    return frozenset({entry.key, entry.request, entry.actor, *_texts(entry.facts)})


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
