"""AuthZEN 1.0: a decision of ours as `true` or `false`."""

from typing import Any

import pytest

from service import ticket
from service.audit.reading import EntryFilter
from service.keys import Purpose
from tests.service.api.site import PROMPT, SMALL, Site

ONE, SEVERAL = "/access/v1/evaluation", "/access/v1/evaluations"


def a_resource(prompt: str = PROMPT, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "video", "id": "7", "properties": {"prompt": prompt, **SMALL, **properties}}


def question(site: Site, prompt: str = PROMPT, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "subject": {"type": "user", "id": site.actors["creator"]},
        "action": {"name": "generate"},
        "resource": a_resource(prompt),
        **changed,
    }


def test_true_comes_with_a_ticket_and_a_receipt(site: Site) -> None:
    answer = site.call("POST", ONE, json=question(site)).json()

    context = answer["context"]
    permitted = ticket.signed(context["ticket"], site.house.rooms.keys.verifying(Purpose.TICKET))
    entry = site.house.rooms.log.entry(context["receipt"]["index"])
    assert answer["decision"] is True
    assert permitted.decision == context["id"]
    assert entry.facts["decision"] == context["id"]


@pytest.mark.parametrize(
    ("prompt", "reason", "code"),
    [("a nude model", "blocked", "filters.sexual"), ("a fight", "held", "filters.violence")],
)
def test_a_hold_and_a_block_are_false_with_reasons_to_show(
    site: Site, prompt: str, reason: str, code: str
) -> None:
    answer = site.call("POST", ONE, json=question(site, prompt)).json()

    context = answer["context"]
    assert answer["decision"] is False
    assert (context["reason"], context["ticket"]) == (reason, None)
    assert context["reasons"][0]["id"] == code
    assert context["reasons"][0]["reason_user"]["en"]


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"subject": {"type": "user", "id": "act_somebody_else"}}, "subject.id"),
        ({"subject": {"type": "robot", "id": "r"}}, "subject.type"),
        ({"subject": None}, "subject"),
        ({"action": {"name": "delete"}}, "action.name"),
        ({"resource": {"type": "house", "id": "7"}}, "resource.type"),
        ({"resource": {"type": "video", "id": "7"}}, "prompt"),
        ({"resource": a_resource(nonsense="1")}, "nonsense"),
        ({"resource": a_resource(seconds=99)}, "seconds"),
    ],
    ids=str,
)
def test_a_question_that_is_wrong_is_an_error_and_no_answer(
    site: Site, changed: dict[str, Any], param: str
) -> None:
    reply = site.call("POST", ONE, json=question(site, **changed))

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == param
    assert "decision" not in reply.json()


def several(site: Site, semantic: str = "", *prompts: str) -> list[dict[str, Any]]:
    body = {**question(site), "evaluations": [{"resource": a_resource(one)} for one in prompts]}
    if semantic:
        body["options"] = {"evaluations_semantic": semantic}
    reply = site.call("POST", SEVERAL, json=body)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["evaluations"])


def test_several_questions_share_what_stands_at_the_top(site: Site) -> None:
    answers = several(site, "", PROMPT, "a nude model", PROMPT)

    assert [one["decision"] for one in answers] == [True, False, True]
    assert len({one["context"]["request_id"] for one in answers}) == 3


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_answering_stops_where_it_was_told_to(
    site: Site, semantic: str, decisions: list[bool]
) -> None:
    answers = several(site, semantic, PROMPT, "a nude model", PROMPT)

    assert [one["decision"] for one in answers] == decisions


def test_one_wrong_question_spoils_no_other_and_is_false(site: Site) -> None:
    body = {
        **question(site),
        "evaluations": [
            {"resource": a_resource()},
            {"resource": a_resource(seconds=99)},
            {"action": {"name": "delete"}},
        ],
    }

    answers = site.call("POST", SEVERAL, json=body).json()["evaluations"]

    assert [one["decision"] for one in answers] == [True, False, False]
    assert answers[1]["context"]["error"]["status"] == 400
    assert "seconds" in answers[1]["context"]["error"]["message"]
    assert "action.name" in answers[2]["context"]["error"]["message"]


def test_without_a_list_it_is_one_question(site: Site) -> None:
    mores: list[dict[str, Any]] = [{}, {"evaluations": []}]
    for more in mores:
        answer = site.call("POST", SEVERAL, json={**question(site), **more}).json()

        assert answer["decision"] is True


def test_there_is_an_end_to_how_many(site: Site) -> None:
    reply = site.call("POST", SEVERAL, json={**question(site), "evaluations": [{}] * 101})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "evaluations"


def test_the_callers_request_id_comes_back_also_on_an_error(site: Site) -> None:
    mine = {"x-request-id": "bfe9eb29-ab87-4ca3"}

    good = site.call("POST", ONE, json=question(site), headers=mine)
    bad = site.call("POST", ONE, json={}, headers=mine)
    nobody = site.client.post(ONE, json={}, headers=mine)
    odd = site.call("POST", ONE, json=question(site), headers={"x-request-id": "a" * 300})

    for reply in (good, bad, nobody):
        assert reply.headers["x-request-id"] == mine["x-request-id"]
    assert good.json()["context"]["request_id"].startswith("req_")
    assert odd.headers["x-request-id"].startswith("req_")


def test_elsewhere_our_own_id_stands(site: Site) -> None:
    reply = site.call("GET", "/v1/models", headers={"x-request-id": "mine"})

    assert reply.headers["x-request-id"].startswith("req_")


def test_where_the_endpoints_are_is_well_known(site: Site) -> None:
    found = site.client.get("/.well-known/authzen-configuration").json()

    address = found["policy_decision_point"]
    assert found["access_evaluation_endpoint"] == f"{address}{ONE}"
    assert found["access_evaluations_endpoint"] == f"{address}{SEVERAL}"


def test_nothing_that_was_asked_is_in_the_log(site: Site) -> None:
    site.call("POST", ONE, json=question(site, "the zeppelin of Aunt Agatha"))

    entries = site.house.rooms.log.entries(EntryFilter(limit=5))
    assert "zeppelin" not in str([one.leaf for one in entries])
