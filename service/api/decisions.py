"""`/v1/policy/decisions`: the question before any generator, answered with a logged decision."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from service import desk
from service.api import records
from service.api.asked import documented_request, request_from
from service.api.fields import Fields, fields_of
from service.api.state import Asker, RequestId, RoomsDep, StateDep
from service.api.words import After, Id, Word
from service.decision import Mode
from service.request import MAX_REFERENCES, BadRequest
from service.wire import JSON, decision_json

router = APIRouter(prefix="/v1/policy/decisions", tags=["policy"])


@router.post(
    "",
    openapi_extra=documented_request(MAX_REFERENCES, mode={"enum": [mode.value for mode in Mode]}),
)
def create_decision(
    asker: Asker,
    request_id: RequestId,
    state: StateDep,
    fields: Annotated[Fields, Depends(fields_of)],
) -> JSON:
    """Ask the three gates about a request. 200 means that there is a decision, also a refusal."""
    rooms = state.house.rooms
    mode = _mode(fields.text("mode", Mode.ENFORCE.value))
    texts = {name: given for name, given in fields.texts.items() if name != "mode"}
    request = request_from(Fields(texts, fields.files), rooms, asker, request_id)
    answer = desk.answer(rooms, request, mode=mode)
    decision = decision_json(answer.decision, receipt=answer.receipt, ticket=answer.ticket)
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
