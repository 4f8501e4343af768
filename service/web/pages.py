"""The pages: sign in, ask, one's own requests, and one page for each. None has a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.types import Scope

from service import accounts, jobs
from service.accounts import NotAuthenticated, Principal
from service.api import films, records, video_object
from service.api.asked import DEFAULT_SECONDS, DEFAULT_SIZE, film_from
from service.api.errors import Forbidden
from service.api.fields import Fields, few_fields_of, fields_of
from service.api.problems import Problem
from service.api.roles import require
from service.api.state import RequestId, RoomsDep, State, StateDep
from service.api.videos import counted, job_of
from service.api.words import Id, Word
from service.jobs import STEPS, Job, UnknownJob
from service.request import MAX_PROMPT_CHARACTERS, MAX_SECONDS, MIN_SECONDS, SIZES, BadRequest
from service.rooms import Rooms
from service.web.appeals import form_values
from service.web.rendering import page
from service.web.session import close_session, open_session, require_same_site, signed_in
from service.web.words import span_of, standing, stretches
from service.wire import JSON

router = APIRouter(include_in_schema=False)

_SHOWN = 50
_HERE = Path(__file__).parent
_STYLE, _ICON = _HERE / "style.css", _HERE / "icon.svg"
_FOR_A_WHILE = {"cache-control": "max-age=300"}


@dataclass(frozen=True, slots=True)
class _Typed:
    """What stands in the form: as it came back, as it was once sent, or the defaults."""

    prompt: str = field(default="", repr=False)
    size: str = DEFAULT_SIZE
    seconds: str = DEFAULT_SECONDS
    likenesses: str = field(default="", repr=False)


def _visitor(request: Request, rooms: RoomsDep) -> Principal | None:
    try:
        return signed_in(request, rooms)
    except NotAuthenticated:
        return None


def _sender(request: Request, rooms: RoomsDep) -> Principal:
    require_same_site(request)
    principal = signed_in(request, rooms)
    require("create_video", principal)
    return principal


Visitor = Annotated[Principal | None, Depends(_visitor)]
Sender = Annotated[Principal, Depends(_sender)]
Form = Annotated[Fields, Depends(fields_of)]
KeyForm = Annotated[Fields, Depends(few_fields_of)]


@router.get("/style.css")
def get_style() -> Response:
    """Return the style sheet."""
    return Response(_STYLE.read_bytes(), media_type="text/css", headers=_FOR_A_WHILE)


@router.get("/icon.svg")
def get_icon() -> Response:
    """Return the icon; without one, every browser asks for `/favicon.ico` and hears of a 404."""
    return Response(_ICON.read_bytes(), media_type="image/svg+xml", headers=_FOR_A_WHILE)


@router.get("/")
def get_home(rooms: RoomsDep, visitor: Visitor, again: Word = "") -> Response:
    """Return the form and one's own requests, or the way in.

    Args:
        again: a request to begin from, to change it and send it again.
    """
    if visitor is None:
        return page("sign_in.html", wrong=False)
    return _home(rooms, visitor, typed=_as_sent(rooms, visitor, again) if again else _Typed())


@router.post("/sign-in", dependencies=[Depends(require_same_site)])
def sign_in(request: Request, rooms: RoomsDep, form: KeyForm) -> Response:
    """Check the key and set the cookie."""
    try:
        with rooms.database.reading() as conn:
            principal = accounts.authenticate(conn, form.text("key", "").strip(), rooms.clock())
    except NotAuthenticated:
        return page("sign_in.html", 401, wrong=True)
    reply = RedirectResponse("/", status_code=303)
    open_session(request, reply, principal)
    return reply


@router.post("/sign-out", dependencies=[Depends(require_same_site)])
def sign_out(request: Request) -> Response:
    """Take the cookie back."""
    reply = RedirectResponse("/", status_code=303)
    close_session(request, reply)
    return reply


@router.post("/requests")
def create_request(sender: Sender, state: StateDep, request_id: RequestId, form: Form) -> Response:
    """Send a request, and go to its page whatever became of it."""
    try:
        video = _submit(state, sender, request_id, form)
    except BadRequest as refused:
        return _home(state.house.rooms, sender, refused, _as_typed(form.texts))
    return RedirectResponse(f"/requests/{video}", status_code=303)


@router.get("/requests/{video}")
def get_request(rooms: RoomsDep, visitor: Visitor, video: Id) -> Response:
    """Return the page of one request."""
    if visitor is None:
        return RedirectResponse("/", status_code=303)
    require("get_video", visitor)
    job = job_of(rooms, visitor, video)
    shown = video_object.whole(rooms, job)
    decision = records.newest_decision(rooms, job.request_id)
    reasons = decision["reasons"] if decision else []
    prompt = shown["prompt"] or ""
    return page(
        "request.html",
        video=shown,
        standing=standing(job),
        running=shown["status"] in {"queued", "in_progress"},
        steps=[(step.value, place < job.steps_done) for place, step in enumerate(STEPS)],
        decision=decision,
        prompt=stretches(prompt, reasons),
        reasons=[(reason, _words_seen(reason, prompt)) for reason in reasons],
        appeal=decision["appeal"] if decision else None,
        may_appeal=job.actor == visitor.actor and any(one["appealable"] for one in reasons),
        **form_values(video),
    )


@router.get("/requests/{video}/film")
def get_film(request: Request, rooms: RoomsDep, visitor: Visitor, video: Id) -> Response:
    """Return the film of a request, for the player on its page."""
    if visitor is None:
        raise NotAuthenticated
    require("get_content", visitor)
    return films.film(request, rooms.vault, job_of(rooms, visitor, video))


def wants_page(scope: Scope) -> bool:
    """Return whether a person looks at the answer: a browser asks, and not for the API."""
    is_page = not str(scope["path"]).startswith("/v1")
    return is_page and "text/html" in Headers(scope=scope).get("accept", "")


def problem_page(problem: Problem, request_id: str) -> Response:
    """Return an error for a person."""
    told = page("problem.html", problem.status, problem=problem, request_id=request_id)
    told.headers.update(problem.headers)
    return told


def _words_seen(reason: JSON, prompt: str) -> str:
    span = span_of(reason, prompt)
    return prompt[span[0] : span[1]] if span else ""


def _submit(state: State, sender: Principal, request_id: str, form: Fields) -> str:
    """Submit the form and return the video's id, also of one that is refused."""
    # An empty file field is sent as a file of no bytes.
    files = {name: found for name, given in form.files.items() if (found := _filled(given))}
    texts = {name: given for name, given in form.texts.items() if given != ("",)}
    handles = " ".join(texts.get("likenesses", ())).replace(",", " ").split()
    fields = Fields({**texts, "likenesses": tuple(handles)}, files)
    request = film_from(fields, state.house.rooms, sender, request_id)
    job = state.house.front().submit(request)
    counted(state, request_id, job)
    return job.id


def _filled(files: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(content for content in files if content)


def _as_typed(texts: Mapping[str, tuple[str, ...]]) -> _Typed:
    def first(name: str, default: str = "") -> str:
        return texts.get(name, (default,))[0]

    return _Typed(
        first("prompt"),
        first("size", DEFAULT_SIZE),
        first("seconds", DEFAULT_SECONDS),
        first("likenesses"),
    )


def _as_sent(rooms: Rooms, visitor: Principal, again: str) -> _Typed:
    """Return an earlier request of the visitor's own; the picture has to be chosen again."""
    job = job_of(rooms, visitor, again)
    if job.actor != visitor.actor:
        raise UnknownJob(again)
    made = job.parameters
    prompt = video_object.prompt_of(rooms, job) or ""
    return _Typed(prompt, str(made["size"]), str(made["seconds"]))


def _home(
    rooms: Rooms,
    visitor: Principal,
    refused: BadRequest | None = None,
    typed: _Typed | None = None,
) -> Response:
    with rooms.database.reading() as conn:
        found = jobs.list_for(conn, visitor.project, limit=_SHOWN)
    rooms.log.drain()
    own = [job for job in found.jobs if job.actor == visitor.actor]
    return page(
        "home.html",
        200 if refused is None else 400,
        requests=[_row(rooms, job) for job in own],
        refused=refused,
        message=refused.message.removeprefix(f"{refused.param}: ") if refused else "",
        typed=typed or _Typed(),
        may_ask=_may_ask(visitor),
        sizes=[str(size) for size in SIZES],
        limits=(MIN_SECONDS, MAX_SECONDS, MAX_PROMPT_CHARACTERS),
    )


def _row(rooms: Rooms, job: Job) -> JSON:
    return {**video_object.brief(rooms, job), "standing": standing(job)}


def _may_ask(visitor: Principal) -> bool:
    try:
        require("create_video", visitor)
    except Forbidden:
        return False
    return True
