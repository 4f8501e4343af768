"""The pages: sign in, ask, one's own requests, and one page for each."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from service import accounts, jobs
from service.accounts import NotAuthenticated, Principal
from service.api import films, records, video_object
from service.api.asked import DEFAULT_SECONDS, DEFAULT_SIZE, request_from
from service.api.errors import PolicyBlocked
from service.api.fields import Fields, fields_of
from service.api.roles import require
from service.api.state import RequestId, RoomsDep, State, StateDep
from service.api.videos import job_of, submitted
from service.jobs import STEPS, Job
from service.request import MAX_PROMPT_CHARACTERS, MAX_SECONDS, MIN_SECONDS, SIZES, BadRequest
from service.rooms import Rooms
from service.web.session import COOKIE, LASTS, issued, require_same_site, signed_in

router = APIRouter(include_in_schema=False)

_SHOWN = 50
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
}
_templates = Environment(
    loader=PackageLoader("service.web"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = Path(__file__).with_name("style.css")


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


@router.get("/style.css")
def get_style() -> Response:
    """Return the style sheet."""
    return Response(
        _STYLE.read_bytes(), media_type="text/css", headers={"cache-control": "max-age=300"}
    )


@router.get("/")
def get_home(rooms: RoomsDep, visitor: Visitor) -> Response:
    """Return the form and one's own requests, or the way in."""
    if visitor is None:
        return _page("sign_in.html", wrong=False)
    return _home(rooms, visitor)


@router.post("/sign-in", dependencies=[Depends(require_same_site)])
def sign_in(state: StateDep, form: Form) -> Response:
    """Check the key and set the cookie."""
    rooms = state.house.rooms
    now = rooms.clock()
    try:
        with rooms.database.reading() as conn:
            principal = accounts.authenticate(conn, form.text("key", "").strip(), now)
    except NotAuthenticated:
        return _page("sign_in.html", 401, wrong=True)
    reply = RedirectResponse("/", status_code=303)
    reply.set_cookie(
        COOKIE,
        issued(rooms.keys, principal, now),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=urlsplit(state.house.settings.public_url).scheme == "https",
    )
    return reply


@router.post("/sign-out", dependencies=[Depends(require_same_site)])
def sign_out() -> Response:
    """Take the cookie back."""
    reply = RedirectResponse("/", status_code=303)
    reply.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return reply


@router.post("/requests")
def create_request(sender: Sender, state: StateDep, request_id: RequestId, form: Form) -> Response:
    """Send a request, and go to its page whatever became of it."""
    try:
        video = _submit(state, sender, request_id, form)
    except BadRequest as refused:
        return _home(state.house.rooms, sender, refused, form.texts.get("prompt", ("",))[0])
    return RedirectResponse(f"/requests/{video}", status_code=303)


@router.get("/requests/{video}")
def get_request(rooms: RoomsDep, visitor: Visitor, video: str) -> Response:
    """Return the page of one request."""
    if visitor is None:
        return RedirectResponse("/", status_code=303)
    require("get_video", visitor)
    job = job_of(rooms, visitor, video)
    shown = video_object.whole(rooms, job)
    return _page(
        "request.html",
        video=shown,
        running=shown["status"] in {"queued", "in_progress"},
        steps=[(step.value, place < job.steps_done) for place, step in enumerate(STEPS)],
        decision=records.newest_decision(rooms, job.request_id),
        words=status_words(job),
    )


@router.get("/requests/{video}/film")
def get_film(request: Request, rooms: RoomsDep, visitor: Visitor, video: str) -> Response:
    """Return the film of a request, for the player on its page."""
    if visitor is None:
        raise NotAuthenticated
    require("get_content", visitor)
    return films.film(request, rooms.vault, job_of(rooms, visitor, video))


def status_words(job: Job) -> str:
    """Return where a request stands, in words for people."""
    error = video_object.error_of(job)
    words = {
        "queued": "Waiting in line",
        "in_progress": "Being made",
        "completed": "Released",
        "failed": "Not made",
    }
    if error and error["code"] == "in_review":
        return "A person looks at it"
    return words[video_object.status_of(job)]


def _submit(state: State, sender: Principal, request_id: str, form: Fields) -> str:
    """Submit the form and return the video's id, also of one that is refused."""
    # An empty file field is sent as a file of no bytes.
    files = {name: found for name, given in form.files.items() if (found := _filled(given))}
    texts = {name: given for name, given in form.texts.items() if given != ("",)}
    handles = " ".join(texts.get("likenesses", ())).replace(",", " ").split()
    fields = Fields({**texts, "likenesses": tuple(handles)}, files)
    request = request_from(fields, state.house.rooms, sender, request_id)
    try:
        return submitted(state, request_id, state.house.front().submit(request)).id
    except PolicyBlocked as blocked:
        return blocked.video


def _filled(files: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(content for content in files if content)


def _home(
    rooms: Rooms, visitor: Principal, refused: BadRequest | None = None, prompt: str = ""
) -> Response:
    with rooms.database.reading() as conn:
        page = jobs.list_for(conn, visitor.project, limit=_SHOWN)
    own = [job for job in page.jobs if job.actor == visitor.actor]
    return _page(
        "home.html",
        200 if refused is None else 400,
        requests=[(video_object.brief(rooms, job), status_words(job)) for job in own],
        refused=refused,
        prompt=prompt,
        sizes=[str(size) for size in SIZES],
        size=DEFAULT_SIZE,
        seconds=DEFAULT_SECONDS,
        limits=(MIN_SECONDS, MAX_SECONDS, MAX_PROMPT_CHARACTERS),
    )


def _page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    html = _templates.get_template(template).render(**values)
    return HTMLResponse(html, status_code=status, headers=_HEADERS)
