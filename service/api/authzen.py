"""AuthZEN 1.0: may this subject generate that? `POST /access/v1/evaluation`; docs/guard.md.

A hold is `false` with the reason `held`. An error is an error, and in a batch a `false` that says
so: nobody is let through by one.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from service import desk
from service.accounts import Principal
from service.api.asked import request_from
from service.api.errors import problem_of
from service.api.fields import Fields, body_of, documented, read
from service.api.state import Asker, RequestId, State, StateDep
from service.decision import Mode, Verdict
from service.ids import new_id
from service.request import BadRequest
from service.wire import JSON, decision_json


async def _same_id(request: Request) -> None:
    """Give the caller's `X-Request-ID` back, as AuthZEN demands; ours stands in the context."""
    given = request.headers.get("x-request-id", "")
    if 0 < len(given) <= _MAX_ID and given.isascii() and given.isprintable():
        request.scope["state"]["shown_id"] = given


router = APIRouter(tags=["adapters"], dependencies=[Depends(_same_id)])

MAX_EVALUATIONS = 100
_MAX_ID = 200
_DEPTH = 9
_FROM_CONTEXT = ("territory", "purpose")
_PARTS = ("subject", "action", "resource", "context")
_Extra = ConfigDict(extra="ignore")


class Subject(BaseModel):
    """Who is to be let: the key's own actor. Properties are passed over."""

    model_config = _Extra
    type: Literal["actor", "user"]
    id: str = Field(min_length=1, max_length=128)


class Action(BaseModel):
    """What they want to do."""

    model_config = _Extra
    name: Literal["generate"]


class Resource(BaseModel):
    """What is to be made: `properties` are the fields of `POST /v1/policy/decisions`."""

    model_config = _Extra
    type: Literal["video"]
    id: str = Field(max_length=_MAX_ID)
    properties: dict[str, JsonValue] = Field(default_factory=dict, repr=False)


class EvaluationBody(BaseModel):
    """One question. Of `context`, `territory` and `purpose` are heard."""

    model_config = _Extra
    subject: Subject
    action: Action
    resource: Resource
    context: dict[str, JsonValue] = Field(default_factory=dict)


class Options(BaseModel):
    """How several questions hang together."""

    model_config = _Extra
    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] = (
        "execute_all"
    )


class EvaluationsBody(BaseModel):
    """Several questions; what stands at the top is the default of each."""

    model_config = _Extra
    subject: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    resource: dict[str, Any] | None = Field(default=None, repr=False)
    context: dict[str, Any] | None = None
    evaluations: list[dict[str, Any]] = Field(
        default_factory=list, max_length=MAX_EVALUATIONS, repr=False
    )
    options: Options = Options()


@router.post("/access/v1/evaluation", openapi_extra=documented(EvaluationBody))
def evaluate(
    asker: Asker,
    request_id: RequestId,
    state: StateDep,
    body: Annotated[EvaluationBody, Depends(body_of(EvaluationBody, depth=_DEPTH))],
) -> JSON:
    """Answer one question by a decision that is in the log."""
    return _evaluated(state, asker, body, request_id)


@router.post("/access/v1/evaluations", openapi_extra=documented(EvaluationsBody))
def evaluate_several(
    asker: Asker,
    request_id: RequestId,
    state: StateDep,
    body: Annotated[EvaluationsBody, Depends(body_of(EvaluationsBody, depth=_DEPTH))],
) -> JSON:
    """Answer several questions in order, each by a decision of its own."""
    if not body.evaluations:
        return _evaluated(state, asker, EvaluationBody.model_validate(_whole(body, {})), request_id)
    return {"evaluations": list(_answers(state, asker, body))}


@router.get("/.well-known/authzen-configuration")
def get_authzen_configuration(state: StateDep) -> JSONResponse:
    """Return where the endpoints are. Open to everybody: it says nothing else."""
    address = state.house.settings.address
    return JSONResponse(
        {
            "policy_decision_point": address,
            "access_evaluation_endpoint": f"{address}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{address}/access/v1/evaluations",
        },
        headers={"cache-control": "public, max-age=3600"},
    )


def _answers(state: State, asker: Principal, body: EvaluationsBody) -> Iterator[JSON]:
    last = {"deny_on_first_deny": False, "permit_on_first_permit": True}
    stop_at = last.get(body.options.evaluations_semantic)
    for one in body.evaluations:
        answer = _answered(state, asker, _whole(body, one))
        yield answer
        if answer["decision"] is stop_at:
            return


def _answered(state: State, asker: Principal, question: Mapping[str, Any]) -> JSON:
    """Return the answer to one of several; a question that is wrong spoils no other."""
    request_id = new_id("req", state.house.rooms.clock())
    try:
        return _evaluated(state, asker, EvaluationBody.model_validate(question), request_id)
    except (BadRequest, ValidationError) as wrong:
        problem = problem_of(wrong)
        error = {"status": problem.status, "message": problem.message}
        return {"decision": False, "context": {"reason": "error", "error": error}}


def _whole(body: EvaluationsBody, one: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {name: getattr(body, name) for name in _PARTS}
    return {name: value for name, value in {**defaults, **one}.items() if value is not None}


def _evaluated(state: State, asker: Principal, body: EvaluationBody, request_id: str) -> JSON:
    rooms = state.house.rooms
    request = request_from(_fields(body, asker), rooms, asker, request_id)
    answer = desk.answer(rooms, request, mode=Mode.ENFORCE)
    decision = decision_json(
        answer.decision, receipt=answer.receipt, ticket=answer.ticket, appeals=answer.appeals
    )
    state.metrics.decided(decision)
    words = {Verdict.ALLOW: "allowed", Verdict.HOLD: "held", Verdict.BLOCK: "blocked"}
    return {
        "decision": answer.decision.verdict is Verdict.ALLOW,
        "context": {
            "id": decision["id"],
            "request_id": request_id,
            "reason": words[answer.decision.verdict],
            "reasons": [_reason(one) for one in decision["reasons"]],
            "conditions": decision["conditions"],
            "ticket": decision["ticket"],
            "receipt": decision["receipt"],
        },
    }


def _reason(reason: JSON) -> JSON:
    return {
        "id": reason["code"],
        "reason_admin": {"en": f"rule {reason['rule']}, observation {reason['observation']}"},
        "reason_user": {"en": f"{reason['message']} {reason['remedy']}"},
    }


def _fields(body: EvaluationBody, asker: Principal) -> Fields:
    if body.subject.id != asker.actor:
        raise BadRequest(
            "subject.id", "another_actor", "this key asks for its own actor alone.",
            f"Send {asker.actor}, or a key of theirs.",
        )  # fmt: skip
    heard = {name: body.context[name] for name in _FROM_CONTEXT if body.context.get(name)}
    return read(json.dumps({**heard, **body.resource.properties}).encode(), "application/json")
