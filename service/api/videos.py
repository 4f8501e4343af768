"""`/v1/videos`, as OpenAI's client calls it."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from service import jobs
from service.accounts import Principal
from service.api import films, records, video_object
from service.api.asked import documented_request, film_from
from service.api.errors import InProgress, PolicyBlocked
from service.api.fields import Fields, fields_of
from service.api.state import Asker, RequestId, RoomsDep, State, StateDep
from service.api.stills import Still
from service.api.words import Id, Word
from service.audit.entries import Entry
from service.ids import new_id
from service.jobs import ENDS, AlreadyEnded, Job, Order, UnknownJob
from service.jobs import State as JobState
from service.rooms import Rooms
from service.wire import JSON, receipt_json

router = APIRouter(prefix="/v1/videos", tags=["videos"])

# A worker looks up between two steps of the model, twice a second at least.
_CANCEL_WAIT_S = 10.0
_LOOK_S = 0.1


@router.post("", openapi_extra=documented_request(1))
def create_video(
    asker: Asker,
    request_id: RequestId,
    state: StateDep,
    fields: Annotated[Fields, Depends(fields_of)],
    idempotency_key: Annotated[str, Header()] = "",
    x_stainless_retry_count: Annotated[str, Header()] = "0",
) -> JSONResponse:
    """Ask for a video: decided and logged before the reply, made afterwards."""
    rooms = state.house.rooms
    request = film_from(fields, rooms, asker, request_id, idempotency_key)
    is_retry = x_stainless_retry_count.strip() not in {"", "0"}
    job = submitted(state, request_id, state.house.front().submit(request, is_retry=is_retry))
    video = video_object.whole(rooms, job)
    return JSONResponse(video, headers=_pace(job, video))


def submitted(state: State, request_id: str, job: Job) -> Job:
    """Return the job of a request that was just submitted, unless it is refused or not yet decided.

    Raises:
        DatabaseUnavailable, AuditError: it may be decided, and not in the log; nobody is told.
        PolicyBlocked: it is refused; the whole decision is in the error.
        InProgress: an earlier sending of it is being decided right now.
        UnknownJob: an earlier sending of it was deleted since.
    """
    if job.deleted_at is not None:
        raise UnknownJob(job.id)
    if job.state is JobState.ADMITTED:
        raise InProgress
    decision = counted(state, request_id, job)
    if job.state is JobState.REFUSED and decision is not None:
        raise PolicyBlocked(job.error_message, decision, job.id)
    return job


def counted(state: State, request_id: str, job: Job) -> JSON | None:
    """Return the newest decision about a job, in the log; count it if this request made it."""
    rooms = state.house.rooms
    rooms.log.drain()
    decision = records.newest_decision(rooms, job.request_id)
    if decision is not None and job.request_id == request_id:
        state.metrics.decided(decision)
    return decision


@router.get("")
def list_videos(
    asker: Asker,
    rooms: RoomsDep,
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
) -> JSON:
    """Return a page of the project's videos."""
    with rooms.database.reading() as conn:
        page = jobs.list_for(
            conn, asker.project, after=after or None, limit=limit, order=Order(order)
        )
    rooms.log.drain()
    return {
        "object": "list",
        "data": [video_object.brief(rooms, job) for job in page.jobs],
        "first_id": page.jobs[0].id if page.jobs else None,
        "last_id": page.jobs[-1].id if page.jobs else None,
        "has_more": page.has_more,
    }


@router.get("/{video}")
def get_video(asker: Asker, rooms: RoomsDep, video: Id) -> JSONResponse:
    """Return one video."""
    job = job_of(rooms, asker, video)
    shown = video_object.whole(rooms, job)
    return JSONResponse(shown, headers=_pace(job, shown))


@router.get("/{video}/content", response_class=Response, responses=films.REPLIES)
def get_content(
    asker: Asker,
    state: StateDep,
    request: Request,
    video: Id,
    variant: Literal["video", "thumbnail", "spritesheet"] = "video",
) -> Response:
    """Return the released film, or a picture of it."""
    rooms = state.house.rooms
    job = job_of(rooms, asker, video)
    if variant == "video":
        return films.film(request, rooms.vault, job)
    return films.picture(rooms.vault, state.stills, job, Still(variant))


@router.delete("/{video}")
def delete_video(asker: Asker, request_id: RequestId, rooms: RoomsDep, video: Id) -> JSON:
    """Cancel the video if it is alive, wait until it has stopped, and take it away."""
    job = job_of(rooms, asker, video)
    if job.state not in ENDS:
        _cancelled(rooms, job)
    now = rooms.clock()
    key = new_id("act", now)
    with rooms.database.transaction() as conn:
        removed = jobs.remove(conn, asker.project, video, now)
        rooms.log.stage(
            conn,
            Entry(
                key=key,
                type="video.deleted",
                at=now,
                request=request_id,
                actor=asker.actor,
                project=asker.project,
                facts={"job": video, "state": removed.state.value},
            ),
        )
    receipt = rooms.log.settle(key)
    _drop_film(rooms, removed)
    return {
        "id": video,
        "object": "video.deleted",
        "deleted": True,
        "receipt": receipt_json(receipt),
    }


def job_of(rooms: Rooms, asker: Principal, video: str) -> Job:
    """Return a video of the asker's own project, once what became of it is in the log.

    Raises:
        UnknownJob: there is none, or it is another project's; both alike.
        DatabaseUnavailable, AuditError: the log cannot be written; nobody is told.
    """
    with rooms.database.reading() as conn:
        job = jobs.get_for(conn, asker.project, video)
    # A state is visible when it commits, and its entry in the tree a moment later, or after
    # whoever wrote both has died. In this order, since one after the other may change.
    rooms.log.drain()
    return job


def _cancelled(rooms: Rooms, job: Job) -> None:
    """Cancel a job and wait until whoever works on it has stopped.

    Raises:
        InProgress: it has not stopped yet; it will, and nothing was deleted.
    """
    try:
        with rooms.database.transaction() as conn:
            stands = jobs.cancel(conn, job.id, rooms.clock())
    except AlreadyEnded:
        return
    until = time.monotonic() + _CANCEL_WAIT_S
    while stands.state not in ENDS:
        if time.monotonic() > until:
            raise InProgress
        time.sleep(_LOOK_S)
        with rooms.database.reading() as conn:
            stands = jobs.get(conn, job.id)
    # A worker that was killed leaves its frames; one that stopped has taken them away.
    rooms.vault.drop(job.id)


def _drop_film(rooms: Rooms, job: Job) -> None:
    if job.blob_sha256 is None:
        return
    with rooms.database.reading() as conn:
        if jobs.blob_owners(conn, job.blob_sha256):
            return
    rooms.vault.delete(job.blob_sha256)


def _pace(job: Job, video: JSON) -> dict[str, str]:
    position = video["queue_position"]
    after_ms = video_object.poll_after_ms(job, position if isinstance(position, int) else None)
    return {"openai-poll-after-ms": str(after_ms)}
