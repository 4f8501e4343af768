"""Back-tests over HTTP: whose traffic, by which policy, and that it is written down."""

import threading
from collections.abc import Iterator

import pytest

from service.api import backtests
from service.audit.reading import EntryFilter
from service.wiring import DEFAULT_POLICY
from tests.service.api.site import Site, a_site

PATH = "/v1/policy/backtests"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("backtests")) as opened:
        for who in ("creator", "creator", "other"):
            made = opened.call("POST", "/v1/policy/decisions", who, json={"prompt": "a red ball"})
            assert made.status_code == 200
        yield opened


def stricter() -> str:
    return DEFAULT_POLICY.read_text().replace(
        "default: {hold: 0.15, block: 0.5}", "default: {hold: 0.001, block: 0.5}", 1
    )


def test_a_document_is_tried_on_the_projects_own_traffic_and_that_is_logged(site: Site) -> None:
    reply = site.call("POST", PATH, "policy_author", json={"candidate": stricter()})

    told = reply.json()
    assert reply.status_code == 200, reply.text
    assert (told["decisions"], told["judged"]) == (2, 2)
    (flip,) = told["flips"]
    assert (flip["from"], flip["to"], flip["decisions"], flip["share"]) == ("allow", "hold", 2, 1.0)
    assert 0 < flip["interval_95"][0] < flip["interval_95"][1] <= 1
    assert told["by_reason"]["filters.sexual"] == {"appears": 2, "disappears": 0}
    (logged,) = site.house.rooms.log.entries(EntryFilter(type="policy.backtested", limit=1))
    assert logged.index == told["receipt"]["index"]
    assert logged.facts["flipped"] == 2


def test_the_live_policy_comes_to_what_was_decided(site: Site) -> None:
    live = site.house.rooms.book.standing().live.ref.sha256

    told = site.call("POST", PATH, "policy_approver", json={"candidate": live}).json()

    assert told["flips"] == []
    assert told["exact"] == {"checked": 2, "differing": []}


def test_against_live_says_what_changes(site: Site) -> None:
    body = {"candidate": stricter(), "against": "live", "q": "verdict:allow", "since": "-1d"}

    told = site.call("POST", PATH, "policy_author", json=body).json()

    assert [one["sentence"] for one in told["changes"]] == [
        "filters.sexual: hold from 0.001 instead of 0.15"
    ]


def test_only_an_operator_replays_the_traffic_of_others(site: Site) -> None:
    body = {"candidate": stricter(), "project": "all"}

    assert site.call("POST", PATH, "policy_author", json=body).status_code == 403
    assert site.call("POST", PATH, "operator", json=body).json()["judged"] == 3
    assert site.call("POST", PATH, "creator", json=body).status_code == 403


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({"candidate": "id: x"}, "policy_refused", 400),
        ({"candidate": "0" * 64}, "not_found", 404),
        ({"candidate": "x", "q": "verdict:"}, "query_refused", 400),
        ({"candidate": "x", "since": "soon"}, "query_refused", 400),
        ({"candidate": "x", "sample": 0}, "invalid", 400),
        ({"candidate": "x", "sampel": 0.5}, "unknown_field", 400),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_reason(
    site: Site, body: dict[str, object], code: str, status: int
) -> None:
    reply = site.call("POST", PATH, "policy_author", json=body)

    assert reply.status_code == status, reply.text
    if code != "query_refused":
        assert reply.json()["error"]["code"] == code


def test_one_runs_at_a_time(site: Site) -> None:
    lock: threading.Lock = backtests._one_at_a_time
    with lock:
        reply = site.call("POST", PATH, "policy_author", json={"candidate": stricter()})

    assert reply.status_code == 409
