"""A process that makes films: it claims jobs one after another and carries each to its end.

Whatever goes wrong ends in one of three ways: the job fails with a sentence for its requester, it
is cancelled, or it is left to its lease, so that another process tries again, three times at most.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from generator.model import Cancelled, NotPermitted
from generator.shots import ShotNotPossible
from service import jobs, notices
from service.body import BodyDamaged
from service.jobs import CancelAsked, Fenced, Job, Lease
from service.pipeline import Pipeline
from service.request import BadRequest
from service.steps.run import StepDamaged
from service.subjects import SubjectErased
from service.ticket import TicketInvalid

log = structlog.get_logger()

_IDLE_S = 0.25
_DELIVERY = timedelta(seconds=30)


@dataclass(slots=True)
class Worker:
    """Claims and carries on until told to stop.

    Attributes:
        keep: how long unmarked frames of a job that is over may lie about, where the process that
            should have removed them died.
    """

    pipeline: Pipeline
    keep: timedelta = timedelta(hours=1)
    sleep: Callable[[float], None] = time.sleep
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Work until `stop`; wait a little whenever there is nothing to do."""
        log.info("worker.started", owner=self.pipeline.owner)
        self.tidy()
        while not self._stopping.is_set():
            if not self.once():
                self.sleep(_IDLE_S)
        log.info("worker.stopped", owner=self.pipeline.owner)

    def stop(self) -> None:
        """Finish the job in hand, then end."""
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
            job = self.pipeline.carry_on(lease)
            log.info("job.stopped", job=job.id, state=job.state.value)
        except (Cancelled, CancelAsked):
            self._end(lease, jobs.confirm_cancel)
        except Fenced:
            log.warning("job.fenced", job=lease.job, fence=lease.fence)
        except BadRequest as refused:
            self._fail(lease, refused.code, refused.message)
        except ShotNotPossible as refused:
            self._fail(lease, "not_possible", str(refused))
        except (NotPermitted, TicketInvalid) as refused:
            self._fail(lease, "not_permitted", str(refused))
        except (BodyDamaged, SubjectErased, StepDamaged):
            self._fail(lease, "request_gone", "The request can no longer be read.")
        except Exception as broken:  # the lease runs out, and another process tries again
            log.error("job.troubled", job=lease.job, error=type(broken).__name__)  # noqa: TRY400 - a traceback may hold a prompt

    def tidy(self) -> None:
        """Remove the unmarked frames of jobs that are over."""
        rooms = self.pipeline.rooms
        with rooms.database.reading() as conn:
            alive = jobs.alive(conn)
        for job in rooms.vault.sweep(alive, rooms.clock(), self.keep):
            log.info("worker.swept", job=job)

    def deliver(self) -> None:
        """Turn what waits in the outbox into notices."""
        now = self.pipeline.rooms.clock()
        with self.pipeline.rooms.database.transaction() as conn:
            for item in jobs.next_outbox(conn, 100, _DELIVERY, now):
                notices.tell(conn, item)
                jobs.mark_sent(conn, item, now)

    def _fail(self, lease: Lease, code: str, message: str) -> None:
        log.warning("job.failed", job=lease.job, code=code)
        self._end(lease, lambda conn, held, now: jobs.fail(conn, held, code, message, now))

    def _end(self, lease: Lease, end: Callable[..., Job]) -> None:
        rooms = self.pipeline.rooms
        with rooms.database.transaction() as conn:
            end(conn, lease, rooms.clock())
        rooms.vault.drop(lease.job)
