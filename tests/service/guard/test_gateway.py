"""Somebody else's generator, behind a door that opens for one request at a time."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from service import ticket
from service.guard import Once, TicketDemanded
from service.guard.gateway import MAX_BODY_BYTES, stated
from service.keys import signing_key
from service.request import GenerationRequest, Requester
from service.ticket import Allowance

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
KEY = signing_key(b"\x01" * 32)
ASKED: dict[str, Any] = {
    "prompt": "a red ball", "model": "theirs", "size": "640x360", "seconds": 4, "fps": 24,
    "seed": 7,
}  # fmt: skip


@dataclass(slots=True)
class Generator:
    """What stands behind the door: it remembers what it was asked."""

    asked: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        self.asked.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"film"})


@dataclass(slots=True)
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Door:
    generator: Generator
    clock: Clock
    once: Once | None = None

    def ask(self, body: Any = ASKED, token: str | None = None, **sent: Any) -> Any:  # noqa: ANN401 - httpx's own
        app = TicketDemanded(self.generator, [KEY.verifying], clock=self.clock, once=self.once)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "imprimatur-ticket": token or a_ticket()}
        headers |= sent.pop("headers", {})
        return TestClient(app).post(sent.pop("path", "/make"), content=content, headers=headers)


@pytest.fixture
def door() -> Door:
    return Door(Generator(), Clock())


def a_ticket(asked: dict[str, Any] = ASKED, lifetime: timedelta = timedelta(hours=1)) -> str:
    request = stated(json.dumps(asked).encode())
    named = GenerationRequest(
        "req_1", Requester("act_1", "proj_1"), request.prompt, request.parameters,
        request.references, request.handles, request.territory,
    )  # fmt: skip
    allowed = Allowance("req_1", "dec_1", "ab" * 32, ())
    return ticket.issue(named, allowed, KEY, now=NOW, lifetime=lifetime)


def refused(reply: Any, code: str) -> bool:  # noqa: ANN401 - httpx's own
    problem = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:imprimatur:problem:{code}"
    return bool(reply.status_code == 403)


def test_what_was_permitted_goes_on_as_it_came(door: Door) -> None:
    body = json.dumps(ASKED, indent=3).encode()

    assert door.ask(body).text == "film"
    assert door.generator.asked == [body]


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "a red bull"},
        {"seconds": 5},
        {"seed": 8},
        {"model": "other"},
        {"likenesses": ["@mara"]},
        {"input_reference": ["data:image/png;base64,aGVsbG8="]},
    ],
    ids=str,
)
def test_anything_else_stays_outside(door: Door, changed: dict[str, object]) -> None:
    assert refused(door.ask({**ASKED, **changed}), "ticket_for_another")
    assert door.generator.asked == []


@pytest.mark.parametrize("left_out", ["model", "size", "seconds", "fps", "seed"])
def test_what_is_left_out_would_be_the_generators_default(door: Door, left_out: str) -> None:
    body = {name: value for name, value in ASKED.items() if name != left_out}

    assert refused(door.ask(body), "not_permitted")
    assert refused(door.ask({**body, left_out: None}), "not_permitted")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"prompt": "a red ball", "prompt": "a red bull"}',
        json.dumps({**ASKED, "guidance_scale": 7}).encode(),
        json.dumps(ASKED).encode() + b"{}",
        b'--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na red ball\r\n--x--\r\n',
        b"\xff\xfe",
    ],
    ids=range(7),
)
def test_a_body_that_could_be_read_in_two_ways_is_read_in_none(door: Door, body: bytes) -> None:
    assert refused(door.ask(body), "not_permitted")
    assert door.generator.asked == []


def test_a_query_or_another_kind_of_body_may_say_something_else(door: Door) -> None:
    assert refused(door.ask(path="/make?prompt=a+red+bull"), "not_permitted")
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert refused(door.ask(headers={"content-type": kind}), "not_permitted")


def test_without_one_ticket_nothing_passes(door: Door) -> None:
    for token in ("", "v1", "v1.a.b.c", a_ticket() + "x"):
        assert not door.ask(token=token or " ").is_success
    twice = [("content-type", "application/json"), *[("imprimatur-ticket", a_ticket())] * 2]
    app = TicketDemanded(door.generator, [KEY.verifying], clock=door.clock)

    reply = TestClient(app).post("/make", content=json.dumps(ASKED), headers=twice)

    assert refused(reply, "ticket_malformed")
    assert door.generator.asked == []


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=80))
def test_no_header_breaks_the_door(token: str) -> None:
    door = Door(Generator(), Clock())

    assert door.ask(token="x" + token.strip()).status_code == 403
    assert door.generator.asked == []


def test_a_ticket_ends(door: Door) -> None:
    door.clock.at += timedelta(hours=2)

    assert refused(door.ask(), "ticket_expired")


def test_a_key_that_was_taken_back_counts_no_more(door: Door) -> None:
    app = TicketDemanded(door.generator, [], clock=door.clock)
    headers = {"content-type": "application/json", "imprimatur-ticket": a_ticket()}

    reply = TestClient(app).post("/make", content=json.dumps(ASKED), headers=headers)

    assert refused(reply, "ticket_key_unknown")


def test_a_ticket_may_be_used_again_unless_once_is_asked_for(door: Door) -> None:
    assert [door.ask().status_code, door.ask().status_code] == [200, 200]

    door.once = Once()

    assert door.ask().status_code == 200
    assert refused(door.ask(), "ticket_used")
    assert door.ask(token=a_ticket(lifetime=timedelta(hours=2))).status_code == 200


def test_what_is_refused_uses_nothing_up(door: Door) -> None:
    door.once = Once()

    assert refused(door.ask({**ASKED, "seconds": 5}), "ticket_for_another")
    assert door.ask().status_code == 200


def test_a_full_memory_takes_no_ticket_until_some_have_run_out(door: Door) -> None:
    door.once = Once(most=1)
    assert door.ask(token=a_ticket(lifetime=timedelta(minutes=1))).status_code == 200

    assert refused(door.ask(), "ticket_used")
    door.clock.at += timedelta(minutes=2)

    assert door.ask().status_code == 200


def test_reading_needs_no_ticket_and_a_socket_gets_none(door: Door) -> None:
    client = TestClient(TicketDemanded(door.generator, [KEY.verifying]))

    assert client.get("/films/1").text == "film"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/make"):
        pytest.fail("connected")


def test_a_body_without_end_is_not_read(door: Door) -> None:
    reply = door.ask(b" " * (MAX_BODY_BYTES + 1))

    assert reply.status_code == 413
    assert door.generator.asked == []


def test_a_prompt_is_in_no_refusal(door: Door) -> None:
    reply = door.ask({**ASKED, "prompt": "the zeppelin of Aunt Agatha"})

    assert "zeppelin" not in reply.text
