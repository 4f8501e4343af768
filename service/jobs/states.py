"""The words of a job: its states, its eleven steps, its lease, and what can be wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from service.decision import Stage

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Fields = Mapping[str, Json]
"""A JSON object: what a step leaves for the steps after it."""


class State(StrEnum):
    """Where a job stands. The last four are ends."""

    ADMITTED = "admitted"
    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"


ENDS = frozenset({State.REFUSED, State.FAILED, State.CANCELLED, State.RELEASED})


class Step(StrEnum):
    """What is done for one request, in this order and no other (DESIGN, "order of effects")."""

    ADMIT = "admit"
    DECIDE = "decide"
    TICKET = "ticket"
    QUEUE = "queue"
    CLAIM = "claim"
    GENERATE = "generate"
    INSPECT = "inspect"
    SEAL = "seal"
    LOG = "log"
    RELEASE = "release"
    TELL = "tell"


STEPS = tuple(Step)


class Signal(StrEnum):
    """What a heartbeat learns: go on, or stop within this step because somebody cancelled."""

    GO = "go"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request on its way in.

    Attributes:
        id: `video_…`.
        idempotency_key: the requester's, or empty.
        fingerprint: hash over the parsed fields and files, so that a new multipart boundary does
            not make a new request.
        parameters: how it is to be made; nothing that the requester wrote in words.
        sealed_request: the whole request, encrypted by the caller.
        priority: 0 is soonest; each level more costs `AGEING` of waiting.
        is_retry: the client says that it has sent this before.
    """

    id: str
    request_id: str
    project: str
    actor: str
    fingerprint: str
    parameters: Fields
    sealed_request: bytes = field(repr=False)
    idempotency_key: str = ""
    priority: int = 5
    is_retry: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One request as it stands in the database.

    Attributes:
        seq: order of admission, unique.
        fence: raised by every claim; whoever holds an older one may write nothing.
        attempts: leases taken since the last step was recorded.
        stage, percent: the worker's last word on progress.
        held_stage: which decision holds it; None unless `held`.
        error_code, error_message: why it was refused or failed, safe to show; empty otherwise.
        blob_sha256: the released file; None before.
        deleted_at: the requester took it away; it is shown to nobody.
    """

    seq: int
    id: str
    request_id: str
    project: str
    actor: str
    fingerprint: str
    parameters: Fields
    priority: int
    state: State
    steps_done: int
    fence: int
    attempts: int
    cancel_asked: bool
    stage: str
    percent: int
    held_stage: Stage | None
    error_code: str
    error_message: str
    blob_sha256: str | None
    admitted_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    deleted_at: datetime | None

    @property
    def next_step(self) -> Step | None:
        """The first step without a record; None when all eleven are done."""
        return STEPS[self.steps_done] if self.steps_done < len(STEPS) else None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on `job` until somebody claims it with a higher `fence`.

    Attributes:
        length: how long after each heartbeat the job counts as being worked on.
    """

    job: str
    owner: str
    fence: int
    length: timedelta


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new job, leased to whoever admitted it."""

    job: Job
    lease: Lease


@dataclass(frozen=True, slots=True)
class Repeat:
    """The request was sent before; `job` is what came of it, and may have been deleted since."""

    job: Job


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is: a word for the stage and 0..100 percent of the whole."""

    stage: str
    percent: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that is done, under which fence, and what it left for the later ones."""

    step: Step
    fence: int
    result: Fields
    at: datetime


class JobError(Exception):
    """Base of everything that `service.jobs` raises."""


class UnknownJob(JobError):
    """There is no such job, or not in this project."""

    def __init__(self, job: str) -> None:
        super().__init__(f"no job {job}")
        self.job = job


class IdempotencyConflict(JobError):
    """The key was used in the last 24 hours for another request."""

    def __init__(self, job: str) -> None:
        super().__init__(f"the idempotency key belongs to {job}, whose request was another")
        self.job = job


class Fenced(JobError):
    """The lease is no longer ours. Whatever was being done must stop and leave no trace."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"{lease.owner} lost {lease.job} at fence {lease.fence}")
        self.lease = lease


class OutOfOrder(JobError):
    """The step was done before, or is not the next one."""

    def __init__(self, job: str, step: Step, due: Step | None) -> None:
        super().__init__(f"{job}: {step} was given, {due or 'nothing'} is due")
        self.step = step
        self.due = due


class CancelAsked(JobError):
    """The requester cancelled; the holder of the lease calls `confirm_cancel`."""

    def __init__(self, job: str) -> None:
        super().__init__(f"{job} was cancelled")
        self.job = job


class AlreadyEnded(JobError):
    """The job has an end, and it is not the one that was asked for."""

    def __init__(self, job: str, state: State) -> None:
        super().__init__(f"{job} is {state}")
        self.job = job
        self.state = state


class NotHeld(JobError):
    """The job does not wait for a person."""

    def __init__(self, job: str, state: State) -> None:
        super().__init__(f"{job} is {state}, not held")
        self.job = job
        self.state = state
