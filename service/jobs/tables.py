"""The tables of jobs, and the one way to change a job under a lease."""

from dataclasses import fields
from enum import StrEnum
from operator import itemgetter

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Enum,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Text,
    false,
    select,
    text,
    update,
)

from service.database import metadata
from service.decision import Stage
from service.jobs.instants import Instant
from service.jobs.states import Fenced, Job, Lease, State, Step, UnknownJob

# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")


def word(kind: type[StrEnum], name: str) -> Enum:
    """Return a column type for the values of `kind`, as text, checked by the database."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


job = Table(
    "job",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("request_id", String(80), nullable=False),
    Column("project", String(80), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", word(State, "job_state"), nullable=False),
    Column("steps_done", Integer, nullable=False),
    Column("owner", String(80)),
    Column("fence", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When anybody may claim it: at once while queued, when the lease runs out while somebody
    # works on it, NULL when it waits for a person or there is nothing left to do.
    Column("available_at", Instant),
    # Admission time plus `AGEING` for each level of priority. Fixed, so that an index holds the
    # order; the oldest job wins in the end whatever its priority, so none starves.
    Column("turn", Instant, nullable=False),
    Column("cancel_asked", Boolean, nullable=False, server_default=false()),
    Column("stage", String(40), nullable=False, server_default=""),
    Column("percent", Integer, nullable=False, server_default=text("0")),
    Column("held_stage", word(Stage, "job_held_stage")),
    Column("error_code", String(120), nullable=False, server_default=""),
    Column("error_message", Text, nullable=False, server_default=""),
    Column("blob_sha256", String(64)),
    Column("admitted_at", Instant, nullable=False),
    Column("queued_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("deleted_at", Instant),
    CheckConstraint(
        "(state = 'released') = (blob_sha256 IS NOT NULL)", name="job_released_has_blob"
    ),
    CheckConstraint("(state = 'held') = (held_stage IS NOT NULL)", name="job_held_has_stage"),
)
_CLAIMABLE = job.c.available_at.is_not(None)
Index("job_turn", job.c.turn, job.c.seq, sqlite_where=_CLAIMABLE, postgresql_where=_CLAIMABLE)
Index("job_project", job.c.project, job.c.seq)
Index("job_blob", job.c.blob_sha256)

sealed_request = Table(
    "job_sealed_request",
    metadata,
    Column("job", String(80), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

job_step = Table(
    "job_step",
    metadata,
    Column("job", String(80), primary_key=True),
    Column("step", word(Step, "job_step_step"), primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("result", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)

_values = itemgetter(*(each.name for each in fields(Job)))


def as_job(row: RowMapping) -> Job:
    """Return one row of `job` as a value."""
    return Job(*_values(row))


def get(conn: Connection, job_id: str, *, locked: bool = False) -> Job:
    """Return the job, deleted or not, of whatever project: for workers, never for a client.

    Args:
        locked: nobody else changes it before this transaction ends.

    Raises:
        UnknownJob: there is none.
    """
    query = select(job).where(job.c.id == job_id)
    row = conn.execute(query.with_for_update() if locked else query).mappings().first()
    if row is None:
        raise UnknownJob(job_id)
    return as_job(row)


def forget_results(conn: Connection, job_id: str) -> None:
    """Drop what the steps of a deleted job left; that they were done, and when, stays."""
    conn.execute(update(job_step).where(job_step.c.job == job_id).values(result={}))


def jobs_where(
    conn: Connection, *conditions: ColumnElement[bool], order: ColumnElement[int], limit: int
) -> tuple[Job, ...]:
    """Return at most `limit` jobs that meet every condition, in `order`."""
    query = select(job).where(*conditions).order_by(order).limit(limit)
    return tuple(as_job(row) for row in conn.execute(query).mappings())


def change(conn: Connection, *conditions: ColumnElement[bool], **values: object) -> Job | None:
    """Set `values` on the one job that meets every condition; None where none does."""
    row = (
        conn.execute(update(job).where(*conditions).values(**values).returning(job))
        .mappings()
        .first()
    )
    return None if row is None else as_job(row)


def _is(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (job.c.id == lease.job, job.c.fence == lease.fence, job.c.owner == lease.owner)


def change_owned(conn: Connection, lease: Lease, **values: object) -> Job:
    """Compare the fence and set `values`, in one statement.

    Raises:
        Fenced: somebody else has it, or it has come to an end.
    """
    changed = change(conn, *_is(lease), **values)
    if changed is None:
        raise Fenced(lease)
    return changed


def change_leased(
    conn: Connection, lease: Lease, *conditions: ColumnElement[bool], **values: object
) -> Job | None:
    """Like `change_owned`; None where the job is ours but does not meet `conditions`."""
    changed = change(conn, *_is(lease), *conditions, **values)
    if changed is None and conn.execute(select(job.c.seq).where(*_is(lease))).first() is None:
        raise Fenced(lease)
    return changed
