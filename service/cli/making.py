"""One request through the whole pipeline in this process, with a worker beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.jobs import Job, Lease
    from service.pipeline import Pipeline
    from service.request import GenerationRequest
    from service.rooms import Rooms

_LOOK_S = 0.1

Watch = Callable[["Job"], None]


def made(pipeline: Pipeline, request: GenerationRequest, watch: Watch) -> Job:
    """Return the job as it stops: released, held, refused, failed or cancelled.

    Jobs that stand in line before it are worked on first; if another worker takes it, this one
    waits for that. Interrupting cancels the job.

    Args:
        watch: shown the job several times a second while it is worked on.

    Raises:
        BadRequest, DatabaseUnavailable, AuditError: there is no job.
        Any error of a step: the job has failed, and nothing of it is left.
    """
    from service.jobs import State

    job = pipeline.submit(request)
    if job.state is not State.QUEUED:
        return job
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as executor:
        work = executor.submit(_worked, pipeline, job.id)
        try:
            while True:
                with suppress(Late):
                    return work.result(timeout=_LOOK_S)
                watch(_now(pipeline.rooms, job.id))
        except KeyboardInterrupt:
            _cancel(pipeline.rooms, job.id)
            raise


def _worked(pipeline: Pipeline, job_id: str) -> Job:
    from service.jobs import ENDS, State
    from service.worker import Worker

    worker = Worker(pipeline)
    while (job := _now(pipeline.rooms, job_id)).state not in {*ENDS, State.HELD}:
        lease = pipeline.claim()
        if lease is None:
            time.sleep(_LOOK_S)
        elif lease.job == job_id:
            _carried(pipeline, lease)
        else:
            worker.carry_on(lease)
    worker.deliver()
    return job


def _carried(pipeline: Pipeline, lease: Lease) -> None:
    """Carry our job on; what stops it ends it here and now, and is told to whoever waits."""
    from generator.model import Cancelled
    from service import jobs
    from service.cli.errors import known

    rooms = pipeline.rooms
    try:
        pipeline.carry_on(lease)
    except (Cancelled, jobs.CancelAsked):
        with rooms.database.transaction() as conn:
            jobs.confirm_cancel(conn, lease, rooms.clock())
        rooms.vault.drop(lease.job)
    except known():
        with suppress(*known()):
            rooms.vault.drop(lease.job)
            with rooms.database.transaction() as conn:
                jobs.fail(conn, lease, "failed_here", "It could not be made here.", rooms.clock())
        raise


def kept(rooms: Rooms, job: Job, target: Path) -> None:
    """Copy a released film to `target`: whole or not at all.

    Raises:
        VaultError: the file is gone, or not the one that was released.
        OSError: it cannot be written there.
    """
    import shutil
    from tempfile import NamedTemporaryFile

    with (
        rooms.vault.open(job.blob_sha256 or "") as film,
        NamedTemporaryFile(dir=target.parent, prefix=".imprimatur-", delete=False) as draft,
    ):
        partial = Path(draft.name)
        try:
            shutil.copyfileobj(film, draft)
            draft.flush()
            partial.chmod(0o644)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _now(rooms: Rooms, job_id: str) -> Job:
    from service import jobs

    with rooms.database.reading() as conn:
        return jobs.get(conn, job_id)


def _cancel(rooms: Rooms, job_id: str) -> None:
    from service import jobs

    with suppress(jobs.AlreadyEnded), rooms.database.transaction() as conn:
        jobs.cancel(conn, job_id, rooms.clock())
