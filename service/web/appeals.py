"""Appealing from a request's page, and the page that shows what came of it."""

from typing import Annotated, assert_never

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service import appealing
from service.accounts import Principal
from service.api import records
from service.api.appeals import appeal_json
from service.api.fields import Fields, fields_of
from service.api.roles import require
from service.api.state import RoomsDep
from service.api.videos import job_of
from service.api.words import Id
from service.appealing import Appealing
from service.appeals import MAX_CHARACTERS, Appeal, NotAppealable, State, message
from service.jobs import UnknownJob
from service.request import BadRequest, checked_prompt
from service.web.rendering import page
from service.web.session import require_same_site, signed_in
from service.web.words import Standing
from service.wire import JSON

router = APIRouter(include_in_schema=False)


def _appellant(request: Request, rooms: RoomsDep) -> Principal:
    require_same_site(request)
    principal = signed_in(request, rooms)
    require("create_appeal", principal)
    return principal


def _reader(request: Request, rooms: RoomsDep) -> Principal:
    principal = signed_in(request, rooms)
    require("get_appeal", principal)
    return principal


@router.post("/requests/{video}/appeal")
def create_appeal(
    appellant: Annotated[Principal, Depends(_appellant)],
    rooms: RoomsDep,
    video: Id,
    form: Annotated[Fields, Depends(fields_of)],
) -> Response:
    """Appeal against what refused a request of one's own, and go to the appeal's page."""
    job = job_of(rooms, appellant, video)
    if job.actor != appellant.actor:
        raise UnknownJob(video)
    decision = records.newest_decision(rooms, job.request_id)
    if decision is None:
        raise NotAppealable("there is no decision yet")
    try:
        why = _why(form)
    except BadRequest as refused:
        said = f"{refused.message.removeprefix('why: ')} {refused.remedy}"
        typed = form.texts.get("why", ("",))[0]
        return page("appeal_again.html", 400, **form_values(video, said, typed))
    mine = Appealing(rooms, appellant.actor, appellant.project)
    made = mine.open(str(decision["id"]), why).appeal
    return RedirectResponse(f"/appeals/{made.id}", status_code=303)


@router.get("/appeals/{appeal}")
def get_appeal(
    reader: Annotated[Principal, Depends(_reader)], rooms: RoomsDep, appeal: Id
) -> Response:
    """Return the page of an appeal of one's own."""
    found = Appealing(rooms, reader.actor, reader.project).own(appeal)
    return page(
        "appeal.html",
        appeal=appeal_json(found),
        words=appealing.words_of(rooms, found),
        opened_at=found.opened_at,
        decided_at=found.decided_at,
        standing=_standing(found),
    )


def form_values(video: str, refused: str = "", typed: str = "") -> JSON:
    """Return what the form of an appeal shows."""
    return {"appealed": video, "refused": refused, "typed_why": typed, "most": MAX_CHARACTERS}


def _why(form: Fields) -> str:
    why = checked_prompt(form.only({"why"}).text("why"), param="why")
    if len(why) > MAX_CHARACTERS:
        raise BadRequest(
            "why", "too_long", f"it has {len(why)} characters.", f"Use at most {MAX_CHARACTERS}."
        )
    return why


def _standing(found: Appeal) -> Standing:
    said = message(found)
    match found.state:
        case State.OPEN:
            return Standing("wait", "○", "Appealed", said)
        case State.UPHELD:
            return Standing("allow", "✓", "Upheld", said)
        case State.DISMISSED:
            return Standing("block", "✕", "Dismissed", said)
        case _:
            assert_never(found.state)
