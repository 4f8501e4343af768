"""What waits for a person: opened when a job is held, decided once, by somebody else.

Clearing lets the job go on where it stopped; refusing ends it. Both return an `Outcome`, which
the caller puts into the log in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from service import jobs
from service.database import metadata
from service.decision import Stage
from service.ids import new_id
from service.jobs import Instant, Job, NotHeld, State
from service.jobs.tables import job as job_table
from service.jobs.tables import word

MAX_NOTE_CHARACTERS = 4000


class Ruling(StrEnum):
    """What became of a review."""

    OPEN = "open"
    CLEARED = "cleared"
    REFUSED = "refused"


class ReviewError(Exception):
    """Base of everything this module raises."""


class UnknownReview(ReviewError):
    """There is no such review."""


class AlreadyDecided(ReviewError):
    """Somebody was first; `ruling` is what they decided."""

    def __init__(self, review: str, ruling: Ruling) -> None:
        super().__init__(f"{review} is {ruling}")
        self.review = review
        self.ruling = ruling


class OwnRequest(ReviewError):
    """Nobody decides about what they asked for themselves; another moderator has to."""


class NoteTooLong(ReviewError):
    """A note has at most `MAX_NOTE_CHARACTERS` characters."""


@dataclass(frozen=True, slots=True)
class Review:
    """A held job and why.

    Attributes:
        id: `rev_…`.
        requester: the actor who may not decide.
        decision_id: the decision that holds the job; it has the reasons in full.
        reasons: their codes.
        reviewer, note, decided_at: empty and None while `open`. The note is a person's own
            words, and stays out of the log.
    """

    id: str
    job: str
    project: str
    requester: str
    stage: Stage
    decision_id: str
    reasons: tuple[str, ...]
    opened_at: datetime
    ruling: Ruling
    reviewer: str
    note: str = field(repr=False)
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the service must put into the log about a review, and the job as it is now."""

    review: str
    decision_id: str
    stage: Stage
    ruling: Ruling
    reviewer: str
    at: datetime
    job: Job


review = Table(
    "review",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("job", String(80), nullable=False),
    Column("project", String(80), nullable=False),
    Column("requester", String(80), nullable=False),
    Column("stage", word(Stage, "review_stage"), nullable=False),
    Column("decision_id", String(80), nullable=False, unique=True),
    Column("reasons", JSON, nullable=False),
    Column("standings", JSON, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("ruling", word(Ruling, "review_ruling"), nullable=False),
    Column("reviewer", String(80), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("decided_at", Instant),
)
_VIEW = tuple(column for column in review.c if column.name != "standings")
_OPEN = review.c.ruling == Ruling.OPEN
# One person at a time decides about a job: a second open review of it cannot be written.
Index("review_open", review.c.job, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)


def open_review(
    conn: Connection,
    held: Job,
    decision_id: str,
    reasons: Sequence[str],
    now: datetime,
    *,
    standings: Sequence[str] = (),
) -> Review:
    """Put a held job before the moderators; call it in the transaction that holds the job.

    Args:
        standings: what clearing it clears, as `judge.standings` gives it.

    Raises:
        NotHeld: nothing waits.
    """
    if held.held_stage is None:
        raise NotHeld(held.id, held.state)
    opened = new_id("rev", now)
    conn.execute(
        insert(review).values(
            id=opened,
            job=held.id,
            project=held.project,
            requester=held.actor,
            stage=held.held_stage,
            decision_id=decision_id,
            reasons=list(reasons),
            standings=list(standings),
            opened_at=now,
            ruling=Ruling.OPEN,
        )
    )
    return get(conn, opened)


def get(conn: Connection, review_id: str) -> Review:
    """Return the review.

    Raises:
        UnknownReview: there is none.
    """
    row = conn.execute(select(*_VIEW).where(review.c.id == review_id)).mappings().first()
    if row is None:
        raise UnknownReview(review_id)
    return _as_review(row)


def list_open(
    conn: Connection, *, project: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[Review, ...]:
    """Return what waits, longest first; what its requester has cancelled meanwhile is left out.

    Args:
        project: None for those who moderate the whole service.
        after: the last review of the page before.
    """
    query = (
        select(*_VIEW)
        .join(job_table, job_table.c.id == review.c.job)
        .where(_OPEN, job_table.c.state == State.HELD)
        .order_by(review.c.id)
        .limit(limit)
    )
    if project is not None:
        query = query.where(review.c.project == project)
    if after is not None:
        query = query.where(review.c.id > after)
    return tuple(_as_review(row) for row in conn.execute(query).mappings())


def clear(conn: Connection, review_id: str, reviewer: str, note: str, now: datetime) -> Outcome:
    """Let the job go on at the step where it stopped.

    Raises:
        UnknownReview, AlreadyDecided, OwnRequest, NoteTooLong: it does not go on.
        NotHeld: the requester cancelled it meanwhile.
    """
    decided = _decided(conn, review_id, Ruling.CLEARED, reviewer, note, now)
    return _outcome(decided, jobs.resume(conn, decided.job, now), now)


def refuse(conn: Connection, review_id: str, reviewer: str, note: str, now: datetime) -> Outcome:
    """End the job as refused.

    Raises:
        UnknownReview, AlreadyDecided, OwnRequest, NoteTooLong: it goes on waiting.
        NotHeld: the requester cancelled it meanwhile.
    """
    decided = _decided(conn, review_id, Ruling.REFUSED, reviewer, note, now)
    job = jobs.refuse_held(
        conn, decided.job, "review.refused", "A person looked at it and refused it.", now
    )
    return _outcome(decided, job, now)


def cleared(conn: Connection, job_id: str) -> frozenset[str]:
    """Return the standings of all holds of a job that a person has cleared."""
    query = select(review.c.standings).where(
        review.c.job == job_id, review.c.ruling == Ruling.CLEARED
    )
    return frozenset(one for standings in conn.execute(query).scalars() for one in standings)


def _decided(
    conn: Connection, review_id: str, ruling: Ruling, reviewer: str, note: str, now: datetime
) -> Review:
    stands = get(conn, review_id)
    if stands.requester == reviewer:
        raise OwnRequest(review_id)
    if len(note) > MAX_NOTE_CHARACTERS:
        raise NoteTooLong(f"{len(note)} characters; at most {MAX_NOTE_CHARACTERS}")
    # Of two moderators at once, the second finds the review no longer open.
    written = conn.execute(
        update(review)
        .where(review.c.id == review_id, _OPEN)
        .values(ruling=ruling, reviewer=reviewer, note=note, decided_at=now)
    )
    if not written.rowcount:
        raise AlreadyDecided(review_id, get(conn, review_id).ruling)
    return get(conn, review_id)


def _outcome(decided: Review, job: Job, now: datetime) -> Outcome:
    return Outcome(
        decided.id, decided.decision_id, decided.stage, decided.ruling, decided.reviewer, now, job
    )


def _as_review(row: RowMapping) -> Review:
    values = {str(name): value for name, value in row.items()}
    return Review(**{**values, "reasons": tuple(row["reasons"])})
