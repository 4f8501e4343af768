"""One job under one lease: its request, what earlier steps left, and how a step is committed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection

from generator.model import Cancelled
from generator.shots import Shot
from service import body, jobs
from service.gates import Asked
from service.jobs import Fields, Job, Lease, Progress, Signal, Step
from service.media.errors import MediaError
from service.request import BadRequest, GenerationRequest, Requester
from service.rooms import Rooms, Workshop

# A heartbeat is a commit; the lease lasts far longer than this.
_BEAT_S = 0.5


class StepDamaged(Exception):
    """A finished step left something else than it promised; the job cannot go on."""


class Side(StrEnum):
    """On which side of a commit something happens."""

    BEFORE = "before"
    AFTER = "after"


Crossing = Callable[[Step, Side], None]
"""Told right before and right after each step's commit. The crash tests die in it."""


class Next(StrEnum):
    """Whether the job goes on under this lease."""

    GO = "go"
    STOP = "stop"


@dataclass(slots=True)
class Run:
    """A job in the hands of one process.

    Attributes:
        results: what each finished step left, by step.
        request: opened with its requester's key.
    """

    rooms: Rooms
    workshop: Workshop | None
    lease: Lease
    job: Job
    request: GenerationRequest
    results: dict[Step, Fields]
    crossing: Crossing
    _beaten_at: float = field(default=0.0)

    @contextmanager
    def commit(self, step: Step) -> Iterator[Connection]:
        """Yield the transaction that holds a step's effects and its record, and commit it."""
        with self.rooms.database.transaction() as conn:
            yield conn
            self.crossing(step, Side.BEFORE)
        self.crossing(step, Side.AFTER)

    def beat(self, stage: Step, percent: int) -> None:
        """Keep the lease and show the progress, a few times a second at most.

        Raises:
            Cancelled: somebody cancelled the job.
            Fenced: somebody else has it.
        """
        now = time.monotonic()
        if now - self._beaten_at < _BEAT_S:
            return
        self._beaten_at = now
        with self.rooms.database.transaction() as conn:
            signal = jobs.heartbeat(
                conn, self.lease, Progress(stage.value, percent), self.rooms.clock()
            )
        if signal is Signal.CANCEL:
            raise Cancelled(f"{self.job.id} was cancelled")


def shot_of(request: GenerationRequest) -> Shot:
    """Return what the model is asked for: all of a request that a model sees."""
    made = request.parameters
    return Shot(request.prompt, made.size, made.seconds, made.fps, made.seed)


def text_of(result: Fields, key: str) -> str:
    """Return a text that an earlier step left.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, str):
        raise StepDamaged(f"an earlier step left no {key}")
    return value


def texts_of(result: Fields, key: str) -> tuple[str, ...]:
    """Return a list of texts that an earlier step left.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, list):
        raise StepDamaged(f"an earlier step left no {key}")
    return tuple(str(one) for one in value)


def pairs_of(result: Fields, key: str) -> dict[str, str]:
    """Return a mapping of texts that an earlier step left.

    Raises:
        StepDamaged: it is missing or something else.
    """
    value = result.get(key)
    if not isinstance(value, dict):
        raise StepDamaged(f"an earlier step left no {key}")
    return {str(name): str(one) for name, one in value.items()}


def taken_up(rooms: Rooms, workshop: Workshop | None, lease: Lease, crossing: Crossing) -> Run:
    """Return the run of a job that this process has just leased.

    Raises:
        BodyDamaged, SubjectErased: the request cannot be read any more.
    """
    with rooms.database.reading() as conn:
        job = jobs.get(conn, lease.job)
        sealed = jobs.sealed_request(conn, lease.job)
        opened = rooms.subjects.open(conn, job.actor, sealed, job.id)
        results = {record.step: record.result for record in jobs.steps(conn, job.id)}
    requester = Requester(job.actor, job.project)
    request = body.restored(job.request_id, requester, dict(job.parameters), opened)
    return Run(rooms, workshop, lease, job, request, results, crossing)


def asked(rooms: Rooms, request: GenerationRequest) -> Asked:
    """Return the request, opened, for the gates.

    Raises:
        BadRequest: a reference is not a picture that we can open.
    """
    pictures = []
    for reference in request.references:
        try:
            pictures.append(rooms.read_picture(reference.content))
        except MediaError as refused:
            raise BadRequest(
                reference.param, refused.code, refused.message, refused.remedy
            ) from refused
    return Asked(request, rooms.normalise(request.prompt), tuple(pictures))
