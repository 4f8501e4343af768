"""Everything that a decision can be asked about, and every way to get it wrong."""

import json
from typing import Any

import pytest

from service.decision import Purpose
from service.request import MAX_PROMPT_CHARACTERS, MAX_SHOTS
from tests.service.api.site import PROMPT, SMALL, Site

DECISIONS = "/v1/policy/decisions"


def decided(site: Site, who: str = "creator", **sent: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    reply = site.call("POST", DECISIONS, who, json=sent)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def claimed(site: Site, alias: str, **more: object) -> None:
    claim = {
        "work": alias, "kind": "character", "action": "block", "basis": "copyright",
        "aliases": [alias],
    }  # fmt: skip
    filed = site.call("POST", "/v1/claims", "everything", json={**claim, **more})
    assert filed.status_code == 201, filed.text


def test_each_shot_is_judged_and_all_of_them_joined(site: Site) -> None:
    decision = decided(site, shots=["a beach", {"prompt": "a nude model", "seconds": 3}])

    params = {reason["param"] for reason in decision["reasons"]}
    assert decision["verdict"] == "block"
    assert params == {"shots[1]", "shots"}


def test_what_is_split_over_shots_is_met_as_if_it_stood_in_one(site: Site) -> None:
    claimed(site, "Grimwald Zaubertroll")

    decision = decided(site, shots=["the hero is Grimwald", "Zaubertroll dances on a table"])

    assert decision["verdict"] == "block"
    assert [(one["code"], one["param"]) for one in decision["reasons"]] == [
        ("rights.claim", "shots")
    ]


def test_a_prompt_and_one_shot_are_joined_too(site: Site) -> None:
    claimed(site, "Pellwinkle Ostergard")

    decision = decided(site, prompt="this is about Pellwinkle", shots=["Ostergard goes home"])

    assert {one["param"] for one in decision["reasons"]} == {"shots"}


def test_a_handle_in_a_shot_points_into_that_shot(site: Site) -> None:
    decision = decided(site, shots=["a red ball", "next to @nobody_here"])

    spans = {one["param"]: one["span"] for one in decision["reasons"]}
    assert spans == {"shots[1]": [8, 20], "shots": [19, 31]}


def test_shots_as_a_form_are_the_same_as_in_json(site: Site) -> None:
    sent = {
        "shots[0][prompt]": "a red ball",
        "shots[0][seconds]": "2",
        "shots[1][prompt]": "a nude model",
    }

    reply = site.call("POST", DECISIONS, data=sent, files={"nothing": b""})
    form = site.call("POST", DECISIONS, files={name: (None, text) for name, text in sent.items()})

    assert reply.status_code == 400
    assert form.status_code == 200, form.text
    assert {one["param"] for one in form.json()["reasons"]} == {"shots[1]", "shots"}


def test_twenty_shots_full_of_everything_fit_into_the_log(site: Site) -> None:
    shots = [f"a nude fight number {number} of @nobody_{number}" for number in range(MAX_SHOTS)]

    decision = decided(site, prompt="a nude fight", shots=shots)

    assert decision["verdict"] == "block"
    assert len(decision["observations"]) <= 96
    assert decision["receipt"]["index"] > 0


@pytest.mark.parametrize(
    ("sent", "param", "code"),
    [
        ({}, "prompt", "missing"),
        ({"shots": []}, "prompt", "missing"),
        ({"shots": ["a", ""]}, "shots[1]", "empty"),
        ({"shots": ["a", {"seconds": 2}]}, "shots[1]", "missing"),
        ({"shots": ["a", None, {"prompt": "b"}]}, "shots[1]", "missing"),
        ({"shots": [{"prompt": "a", "seconds": 99}]}, "seconds", "unknown_seconds"),
        ({"shots": [{"prompt": "a", "colour": "red"}]}, "shots[colour]", "unknown_field"),
        ({"shots": [{"prompt": ["a", "b"]}]}, "shots[prompt]", "repeated"),
        ({"shots": {"prompt": "a"}, "prompt": "b"}, "shots", "not_a_list"),
        ({"shots": ["a"] * (MAX_SHOTS + 1)}, "shots", "too_many"),
        ({"shots": ["a" * 20_000, "b" * 12_001]}, "shots", "too_long"),
        ({"prompt": "a" * MAX_PROMPT_CHARACTERS, "shots": ["b"]}, "shots", "too_long"),
        ({"shots": ["a\x00"]}, "shots[0]", "control_character"),
        ({"prompt": "a", "territory": "XX"}, "territory", "not_a_country"),
        ({"prompt": "a", "territory": "Germany"}, "territory", "not_a_country"),
        ({"prompt": "a", "purpose": "fun"}, "purpose", "unknown_purpose"),
        ({"prompt": "a", "actor": "act_somebody"}, "actor", "another_actor"),
        ({"prompt": "a", "project": "prj_other"}, "project", "another_project"),
        ({"prompt": "a", "end_user": "two words"}, "end_user", "not_opaque"),
        ({"prompt": "a", "end_user": "u" * 129}, "end_user", "not_opaque"),
        ({"prompt": "a", "end_user": "émile"}, "end_user", "not_opaque"),
        ({"prompt": "a", "colour": "red"}, "colour", "unknown_field"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(site: Site, sent: dict[str, object], param: str, code: str) -> None:
    reply = site.call("POST", DECISIONS, json=sent)

    assert reply.status_code == 400, reply.text
    assert (reply.json()["error"]["param"], reply.json()["error"]["code"]) == (param, code)


def test_a_form_cannot_hide_a_shot_beside_the_rows(site: Site) -> None:
    parts = [("shots[0][prompt]", (None, "a red ball")), ("shots", (None, "a nude model"))]

    reply = site.call("POST", DECISIONS, files=parts)

    assert reply.json()["error"]["code"] == "not_a_list"


def test_ones_own_actor_and_project_may_be_said(site: Site) -> None:
    said = {"actor": site.actors["creator"], "project": site.projects["ours"]}

    assert decided(site, prompt=PROMPT, **said)["verdict"] == "allow"


def test_a_claim_counts_where_it_was_filed(site: Site) -> None:
    claimed(site, "Ringelbart Quastenfels", territories=["FR"])

    assert decided(site, prompt="Ringelbart Quastenfels", territory="de")["verdict"] == "allow"
    assert decided(site, prompt="Ringelbart Quastenfels", territory="FR")["verdict"] == "block"
    assert decided(site, prompt="Ringelbart Quastenfels")["verdict"] == "block"


@pytest.mark.parametrize("purpose", [one.value for one in Purpose])
def test_the_purpose_stands_in_the_log(site: Site, purpose: str) -> None:
    decision = decided(site, prompt=PROMPT, purpose=purpose, territory="DE")

    path = f"/v1/audit/entries/{decision['receipt']['index']}"
    facts = site.call("GET", path, "auditor").json()["facts"]

    assert facts.get("purpose", "unstated") == purpose
    assert facts["territory"] == "DE"


def test_shots_and_end_user_are_in_the_log_as_commitments_alone(site: Site) -> None:
    decision = decided(site, shots=["a yellow zeppelin"], end_user="customer-4711")

    path = f"/v1/audit/entries/{decision['receipt']['index']}"
    entry = site.call("GET", path, "auditor").json()

    assert {"shots", "end_user"} <= set(entry["commitments"])
    assert "prompt" not in entry["commitments"]
    assert "zeppelin" not in json.dumps(entry)
    assert "4711" not in json.dumps(entry)


@pytest.mark.parametrize("name", ["shots", "end_user", "actor"])
def test_a_film_takes_no_such_field(site: Site, name: str) -> None:
    reply = site.call("POST", "/v1/videos", json={"prompt": PROMPT, **SMALL, name: "x"})

    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "unknown_field"


def test_a_film_says_where_and_what_for(site: Site) -> None:
    film = site.call(
        "POST", "/v1/videos", json={"prompt": PROMPT, **SMALL, "territory": "FR", "purpose": "news"}
    )

    path = f"/v1/audit/entries/{film.json()['receipt']['index']}"
    facts = site.call("GET", path, "auditor").json()["facts"]

    assert film.status_code == 200
    assert (facts["territory"], facts["purpose"]) == ("FR", "news")


DATA_FILM = "data:video/mp4;base64,AAAA"


@pytest.mark.parametrize(
    ("sent", "param", "code"),
    [
        ({"input_video": "https://example.com/a.mp4"}, "input_video", "not_a_data_url"),
        ({"input_video": "data:image/png;base64,AAAA"}, "input_video", "not_a_data_url"),
        ({"input_audio": DATA_FILM}, "input_audio", "not_a_data_url"),
        ({"input_reference": DATA_FILM}, "input_reference", "not_a_data_url"),
        ({"input_video": [DATA_FILM, DATA_FILM]}, "input_video", "too_many"),
        ({"input_video": "data:video/mp4;base64,A*"}, "input_video", "not_base64"),
    ],
)
def test_a_recording_that_cannot_be_read_is_named(
    site: Site, sent: dict[str, object], param: str, code: str
) -> None:
    reply = site.call("POST", DECISIONS, json={"prompt": PROMPT, **sent})

    assert reply.status_code == 400
    assert (reply.json()["error"]["param"], reply.json()["error"]["code"]) == (param, code)


def test_a_recording_that_nobody_here_can_open_is_held(site: Site) -> None:
    as_json = decided(site, prompt=PROMPT, input_video=DATA_FILM)
    as_form = site.call(
        "POST", DECISIONS, data={"prompt": PROMPT}, files={"input_audio": b"RIFF"}
    ).json()

    assert (as_json["verdict"], as_form["verdict"]) == ("hold", "hold")
    assert {one["code"] for one in as_json["reasons"]} == {"policy.unavailable"}


def test_a_film_is_not_made_from_a_recording(site: Site) -> None:
    reply = site.call(
        "POST", "/v1/videos", json={"prompt": PROMPT, **SMALL, "input_video": DATA_FILM}
    )

    assert reply.json()["error"]["code"] == "unknown_field"
