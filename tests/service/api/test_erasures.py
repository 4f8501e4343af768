"""Erasures, holds and disclosures over HTTP: who may, what is said, what is logged."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service import accounts
from service.accounts import NewKey, Role
from service.audit.reading import EntryFilter
from service.audit.verify_file import verify
from tests.service.api.site import PROMPT, Site, a_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site")) as made:
        second(made, "operator2", frozenset({Role.OPERATOR}))
        yield made


def second(site: Site, name: str, roles: frozenset[Role], of: str = "") -> None:
    """Make one more person, or one more key of somebody."""
    now = site.house.clock()
    with site.house.rooms.database.transaction() as conn:
        actor = site.actors[of] if of else accounts.create_actor(conn, name, now).id
        issued = accounts.create_key(conn, NewKey(actor, site.projects["ours"], roles), now)
    site.actors[name], site.keys[name] = actor, issued.secret


def a_person(site: Site, name: str) -> str:
    second(site, name, frozenset({Role.CREATOR}))
    return site.actors[name]


def decided(site: Site, who: str) -> dict[str, Any]:
    body = {"prompt": f"{PROMPT} {who}", "size": "256x256", "seconds": "1", "fps": "8"}
    reply = site.call("POST", "/v1/videos", who, json=body)
    assert reply.status_code == 200, reply.text
    video: dict[str, Any] = reply.json()
    return video


def disclosed(site: Site, index: int, field: str = "prompt", who: str = "auditor") -> Any:  # noqa: ANN401 - a reply
    body = {"index": index, "field": field}
    return site.call("POST", "/v1/audit/disclosures", who, json=body)


def test_a_person_erases_themselves_and_the_auditor_is_told_so(site: Site) -> None:
    mara = a_person(site, "mara")
    index = decided(site, "mara")["receipt"]["index"]
    assert disclosed(site, index).status_code == 200

    reply = site.call("POST", "/v1/erasures", "mara", json={"subject": mara})

    assert reply.status_code == 200
    said = reply.json()
    assert (said["status"], said["destroyed"]["keys"]) == ("done", 1)
    assert site.house.rooms.log.entry(said["receipt"]["index"]).type == "erasure.done"
    gone = disclosed(site, index)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "erased")
    assert site.house.rooms.log.verify().sound


def test_a_disclosure_is_checked_with_hashlib_and_the_proof_file_alone(site: Site) -> None:
    a_person(site, "noor")
    index = decided(site, "noor")["receipt"]["index"]

    shown = disclosed(site, index).json()

    bare = b"impr/commit/v1" + bytes.fromhex(shown["salt"]) + shown["text"].encode()
    assert shown["text"] == f"{PROMPT} noor"
    assert hashlib.sha256(bare).hexdigest() == shown["commitment"]
    proof = site.call("GET", f"/v1/audit/proofs/{index}", "auditor").text
    proved = verify(proof, site.house.rooms.log.verifier_keys()[0])
    assert shown["commitment"].encode() in proved.entry
    read = site.house.rooms.log.entry(shown["receipt"]["index"])
    assert (read.type, read.actor) == ("disclosure.made", site.actors["auditor"])
    assert read.facts == {"index": index, "field": "prompt", "subject": site.actors["noor"]}


def test_only_an_auditor_and_the_person_read_it_and_only_in_the_project(site: Site) -> None:
    a_person(site, "omar")
    index = decided(site, "omar")["receipt"]["index"]
    before = len(site.house.rooms.log.entries(EntryFilter(type="disclosure.made", limit=1000)))

    codes = {
        who: disclosed(site, index, who=who).status_code
        for who in ("omar", "creator", "operator", "other", "auditor")
    }

    assert codes == {"omar": 200, "creator": 403, "operator": 403, "other": 404, "auditor": 200}
    assert disclosed(site, index, "nothing").status_code == 404
    assert disclosed(site, 2**40).status_code == 404
    after = len(site.house.rooms.log.entries(EntryFilter(type="disclosure.made", limit=1000)))
    assert after == before + 2


def test_a_hold_takes_two_people_and_an_erasure_waits_for_its_end(site: Site) -> None:
    pia = a_person(site, "pia")
    index = decided(site, "pia")["receipt"]["index"]
    asked = site.call("POST", "/v1/holds", "operator", json={"subject": pia, "why": "a suit"})
    hold = asked.json()["id"]
    alone = site.call("POST", f"/v1/holds/{hold}/confirm", "operator", json={})
    assert (alone.status_code, alone.json()["error"]["code"]) == (403, "two_people")

    assert site.call("POST", f"/v1/holds/{hold}/confirm", "operator2", json={}).status_code == 200
    waits = site.call("POST", "/v1/erasures", "pia", json={"subject": pia}).json()
    kept = disclosed(site, index).status_code
    ends = site.call("POST", f"/v1/holds/{hold}/release", "operator", json={}).json()
    same = site.call("POST", f"/v1/holds/{hold}/release", "operator", json={}).status_code
    ended = site.call("POST", f"/v1/holds/{hold}/release", "operator2", json={}).json()

    assert (waits["status"], waits["waits_for"], kept) == ("queued", "legal_hold", 200)
    assert hold not in str(waits)
    assert (ends["status"], same, ended["status"]) == ("release_asked", 403, "released")
    assert ended["erasures"] == [waits["id"]]
    assert disclosed(site, index).status_code == 410
    assert site.call("GET", f"/v1/erasures/{waits['id']}", "pia").json()["status"] == "done"
    log = site.house.rooms.log
    (refused,) = log.entries(EntryFilter(type="erasure.refused"))
    assert (refused.facts["hold"], refused.facts["erasure"]) == (hold, waits["id"])


def test_the_reason_of_a_hold_is_shown_to_operators_and_is_in_no_leaf(site: Site) -> None:
    quin = a_person(site, "quin")
    body = {"subject": quin, "why": "xylophonic proceedings"}
    hold = site.call("POST", "/v1/holds", "operator", json=body).json()["id"]

    shown = site.call("GET", f"/v1/holds/{hold}", "operator2").json()

    assert shown["why"] == "xylophonic proceedings"
    leaves = [one.leaf for one in site.house.rooms.log.entries(EntryFilter(limit=1000))]
    assert not [leaf for leaf in leaves if b"xylophonic" in leaf]
    assert site.call("GET", f"/v1/holds/{hold}", "other").status_code == 404
    assert site.call("GET", "/v1/holds", "creator").status_code == 403
    assert hold in site.call("GET", "/v1/holds?limit=200", "operator").text
    assert hold not in site.call("GET", "/v1/holds", "other").text


def test_an_operator_names_a_case_and_reaches_no_other_project(site: Site) -> None:
    rosa = a_person(site, "rosa")

    def asked(who: str, **body: object) -> int:
        reply = site.call("POST", "/v1/erasures", who, json={"subject": rosa, **body})
        return int(reply.status_code)

    assert asked("creator") == 403
    assert asked("operator") == 400
    assert asked("other", case="case-1") == 404
    assert asked("operator", case="case-1", films=True) == 200
    assert "case-1" in site.call("GET", "/v1/erasures?limit=200", "operator").text
    assert "case-1" not in site.call("GET", "/v1/erasures", "creator").text
    assert "case-1" not in site.call("GET", "/v1/erasures", "other").text


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/erasures", {}, "subject"),
        ("/v1/erasures", {"subject": ""}, "subject"),
        ("/v1/erasures", {"subject": "a b"}, "subject"),
        ("/v1/erasures", {"subject": "act_1", "who": "me"}, "who"),
        ("/v1/holds", {"subject": "act_1"}, "why"),
        ("/v1/holds", {"why": "for all"}, "body"),
        ("/v1/holds", {"subject": "a", "case": "b", "why": "both"}, "body"),
        ("/v1/holds", {"project": "p\u0000", "why": "nul"}, "project"),
        ("/v1/audit/disclosures", {"index": -1, "field": "prompt"}, "index"),
        ("/v1/audit/disclosures", {"index": "1", "field": "prompt"}, "index"),
        ("/v1/audit/disclosures", {"index": 1, "field": "a b"}, "field"),
    ],
)
def test_what_is_malformed_is_a_400_that_names_the_field(
    site: Site, path: str, body: dict[str, Any], param: str
) -> None:
    reply = site.call("POST", path, "everything", json=body)

    assert reply.status_code == 400
    assert (reply.json()["error"]["param"] or "body") == param


@pytest.mark.parametrize("path", ["/v1/erasures", "/v1/holds"])
def test_pages_together_show_each_once(tmp_path: Path, path: str) -> None:
    with a_site(tmp_path) as site:
        for number in range(3):
            body = {"case": f"case-{number}", "why": "one of three"}
            if path == "/v1/erasures":
                body = {"subject": a_person(site, f"p{number}"), "case": "case-1"}
            assert site.call("POST", path, "operator", json=body).status_code == 200
        first = site.call("GET", f"{path}?limit=2", "operator").json()
        rest = site.call("GET", f"{path}?limit=2&after={first['last_id']}", "operator").json()

        assert (first["has_more"], rest["has_more"]) == (True, False)
        assert len({one["id"] for one in first["data"] + rest["data"]}) == 3
