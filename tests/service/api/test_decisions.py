import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from filters.finding import FilterError
from service import accounts
from service.accounts import NewKey, Role
from service.audit import verify_file
from tests.service.api.site import PROMPT, SMALL, Site, a_picture


def test_a_refusal_is_a_200_with_reasons(site: Site) -> None:
    reply = site.call("POST", "/v1/policy/decisions", json={"prompt": "a nude model"})

    decision = reply.json()
    assert reply.status_code == 200
    assert (decision["object"], decision["verdict"]) == ("policy.decision", "block")
    assert decision["reasons"][0]["code"] == "filters.sexual"
    assert decision["reasons"][0]["appealable"] is True
    assert decision["ticket"] is None
    assert decision["request_id"] == reply.headers["x-request-id"]


def test_the_decision_is_in_the_log_when_the_reply_comes_and_its_proof_holds_offline(
    site: Site,
) -> None:
    decision = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT}).json()
    index = decision["receipt"]["index"]

    proof = site.call("GET", f"/v1/audit/proofs/{index}", "auditor")
    entry = site.call("GET", f"/v1/audit/entries/{index}", "auditor").json()

    assert entry["facts"]["decision"] == decision["id"]
    proved = verify_file.verify(proof.text, site.house.rooms.log.verifier_keys()[0])
    assert decision["id"].encode() in proved.entry
    assert PROMPT not in json.dumps(entry)


@pytest.mark.parametrize("mode", ["shadow", "dry_run"])
def test_only_an_enforced_decision_has_a_ticket(site: Site, mode: str) -> None:
    sent = {"prompt": PROMPT, "mode": mode, **SMALL}

    decision = site.call("POST", "/v1/policy/decisions", json=sent).json()

    assert (decision["mode"], decision["verdict"], decision["ticket"]) == (mode, "allow", None)


def test_an_unknown_mode_is_named(site: Site) -> None:
    reply = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT, "mode": "never"})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "mode"


def test_a_filter_that_fails_holds(site: Site) -> None:
    site.words.broken = FilterError("the model is gone")
    try:
        decision = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT}).json()
    finally:
        site.words.broken = None

    assert decision["verdict"] == "hold"
    assert decision["reasons"][0]["code"] == "policy.unavailable"


def test_a_picture_that_cannot_be_opened_is_named(site: Site) -> None:
    files = {"input_reference": a_picture()[:60]}

    reply = site.call("POST", "/v1/policy/decisions", data={"prompt": PROMPT}, files=files)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input_reference"


def test_decisions_are_pages_of_the_project(site: Site) -> None:
    made = [
        site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT}).json()["id"]
        for _ in range(3)
    ]

    page = site.call("GET", "/v1/policy/decisions", params={"limit": 2}).json()
    rest = site.call(
        "GET", "/v1/policy/decisions", params={"limit": 1, "after": page["last_index"]}
    ).json()

    assert [one["id"] for one in page["data"]] == [made[2], made[1]]
    assert page["has_more"] is True
    assert rest["data"][0]["id"] == made[0]


@pytest.mark.parametrize("head", [(), ((b"content-length", b"61"),)], ids=["unknown", "little"])
def test_whoever_keeps_the_last_byte_back_is_not_judged_by_what_stood_before(
    site: Site, head: Sequence[tuple[bytes, bytes]]
) -> None:
    database, now = site.house.rooms.database, site.house.clock()
    wanted = NewKey(site.actors["creator"], site.projects["ours"], frozenset({Role.CREATOR}))
    with database.transaction() as conn:
        issued = accounts.create_key(conn, wanted, now)
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/v1/policy/decisions", "query_string": b"",
        "http_version": "1.1", "scheme": "http", "client": ("test", 1), "server": ("test", 80),
        "headers": [
            (b"authorization", f"Bearer {issued.secret}".encode()),
            (b"content-type", b"application/json"),
            *head,
        ],
    }  # fmt: skip
    sent: list[Any] = []

    def revoke() -> None:
        with database.transaction() as conn:
            accounts.revoke(conn, site.projects["ours"], issued.key.id, now)

    async def receive() -> dict[str, Any]:
        await asyncio.to_thread(revoke)
        return {"type": "http.request", "body": json.dumps({"prompt": PROMPT}).encode()}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
        sent.append(message)

    assert site.client.portal is not None
    site.client.portal.call(site.app, scope, receive, send)

    assert sent[0]["status"] == 401
