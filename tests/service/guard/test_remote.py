"""A guard whose house is elsewhere: the same refusals, and no publishing."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from service import ticket
from service.guard import NotOffered, Refused, Unavailable
from service.guard.entered import Guard
from service.guard.remote import NotAnAddress, Remote
from service.guard.wanted import Stated, Wanted
from service.keys import Purpose
from service.request import BadRequest
from tests.service.api.site import PROMPT, Site, a_picture, a_site
from tests.service.guard.conftest import a_film


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


def through(site: Site, prompt: str = PROMPT, key: str = "", **more: str) -> Guard:
    """Return a guard whose requests reach the site in this process."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        reply = site.client.request(
            request.method, request.url.path, content=request.content, headers=request.headers
        )
        return httpx2.Response(reply.status_code, content=reply.content)

    return asking(httpx2.MockTransport(answer), prompt, key or site.keys["creator"], **more)


def asking(
    transport: httpx2.BaseTransport, prompt: str = PROMPT, key: str = "k", **more: str
) -> Guard:
    texts: dict[str, Stated] = {"seconds": 1, "fps": 8, "seed": 0, **more}
    wanted = Wanted(prompt, (a_picture(),), "their-model", "256x256", texts)
    return Guard(lambda: Remote(wanted, "http://127.0.0.1:8000", key, transport), "their-model")


def test_an_allow_comes_with_a_ticket_for_a_gateway(site: Site) -> None:
    with through(site) as g:
        keys = site.house.rooms.keys.verifying(Purpose.TICKET)
        permitted = ticket.signed(g.ticket, keys).permitted

    assert permitted.request == g.decision["request_id"]
    assert permitted.actor == site.actors["creator"]
    assert (g.prompt, g.allowed.seconds) == (PROMPT, 1)


def test_a_refusal_is_the_same_one(site: Site) -> None:
    with pytest.raises(Refused) as refused, through(site, "a nude model"):
        pytest.fail("generated")

    assert refused.value.verdict == "block"
    assert refused.value.decision["reasons"][0]["code"] == "filters.sexual"
    assert "nude model" not in str(refused.value)


def test_a_field_that_is_wrong_is_named(site: Site) -> None:
    with pytest.raises(BadRequest, match="seconds") as wrong, through(site, seconds="99"):
        pytest.fail("generated")

    assert wrong.value.param == "seconds"


def test_a_key_that_opens_nothing_is_no_decision(site: Site) -> None:
    for key in ("impr_live_no", site.keys["auditor"]):
        with pytest.raises(Unavailable, match="refuses the key"), through(site, key=key):
            pytest.fail("generated")


def test_publishing_is_not_offered_and_says_where_it_is(site: Site, tmp_path: Path) -> None:
    with through(site) as g, pytest.raises(NotOffered, match="/v1/videos"):
        g.publish(a_film(), to=tmp_path / "film.mp4")

    assert list(tmp_path.iterdir()) == []


def a_decision(site: Site, **changed: object) -> bytes:
    made = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT}).json()
    return json.dumps({**made, **changed}).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "sure"},
        {"mode": "dry_run"},
        {"stage": "output"},
        {"ticket": None},
        {"object": "list"},
        {"conditions": [{"type": "whisper"}]},
        {"conditions": [{"type": "steer"}]},
    ],
    ids=str,
)
def test_an_answer_that_we_do_not_wholly_understand_is_none(
    site: Site, changed: dict[str, object]
) -> None:
    body = a_decision(site, **changed)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body))

    with pytest.raises(Unavailable), asking(transport):
        pytest.fail("generated")


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 404, 429, 500, 503])
def test_whatever_else_a_server_says_is_no_decision(status: int) -> None:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(status, content=b"<html>", headers={"location": "/"})
    )

    with pytest.raises(Unavailable), asking(transport):
        pytest.fail("generated")


def test_a_server_that_does_not_answer_is_no_decision() -> None:
    def silence(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("late")

    with pytest.raises(Unavailable, match="ReadTimeout"), asking(httpx2.MockTransport(silence)):
        pytest.fail("generated")


def test_conditions_change_what_is_to_be_generated(site: Site) -> None:
    conditions = [
        {"type": "steer", "prompt": "a blue ball", "negative": "red"},
        {"type": "max_seconds", "value": 3},
    ]
    body = a_decision(site, conditions=conditions)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body))

    with asking(transport, seconds="4") as g:
        assert (g.prompt, g.negative, g.allowed.seconds) == ("a blue ball", "red", 3)


@pytest.mark.parametrize("url", ["http://example.org", "ftp://127.0.0.1", "example.org", ""])
def test_a_key_never_goes_over_the_wire_in_the_clear(url: str) -> None:
    with pytest.raises(NotAnAddress):
        Remote(Wanted(PROMPT, (), "m", "256x256", {}), url, "k")
