"""Reviews of decisions without a job, what moderators see of a case, and appeals, over HTTP."""

from typing import Any

import pytest

from service import appeals
from service.audit.reading import EntryFilter
from tests.service.api.site import SMALL, Site

FIGHT = "two men fight on a green floor"
NUDE = "a nude model on a red chair"
WHY = "The chair is the model: it is furniture without a cover."


def decided(site: Site, prompt: str, who: str = "creator", **sent: str) -> dict[str, Any]:
    reply = site.call("POST", "/v1/policy/decisions", who, json={"prompt": prompt, **sent})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def appealed(site: Site, prompt: str, who: str = "creator") -> dict[str, Any]:
    body = {"decision": decided(site, prompt, who)["id"], "why": WHY}
    reply = site.call("POST", "/v1/appeals", who, json=body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def entries(site: Site, kind: str) -> list[dict[str, Any]]:
    found = site.house.rooms.log.entries(EntryFilter(type=kind))
    return [dict(one.facts) for one in found]


def test_a_held_decision_says_which_review_it_waits_for_and_what_came_of_it(site: Site) -> None:
    prompt = f"{FIGHT} at noon"
    held = decided(site, prompt)
    review = held["review"]["id"]
    assert (held["verdict"], held["review"]["ruling"]) == ("hold", "open")
    assert [reason["appealable"] for reason in held["reasons"]] == [False]
    assert decided(site, prompt)["review"]["id"] == review

    cleared = site.call("POST", f"/v1/reviews/{review}/clear", "moderator", json={"note": "Sport."})
    shown = site.call("GET", f"/v1/policy/decisions/{held['id']}").json()
    again = decided(site, prompt)

    assert (cleared.json()["video"], cleared.json()["ruling"]) == (None, "cleared")
    assert cleared.json()["cleared_until"] > cleared.json()["at"]
    assert shown["review"] == {"id": review, "ruling": "cleared"}
    assert (again["verdict"], again["review"]) == ("allow", None)
    assert again["ticket"]


def test_a_moderator_sees_what_was_asked_once_the_log_says_so(site: Site) -> None:
    prompt = f"{FIGHT} in the rain"
    review = decided(site, prompt)["review"]["id"]
    listed = site.call("GET", "/v1/reviews?limit=200", "moderator")
    assert prompt not in listed.text

    shown = site.call("GET", f"/v1/reviews/{review}", "moderator").json()

    assert (shown["prompt"], shown["erased"], shown["video"]) == (prompt, False, None)
    assert shown["decision"]["review"]["id"] == review
    read = site.house.rooms.log.entry(shown["receipt"]["index"])
    assert (read.type, read.actor) == ("review.read", site.actors["moderator"])
    assert read.facts == {"review": review, "decision": shown["decision_id"]}
    assert site.call("GET", f"/v1/reviews/{review}", "other").status_code == 404
    assert site.call("GET", f"/v1/reviews/{review}").status_code == 403


def test_a_moderator_sees_the_request_of_a_held_film(site: Site) -> None:
    prompt = "a red ball falls, like in a fight"
    video = site.call("POST", "/v1/videos", json={"prompt": prompt, **SMALL}).json()

    shown = site.call("GET", f"/v1/reviews/{video['review_id']}", "moderator").json()

    assert (shown["prompt"], shown["pictures"], shown["video"]) == (prompt, 0, video["id"])


def test_a_refusal_says_where_to_appeal_until_somebody_has(site: Site) -> None:
    blocked = decided(site, f"{NUDE} once")
    (reason,) = blocked["reasons"]
    assert (reason["appealable"], reason["appeal_url"]) == (True, site.house.rooms.appeals)

    made = site.call("POST", "/v1/appeals", json={"decision": blocked["id"], "why": WHY}).json()
    shown = site.call("GET", f"/v1/policy/decisions/{blocked['id']}").json()

    assert shown["appeal"] == {"id": made["id"], "status": "open"}
    (reason,) = shown["reasons"]
    assert (reason["appealable"], reason["appeal_url"]) == (False, None)


def test_a_refused_film_says_where_to_appeal(site: Site) -> None:
    reply = site.call("POST", "/v1/videos", json={"prompt": "a nude red ball falls", **SMALL})

    assert reply.status_code == 400
    decision = reply.json()["decision"]
    assert decision["reasons"][0]["appealable"] is True
    body = {"decision": decision["id"], "why": WHY}
    assert site.call("POST", "/v1/appeals", json=body).status_code == 200


@pytest.mark.parametrize("mode", ["dry_run", "shadow"])
def test_a_rehearsal_cannot_be_appealed_against(site: Site, mode: str) -> None:
    decision = decided(site, NUDE, mode=mode)

    reply = site.call("POST", "/v1/appeals", json={"decision": decision["id"], "why": WHY})

    assert decision["reasons"][0]["appealable"] is False
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "not_appealable")


def test_an_appeal_goes_to_a_moderator_and_back(site: Site) -> None:
    made = appealed(site, f"{NUDE} twice")
    path = f"/v1/appeals/{made['id']}"
    assert (made["status"], made["reasons"]) == ("open", ["filters.sexual"])
    queue = site.call("GET", "/v1/appeals?queue=open&limit=200", "moderator")
    assert made["id"] in [one["id"] for one in queue.json()["data"]]
    assert WHY not in queue.text

    seen = site.call("GET", path, "moderator").json()
    ruled = site.call("POST", f"{path}/uphold", "moderator", json={"statement": "It is a chair."})
    own = site.call("GET", path).json()

    assert (seen["prompt"], seen["why"]) == (f"{NUDE} twice", WHY)
    assert entries(site, "appeal.read")[0]["appeal"] == made["id"]
    assert (ruled.json()["status"], ruled.json()["lifted"]) == ("upheld", ["filters.sexual"])
    assert own["statement"] == "It is a chair."
    assert "filters.sexual" in own["message"]
    assert "prompt" not in own
    assert decided(site, f"{NUDE} twice")["verdict"] == "allow"
    mine = site.call("GET", "/v1/appeals?limit=200").json()["data"]
    assert made["id"] in [one["id"] for one in mine]


def test_a_dismissed_appeal_gives_its_reasons_to_the_appellant(site: Site) -> None:
    made = appealed(site, f"{NUDE} thrice")
    path = f"/v1/appeals/{made['id']}"

    site.call("POST", f"{path}/dismiss", "moderator", json={"statement": "It is no chair."})
    late = site.call("POST", f"{path}/uphold", "moderator", json={"statement": "It is."})

    own = site.call("GET", path).json()
    assert (own["status"], own["statement"]) == ("dismissed", "It is no chair.")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "already_decided")
    assert decided(site, f"{NUDE} thrice")["verdict"] == "block"


def test_nobody_appeals_for_others_or_rules_on_their_own(site: Site) -> None:
    decision = decided(site, NUDE)["id"]
    for who in ("other", "everything"):
        reply = site.call("POST", "/v1/appeals", who, json={"decision": decision, "why": WHY})
        assert reply.status_code == 404
    made = appealed(site, f"{NUDE} of mine", "everything")
    path = f"/v1/appeals/{made['id']}"

    own = site.call("POST", f"{path}/uphold", "everything", json={"statement": "Yes."})

    assert (own.status_code, own.json()["error"]["code"]) == (403, "own_appeal")
    assert site.call("GET", path).status_code == 404
    assert site.call("GET", path, "other").status_code == 404
    for act in ("uphold", "dismiss"):
        body = {"statement": "Yes."}
        assert site.call("POST", f"{path}/{act}", "other", json=body).status_code == 404
        assert site.call("POST", f"{path}/{act}", json=body).status_code == 403
    assert site.call("GET", "/v1/appeals?queue=open").status_code == 403
    assert site.call("GET", "/v1/appeals", "other").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"why": WHY}, "decision"),
        ({"decision": "dec_1"}, "why"),
        ({"decision": "dec_1", "why": ""}, "why"),
        ({"decision": "dec_1", "why": " \n"}, "why"),
        ({"decision": "dec_1", "why": "x" * 4001}, "why"),
        ({"decision": "dec_1", "why": "a\x00b"}, "why"),
        ({"decision": "a\x00b", "why": WHY}, "decision"),
        ({"decision": "dec_1", "why": WHY, "urgent": True}, "urgent"),
    ],
)
def test_a_field_that_does_not_fit_is_named(site: Site, body: dict[str, Any], param: str) -> None:
    reply = site.call("POST", "/v1/appeals", json=body)

    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_an_unknown_decision_or_appeal_is_a_404(site: Site) -> None:
    body = {"decision": "dec_00000000000000000000000000", "why": WHY}
    assert site.call("POST", "/v1/appeals", json=body).status_code == 404
    nothing = "/v1/appeals/apl_00000000000000000000000000"
    assert site.call("GET", nothing, "moderator").status_code == 404
    body = {"statement": "No."}
    assert site.call("POST", f"{nothing}/dismiss", "moderator", json=body).status_code == 404


def test_an_appeal_waits_for_the_review_and_comes_after_it(site: Site) -> None:
    held = decided(site, f"{FIGHT} at night")
    body = {"decision": held["id"], "why": WHY}

    early = site.call("POST", "/v1/appeals", json=body)
    review = f"/v1/reviews/{held['review']['id']}"
    site.call("POST", f"{review}/refuse", "moderator", json={"note": "No."})
    made = site.call("POST", "/v1/appeals", json=body).json()
    same = site.call(
        "POST", f"/v1/appeals/{made['id']}/dismiss", "moderator", json={"statement": "No."}
    )
    other = site.call(
        "POST", f"/v1/appeals/{made['id']}/uphold", "everything", json={"statement": "Yes."}
    )

    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_appealable")
    assert held["review"]["id"] in early.json()["error"]["message"]
    assert (same.status_code, other.status_code) == (403, 200)
    assert decided(site, f"{FIGHT} at night")["verdict"] == "allow"


def test_the_words_of_whoever_is_erased_are_gone_for_moderators_too(site: Site) -> None:
    made = appealed(site, f"{NUDE} of somebody else", "other")
    held = decided(site, f"{FIGHT} of somebody else", "other")

    erased = site.call("POST", "/v1/erasures", "other", json={"subject": site.actors["other"]})
    assert erased.status_code == 200, erased.text

    seen = site.call("GET", f"/v1/appeals/{made['id']}", "other").json()
    review = site.call("GET", f"/v1/reviews/{held['review']['id']}", "other").json()

    assert (seen["why"], seen["erased"]) == (None, True)
    assert (review["prompt"], review["erased"]) == (None, True)
    with site.house.rooms.database.reading() as conn:
        assert appeals.get(conn, made["id"]).sign == ""
