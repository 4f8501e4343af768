"""A ticket that the service issued, checked by somebody who has nothing but its public keys."""

from service import ticket
from service.api.asked import request_by
from service.api.fields import read
from service.keys import Purpose
from service.request import Requester
from service.ticket_keys import keys_from
from tests.service.api.site import PROMPT, SMALL, Site


def test_anybody_may_read_the_keys_and_keep_them_for_a_while(site: Site) -> None:
    reply = site.client.get("/v1/policy/ticket_keys")

    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "public, max-age=300"
    assert keys_from(reply.text) == site.house.rooms.keys.verifying(Purpose.TICKET)


def test_a_gateway_checks_a_ticket_with_the_keys_alone(site: Site) -> None:
    sent = site.client.build_request("POST", "/", json={"prompt": PROMPT, **SMALL}).content
    keys = keys_from(site.client.get("/v1/policy/ticket_keys").text)
    token = site.call(
        "POST", "/v1/policy/decisions", content=sent,
        headers={"content-type": "application/json"},
    ).json()["ticket"]  # fmt: skip

    found = ticket.signed(token, keys)
    stated = request_by(Requester("", ""), read(sent, "application/json"), "", model="scenes")

    ticket.require_time(found, now=site.house.clock())
    ticket.require_request(found, ticket.by_its_bearer(found, stated))
