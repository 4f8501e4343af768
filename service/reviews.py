"""What waits for a person: opened when a request is held, decided once, by somebody else.

Clearing lets a held job go on where it stopped, and refusing ends it. A decision that was asked
for without a job (`clearances.py`) has nothing that could go on: once it is cleared, the same
request can be asked about again. Both return an `Outcome`, which the caller puts into the log in
the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
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
from service.jobs import Instant, Job, Json, NotHeld, State
from service.jobs.tables import job as job_table
from service.jobs.tables import word

MAX_NOTE_CHARACTERS = 4000

CLEARED_FOR = timedelta(days=7)
"""How long a cleared decision without a job can be asked for again: a working week and its
weekend, and no longer, since the request is compared by a hash and nobody looks again."""


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
    """What is held, and why.

    Attributes:
        id: `rev_…`.
        job: empty where a decision alone was asked for.
        requester: the actor who may not decide.
        decision_id: the first decision that holds it; it has the reasons in full.
        reasons: their codes.
        reviewer, note, decided_at: empty and None while `open`. The note is a person's own
            words, and stays out of the log.
        until_at: without a job, until when it stays cleared.
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
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the service must put into the log about a review, and the job, if any, as it is now."""

    review: str
    decision_id: str
    stage: Stage
    ruling: Ruling
    reviewer: str
    at: datetime
    job: Job | None
    until_at: datetime | None = None


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
    # What may be open once at a time: the job, or else the same hold of the same request.
    Column("once", String(80), nullable=False, server_default=""),
    Column("sign", String(64), nullable=False, server_default=""),
    Column("until_at", Instant),
)
_VIEW = tuple(review.c[each.name] for each in fields(Review))
_OPEN = review.c.ruling == Ruling.OPEN
_SIGNED = review.c.sign != ""
Index("review_open", review.c.once, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("review_sign", review.c.sign, sqlite_where=_SIGNED, postgresql_where=_SIGNED)


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
            once=held.id,
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


def of_entry(conn: Connection, facts: Mapping[str, Json]) -> Review | None:
    """Return the review that a decision waits for, by its facts in the log; None without one.

    Of the same request asked about twice, both decisions wait for the review of the first.
    """
    which = review.c.decision_id == str(facts.get("decision"))
    if "review" in facts:
        which = review.c.id == str(facts["review"])
    row = conn.execute(select(*_VIEW).where(which)).mappings().first()
    return None if row is None else _as_review(row)


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
        .outerjoin(job_table, job_table.c.id == review.c.job)
        .where(_OPEN, (review.c.job == "") | (job_table.c.state == State.HELD))
        .order_by(review.c.id)
        .limit(limit)
    )
    if project is not None:
        query = query.where(review.c.project == project)
    if after is not None:
        query = query.where(review.c.id > after)
    return tuple(_as_review(row) for row in conn.execute(query).mappings())


def clear(conn: Connection, review_id: str, reviewer: str, note: str, now: datetime) -> Outcome:
    """Let the job go on at the step where it stopped, or the request be asked about again.

    Raises:
        UnknownReview, AlreadyDecided, OwnRequest, NoteTooLong: it does not go on.
        NotHeld: the requester cancelled it meanwhile.
    """
    decided = _decided(conn, review_id, Ruling.CLEARED, reviewer, note, now)
    job = jobs.resume(conn, decided.job, now) if decided.job else None
    return _outcome(conn, decided, job, now)


def refuse(conn: Connection, review_id: str, reviewer: str, note: str, now: datetime) -> Outcome:
    """End the job as refused, or let the decision stand.

    Raises:
        UnknownReview, AlreadyDecided, OwnRequest, NoteTooLong: it goes on waiting.
        NotHeld: the requester cancelled it meanwhile.
    """
    decided = _decided(conn, review_id, Ruling.REFUSED, reviewer, note, now)
    if not decided.job:
        return _outcome(conn, decided, None, now)
    job = jobs.refuse_held(
        conn, decided.job, "review.refused", "A person looked at it and refused it.", now
    )
    return _outcome(conn, decided, job, now)


def cleared(conn: Connection, job_id: str) -> frozenset[str]:
    """Return the standings of all holds of a job that a person has cleared."""
    query = select(review.c.standings).where(
        review.c.job == job_id, review.c.ruling == Ruling.CLEARED
    )
    return frozenset(one for standings in conn.execute(query).scalars() for one in standings)


def forget_notes(conn: Connection, actor: str) -> int:
    """Blank what was written about the actor's requests, and what the actor wrote of others'.

    What knows the actor's requests again goes too; what was cleared for them is cleared no more.
    """
    conn.execute(update(review).where(review.c.requester == actor, _SIGNED).values(sign=""))
    theirs = (review.c.requester == actor) | (review.c.reviewer == actor)
    written = conn.execute(update(review).where(theirs, review.c.note != "").values(note=""))
    return int(written.rowcount)


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
        .values(
            ruling=ruling,
            reviewer=reviewer,
            note=note,
            decided_at=now,
            until_at=None if stands.job or ruling is Ruling.REFUSED else now + CLEARED_FOR,
        )
    )
    if not written.rowcount:
        raise AlreadyDecided(review_id, get(conn, review_id).ruling)
    return get(conn, review_id)


def _outcome(conn: Connection, decided: Review, job: Job | None, now: datetime) -> Outcome:
    if job is None:
        # A job tells of itself.
        told = {"actor": decided.requester, "review": decided.id, "decision": decided.decision_id}
        topic = f"review.{decided.ruling.value}"
        jobs.put(conn, topic, f"{topic}:{decided.id}", told, now)
    return Outcome(
        decided.id,
        decided.decision_id,
        decided.stage,
        decided.ruling,
        decided.reviewer,
        now,
        job,
        decided.until_at,
    )


def _as_review(row: RowMapping) -> Review:
    values = {str(name): value for name, value in row.items()}
    return Review(**{**values, "reasons": tuple(row["reasons"])})
