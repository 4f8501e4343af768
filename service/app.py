"""The web application: the routes, and the edge where every error becomes an answer."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TextIO

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from service import telemetry, wiring
from service.api import (
    appeals,
    audit,
    audit_tiles,
    authzen,
    backtests,
    claims,
    decisions,
    disclosures,
    erasures,
    exports,
    health,
    holds,
    likenesses,
    litellm,
    models,
    moderations,
    policies,
    reviews,
    stories,
    tickets,
    videos,
)
from service.api.errors import STOPPING, problem_of
from service.api.openapi import Described
from service.api.problems import Problem, answered
from service.api.state import State, state_of
from service.ids import new_id
from service.settings import Settings
from service.web import appeals as appeal_pages
from service.web import pages
from service.wiring import House

log = structlog.get_logger()

MAX_BODY_BYTES = 32 << 20
# As nginx counts a client that went away before it had its answer.
_GONE = 499
_ROUTERS = (
    decisions.router,
    tickets.router,
    authzen.router,
    litellm.router,
    policies.router,
    backtests.router,
    videos.router,
    moderations.router,
    models.router,
    audit.router,
    stories.router,
    audit_tiles.router,
    exports.router,
    likenesses.router,
    claims.router,
    reviews.router,
    appeals.router,
    erasures.router,
    holds.router,
    disclosures.router,
    health.router,
    pages.router,
    appeal_pages.router,
)

OpenHouse = Callable[[Settings], AbstractContextManager[House]]


def create_app(
    settings: Settings, *, open_house: OpenHouse = wiring.served, log_to: TextIO | None = None
) -> FastAPI:
    """Return the application; its house is opened when it starts and closed when it stops.

    Args:
        log_to: where the process logs from then on; None for stderr.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        telemetry.configure(log_to)
        entered = open_house(settings)
        house = await run_in_threadpool(entered.__enter__)
        try:
            app.state.state = State(house)
            # What is loaded by now stays: each full collection would look through all of it.
            gc.collect()
            gc.freeze()
            yield
            app.state.state.close()
        finally:
            await run_in_threadpool(entered.__exit__, None, None, None)

    app = Described(
        title="Imprimatur",
        version=wiring.VERSION,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        # A redirect would repeat whatever Host was sent, and take the key along.
        redirect_slashes=False,
        # It would export bodies and validation errors, and with them prompts.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in _ROUTERS:
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_middleware(Edge)
    return app


async def _answer(request: Request, error: Exception) -> Response:
    return _answer_to(request.scope, problem_of(error), str(request.scope["state"]["request_id"]))


def _answer_to(scope: Scope, problem: Problem, request_id: str) -> Response:
    if pages.wants_page(scope):
        return pages.problem_page(problem, request_id)
    return answered(problem, request_id)


class Edge:
    """Gives every request an id, counts and logs it, and lets no error through.

    An error that we know becomes the answer that `api/errors.py` has for it. Any other is a 500
    that says nothing; the log gets its type, because a message may quote the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req", wiring.now())
        scope.setdefault("state", {})["request_id"] = request_id
        reply = _Reply(send, request_id, scope["state"])
        started = time.perf_counter()
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, _Body(scope, receive), reply)
            except ClientDisconnect:
                # Nobody is left to answer, and nothing broke here.
                reply.status = reply.status or _GONE
            except asyncio.CancelledError:
                # The process ends, and has waited long enough for this one.
                if not reply.status:
                    await _answer_to(scope, STOPPING, request_id)(scope, receive, reply)
                raise
            except Exception as error:  # the edge of the process
                await self._fail(scope, receive, reply, error)
            _count(scope, reply.status, time.perf_counter() - started)

    async def _fail(
        self, scope: Scope, receive: Receive, reply: "_Reply", error: Exception
    ) -> None:
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("request.failed", error=type(error).__name__, code=problem.code)
        if reply.status:
            # The head is out already; breaking off is all that is left.
            raise ConnectionError("the reply broke off") from None
        await _answer_to(scope, problem, reply.request_id)(scope, receive, reply)


class _Body:
    """Receives a body up to `MAX_BODY_BYTES`; one that announces more is not read at all.

    FastAPI's own limit answers in plain text, outside of this edge.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        length = Headers(scope=scope).get("content-length", "0")
        # ASCII digits or nothing: h11 has refused anything else already.
        is_number = length.isascii() and length.isdigit()
        # Twenty digits are too large already, and int() stumbles over thousands.
        self._announced = int(length[:20]) if is_number else 0

    async def __call__(self) -> Message:
        if self._announced > MAX_BODY_BYTES:
            raise HTTPException(413)
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message


class _Reply:
    """Sends, and remembers the status; puts the headers of every reply on it."""

    def __init__(self, send: Send, request_id: str, state: Mapping[str, object]) -> None:
        self._send = send
        self._state = state
        self.request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            # AuthZEN wants the caller's own back; see `api/authzen.py`.
            headers["x-request-id"] = str(self._state.get("shown_id", self.request_id))
            headers["x-content-type-options"] = "nosniff"
            headers.setdefault("cache-control", "no-store")
        await self._send(message)


def _count(scope: Scope, status: int, seconds: float) -> None:
    # Addresses that lead nowhere share one label: anybody can think up more of them.
    route = getattr(scope.get("route"), "path", "none")
    known = getattr(scope.get("route"), "methods", None) or ()
    # Anybody can think up more methods, too.
    method = scope["method"] if scope["method"] in known else "none"
    state_of(Request(scope)).metrics.replied(route, method, status, seconds)
    log.info(
        "request.replied", route=route, method=method, status=status, ms=round(seconds * 1000, 1)
    )
