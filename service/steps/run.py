"""One job under one lease: its request, what earlier steps left, and how a step is committed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Connection

from generator.model import Cancelled
from generator.shots import Shot
from service import body, jobs
from service.gates import Asked, Picture, Recording, Words
from service.jobs import Fields, Job, Lease, Progress, Signal, Step
from service.media.errors import Code, MediaError
from service.media.looking import Looks
from service.request import (
    BadRequest,
    GenerationRequest,
    Reference,
    ReferenceKind,
    Requester,
    checked_shown,
)
from service.rooms import Rooms, Workshop

# A heartbeat is a commit; the lease lasts far longer than this.
_BEAT_S = 0.5


class StepDamaged(Exception):
    """A finished step left something else than it promised; the job cannot go on."""


class Stopping(Exception):
    """This process was told to stop; the job goes back for another one, at once."""


class Side(StrEnum):
    """On which side of a commit something happens."""

    BEFORE = "before"
    AFTER = "after"


Crossing = Callable[[Step, Side], None]
"""Told right before and right after each step's commit. The crash tests die in it."""


def uneventful(_step: Step, _side: Side) -> None:
    """Cross a commit without a stir."""


def never() -> bool:
    """Return False: nobody has told this process to stop."""
    return False


class Next(StrEnum):
    """Whether the job goes on under this lease."""

    GO = "go"
    STOP = "stop"


@dataclass(slots=True)
class Run:
    """A job in the hands of one process.

    Attributes:
        results: what each finished step left, by step.
        stopping: whether this process was told to stop.
        pictures: of the references, where this process has opened them already.
    """

    rooms: Rooms
    workshop: Workshop | None
    lease: Lease
    job: Job
    results: dict[Step, Fields]
    crossing: Crossing
    stopping: Callable[[], bool]
    pictures: tuple[Picture, ...] | None = field(default=None, repr=False)
    _request: GenerationRequest | None = field(default=None, repr=False)
    _asked: Asked | None = field(default=None, repr=False)
    _beaten_at: float = field(default=0.0)

    @property
    def request(self) -> GenerationRequest:
        """The request, opened with its requester's key when a step first needs it.

        Raises:
            UnknownJob, SubjectErased, BodyDamaged: it cannot be read any more.
        """
        if self._request is None:
            self._request = _unsealed(self.rooms, self.job)
        return self._request

    @property
    def asked(self) -> Asked:
        """The request as the gates look at it; its pictures are decoded once.

        Raises:
            MediaError: a picture that could be opened before cannot be opened now.
        """
        if self._asked is None:
            if self.pictures is None:
                self.pictures = opened(self.rooms, self.request)
            self._asked = _asked(self.rooms, self.request, self.pictures)
        return self._asked

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
            Stopping: this process is to end.
        """
        if self.stopping():
            raise Stopping(self.job.id)
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


def shot_of(request: GenerationRequest, pictures: tuple[Picture, ...]) -> Shot:
    """Return what the model is asked for: all of a request that a model sees.

    Args:
        pictures: the references, opened.

    Raises:
        BadRequest: there are more than a film shows.
    """
    checked_shown(request.references)
    made = request.parameters
    first = pictures[0] if pictures else None
    return Shot(request.prompt, made.size, made.seconds, made.fps, made.seed, first_frame=first)


def asked(rooms: Rooms, request: GenerationRequest) -> Asked:
    """Return the request, opened, for the gates.

    Raises:
        BadRequest: a film or a sound cannot be opened.
        MediaError: a reference is not a picture that we can open.
    """
    found = _asked(rooms, request, opened(rooms, request))
    return replace(found, recordings=recordings(rooms, request))


def recordings(rooms: Rooms, request: GenerationRequest) -> tuple[Recording, ...]:
    """Return the films and sounds of the references, as far as this process can open such.

    Raises:
        BadRequest: one is none, is damaged or too long.
        MediaError: nothing can be opened here now.
    """
    readers = {ReferenceKind.FILM: rooms.read_film, ReferenceKind.SOUND: rooms.read_sound}
    return tuple(
        Recording(one.param, _looks(reader, one))
        for kind, reader in readers.items()
        for one in request.of_kind(kind)
    )


def _looks(reader: Callable[[bytes], Looks] | None, reference: Reference) -> Looks | None:
    if reader is None:
        return None
    try:
        return reader(reference.content)
    except MediaError as refused:
        raise unopened(reference.param, refused) from refused


def unopened(param: str, refused: MediaError) -> BadRequest | MediaError:
    """Return what to raise about a file that was not opened: it is wrong, or this machine is."""
    if refused.code is Code.NOT_WRITTEN:
        return refused
    return BadRequest(param, refused.code, refused.message, refused.remedy)


def _asked(rooms: Rooms, request: GenerationRequest, pictures: tuple[Picture, ...]) -> Asked:
    words = tuple(Words(param, text, rooms.normalise(text)) for param, text in request.texts())
    return Asked(request, words, pictures)


def opened(rooms: Rooms, request: GenerationRequest) -> tuple[Picture, ...]:
    """Return the pictures of the references, read-only: what the gates saw is what is shown.

    Raises:
        MediaError: a reference is not a picture that we can open.
    """
    sent = request.of_kind(ReferenceKind.PICTURE)
    pictures = tuple(rooms.read_picture(reference.content) for reference in sent)
    for picture in pictures:
        picture.flags.writeable = False
    return pictures


def taken_up(
    rooms: Rooms,
    workshop: Workshop | None,
    lease: Lease,
    crossing: Crossing,
    stopping: Callable[[], bool],
) -> Run:
    """Return the run of a job that this process has just leased."""
    with rooms.database.reading() as conn:
        job = jobs.get(conn, lease.job)
        results = {record.step: record.result for record in jobs.steps(conn, job.id)}
    return Run(rooms, workshop, lease, job, results, crossing, stopping)


def _unsealed(rooms: Rooms, job: Job) -> GenerationRequest:
    with rooms.database.reading() as conn:
        sealed = jobs.sealed_request(conn, job.id)
        content = rooms.subjects.open(conn, job.actor, sealed, job.id)
    requester = Requester(job.actor, job.project)
    return body.restored(job.request_id, requester, dict(job.parameters), content)
