"""Many requests in one: each has its own decision, and a wrong one spoils none."""

import json

import pytest

from filters.finding import FilterError
from service.batch import MAX_QUESTIONS
from tests.service.api.site import PROMPT, Site

BROKEN = "data:image/png;base64,iVBORw0K"
BATCH = "/v1/policy/decisions/batch"


def test_each_has_a_decision_an_entry_and_a_receipt_of_its_own_in_order(site: Site) -> None:
    prompts = [PROMPT, "a nude model", f"{PROMPT} twice", "a fight"]

    reply = site.call("POST", BATCH, json={"requests": [{"prompt": one} for one in prompts]})
    made = reply.json()["data"]

    assert reply.status_code == 200, reply.text
    assert [one["verdict"] for one in made] == ["allow", "block", "allow", "hold"]
    assert len({one["id"] for one in made}) == 4
    assert len({one["request_id"] for one in made}) == 4
    assert [one["ticket"] is not None for one in made] == [True, False, True, False]
    assert made[3]["review"]
    for one in made:
        entry = site.call("GET", f"/v1/audit/entries/{one['receipt']['index']}", "auditor").json()
        assert entry["facts"]["decision"] == one["id"]
        assert site.call("GET", f"/v1/policy/decisions/{one['id']}").json()["id"] == one["id"]


def test_one_that_is_wrong_spoils_none_of_the_others(site: Site) -> None:
    wrong = [
        ({"prompt": ""}, "prompt"),
        ({"prompt": PROMPT, "mode": "never"}, "mode"),
        ({"prompt": PROMPT, "colour": "red"}, "colour"),
        ({"prompt": PROMPT, "input_reference": BROKEN}, "input_reference"),
        ({"prompt": "half \ud800"}, "prompt"),
        ("a red ball", "body"),
        (None, "body"),
    ]  # fmt: skip
    sent = [item for one, _ in wrong for item in (one, {"prompt": PROMPT})]

    reply = site.call("POST", BATCH, content=json.dumps({"requests": sent}).encode())
    made = reply.json()["data"]

    assert reply.status_code == 200, reply.text
    assert [one["object"] for one in made] == ["error", "policy.decision"] * len(wrong)
    assert [one["error"]["param"] for one in made[::2]] == [param for _, param in wrong]
    assert {one["status"] for one in made[::2]} == {400}
    assert all(one["instance"].startswith("req_") for one in made[::2])


@pytest.mark.parametrize(
    "body",
    [
        {"requests": []},
        {"requests": [{"prompt": PROMPT}] * (MAX_QUESTIONS + 1)},
        {"requests": {"prompt": PROMPT}},
        {"requests": [{"prompt": PROMPT}], "mode": "shadow"},
        {"prompt": PROMPT},
        {},
    ],
)
def test_another_body_is_a_400_and_decides_nothing(site: Site, body: dict[str, object]) -> None:
    before = site.house.rooms.log.head()[1].size

    reply = site.call("POST", BATCH, json=body)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "requests"
    assert site.house.rooms.log.head()[1].size == before


def test_a_hundred_are_taken_and_share_few_commits(site: Site) -> None:
    log = site.house.rooms.log
    before = log.head()[1].size

    reply = site.call("POST", BATCH, json={"requests": [{"prompt": PROMPT}] * MAX_QUESTIONS})
    receipts = [one["receipt"] for one in reply.json()["data"]]

    assert [one["index"] for one in receipts] == list(range(before, before + MAX_QUESTIONS))
    assert len({one["tree_size"] for one in receipts}) <= 2


def test_a_mode_is_each_ones_own(site: Site) -> None:
    modes = ["enforce", "shadow", "dry_run"]

    reply = site.call(
        "POST", BATCH, json={"requests": [{"prompt": "a fight", "mode": one} for one in modes]}
    )
    made = reply.json()["data"]

    assert [one["mode"] for one in made] == modes
    assert [one["review"] is not None for one in made] == [True, False, False]


def test_a_detector_that_fails_holds_each(site: Site) -> None:
    site.words.broken = FilterError("gone")
    try:
        reply = site.call("POST", BATCH, json={"requests": [{"prompt": PROMPT}] * 2})
    finally:
        site.words.broken = None

    assert [one["verdict"] for one in reply.json()["data"]] == ["hold", "hold"]
