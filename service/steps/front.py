"""Steps 1 to 4: from a request to a job that waits for a worker. No model is loaded here."""

from sqlalchemy import Connection

from generator.shots import PictureNotPossible, ShotNotPossible
from service import body, jobs
from service.decision import Stage
from service.gates import Picture
from service.ids import new_id
from service.jobs import Admitted, Fields, NewJob, Repeat, Step
from service.keys import Purpose
from service.media.errors import Code, MediaError
from service.request import BadRequest, GenerationRequest, checked_shown
from service.rooms import Rooms
from service.steps import permission
from service.steps.left import text_of, texts_of
from service.steps.run import Crossing, Next, Run, Side, opened, shot_of
from service.steps.verdicts import concluded, judged, settle
from service.ticket import Allowance

_FIELDS = frozenset({"prompt", "size", "fps", "seconds", "seed"})


def admit(
    rooms: Rooms, request: GenerationRequest, owner: str, crossing: Crossing, *, is_retry: bool
) -> Admitted | Repeat:
    """1. Take the request in: its job exists, its quota is reserved; or find its repeat.

    Raises:
        IdempotencyConflict: its key was used for another request.
    """
    now = rooms.clock()
    job_id = new_id("video", now)
    # The oldest key, so that a rotation does not make another request of the same one.
    key = rooms.keys.secrets(Purpose.VAULT)[-1].secret
    with rooms.database.transaction() as conn:
        new = NewJob(
            id=job_id,
            request_id=request.id,
            project=request.requester.project,
            actor=request.requester.actor,
            fingerprint=body.fingerprint(request, key),
            parameters=dict(body.parameters_json(request.parameters)),
            sealed_request=_sealed(rooms, conn, request, job_id),
            idempotency_key=request.idempotency_key,
            is_retry=is_retry,
        )
        admission = jobs.admit(conn, new, owner, rooms.terms.lease, now)
        crossing(Step.ADMIT, Side.BEFORE)
    crossing(Step.ADMIT, Side.AFTER)
    return admission


def decide(run: Run) -> Next:
    """2. Ask the three gates; the decision is in the log before anyone is told."""
    rooms = run.rooms
    observations = rooms.gates.look(run.asked, now=rooms.clock())
    decision = judged(run, Stage.REQUEST, observations)
    indexes = sorted({seen.index for seen in decision.observations if seen.index})
    return concluded(
        run, Step.DECIDE, decision, {"policy": decision.policy.sha256, "indexes": indexes}
    )


def permit(run: Run) -> Next:
    """3. Sign the permission to generate exactly this request."""
    settle(run, Step.DECIDE)
    left = run.results[Step.DECIDE]
    allowed = Allowance(
        request=run.request.id,
        decision=text_of(left, "decision"),
        policy=text_of(left, "policy"),
        indexes=texts_of(left, "indexes"),
    )
    result: Fields = {"ticket": permission.issued(run, allowed)}
    with run.commit(Step.TICKET) as conn:
        jobs.record_step(conn, run.lease, Step.TICKET, result, run.rooms.clock())
    run.results[Step.TICKET] = result
    return Next.GO


def queue(run: Run) -> Next:
    """4. Put the job in line: quota debited, outbox written, our lease over."""
    with run.commit(Step.QUEUE) as conn:
        jobs.queue(conn, run.lease, {}, run.rooms.clock())
    return Next.STOP


def possible(rooms: Rooms, request: GenerationRequest) -> tuple[Picture, ...]:
    """Return the opened pictures of a request that can be made; `admit` comes next.

    Raises:
        BadRequest: the model cannot make it, or a reference cannot be opened.
        MediaError: nothing can be opened here now.
    """
    made = request.parameters
    if made.model != rooms.model.origin.name:
        raise BadRequest(
            "model", "unknown_model", f"{made.model[:64]!r} is not served here.",
            f"Use {rooms.model.origin.name!r}.",
        )  # fmt: skip
    pictures = _opened(rooms, request)
    try:
        rooms.model.check(shot_of(request, pictures))
    except PictureNotPossible as refused:
        param = request.references[0].param
        raise BadRequest(param, "not_possible", str(refused), "") from refused
    except ShotNotPossible as refused:
        raise _not_possible(str(refused)) from refused
    return pictures


def _not_possible(said: str) -> BadRequest:
    """Return the refusal of a model, which names the field first: `fps 40: from 8 to 30`."""
    field, _, why = said.partition(": ")
    param = field.split(" ")[0]
    if param == "prompt":
        return BadRequest("prompt", "not_possible", why, "")
    return BadRequest(param if param in _FIELDS else "prompt", "not_possible", said, "")


def _opened(rooms: Rooms, request: GenerationRequest) -> tuple[Picture, ...]:
    # Counted first: opening what is refused in any case costs a process for each picture.
    references = checked_shown(request.references)
    try:
        return opened(rooms, request)
    except MediaError as refused:
        if refused.code is Code.NOT_WRITTEN:
            raise  # our disk or our processes, not the picture
        param = references[0].param
        raise BadRequest(param, refused.code, refused.message, refused.remedy) from refused


def _sealed(rooms: Rooms, conn: Connection, request: GenerationRequest, job_id: str) -> bytes:
    return rooms.subjects.seal(conn, request.requester.actor, body.sealed_json(request), job_id)
