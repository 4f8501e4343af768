"""Several processes on one database: nothing twice, nothing lost, also with `kill -9`."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from service import jobs
from service.database import Database
from service.jobs import State, Step
from tests.service.jobs.builders import LEASE, NOON, claimed, queued
from tests.service.jobs.databases import url_of

pytestmark = pytest.mark.slow

# Claims until nothing is left, all workers starting together at a line on standard input.
_CLAIM_ALL = """
import json, sys
from service import jobs
from service.database import Database
from tests.service.jobs.builders import LEASE, NOON
database, owner, got = Database(sys.argv[1]), sys.argv[2], []
print("ready", flush=True)
sys.stdin.readline()
while True:
    with database.transaction() as conn:
        lease = jobs.claim(conn, owner, LEASE, NOON)
    if lease is None:
        break
    got.append([lease.job, lease.fence])
print(json.dumps(got), flush=True)
"""

# Records `claim` and commits, writes `generate` without committing, and waits to be killed.
_HANG = """
import sys
from service import jobs
from service.database import Database
from service.jobs import Step
from tests.service.jobs.builders import LEASE, NOON
database = Database(sys.argv[1])
with database.transaction() as conn:
    lease = jobs.claim(conn, sys.argv[2], LEASE, NOON)
    jobs.record_step(conn, lease, Step.CLAIM, {}, NOON)
with database.transaction() as conn:
    jobs.record_step(conn, lease, Step.GENERATE, {}, NOON)
    print(lease.job, flush=True)
    sys.stdin.readline()
"""

# Holds a lease, sleeps until it is told to go on, and then tries to record a step.
_SLEEP = """
import sys
from service import jobs
from service.database import Database
from service.jobs import Fenced, Step
from tests.service.jobs.builders import LEASE, NOON
database = Database(sys.argv[1])
with database.transaction() as conn:
    lease = jobs.claim(conn, sys.argv[2], LEASE, NOON)
print("asleep", flush=True)
sys.stdin.readline()
try:
    with database.transaction() as conn:
        jobs.record_step(conn, lease, Step.CLAIM, {"by": "zombie"}, NOON)
except Fenced:
    print("fenced", flush=True)
"""


def a_process(database: Database, script: str, owner: str) -> subprocess.Popen[str]:
    """Start it and wait until it says that it is where the test wants it."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, url_of(database), owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_two_workers_claim_every_job_once_and_in_order(database: Database) -> None:
    with database.transaction() as conn:
        made = [queued(conn, priority=number % 10) for number in range(60)]
        places = {job: jobs.queue_position(conn, job) or 0 for job in made}
    workers = [a_process(database, _CLAIM_ALL, f"worker-{number}") for number in (1, 2)]

    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    got = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]

    assert sorted(job for share in got for job, _ in share) == sorted(made)
    assert {fence for share in got for _, fence in share} == {2}
    for share in got:
        order = [places[job] for job, _ in share]
        assert order == sorted(order)


def test_after_kill_9_the_work_goes_on_after_the_last_committed_step(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)
    victim = a_process(database, _HANG, "worker-1")

    victim.kill()
    victim.communicate()
    with database.transaction() as conn:
        early = jobs.claim(conn, "worker-2", LEASE, NOON + LEASE - timedelta(seconds=1))
        lease = claimed(conn, "worker-2", NOON + LEASE)
        stands = jobs.get(conn, job)

    assert early is None
    assert lease.job == job
    assert (stands.state, stands.next_step) == (State.RUNNING, Step.GENERATE)


def test_a_process_that_slept_through_its_lease_changes_nothing(database: Database) -> None:
    with database.transaction() as conn:
        job = queued(conn)
    zombie = a_process(database, _SLEEP, "worker-1")
    with database.transaction() as conn:
        lease = claimed(conn, "worker-2", NOON + LEASE)
        jobs.record_step(conn, lease, Step.CLAIM, {"by": "worker-2"}, NOON + LEASE)

    said, _ = zombie.communicate("wake\n", timeout=60)

    assert said.split() == ["fenced"]
    with database.transaction() as conn:
        assert jobs.steps(conn, job)[-1].result == {"by": "worker-2"}
