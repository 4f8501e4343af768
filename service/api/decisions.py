"""`/v1/policy/decisions`: the question before any generator, answered with a logged decision."""

from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from service import batch
from service.accounts import Principal
from service.api import deciding, records
from service.api.asked import documented_question, request_from
from service.api.errors import problem_of
from service.api.fields import Fields, documented_list, item, items_of, read
from service.api.problems import problem_json
from service.api.state import Asker, RoomsDep, State, StateDep, arrived, request_id, state_of
from service.api.words import After, Id, Word
from service.batch import MAX_QUESTIONS, Question
from service.decision import Mode
from service.desk import Answer
from service.ids import new_id
from service.request import MAX_REFERENCES, BadRequest
from service.rooms import Rooms
from service.wire import JSON, decision_json

router = APIRouter(prefix="/v1/policy/decisions", tags=["policy"])

# What is larger holds pictures, and is read in a thread.
_SMALL_BYTES = 64 << 10
# Of a length that is small without looking: under 100,000 bytes.
_DIGITS = 6


@router.post(
    "",
    openapi_extra=documented_question(MAX_REFERENCES, mode={"enum": [mode.value for mode in Mode]}),
)
async def create_decision(request: Request) -> Response:
    """Ask the three gates about a request. 200 means that there is a decision, also a refusal."""
    # Without FastAPI's dependencies, which cost a tenth of the whole here.
    state, asked_as = state_of(request), await request_id(request)
    if not _announces_little(request):
        # Nobody who is a stranger has us read megabytes.
        await arrived(request)
    body, sent_as = await request.body(), request.headers.get("content-type", "")
    # Only now: whoever lets us wait for the last byte gets no older policy and no older registers.
    came = await arrived(request, decides=True)
    rooms = state.house.rooms
    asking = partial(_asked, rooms, came.principal, asked_as, body, sent_as)
    question = asking() if len(body) < _SMALL_BYTES else await run_in_threadpool(asking)
    answer = await deciding.answer(rooms, state.looks, question.request, came.ground, question.mode)
    return Response(msgspec.json.encode(_told(state, answer)), media_type="application/json")


def _announces_little(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return len(length) < _DIGITS and length.isascii() and length.isdigit()


def _asked(rooms: Rooms, asker: Principal, request_id: str, body: bytes, sent_as: str) -> Question:
    return _question(rooms, asker, request_id, read(body, sent_as))


def _question(rooms: Rooms, asker: Principal, request_id: str, fields: Fields) -> Question:
    mode = _mode(fields.text("mode", Mode.ENFORCE.value))
    texts = {name: given for name, given in fields.texts.items() if name != "mode"}
    request = request_from(Fields(texts, fields.files, fields.rows), rooms, asker, request_id)
    return Question(request, mode)


@router.post("/batch", openapi_extra=documented_list("requests", MAX_QUESTIONS))
def create_decisions(
    asker: Asker,
    state: StateDep,
    given: Annotated[list[object], Depends(items_of("requests", MAX_QUESTIONS))],
) -> JSON:
    """Ask about up to 100 requests, each as in `create_decision`, in JSON.

    Each has a decision, an entry and a receipt of its own, or an error in its place.
    """
    rooms = state.house.rooms
    ids = [new_id("req", rooms.clock()) for _ in given]
    read = [
        _item(rooms, asker, one, request_id) for one, request_id in zip(given, ids, strict=True)
    ]
    asked = [one for one in read if isinstance(one, Question)]
    answers = iter(batch.answers(rooms, asked))
    outcomes = [next(answers) if isinstance(one, Question) else one for one in read]
    return {
        "object": "list",
        "data": [
            {"object": "error", **problem_json(problem_of(one), request_id)}
            if isinstance(one, BadRequest)
            else _told(state, one)
            for one, request_id in zip(outcomes, ids, strict=True)
        ],
    }


def _item(rooms: Rooms, asker: Principal, given: object, request_id: str) -> Question | BadRequest:
    try:
        return _question(rooms, asker, request_id, item(given))
    except BadRequest as wrong:
        return wrong


def _told(state: State, answer: Answer) -> JSON:
    decision = decision_json(
        answer.decision, receipt=answer.receipt, ticket=answer.ticket, appeals=answer.appeals
    )
    decision |= {"review": records.review_json(answer.review), "appeal": None}
    state.metrics.decided(decision)
    return decision


@router.get("")
def list_decisions(
    asker: Asker,
    rooms: RoomsDep,
    request: Word = "",
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> JSON:
    """Return a page of the project's decisions, newest first."""
    found = records.decisions(rooms, asker.project, request=request, after=after, limit=limit + 1)
    shown = found[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "last_index": shown[-1]["receipt"]["index"] if shown else None,
        "has_more": len(found) > limit,
    }


@router.get("/{decision}")
def get_decision(asker: Asker, rooms: RoomsDep, decision: Id) -> JSON:
    """Return one decision as the log has it. Places in an erased prompt are not in the log."""
    return records.decision_by_id(rooms, asker.project, decision)


@router.get("/{decision}/explain")
def explain_decision(asker: Asker, rooms: RoomsDep, decision: Id) -> JSON:
    """Return who looked, what was seen, which rule was met, and what would have changed it."""
    return records.explanation(rooms, asker.project, decision)


@router.get("/{decision}/proof", response_class=PlainTextResponse)
def get_decision_proof(asker: Asker, rooms: RoomsDep, decision: Id) -> PlainTextResponse:
    """Return the decision's entry with its proof, for `service/audit/verify_file.py`."""
    return PlainTextResponse(records.proof(rooms, asker.project, decision))


def _mode(word: str) -> Mode:
    for mode in Mode:
        if mode.value == word:
            return mode
    raise BadRequest(
        "mode",
        "unknown_mode",
        f"{word[:32]!r} is no mode.",
        "Use " + ", ".join(mode.value for mode in Mode) + ".",
    )
