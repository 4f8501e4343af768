"""Every route: without a key, with the wrong role, and for another project."""

import pytest
from fastapi.routing import APIRoute

from service import accounts
from service.accounts import NewKey, Role
from service.api.roles import ROLES
from service.app import _ROUTERS
from tests.service.api.site import PROMPT, SMALL, Site

OPEN = {
    "get_health",
    "get_readiness",
    "get_log_checkpoint",
    "get_log_tile",
    "get_authzen_configuration",
    "list_ticket_keys",
}
ROUTES = [
    route
    for router in _ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
]
GUARDED = [route for route in ROUTES if route.name not in OPEN]


def address(route: APIRoute) -> str:
    for name in ("video", "decision", "review", "likeness", "grant", "claim"):
        route_path = route.path.replace(f"{{{name}}}", f"{name}_01m7y0bc94ysewc732dvc1eb58")
        if route_path != route.path:
            return route_path
    return route.path.replace("{index}", "0").replace("{model}", "scenes")


def method(route: APIRoute) -> str:
    return min(route.methods or ())


def test_every_route_has_a_role_and_no_role_is_for_nothing() -> None:
    assert {route.name for route in GUARDED} == set(ROLES)


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_nothing_opens_without_a_key(site: Site, route: APIRoute) -> None:
    for headers in ({}, {"authorization": "Bearer impr_live_no"}, {"authorization": "Basic abc"}):
        reply = site.client.request(method(route), address(route), headers=headers)

        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        assert reply.json()["error"]["code"] == "invalid_api_key"
        assert reply.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_nothing_opens_for_a_role_that_is_not_in_the_table(site: Site, route: APIRoute) -> None:
    for role in set(Role) - ROLES[route.name]:
        reply = site.call(method(route), address(route), role.value)

        assert reply.status_code == 403, role
        assert reply.json()["error"]["code"] == "role_missing"


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_every_role_in_the_table_gets_further(site: Site, route: APIRoute) -> None:
    for role in ROLES[route.name]:
        reply = site.call(method(route), address(route), role.value)

        assert reply.status_code in {200, 400, 404}, reply.text


def test_what_belongs_to_another_project_is_not_there(site: Site) -> None:
    video = site.film("two men fight over a red ball on a green floor")
    shown = site.call("GET", f"/v1/videos/{video}").json()
    index = shown["receipt"]["index"]
    review = shown["review_id"]
    for verb, path in [
        ("GET", f"/v1/videos/{video}"),
        ("GET", f"/v1/videos/{video}/content"),
        ("DELETE", f"/v1/videos/{video}"),
        ("GET", f"/v1/videos?after={video}"),
        ("GET", f"/v1/policy/decisions/{shown['decision_id']}"),
        ("GET", f"/v1/reviews/{review}"),
        ("POST", f"/v1/reviews/{review}/clear"),
        ("POST", f"/v1/reviews/{review}/refuse"),
        ("GET", f"/v1/audit/entries/{index}"),
        ("GET", f"/v1/audit/proofs/{index}"),
    ]:
        reply = site.call(verb, path, "other", content=b"{}" if verb == "POST" else b"")

        assert reply.status_code == 404, path
        assert video not in reply.text
    assert site.call("GET", f"/v1/videos/{video}").status_code == 200


def test_lists_hold_nothing_of_another_project(site: Site) -> None:
    site.film("two men fight over a red ball on a green floor")

    for path in ("videos", "policy/decisions", "reviews", "audit/entries", "claims", "likenesses"):
        reply = site.call("GET", f"/v1/{path}", "other")

        # A change of policy belongs to no project and concerns everybody.
        assert [one for one in reply.json()["data"] if one.get("project") != ""] == [], path


def test_nobody_reviews_their_own_request(site: Site) -> None:
    sent = {"prompt": "two men fight over a red ball on a green floor", **SMALL, "seed": "77"}
    made = site.call("POST", "/v1/videos", "everything", json=sent).json()

    reply = site.call("POST", f"/v1/reviews/{made['review_id']}/clear", "everything", json={})

    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == "own_request"


def test_a_revoked_key_opens_nothing_from_the_next_request_on(site: Site) -> None:
    now = site.house.clock()
    project = site.projects["ours"]
    with site.house.rooms.database.transaction() as conn:
        issued = accounts.create_key(
            conn, NewKey(site.actors["creator"], project, frozenset({Role.CREATOR})), now
        )
    site.keys["short"] = issued.secret
    before = site.call("GET", "/v1/models", "short")

    with site.house.rooms.database.transaction() as conn:
        accounts.revoke(conn, project, issued.key.id, now)

    assert before.status_code == 200
    assert site.call("GET", "/v1/models", "short").status_code == 401


def test_a_decision_can_be_asked_for_and_read_again(site: Site) -> None:
    made = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT, **SMALL}).json()

    read = site.call("GET", f"/v1/policy/decisions/{made['id']}").json()

    assert made["ticket"]
    assert read["ticket"] is None
    assert {**made, "ticket": None, "receipt": None} == {**read, "receipt": None}
