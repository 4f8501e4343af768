"""In front of somebody else's generator: nothing gets in without a ticket for exactly that.

Plain ASGI; it holds public keys and nothing else of ours.
"""

import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from service import ticket
from service.api.asked import request_by
from service.api.fields import Fields, read
from service.guard.errors import GuardError
from service.keys import VerifyingKey
from service.request import BadRequest, GenerationRequest, Requester
from service.ticket import Ticket, TicketInvalid, TicketMalformed

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Read = Callable[[bytes], GenerationRequest]
"""What a body asks for, with nobody as its requester: that is the ticket's to say."""

HEADER = b"imprimatur-ticket"
MAX_BODY_BYTES = 32 << 20
_FREE = frozenset({"GET", "HEAD", "OPTIONS"})
_STATED = ("prompt", "model", "size", "seconds", "fps", "seed")
_NOBODY = Requester("", "")


class NotStated(GuardError):
    """A field that the ticket covers is left to the generator's own default."""


class UsedUp(GuardError):
    """The ticket was presented before, or there is no room to remember another."""


class NotWhole(GuardError):
    """The body is over 32 MiB, or broke off."""


def stated(body: bytes, *, ignored: Collection[str] = ()) -> GenerationRequest:
    """Return what a JSON body in the words of `POST /v1/policy/decisions` asks for.

    Every field that a ticket covers has to be there: what is left out would be the generator's
    default, and a ticket says ours.

    Args:
        ignored: fields that the generator takes and no ticket covers.

    Raises:
        BadRequest, NotStated: it asks for something else than a ticket can permit.
    """
    if not body.lstrip().startswith(b"{"):
        # A form would be read as well, and its files are not among the texts below.
        raise NotStated("body: send a JSON object")
    found = read(body, "application/json")
    texts = {name: value for name, value in found.texts.items() if name not in ignored}
    missing = [name for name in _STATED if name not in texts]
    if missing:
        raise NotStated(f"{missing[0]}: say it; a default of the generator's was not permitted")
    return request_by(_NOBODY, Fields(texts, {}), "", model=texts["model"][0])


class Once:
    """Remembers in this process which tickets were presented, until they run out.

    Args:
        most: how many at a time; while there are more, no other is taken.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._until: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def take(self, token: str, found: Ticket, now: datetime) -> None:
        """Return if this is the first time.

        Raises:
            UsedUp: it is not, or it could not be remembered.
        """
        digest, second = hashlib.sha256(token.encode()).digest(), int(now.timestamp())
        with self._lock:
            if digest in self._until:
                raise UsedUp("this ticket was used before; ask for another decision")
            if len(self._until) >= self._most:
                self._forget(second - int(ticket.LEEWAY.total_seconds()))
            if len(self._until) >= self._most:
                raise UsedUp("too many tickets are in use here; try again later")
            self._until[digest] = found.expires

    def _forget(self, before: int) -> None:
        self._until = {each: until for each, until in self._until.items() if until >= before}


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: HTTPStatus
    code: str
    said: str


class TicketDemanded:
    """Lets a request through to `app` only with a ticket that permits exactly what its body asks.

    GET, HEAD and OPTIONS pass; a WebSocket does not. The body goes on as it came.

    Args:
        keys: of the house that issues tickets (`service.ticket_keys.keys_from`); looked at for
            every request, so a list that is refreshed will do.
        read: what a body asks for; `stated` reads our own words.
        once: takes each ticket a single time; None lets it be used until it runs out.
        clock: now, aware.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Sequence[VerifyingKey],
        *,
        read: Read = stated,
        once: Once | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._keys = keys
        self._read = read
        self._once = once
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan" or (kind == "http" and scope["method"] in _FREE):
            await self._app(scope, receive, send)
            return
        if kind != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        found = await self._checked(scope, receive)
        if isinstance(found, _Refusal):
            await _refuse(send, found)
            return
        await self._app(scope, _again(found, receive), send)

    async def _checked(self, scope: Scope, receive: Receive) -> bytes | _Refusal:
        """Return the body if there is a ticket for exactly that."""
        try:
            token = _ticket(scope)
            body = await _body(receive)
            self._require(token, body)
        except (TicketInvalid, UsedUp) as invalid:
            word = invalid.word if isinstance(invalid, TicketInvalid) else "used"
            return _Refusal(HTTPStatus.FORBIDDEN, f"ticket_{word}", str(invalid))
        except (BadRequest, NotStated) as wrong:
            return _Refusal(HTTPStatus.FORBIDDEN, "not_permitted", str(wrong))
        except NotWhole as large:
            return _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", str(large))
        return body

    def _require(self, token: str, body: bytes) -> None:
        """Return if `token` permits what `body` asks for."""
        now = self._clock()
        found = ticket.signed(token, self._keys)
        ticket.require_time(found, now=now)
        ticket.require_request(found, ticket.by_its_bearer(found, self._read(body)))
        if self._once is not None:
            self._once.take(token, found, now)


def _ticket(scope: Scope) -> str:
    """Return the ticket of a request whose body says all that it asks for."""
    if scope.get("query_string"):
        raise NotStated("the address has a query: a ticket covers the body alone")
    kinds = _headers(scope, b"content-type")
    if [kind.partition(";")[0].strip().lower() for kind in kinds] != ["application/json"]:
        raise NotStated("send the body as application/json")
    given = _headers(scope, HEADER)
    if len(given) != 1:
        raise TicketMalformed("send one ticket in the header Imprimatur-Ticket")
    return given[0]


def _headers(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


async def _body(receive: Receive) -> bytes:
    parts, size, is_whole = [], 0, False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise NotWhole("the body broke off")
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise NotWhole("the body is over 32 MiB")
        is_whole = not message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands the body on as it was checked, then waits for the end."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def repeated() -> Message:
        return waiting.pop() if waiting else await receive()

    return repeated


async def _refuse(send: Send, refusal: _Refusal) -> None:
    status = refusal.status
    body = json.dumps(
        {
            "type": f"urn:imprimatur:problem:{refusal.code}",
            "title": status.phrase,
            "status": status.value,
            "detail": refusal.said,
        }
    ).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
