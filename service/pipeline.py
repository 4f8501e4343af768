"""How one request becomes a released video, or does not. Read this file first.

Each step commits before the next begins (docs/order-of-effects.md):

     1 admit      the job exists, quota reserved, or it is a repeat
     2 decide     three gates; the decision is in the log before anyone is told
     3 ticket     a signed permission for exactly this request
     4 queue      quota debited, in line
     5 claim      a worker leases it, verifies the ticket, asks the gates again
     6 generate   frames and sound, in quarantine
     7 inspect    the same policy over what came out
     8 seal       marks, encoding, manifest; all read back
     9 log        the release is in the log
    10 release    consent asked a last time; from here on it is public
    11 tell       the people concerned

A held job waits for a person and goes on with the step where it stopped; a blocked one ends. A
process may die anywhere: another takes the job over and goes on after the last committed step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from service import jobs
from service.gates import Picture
from service.jobs import Admitted, Job, Lease, Repeat, Step
from service.request import GenerationRequest
from service.rooms import Rooms, Workshop
from service.steps import back, ending, front
from service.steps.interruptions import INTERRUPTIONS
from service.steps.run import Crossing, Next, Run, Stopping, never, taken_up, uneventful

log = structlog.get_logger()

STEPS: dict[Step, Callable[[Run], Next]] = {
    # 1 is `front.admit`: before it there is no job to run.
    Step.DECIDE: front.decide,
    Step.TICKET: front.permit,
    Step.QUEUE: front.queue,
    Step.CLAIM: back.claim,
    Step.GENERATE: back.generate,
    Step.INSPECT: back.inspect,
    Step.SEAL: back.seal,
    Step.LOG: ending.log,
    Step.RELEASE: ending.release,
    Step.TELL: ending.tell,
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes requests in and jobs on.

    Attributes:
        owner: names this process in leases.
        workshop: what steps 7 and 8 need; None in a process that only takes requests in.
        crossing: told before and after each commit.
        stopping: whether this process was told to end.
    """

    rooms: Rooms
    owner: str
    workshop: Workshop | None = None
    crossing: Crossing = uneventful
    stopping: Callable[[], bool] = never

    def submit(self, request: GenerationRequest, *, is_retry: bool = False) -> Job:
        """Take a request as far as the queue, a review or its refusal: steps 1 to 4.

        Once there is a job it is returned as it stands, also when we could not go on: another
        process does, and a client that heard of an error would send it again.

        Raises:
            BadRequest, IdempotencyConflict: there is no job.
            DatabaseUnavailable: there is none, or we cannot say; the same request sent again
                with its idempotency key finds it.
        """
        pictures = front.possible(self.rooms, request)
        admission = front.admit(self.rooms, request, self.owner, self.crossing, is_retry=is_retry)
        match admission:
            case Repeat(job):
                return job
            case Admitted(job, lease):
                try:
                    return self.carry_on(lease, pictures)
                except INTERRUPTIONS as broken:
                    log.warning("job.left", job=job.id, error=type(broken).__name__)
                    return self._job(lease)

    def claim(self) -> Lease | None:
        """Lease the job whose turn it is, if there is one."""
        with self.rooms.database.transaction() as conn:
            return jobs.claim(conn, self.owner, self.rooms.terms.lease, self.rooms.clock())

    def carry_on(self, lease: Lease, pictures: tuple[Picture, ...] | None = None) -> Job:
        """Go on after the last committed step until the job stops; `pictures` may be open already.

        Raises:
            Fenced: somebody else has the job by now.
            Stopping: this process is to end; the last committed step stands.
        """
        run = taken_up(self.rooms, self.workshop, lease, self.crossing, self.stopping)
        run.pictures = pictures
        for step in jobs.STEPS[run.job.steps_done :]:
            if self.stopping():
                raise Stopping(lease.job)
            if STEPS[step](run) is Next.STOP:
                break
        job = self._job(lease)
        if job.state in jobs.ENDS:
            self.rooms.vault.drop(job.id)
        return job

    def _job(self, lease: Lease) -> Job:
        with self.rooms.database.reading() as conn:
            return jobs.get(conn, lease.job)
