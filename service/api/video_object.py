"""OpenAI's video object, exactly, and what we add to it."""

import json
from typing import assert_never

from service import jobs, reviews
from service.api import records
from service.jobs import STEPS, Job, State
from service.reviews import Review
from service.rooms import Rooms
from service.subjects import SubjectError
from service.wire import JSON

# A sealed request that is larger holds pictures, and is not opened for a list.
_OPENED_FOR_LISTS = 256 << 10
IN_REVIEW = (
    "A person has to look at this first. Nothing is lost: once it is cleared, the same video is "
    "made and `status` becomes `completed`."
)


def whole(rooms: Rooms, job: Job) -> JSON:
    """Return the video with its newest decision and its place in line."""
    with rooms.database.reading() as conn:
        position = jobs.queue_position(conn, job.id)
    decision = records.newest_decision(rooms, job.request_id)
    review = open_review(rooms, job)
    return {
        **brief(rooms, job),
        "decision_id": decision["id"] if decision else None,
        "verdict": decision["verdict"] if decision else None,
        "queue_position": position,
        "review_id": review.id if review else None,
        "receipt": decision["receipt"] if decision else None,
    }


def brief(rooms: Rooms, job: Job) -> JSON:
    """Return the video as it stands in lists."""
    status = status_of(job)
    made = job.parameters
    return {
        "id": job.id,
        "object": "video",
        "created_at": int(job.admitted_at.timestamp()),
        "completed_at": int(job.ended_at.timestamp())
        if status == "completed" and job.ended_at
        else None,
        "expires_at": None,
        "status": status,
        "progress": 100 if status == "completed" else int(job.percent),
        "model": str(made["model"]),
        "prompt": prompt_of(rooms, job),
        "seconds": str(made["seconds"]),
        "size": str(made["size"]),
        "remixed_from_video_id": None,
        "error": error_of(job),
        "request_id": job.request_id,
        "fps": str(made["fps"]),
        "seed": str(made["seed"]),
        "stage": stage_of(job),
    }


def status_of(job: Job) -> str:
    """Return one of OpenAI's four words; its client stops at any other (docs/adr/0007)."""
    match job.state:
        case State.ADMITTED | State.QUEUED:
            return "queued"
        case State.RUNNING:
            return "in_progress"
        case State.HELD | State.REFUSED | State.FAILED | State.CANCELLED:
            return "failed"
        case State.RELEASED:
            return "completed"
        case _:
            assert_never(job.state)


def error_of(job: Job) -> JSON | None:
    """Return why there is no video; None while there may be one, and when there is."""
    match job.state:
        case State.HELD:
            return {"code": "in_review", "message": IN_REVIEW}
        case State.REFUSED | State.FAILED:
            return {"code": job.error_code, "message": job.error_message}
        case State.CANCELLED:
            return {"code": "cancelled", "message": "It was cancelled."}
        case State.ADMITTED | State.QUEUED | State.RUNNING | State.RELEASED:
            return None
        case _:
            assert_never(job.state)


def stage_of(job: Job) -> str | None:
    """Return the step that is being done or comes next; None when all are done."""
    return job.next_step.value if job.next_step else None


def steps_done(job: Job) -> tuple[str, ...]:
    """Return the names of the steps that are done."""
    return tuple(step.value for step in STEPS[: job.steps_done])


def prompt_of(rooms: Rooms, job: Job) -> str | None:
    """Return the prompt as typed; None where it was erased, or lies beside large pictures."""
    try:
        with rooms.database.reading() as conn:
            sealed = jobs.sealed_request(conn, job.id)
            if len(sealed) > _OPENED_FOR_LISTS:
                return None
            opened = rooms.subjects.open(conn, job.actor, sealed, job.id)
    except (SubjectError, jobs.UnknownJob):
        return None
    prompt = json.loads(opened)["prompt"]
    return prompt if isinstance(prompt, str) else None


def open_review(rooms: Rooms, job: Job) -> Review | None:
    """Return the review that a held job waits for."""
    if job.state is not State.HELD:
        return None
    with rooms.database.reading() as conn:
        waiting = reviews.list_open(conn, project=job.project, limit=1000)
    return next((review for review in waiting if review.job == job.id), None)


def poll_after_ms(job: Job, position: int | None) -> int:
    """Return when it is worth asking again."""
    if job.state is State.RUNNING:
        return 1000
    return min(30_000, 1000 * max(1, position or 1))
