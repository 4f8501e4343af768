"""LiteLLM's generic guardrail endpoint: `POST /beta/litellm_basic_guardrail_api`; docs/guard.md.

Whatever a caller of LiteLLM could send to keep us from looking is BLOCKED, with 200: LiteLLM lets
a request through on our errors where it is told to, and never on that.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service import desk
from service.api.asked import request_from
from service.api.fields import Fields, body_of, documented
from service.api.state import Asker, RequestId, State, StateDep
from service.decision import Decision, Mode, Steer, Verdict
from service.desk import Answer
from service.media.errors import MediaError
from service.media.headers import picture_header
from service.request import BadRequest
from service.wire import JSON, decision_json

router = APIRouter(prefix="/beta", tags=["adapters"])

# Tools hold JSON schemas.
_DEPTH = 32
_PICTURES = "input_reference"
_TEXTS = frozenset({"text", "input_text", "output_text", "refusal"})
_CALLED_WITH = ("arguments", "input")
_PICTURE_PARTS = frozenset({"image_url", "input_image", "image"})


class GuardrailBody(BaseModel):
    """What LiteLLM sends. It adds fields as it grows; what we do not look at is passed over."""

    model_config = ConfigDict(extra="ignore")
    input_type: Literal["request", "response"] = "request"
    texts: list[str] | None = Field(default=None, repr=False)
    images: list[str] | None = Field(default=None, repr=False)
    structured_messages: list[dict[str, Any]] | None = Field(default=None, repr=False)
    tool_calls: list[dict[str, Any]] | None = Field(default=None, repr=False)


@router.post("/litellm_basic_guardrail_api", openapi_extra=documented(GuardrailBody))
def judge_for_litellm(
    asker: Asker,
    request_id: RequestId,
    state: StateDep,
    body: Annotated[GuardrailBody, Depends(body_of(GuardrailBody, depth=_DEPTH))],
) -> JSON:
    """Decide about the texts and pictures of a call. A hold is BLOCKED: nobody waits there."""
    rooms = state.house.rooms
    try:
        request = request_from(_fields(body), rooms, asker, request_id)
        answer = desk.answer(rooms, request, mode=Mode.ENFORCE)
    except BadRequest as unreadable:
        return _blocked(f"{unreadable.code}: {unreadable}")
    return _replied(state, answer)


def _fields(body: GuardrailBody) -> Fields:
    """Return all that we can look at.

    Raises:
        BadRequest: there is something that we cannot look at, or nothing at all.
    """
    said = dict.fromkeys(each for each in _said(body) if each.strip())
    pictures = tuple(_picture(one) for one in body.images or ())
    if not pictures and any(_shows(each.get("content")) for each in body.structured_messages or ()):
        raise BadRequest(
            "images", "not_sent", "a message shows one, and it is not here.", "Send it as well."
        )
    if not said:
        raise BadRequest("texts", "empty", "there are no words to look at.", "Say what to make.")
    # Judged as one, so that what is split over several messages is met as well.
    return Fields({"prompt": ("\n".join(said),)}, {_PICTURES: pictures})


def _said(body: GuardrailBody) -> Iterator[str]:
    yield from body.texts or ()
    for message in body.structured_messages or ():
        yield from _spoken(message.get("content"))
        yield from _called(message.get("tool_calls"))
        yield from _called([{"function": message.get("function_call")}])
    yield from _called(body.tool_calls)


def _spoken(content: object) -> Iterator[str]:
    """Yield what a message says; what is a picture has come as one of `images` as well."""
    if isinstance(content, str):
        yield content
    for part in [content] if isinstance(content, dict) else _list(content):
        said: dict[str, object] = part if isinstance(part, dict) else {}
        kind = str(said.get("type"))
        if isinstance(part, str):
            yield part
        elif kind in _TEXTS:
            yield from _words(said.get("text") or said.get("refusal"))
        elif kind == "tool_use":
            yield from _words(said.get("input"))
        elif kind == "tool_result":
            yield from _spoken(said.get("content"))
        elif kind not in _PICTURE_PARTS:
            raise BadRequest(
                "structured_messages", "not_looked_at",
                "a part of it is neither text nor picture.", "Send text and pictures.",
            )  # fmt: skip


def _called(calls: object) -> Iterator[str]:
    """Yield what tools are called with; their names and ids are nobody's words."""
    for call in _list(calls):
        for made in call.values() if isinstance(call, dict) else ():
            if isinstance(made, dict):
                yield from _words([made.get(name) for name in _CALLED_WITH])


def _shows(content: object) -> bool:
    """Whether a picture is part of a message, or of what a tool answered in it."""
    parts = [one for one in _list(content) if isinstance(one, dict)]
    return any(
        str(one.get("type")) in _PICTURE_PARTS or _shows(one.get("content")) for one in parts
    )


def _words(value: object) -> Iterator[str]:
    """Yield every text in `value`, however deep: what a tool is called with may be anything."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else _list(value):
        yield from _words(one)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _picture(address: str) -> bytes:
    """Return the bytes of a `data:` address or of bare base64, as LiteLLM sends both."""
    head, comma, encoded = address.partition(",")
    if "://" in address[:16]:
        raise BadRequest(
            "images", "not_fetched", "addresses are not fetched.", "Send the picture itself."
        )
    try:
        content = base64.b64decode(encoded if comma else head, validate=True)
        picture_header(content)
    except (binascii.Error, ValueError):
        raise BadRequest("images", "not_base64", "it is not base64.", "Encode it again.") from None
    except MediaError as refused:
        raise BadRequest("images", refused.code, refused.message, refused.remedy) from refused
    return content


def _replied(state: State, answer: Answer) -> JSON:
    decision = decision_json(answer.decision, receipt=answer.receipt, appeals=answer.appeals)
    state.metrics.decided(decision)
    named: JSON = {"decision_id": answer.decision.id, "receipt": decision["receipt"]}
    if answer.decision.verdict is Verdict.ALLOW:
        return {**_allowed(answer.decision), **named}
    return {**_blocked(_told(answer.decision)), **named}


def _allowed(decision: Decision) -> JSON:
    steers = [each for each in decision.conditions if isinstance(each, Steer)]
    if not steers:
        return {"action": "NONE"}
    # Which of several texts it would stand for is not ours to guess.
    return _blocked("the policy would have it generated from other words than these")


def _blocked(reason: str) -> JSON:
    return {"action": "BLOCKED", "blocked_reason": reason}


def _told(decision: Decision) -> str:
    head = "held for a person" if decision.verdict is Verdict.HOLD else "refused"
    reasons: Sequence[str] = [f"{one.code}: {one.message} {one.remedy}" for one in decision.reasons]
    return f"{head} ({decision.id}). {' '.join(reasons)}"
