"""Any order of calls by two workers, deaths, sleeps and cancels included, keeps the promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, delete, func, select

from service import jobs
from service.database import Database, metadata
from service.decision import Stage
from service.jobs import (
    ENDS,
    STEPS,
    AlreadyEnded,
    CancelAsked,
    Fenced,
    Job,
    JobError,
    Lease,
    NotHeld,
    OutOfOrder,
    Progress,
    Signal,
    State,
    Step,
)
from service.jobs.outbox import outbox
from service.jobs.quota import Use, quota_use
from tests.service.jobs.builders import DIGEST, LEASE, NOON, a_new_job

OWNERS = st.sampled_from(["worker-1", "worker-2"])
_BILL = {
    State.ADMITTED: {Use.RESERVED},
    State.QUEUED: {Use.DEBITED},
    State.RUNNING: {Use.DEBITED},
    State.RELEASED: {Use.DEBITED},
    State.HELD: {Use.RESERVED, Use.DEBITED},
    State.REFUSED: {Use.RETURNED},
    State.FAILED: {Use.RETURNED},
    State.CANCELLED: {Use.RETURNED},
}


class Jobs(RuleBasedStateMachine):
    """The model: which lease is the last of each job, and which states are ends."""

    database: Database
    leases = Bundle[Lease]("leases")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.last: dict[str, Lease | None] = {}
        self.until: dict[str, datetime] = {}
        self.ended: dict[str, State] = {}
        self.cancelled: set[str] = set()
        with self.database.transaction() as conn:
            for table in metadata.tables.values():
                conn.execute(delete(table))

    def attempt(self, lease: Lease, act: Callable[[Connection], object]) -> JobError | None:
        """Do it in a transaction; whatever is refused must have been refused rightly."""
        mine = self.last[lease.job] == lease
        try:
            with self.database.transaction() as conn:
                act(conn)
        except JobError as refused:
            assert mine is not isinstance(refused, Fenced)
            return refused
        assert mine
        return None

    def gone(self, lease: Lease) -> None:
        self.last[lease.job] = None

    @rule(target=leases, priority=st.integers(0, 9))
    def admit(self, priority: int) -> Lease:
        with self.database.transaction() as conn:
            came = jobs.admit(conn, a_new_job(priority=priority), "api", LEASE, self.now)
        assert isinstance(came, jobs.Admitted)
        self.last[came.job.id] = came.lease
        self.until[came.job.id] = self.now + LEASE
        return came.lease

    @rule(target=leases, owner=OWNERS)
    def claim(self, owner: str) -> Lease:
        with self.database.transaction() as conn:
            lease = jobs.claim(conn, owner, LEASE, self.now)
        if lease is None:
            # A lease that never was: every use of it must be fenced.
            lease = Lease("video_none", owner, 1, LEASE)
            self.last[lease.job] = None
            return lease
        before = self.last[lease.job]
        assert before is None or self.until[lease.job] <= self.now
        assert lease.job not in self.cancelled or self.ended.get(lease.job) is State.RELEASED
        self.last[lease.job] = lease
        self.until[lease.job] = self.now + LEASE
        return lease

    @rule(seconds=st.sampled_from([1, 5, 10, 11]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        signals: list[Signal] = []
        progress = Progress("denoise", 50)
        refused = self.attempt(
            lease,
            lambda conn: signals.append(jobs.heartbeat(conn, lease, progress, self.now)),
        )
        if refused is None:
            self.until[lease.job] = self.now + LEASE
            assert (signals[0] is Signal.CANCEL) is (lease.job in self.cancelled)

    @rule(lease=leases, count=st.integers(1, 8))
    def next_steps(self, lease: Lease, count: int) -> None:
        for _ in range(count):
            self.next_step(lease)

    def next_step(self, lease: Lease) -> None:
        with self.database.transaction() as conn:
            known = lease.job in self.until
            due = jobs.get(conn, lease.job).next_step if known else Step.CLAIM
        if due is None or due is Step.ADMIT:
            return
        refused = self.attempt(lease, lambda conn: _do(conn, lease, due, self.now))
        if refused is not None:
            assert isinstance(refused, Fenced | CancelAsked)
            assert isinstance(refused, Fenced) or lease.job in self.cancelled
            return
        if due is Step.RELEASE:
            assert lease.job not in self.cancelled
            assert lease.job not in self.ended
            self.ended[lease.job] = State.RELEASED
        if due in {Step.QUEUE, Step.TELL}:
            self.gone(lease)

    @rule(lease=leases, step=st.sampled_from([each for each in Step if each is not Step.ADMIT]))
    def a_step_that_is_not_due(self, lease: Lease, step: Step) -> None:
        with self.database.transaction() as conn:
            if lease.job not in self.until or jobs.get(conn, lease.job).next_step is step:
                return
        refused = self.attempt(lease, lambda conn: _do(conn, lease, step, self.now))
        assert isinstance(refused, Fenced | OutOfOrder | CancelAsked)

    @rule(lease=leases)
    def hold(self, lease: Lease) -> None:
        refused = self.attempt(lease, lambda conn: jobs.hold(conn, lease, Stage.OUTPUT, self.now))
        if refused is None:
            assert lease.job not in self.cancelled
            assert lease.job not in self.ended
            self.gone(lease)

    @rule(lease=leases)
    def resume(self, lease: Lease) -> None:
        if lease.job not in self.until:
            return
        with self.database.transaction() as conn:
            held = jobs.get(conn, lease.job).state is State.HELD
            try:
                jobs.resume(conn, lease.job, self.now)
            except NotHeld:
                assert not held
            else:
                assert held

    @rule(lease=leases, end=st.sampled_from([State.REFUSED, State.FAILED, State.CANCELLED]))
    def end(self, lease: Lease, end: State) -> None:
        def act(conn: Connection) -> None:
            if end is State.CANCELLED:
                jobs.confirm_cancel(conn, lease, self.now)
            else:
                call = jobs.refuse if end is State.REFUSED else jobs.fail
                call(conn, lease, "code", "message", self.now)

        refused = self.attempt(lease, act)
        if refused is None:
            self.ended[lease.job] = end
            self.gone(lease)
        elif isinstance(refused, AlreadyEnded):
            assert self.ended[lease.job] is State.RELEASED

    @rule(lease=leases)
    def cancel(self, lease: Lease) -> None:
        if lease.job not in self.until:
            return
        with self.database.transaction() as conn:
            try:
                job = jobs.cancel(conn, lease.job, self.now)
            except AlreadyEnded as ended:
                assert ended.state in ENDS
                return
        if job.state is State.CANCELLED:
            self.ended[lease.job] = State.CANCELLED
            self.gone(lease)
        else:
            self.cancelled.add(lease.job)

    @rule(lease=leases)
    def hand_back(self, lease: Lease) -> None:
        refused = self.attempt(lease, lambda conn: jobs.hand_back(conn, lease, self.now))
        if refused is None:
            self.gone(lease)

    @rule(lease=consumes(leases))
    def forget(self, lease: Lease) -> None:
        """The holder dies: it says nothing more."""

    @invariant()
    def every_job_keeps_its_promises(self) -> None:
        with self.database.reading() as conn:
            for job_id in self.until:
                job = jobs.get(conn, job_id)
                done = [record.step for record in jobs.steps(conn, job_id)]
                use = conn.execute(select(quota_use.c.use).where(quota_use.c.job == job_id))
                assert done == list(STEPS[: job.steps_done])
                assert (job.blob_sha256 is not None) == (Step.RELEASE in done)
                assert (job.state is State.RELEASED) == (Step.RELEASE in done)
                assert use.scalar_one() in _BILL[job.state]
                assert (job.ended_at is not None) == (job.state in ENDS)
                if job_id in self.ended:
                    assert job.state is self.ended[job_id]
                self.ended_in_a_claim(job)
            released = select(func.count()).where(outbox.c.topic == "job.released")
            assert conn.execute(released).scalar_one() == sum(
                end is State.RELEASED for end in self.ended.values()
            )

    def ended_in_a_claim(self, job: Job) -> None:
        """Somebody else's claim may end a job, as poison or because nobody heard the cancel."""
        if job.id in self.ended or job.state not in ENDS:
            return
        assert job.state is (State.CANCELLED if job.id in self.cancelled else State.FAILED)
        assert job.error_code == ("" if job.id in self.cancelled else "poison")
        self.ended[job.id] = job.state
        self.last[job.id] = None


def _do(conn: Connection, lease: Lease, step: Step, now: datetime) -> None:
    if step is Step.QUEUE:
        jobs.queue(conn, lease, {}, now)
    elif step is Step.RELEASE:
        jobs.release(conn, lease, DIGEST, {}, now)
    else:
        jobs.record_step(conn, lease, step, {}, now)


def test_no_order_of_calls_breaks_a_promise() -> None:
    with TemporaryDirectory() as folder:
        Jobs.database = Database(f"sqlite:///{Path(folder) / 'machine.sqlite3'}")
        with Jobs.database.transaction() as conn:
            metadata.create_all(conn)
        run_state_machine_as_test(
            Jobs,
            settings=settings(
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                # Shrinking a failure of a whole life takes minutes; forty calls can be read.
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
            ),
        )
        Jobs.database.close()
