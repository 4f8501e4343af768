"""`/v1/moderations` for text: our findings under OpenAI's thirteen names, by the live policy."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from filters.finding import Category, FilterError, Finding, Surface
from service.api.fields import body_of, documented
from service.api.state import Asker, RoomsDep
from service.decision import Verdict
from service.ids import new_id
from service.reasons import category_of
from service.request import BadRequest, checked_prompt
from service.rooms import Rooms
from service.wire import JSON

router = APIRouter(prefix="/v1/moderations", tags=["moderations"])

MAX_INPUTS = 32
NAMES: Mapping[str, tuple[Category, ...]] = {
    "harassment": (Category.HARASSMENT,),
    "harassment/threatening": (Category.HARASSMENT, Category.VIOLENCE),
    "hate": (Category.HATE,),
    "hate/threatening": (Category.HATE, Category.VIOLENCE),
    "illicit": (Category.ILLICIT,),
    "illicit/violent": (Category.ILLICIT, Category.VIOLENCE),
    "self-harm": (Category.SELF_HARM,),
    # We cannot tell wish, instruction and depiction apart, and say so in docs/api.md.
    "self-harm/instructions": (Category.SELF_HARM,),
    "self-harm/intent": (Category.SELF_HARM,),
    "sexual": (Category.SEXUAL,),
    "sexual/minors": (Category.MINORS,),
    "violence": (Category.VIOLENCE,),
    "violence/graphic": (Category.GORE,),
}
"""OpenAI's names and what of ours must all be found for each; its score is the lowest of theirs."""


class FilterIncomplete(FilterError):
    """The filter left a category out, which is no all-clear."""


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: str


class ModerationBody(BaseModel):
    """What the client sends. `model` is accepted and ignored: there is one filter."""

    model_config = ConfigDict(extra="forbid")
    input: str | list[str] | list[_Text]
    model: str = ""


@router.post("", openapi_extra=documented(ModerationBody))
def create_moderation(
    _asker: Asker,
    rooms: RoomsDep,
    body: Annotated[ModerationBody, Depends(body_of(ModerationBody))],
) -> JSON:
    """Say what the filter finds in each text. Nothing is logged, and nothing is permitted."""
    read = [list(rooms.gates.judge_text(text, Surface.PROMPT)) for text in _texts(body)]
    return {
        "id": new_id("modr", rooms.clock()),
        "model": read[0][0].detector if read[0] else "",
        "results": [_result(rooms, findings) for findings in read],
    }


def _texts(body: ModerationBody) -> list[str]:
    given = [body.input] if isinstance(body.input, str) else body.input
    texts = [one if isinstance(one, str) else one.text for one in given]
    if not 1 <= len(texts) <= MAX_INPUTS:
        raise BadRequest(
            "input", "wrong_number", f"it has {len(texts)} texts.", f"Send 1 to {MAX_INPUTS}."
        )
    return [checked_prompt(text, param="input") for text in texts]


def _result(rooms: Rooms, findings: Sequence[Finding]) -> JSON:
    """Return one result. Flagged is whatever the policy would hold or block, also unreadable text.

    Raises:
        FilterIncomplete: a category that a name needs was not looked for.
    """
    best: dict[Category, Finding] = {}
    for one in findings:
        if one.category not in best or one.score > best[one.category].score:
            best[one.category] = one
    verdicts = {
        category: rooms.policy.rule_for(category_of(category)).verdict(
            finding.score, finding.surface.value
        )[0]
        for category, finding in best.items()
    }
    missing = {needed for names in NAMES.values() for needed in names} - set(best)
    if missing:
        raise FilterIncomplete(f"no score for {', '.join(sorted(missing))}")
    strictest = max(verdicts.values(), default=Verdict.HOLD)
    return {
        "flagged": strictest is not Verdict.ALLOW,
        "categories": {
            name: all(verdicts[needed] is not Verdict.ALLOW for needed in names)
            for name, names in NAMES.items()
        },
        "category_scores": {
            name: min(best[needed].score for needed in names) for name, names in NAMES.items()
        },
        "category_applied_input_types": {name: ["text"] for name in NAMES},
        "verdict": strictest.word,
        "findings": {category.value: finding.score for category, finding in sorted(best.items())},
    }
