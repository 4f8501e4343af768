"""`/v1/moderations`: our findings under OpenAI's thirteen names, by the live policy.

A list of objects is one thing, as OpenAI has it: a picture with its caption, judged together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from filters import dialogue
from filters.finding import Category, FilterError, Finding, Surface
from service.api.fields import body_of, documented, file_in
from service.api.state import Asker, RoomsDep
from service.decision import Verdict
from service.gates import Gates, Picture
from service.ids import new_id
from service.media.errors import MediaError
from service.policy_book import Policy
from service.reasons import category_of
from service.request import MAX_PROMPT_CHARACTERS, MAX_REFERENCES, BadRequest, checked_prompt
from service.rooms import Rooms
from service.steps.run import unopened
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


# What is known of a picture only when this was looked for; the rest need not be seen in one.
_IN_PICTURES = frozenset({Category.SEXUAL})
_IN_TEXTS = frozenset(chain(*NAMES.values()))


class FilterIncomplete(FilterError):
    """The filter left a category out, which is no all-clear."""


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: str


class _Address(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str
    detail: str = ""


class _Picture(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["image_url"]
    image_url: _Address


class ModerationBody(BaseModel):
    """What the client sends. `model` is accepted and ignored: there is one filter."""

    model_config = ConfigDict(extra="forbid")
    input: str | list[str] | list[Annotated[_Text | _Picture, Field(discriminator="type")]]
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    """What one result is about."""

    texts: tuple[str, ...] = field(repr=False)
    pictures: tuple[Picture, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A finding, and the kind of input that it was made in."""

    kind: Literal["image", "text"]
    finding: Finding


@router.post("", openapi_extra=documented(ModerationBody))
def create_moderation(
    _asker: Asker,
    rooms: RoomsDep,
    body: Annotated[ModerationBody, Depends(body_of(ModerationBody))],
) -> JSON:
    """Say what the filters find in each text, or in texts and pictures together.

    Nothing is logged, and nothing is permitted.
    """
    read = [_found(rooms.gates, item) for item in _items(body, rooms)]
    policy = rooms.book.standing().live
    return {
        "id": new_id("modr", rooms.clock()),
        "model": read[0][0].finding.detector,
        "results": [_result(policy, findings) for findings in read],
    }


def _items(body: ModerationBody, rooms: Rooms) -> list[_Item]:
    given = [body.input] if isinstance(body.input, str) else body.input
    if not 1 <= len(given) <= MAX_INPUTS:
        raise BadRequest(
            "input", "wrong_number", f"it has {len(given)} parts.", f"Send 1 to {MAX_INPUTS}."
        )
    texts = [one for one in given if isinstance(one, str)]
    if texts:
        return [_Item((checked_prompt(text, param="input"),)) for text in texts]
    parts = [one for one in given if not isinstance(one, str)]
    return [_Item(_texts(parts), _pictures(parts, rooms))]


def _texts(parts: Sequence[_Text | _Picture]) -> tuple[str, ...]:
    """Return each text, and all of them joined where there are several."""
    texts = [
        checked_prompt(part.text, param=f"input[{number}].text")
        for number, part in enumerate(parts)
        if isinstance(part, _Text)
    ]
    joined = "\n".join(texts)
    if len(joined) > MAX_PROMPT_CHARACTERS:
        raise BadRequest(
            "input",
            "too_long",
            f"all texts have {len(joined)} characters together.",
            f"Use at most {MAX_PROMPT_CHARACTERS}.",
        )
    return (*texts, joined) if len(texts) > 1 else tuple(texts)


def _pictures(parts: Sequence[_Text | _Picture], rooms: Rooms) -> tuple[Picture, ...]:
    sent = [(number, part) for number, part in enumerate(parts) if isinstance(part, _Picture)]
    if len(sent) > MAX_REFERENCES:
        raise BadRequest(
            "input", "too_many", f"there are {len(sent)} pictures.", f"Send {MAX_REFERENCES}."
        )
    return tuple(_opened(f"input[{number}].image_url", part, rooms) for number, part in sent)


def _opened(param: str, part: _Picture, rooms: Rooms) -> Picture:
    """Return a picture, decoded by the sandboxed reader like every other.

    Raises:
        BadRequest: it is none, is damaged, moves, or is too large.
        MediaError: nothing can be opened here now.
    """
    try:
        return rooms.read_picture(file_in(param, part.image_url.url, "image"))
    except MediaError as refused:
        raise unopened(param, refused) from refused


def _found(gates: Gates, item: _Item) -> list[_Seen]:
    """Return what is found in all parts of an item.

    Raises:
        FilterIncomplete: a part was not looked at for all that has to be looked for in it.
        FilterError: a detector fails, so there is no answer.
    """
    found: list[_Seen] = []
    for text in item.texts:
        read = gates.judge_text(text, Surface.PROMPT)
        _require(_IN_TEXTS, read)
        spoken = dialogue.judged(text, gates.judge_text)
        found += [_Seen("text", one) for one in [*read, *spoken]]
    for picture in item.pictures:
        seen = gates.judge_pictures([(0, picture)], Surface.PICTURE)
        _require(_IN_PICTURES, seen)
        found += [_Seen("image", one) for one in [*seen, *_written(gates, picture)]]
    return found


def _written(gates: Gates, picture: Picture) -> Sequence[Finding]:
    """Return what is found in the text of a picture, and whether there is some that is unread."""
    found = gates.read_captions([(0, picture)], Surface.PICTURE)
    _require({Category.UNREADABLE}, found)
    read = [one for one in found if one.surface is Surface.CAPTIONS]
    if read:
        _require(_IN_TEXTS, read)
    return found


def _require(needed: Collection[Category], findings: Sequence[Finding]) -> None:
    missing = set(needed) - {finding.category for finding in findings}
    if missing:
        raise FilterIncomplete(f"no score for {', '.join(sorted(missing))}")


def _result(policy: Policy, seen: Sequence[_Seen]) -> JSON:
    """Return one result. Flagged is whatever the policy would hold or block, also unreadable text.

    A score is the highest of all parts; a category that no part was looked at for scores 0 and
    applies to no input type.
    """
    verdicts: dict[Category, Verdict] = {}
    scores: dict[Category, float] = {}
    types: dict[Category, set[str]] = {}
    for one, kind in ((each.finding, each.kind) for each in seen):
        rule = policy.rule_for(category_of(one.category))
        verdict = rule.verdict(one.score, one.surface.value)[0]
        verdicts[one.category] = max(verdict, verdicts.get(one.category, Verdict.ALLOW))
        scores[one.category] = max(one.score, scores.get(one.category, 0.0))
        types.setdefault(one.category, set()).add(kind)
    strictest = max(verdicts.values(), default=Verdict.HOLD)
    return {
        "flagged": strictest is not Verdict.ALLOW,
        "categories": {
            name: all(verdicts.get(one, Verdict.ALLOW) is not Verdict.ALLOW for one in needed)
            for name, needed in NAMES.items()
        },
        "category_scores": {
            name: min(scores.get(one, 0.0) for one in needed) for name, needed in NAMES.items()
        },
        "category_applied_input_types": {
            name: sorted(set.intersection(*(types.get(one, set()) for one in needed)))
            for name, needed in NAMES.items()
        },
        "verdict": strictest.word,
        "findings": {category.value: score for category, score in sorted(scores.items())},
    }
