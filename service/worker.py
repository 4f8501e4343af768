"""A process that makes films: it claims jobs one after another and carries each to its end.

Whatever goes wrong ends in one of three ways: the job fails with a sentence for its requester, it
is cancelled, or it is left to its lease, so that another process tries again, three times at most.
A process that is told to end gives its job back, and another goes on after the last step.
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from generator.model import Cancelled, NotPermitted
from generator.shots import ShotNotPossible
from service import jobs, notices
from service.body import BodyDamaged
from service.jobs import CancelAsked, Fenced, Job, Lease, OutboxItem
from service.pipeline import Pipeline
from service.records import retention
from service.records.retention import Schedule
from service.request import BadRequest
from service.steps.run import StepDamaged, Stopping
from service.subjects import SubjectErased
from service.ticket import TicketInvalid

log = structlog.get_logger()

_IDLE_S = 0.25
_DELIVERY = timedelta(seconds=30)
_DAY = timedelta(days=1)
# Doubles with each attempt: half a minute after the first, six hours from the tenth on.
_LONGEST_WAIT = timedelta(hours=6)
_DOUBLINGS = 10


@dataclass(slots=True)
class Worker:
    """Claims and carries on until told to stop.

    Attributes:
        keep: how long unmarked frames of a job that is over, and films that no job shows, may lie
            about, where the process that should have removed them died.
        tidy_every: how often to look for them; checked between two jobs.
        schedule: how long private things are kept; looked at once a day.
    """

    pipeline: Pipeline
    keep: timedelta = timedelta(hours=1)
    tidy_every: timedelta = timedelta(minutes=5)
    schedule: Schedule = field(default_factory=Schedule)
    sleep: Callable[[float], None] = time.sleep
    _stopping: threading.Event = field(default_factory=threading.Event)
    _tidied_at: datetime | None = None
    _swept_at: datetime | None = None

    def __post_init__(self) -> None:
        """Let the job in hand hear of `stop`."""
        self.pipeline = replace(self.pipeline, stopping=self._stopping.is_set)

    def run(self) -> None:
        """Work until `stop`; wait a little whenever there is nothing to do."""
        log.info("worker.started", owner=self.pipeline.owner)
        while not self._stopping.is_set():
            self._tidy_if_due()
            if not self.once():
                self.sleep(_IDLE_S)
        log.info("worker.stopped", owner=self.pipeline.owner)

    def stop(self) -> None:
        """Give the job in hand back at the next heartbeat or step, then end."""
        self._stopping.set()

    def once(self) -> bool:
        """Carry one job on, if one waits, and deliver what is in the outbox; say if one waited."""
        try:
            lease = self.pipeline.claim()
            if lease is not None:
                self.carry_on(lease)
            self.deliver()
        except Exception as broken:  # the edge of the process: nothing may stop the loop
            log.error("worker.troubled", error=type(broken).__name__)  # noqa: TRY400 - a traceback may hold a prompt
            return False
        return lease is not None

    def carry_on(self, lease: Lease) -> None:
        """Carry one job on; if that cannot be done, end it or leave it to its lease."""
        try:
            self._carry_on(lease)
        except Fenced:
            log.warning("job.fenced", job=lease.job, fence=lease.fence)
        except Exception as broken:  # the lease runs out, and another process tries again
            log.error("job.troubled", job=lease.job, error=type(broken).__name__)  # noqa: TRY400 - a traceback may hold a prompt

    def tidy(self) -> None:
        """Drop what no job needs any more; each kind, whatever becomes of the others."""
        for part in (
            self._forget_signs,
            self._sweep_unmarked,
            self._sweep_unshown,
            self._sweep_erased,
            self._sweep_terms,
        ):
            try:
                part()
            except Exception as broken:  # the next tidying tries again
                log.error("worker.untidy", part=part.__name__, error=type(broken).__name__)  # noqa: TRY400 - as in `once`

    def deliver(self) -> None:
        """Turn what waits in the outbox into notices, each in a transaction of its own.

        Nobody is told of what is not in the log: what is staged goes into the tree first.
        """
        rooms = self.pipeline.rooms
        rooms.log.drain()
        with rooms.database.transaction() as conn:
            items = jobs.next_outbox(conn, 100, _DELIVERY, rooms.clock())
        for item in items:
            try:
                self._tell(item)
            except Exception as broken:  # whatever is wrong with one, the others do not wait for it
                self._postpone(item, broken)

    def _carry_on(self, lease: Lease) -> None:
        try:
            job = self.pipeline.carry_on(lease)
            log.info("job.stopped", job=job.id, state=job.state.value)
        except Stopping:
            self._hand_back(lease)
        except (Cancelled, CancelAsked):
            self._end(lease, jobs.confirm_cancel)
        except BadRequest as refused:
            self._fail(lease, refused.code, refused.message)
        except ShotNotPossible as refused:
            self._fail(lease, "not_possible", str(refused))
        except (NotPermitted, TicketInvalid) as refused:
            self._fail(lease, "not_permitted", str(refused))
        except (BodyDamaged, SubjectErased, StepDamaged):
            self._fail(lease, "request_gone", "The request can no longer be read.")

    def _tell(self, item: OutboxItem) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.transaction() as conn:
            notices.tell(conn, item)
            jobs.mark_sent(conn, item, rooms.clock())

    def _postpone(self, item: OutboxItem, broken: Exception) -> None:
        """Try again later, for ever: nobody else knows that this was to be told."""
        rooms = self.pipeline.rooms
        wait = min(_DELIVERY * 2 ** min(item.attempts - 1, _DOUBLINGS), _LONGEST_WAIT)
        log.error(
            "outbox.postponed",
            item=item.seq,
            topic=item.topic,
            attempts=item.attempts,
            error=type(broken).__name__,
        )
        with rooms.database.transaction() as conn:
            jobs.postpone(conn, item, rooms.clock() + wait)

    def _tidy_if_due(self) -> None:
        now = self.pipeline.rooms.clock()
        # A clock that was put back does not put the next tidying off.
        if (
            self._tidied_at is None
            or not self._tidied_at <= now < self._tidied_at + self.tidy_every
        ):
            self._tidied_at = now
            self.tidy()

    def _forget_signs(self) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.transaction() as conn:
            jobs.forget_lapsed(conn, rooms.clock())

    def _sweep_unmarked(self) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.reading() as conn:
            alive = jobs.alive(conn)
        for job in rooms.vault.sweep(alive, rooms.clock(), self.keep):
            log.info("worker.swept", job=job)

    def _sweep_unshown(self) -> None:
        rooms = self.pipeline.rooms
        for blob in rooms.vault.sweep_released(self._shown, rooms.clock(), self.keep):
            log.info("worker.swept", blob=blob)

    def _sweep_erased(self) -> None:
        retention.sweep_erased(self.pipeline.rooms)

    def _sweep_terms(self) -> None:
        rooms = self.pipeline.rooms
        now = rooms.clock()
        if self._swept_at is not None and self._swept_at <= now < self._swept_at + _DAY:
            return
        swept = retention.sweep(rooms, self.schedule)
        # Only now: what went wrong is tried again with the next tidying.
        self._swept_at = now
        log.info("worker.swept_terms", values=swept.values, requests=swept.requests)

    def _shown(self, blobs: Collection[str]) -> frozenset[str]:
        with self.pipeline.rooms.database.reading() as conn:
            return jobs.shown(conn, blobs)

    def _hand_back(self, lease: Lease) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.transaction() as conn:
            job = jobs.hand_back(conn, lease, rooms.clock())
        log.info("job.handed_back", job=job.id, next_step=job.next_step)

    def _fail(self, lease: Lease, code: str, message: str) -> None:
        log.warning("job.failed", job=lease.job, code=code)
        self._end(lease, lambda conn, held, now: jobs.fail(conn, held, code, message, now))

    def _end(self, lease: Lease, end: Callable[..., Job]) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.transaction() as conn:
            end(conn, lease, rooms.clock())
        rooms.vault.drop(lease.job)
