"""A process dies before and after each of the eleven commits; another one goes on."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from provenance import manifest
from provenance.report import State as Signature
from service import jobs, notices
from service.audit.reading import EntryFilter
from service.certificates import development_identity
from service.jobs import STEPS, State, Step
from service.steps.run import Side
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request
from tests.faults.film_maker import LEASE_S

ROOT = Path(__file__).parent.parent.parent


def killed(home: Path, step: Step, side: Side) -> None:
    victim = subprocess.run(
        [sys.executable, "-m", "tests.faults.film_maker", str(home), step.value, side.value],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert victim.returncode == -signal.SIGKILL, victim.stderr[-2000:]


def released(house: SmallHouse) -> list[jobs.Job]:
    with house.rooms.database.reading() as conn:
        return [job for job in jobs.list_for(conn, "prj_test").jobs if job.state is State.RELEASED]


def test_there_are_eleven_steps() -> None:
    assert len(STEPS) == 11


@pytest.mark.parametrize("side", list(Side), ids=str)
@pytest.mark.parametrize("step", list(STEPS), ids=str)
def test_a_killed_process_never_leaves_an_unsealed_unlogged_or_doubled_release(
    step: Step, side: Side, tmp_path: Path
) -> None:
    killed(tmp_path, step, side)
    time.sleep(LEASE_S)

    with a_house(tmp_path, lease_s=30.0) as house:
        seen_at_once = released(house)
        done = STEPS.index(step) + (side is Side.AFTER)
        assert bool(seen_at_once) == (done > STEPS.index(Step.RELEASE))
        # The client heard nothing, so it sends the same request again.
        again = house.pipeline("front:2").submit(a_request(key="the-same-request"))
        worker = Worker(house.pipeline("worker:2"), keep=timedelta(0))
        while worker.once():
            pass
        worker.tidy()

        (job,) = released(house)
        assert job.id == again.id
        assert_sealed(house, job, tmp_path)
        assert_logged_once(house, job)
        assert_told_once(house, job)


def assert_sealed(house: SmallHouse, job: jobs.Job, folder: Path) -> None:
    assert job.blob_sha256 is not None
    film = folder / "released.mp4"
    with house.rooms.vault.open(job.blob_sha256) as blob:
        film.write_bytes(blob.read())

    root = development_identity(house.rooms.keys, house.clock).root_pem
    report = manifest.read(film, root)

    assert report is not None
    assert report.state is Signature.TRUSTED
    assert not (folder / "vault" / "quarantine" / job.id).exists()


def assert_logged_once(house: SmallHouse, job: jobs.Job) -> None:
    verification = house.rooms.log.verify()
    releases = house.rooms.log.entries(EntryFilter(type="release.sealed"))
    decisions = house.rooms.log.entries(EntryFilter(type="decision.made", request=job.request_id))

    assert verification.sound
    assert [entry.facts["content_sha256"] for entry in releases] == [job.blob_sha256]
    assert {entry.facts["stage"] for entry in decisions} == {"request", "output", "release"}
    assert min(entry.index for entry in decisions) < releases[0].index


def assert_told_once(house: SmallHouse, job: jobs.Job) -> None:
    with house.rooms.database.reading() as conn:
        told = [notice for notice in notices.list_for(conn, job.actor) if notice.subject == job.id]

    assert [notice.kind for notice in told] == [notices.NoticeKind.RELEASED]
