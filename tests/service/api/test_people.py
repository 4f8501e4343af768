"""Likenesses, grants, claims, reviews and moderation over HTTP."""

import dataclasses
import json
from datetime import timedelta

import numpy as np
import pytest

from filters.finding import Category, Finding, Surface
from service.wiring import House
from tests.service.api.site import PROMPT, SMALL, Site, a_picture

FIGHT = "two men fight over a red ball on a green floor"


@pytest.fixture(scope="module")
def enrolled(site: Site) -> dict[str, object]:
    vector = np.zeros(128, np.float32)
    vector[0] = 1.0
    site.house.faces.people[(200, 10, 10)] = vector
    reply = site.call(
        "POST",
        "/v1/likenesses",
        "likeness_owner",
        data={"handle": "@mira_k"},
        files={"photographs": a_picture((200, 10, 10))},
    )
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def test_a_person_enrols_and_gets_a_receipt(site: Site, enrolled: dict[str, object]) -> None:
    own = site.call("GET", "/v1/likenesses", "likeness_owner").json()["data"]

    assert enrolled["handle"] == "mira_k"
    assert enrolled["receipt"]
    assert [one["id"] for one in own] == [enrolled["id"]]


def test_a_grant_opens_the_handle_and_its_end_closes_it(
    site: Site, enrolled: dict[str, object]
) -> None:
    asked = {"prompt": PROMPT, "likenesses": ["mira_k"]}
    before = site.call("POST", "/v1/policy/decisions", json=asked).json()
    until = (site.house.clock() + timedelta(days=30)).isoformat()
    body = {"likeness": enrolled["id"], "to": site.actors["creator"], "until": until}

    grant = site.call("POST", "/v1/grants", "likeness_owner", json=body)
    during = site.call("POST", "/v1/policy/decisions", json=asked).json()
    given = site.call("GET", "/v1/grants", "likeness_owner").json()["data"]
    ended = site.call("DELETE", f"/v1/grants/{grant.json()['id']}", "likeness_owner")
    after = site.call("POST", "/v1/policy/decisions", json=asked).json()

    assert grant.status_code == 201, grant.text
    assert [one["id"] for one in given] == [grant.json()["id"]]
    assert ended.json()["receipt"]
    assert (before["verdict"], during["verdict"], after["verdict"]) == ("block", "allow", "block")


def test_every_use_is_shown_to_the_person_and_to_nobody_else(
    site: Site, enrolled: dict[str, object]
) -> None:
    sent = {"prompt": PROMPT + " with @mira_k", **SMALL}
    site.call("POST", "/v1/videos", json=sent)

    uses = site.call("GET", f"/v1/likenesses/{enrolled['id']}/uses", "likeness_owner").json()
    strange = site.call("GET", f"/v1/likenesses/{enrolled['id']}/uses", "other")

    assert uses["data"][0]["verdict"] == "block"
    assert strange.status_code == 404


def test_an_allowed_question_without_a_job_is_shown_to_the_person_too(
    site: Site, enrolled: dict[str, object]
) -> None:
    until = (site.house.clock() + timedelta(days=30)).isoformat()
    body = {"likeness": enrolled["id"], "to": site.actors["creator"], "until": until}
    grant = site.call("POST", "/v1/grants", "likeness_owner", json=body).json()
    asked = {"prompt": PROMPT, "likenesses": ["mira_k"]}

    decided = site.call("POST", "/v1/policy/decisions", json=asked).json()

    uses = site.call("GET", f"/v1/likenesses/{enrolled['id']}/uses", "likeness_owner").json()
    site.call("DELETE", f"/v1/grants/{grant['id']}", "likeness_owner")
    shown = {one["request_id"]: one["verdict"] for one in uses["data"]}
    assert decided["verdict"] == "allow"
    assert shown.get(decided["request_id"]) == "allow"


def test_another_person_can_neither_grant_nor_revoke(
    site: Site, enrolled: dict[str, object]
) -> None:
    until = (site.house.clock() + timedelta(days=1)).isoformat()
    body = {"likeness": enrolled["id"], "to": "*", "until": until}

    assert site.call("POST", "/v1/grants", "other", json=body).status_code == 404
    assert site.call("DELETE", f"/v1/likenesses/{enrolled['id']}", "other").status_code == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"likeness": "lik_x", "to": "*"}, "until"),
        ({"likeness": "lik_x", "to": "*", "until": "2027-01-01T00:00:00"}, "until"),
        ({"likeness": "lik_x", "to": "act_nobody", "until": "2027-01-01T00:00:00Z"}, "to"),
        ({"likeness": "lik_x", "to": "*", "until": "2027-01-01T00:00:00Z", "x": 1}, "x"),
    ],
    ids=["missing", "no zone", "nobody", "unknown"],
)
def test_a_wrong_grant_names_its_field(site: Site, body: dict[str, object], param: str) -> None:
    reply = site.call("POST", "/v1/grants", "likeness_owner", json=body)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == param


def test_a_photograph_without_a_face_is_named_by_number(site: Site) -> None:
    reply = site.call(
        "POST",
        "/v1/likenesses",
        "likeness_owner",
        data={"handle": "nobody"},
        files={"photographs": a_picture((1, 2, 3))},
    )

    assert reply.status_code == 400
    assert (reply.json()["error"]["param"], reply.json()["error"]["code"]) == (
        "photographs[1]",
        "no_face",
    )


def test_a_revoked_likeness_is_gone_at_once(site: Site) -> None:
    vector = np.zeros(128, np.float32)
    vector[5] = 1.0
    site.house.faces.people[(10, 200, 10)] = vector
    made = site.call(
        "POST",
        "/v1/likenesses",
        "likeness_owner",
        data={"handle": "passing"},
        files={"photographs": a_picture((10, 200, 10))},
    ).json()

    reply = site.call("DELETE", f"/v1/likenesses/{made['id']}", "likeness_owner").json()

    decision = site.call(
        "POST", "/v1/policy/decisions", json={"prompt": PROMPT, "likenesses": ["passing"]}
    ).json()
    assert reply["keys_destroyed"] == 1
    assert reply["receipt"]
    assert decision["reasons"][0]["code"] == "likeness.handle_not_granted"


CLAIM = {
    "work": "Zorblatt the Great",
    "kind": "character",
    "action": "block",
    "basis": "copyright",
    "aliases": ["Zorblatt"],
}


def test_a_claim_is_previewed_filed_met_and_withdrawn(site: Site) -> None:
    asked = {"prompt": "Zorblatt throws a red ball"}
    preview = site.call(
        "POST", "/v1/claims/preview", "rights_holder", json={"aliases": ["Zorblatt"]}
    )

    filed = site.call("POST", "/v1/claims", "rights_holder", json=CLAIM)
    met = site.call("POST", "/v1/policy/decisions", json=asked).json()
    mine = site.call("GET", "/v1/claims", "rights_holder").json()["data"]
    strange = site.call("DELETE", f"/v1/claims/{filed.json()['id']}", "other")
    gone = site.call("DELETE", f"/v1/claims/{filed.json()['id']}", "rights_holder")
    after = site.call("POST", "/v1/policy/decisions", json=asked).json()

    assert preview.json()["aliases"][0]["tier"] == "distinct"
    assert filed.status_code == 201, filed.text
    assert filed.json()["receipt"]
    assert met["reasons"][0]["code"] == "rights.claim"
    assert met["reasons"][0]["span"] == [0, 8]
    assert filed.json()["id"] in [one["id"] for one in mine]
    assert strange.status_code == 404
    assert gone.json()["receipt"]
    assert after["verdict"] == "allow"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"aliases": ["the"]}, "aliases"),
        ({"aliases": []}, "aliases"),
        ({"kind": "song"}, "kind"),
        ({"aliases": ["Zor\u0007blatt"]}, "aliases"),
        ({"work": "\ud800"}, "work"),
    ],
    ids=["grammar", "empty", "kind", "control", "surrogate"],
)
def test_a_wrong_claim_names_its_field(site: Site, change: dict[str, object], param: str) -> None:
    body = json.dumps({**CLAIM, **change}).encode()

    reply = site.call("POST", "/v1/claims", "rights_holder", content=body)

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["param"] == param


def test_a_moderator_sees_the_queue_and_the_decision_and_refuses(site: Site) -> None:
    video = site.film(FIGHT, seed="5")
    review = site.call("GET", f"/v1/videos/{video}").json()["review_id"]

    waiting = site.call("GET", "/v1/reviews", "moderator").json()["data"]
    shown = site.call("GET", f"/v1/reviews/{review}", "moderator").json()
    refused = site.call("POST", f"/v1/reviews/{review}/refuse", "moderator", json={"note": "No."})
    again = site.call("POST", f"/v1/reviews/{review}/clear", "moderator", json={})

    assert review in [one["id"] for one in waiting]
    assert shown["decision"]["reasons"][0]["code"] == "filters.violence"
    assert refused.json()["receipt"]
    assert again.status_code == 409
    assert again.headers["x-should-retry"] == "false"
    error = site.call("GET", f"/v1/videos/{video}").json()["error"]
    assert error["code"] == "review.refused"


def test_a_note_that_is_too_long_is_named(site: Site) -> None:
    video = site.film(FIGHT, seed="6")
    review = site.call("GET", f"/v1/videos/{video}").json()["review_id"]

    reply = site.call("POST", f"/v1/reviews/{review}/clear", "moderator", json={"note": "x" * 4001})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "note"


def test_moderation_has_openais_names_and_the_policys_thresholds(site: Site) -> None:
    sent = {"input": ["a red ball", "a nude model", "two men fight"], "model": "omni-moderation"}

    reply = site.call("POST", "/v1/moderations", json=sent).json()

    fine, nude, fight = reply["results"]
    assert len(fine["categories"]) == len(fine["category_scores"]) == 13
    assert reply["model"] == "filters.text@test"
    assert (fine["flagged"], any(fine["categories"].values())) == (False, False)
    assert (nude["flagged"], nude["categories"]["sexual"]) == (True, True)
    assert nude["category_scores"]["sexual"] == 0.97
    assert (fight["verdict"], fight["categories"]["violence"]) == ("hold", True)
    assert fight["categories"]["violence/graphic"] is False


@pytest.mark.parametrize("given", ["", [], ["a\u0000"], [{"type": "image_url"}], 5], ids=repr)
def test_moderation_of_nothing_readable_is_a_400(site: Site, given: object) -> None:
    reply = site.call("POST", "/v1/moderations", json={"input": given})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"].startswith("input")


def test_a_filter_that_leaves_a_category_out_is_no_all_clear(site: Site) -> None:
    class Half:
        def read(self, _text: str, surface: Surface) -> list[Finding]:
            return [Finding(Category.SEXUAL, 0.0, surface, "filters.nudity@test")]

    state = site.app.state.state
    whole = state.house
    gates = dataclasses.replace(whole.rooms.gates, judge_text=Half().read)
    rooms = dataclasses.replace(whole.rooms, gates=gates)
    state.house = House(whole.settings, rooms, whole.owner)
    try:
        reply = site.call("POST", "/v1/moderations", json={"input": "a red ball"})
    finally:
        state.house = whole

    assert reply.status_code == 503


def test_the_one_model_is_listed(site: Site) -> None:
    listed = site.call("GET", "/v1/models").json()["data"]

    assert [one["id"] for one in listed] == ["scenes"]
    assert site.call("GET", "/v1/models/scenes").json()["id"] == "scenes"
