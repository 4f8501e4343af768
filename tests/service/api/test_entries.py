"""`GET /v1/audit/entries`: queries, filters, pages, counts, facets, and who looked."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.audit.entries import Entry
from service.audit.reading import EntryFilter
from tests.service.api.site import Site, a_site

ENTRIES = "/v1/audit/entries"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("entries")) as opened:
        _fill(opened)
        yield opened


def _fill(site: Site) -> None:
    """Log sixty decisions of ours and ten of theirs."""
    log, ours, theirs = site.house.rooms.log, site.projects["ours"], site.projects["theirs"]
    log.append_many(
        [
            Entry(
                key=f"decision:{at}",
                type="decision.made",
                at=site.house.clock(),
                request=f"req_{at}",
                actor=f"act_{at % 3}",
                project=ours if at < 60 else theirs,
                facts={
                    "verdict": ("allow", "allow", "hold", "block")[at % 4],
                    "reasons": [{"code": "likeness.no_grant"}] if at % 4 == 3 else [],
                    "likeness": f"lik_{at % 10}",
                },
            )
            for at in range(70)
        ]
    )


def asked(site: Site, who: str = "auditor", **params: Any) -> Any:  # noqa: ANN401 - a reply's JSON
    reply = site.call("GET", ENTRIES, who, params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refused(site: Site, status: int = 400, who: str = "auditor", **params: Any) -> Any:  # noqa: ANN401 - as above
    reply = site.call("GET", ENTRIES, who, params=params)
    assert reply.status_code == status, reply.text
    return reply.json()


def requests_of(page: Any) -> list[int]:  # noqa: ANN401 - as above
    return [int(one["request_id"].removeprefix("req_")) for one in page["data"]]


def test_a_query_and_filters_hold_together(site: Site) -> None:
    page = asked(site, q="reason:likeness.* OR verdict:hold", actor="act_1", count="true")

    assert requests_of(page) == [n for n in range(59, -1, -1) if n % 4 >= 2 and n % 3 == 1]
    assert page["count"] == len(page["data"])
    assert page["query"] == "(reason:likeness.* OR verdict:hold) AND actor:act_1"
    assert not page["has_more"]
    assert page["next"] is None


@pytest.mark.parametrize("spelling", ["actor", "actor[]"])
def test_a_filter_that_is_there_twice_lets_either_value_do(site: Site, spelling: str) -> None:
    either: dict[str, Any] = {spelling: ["act_1", "act_2"]}

    page = asked(site, verdict="block", order="oldest", **either)

    assert requests_of(page) == [n for n in range(60) if n % 4 == 3 and n % 3]


def test_an_empty_filter_is_none(site: Site) -> None:
    assert asked(site, type="", actor="", verdict="block", count="true")["count"] == 15


def test_times_are_compared_in_every_spelling(site: Site) -> None:
    everything = asked(site, count="true", type="decision.made")["count"]
    first = asked(site, type="decision.made", order="oldest", limit=1)["data"][0]["logged_at"]

    for params in ({"t[gte]": first}, {"t[gt]": "-1h"}, {"t[lte]": "2999-01-01"}, {"q": "t>=-1h"}):
        assert asked(site, count="true", type="decision.made", **params)["count"] == everything
    assert asked(site, count="true", type="decision.made", **{"t[lt]": first})["count"] == 0
    assert asked(site, count="true", type="decision.made", **{"t[lt]": "1700000000"})["count"] == 0


def test_pages_do_not_shift_while_the_log_grows(site: Site) -> None:
    seen: list[int] = []
    page = asked(site, q="type:decision.made AND t>=-1h", limit=7, count="true")
    while True:
        seen += requests_of(page)
        site.house.rooms.log.append(
            Entry(
                key=f"late:{len(seen)}",
                type="decision.made",
                at=site.house.clock(),
                request="req_1000",
                project=site.projects["ours"],
            )
        )
        if page["next"] is None:
            break
        page = asked(
            site, q="type:decision.made AND t>=-1h", limit=7, count="true", after=page["next"]
        )
        assert page["count"] == 60

    assert seen == list(range(59, -1, -1))


def test_facets_count_the_commonest_values_and_say_what_is_cut(site: Site) -> None:
    page = asked(
        site, q="type:decision.made AND index<80", facets="verdict,subject,reason", limit=1
    )

    verdicts = {one["value"]: one["count"] for one in page["facets"]["verdict"]["values"]}
    assert verdicts == {"allow": 30, "hold": 15, "block": 15}
    assert len(page["facets"]["subject"]["values"]) == 10
    assert page["facets"]["subject"]["other_values"] == 0
    assert page["facets"]["reason"]["values"] == [{"value": "likeness.no_grant", "count": 15}]


def test_nobody_but_an_operator_looks_into_another_project(site: Site) -> None:
    theirs = site.projects["theirs"]

    assert asked(site, q=f"project:{theirs}", count="true")["count"] == 0
    assert refused(site, 403, project=theirs)["error"]["code"] == "role_missing"
    assert refused(site, 403, project="all")["error"]["code"] == "role_missing"
    assert (
        asked(site, "operator", project=theirs, type="decision.made", count="true")["count"] == 10
    )
    every = asked(site, "operator", project="all", q="request:req_5 OR request:req_65")
    assert requests_of(every) == [65, 5]
    assert requests_of(asked(site, "other", type="decision.made")) == list(range(69, 59, -1))


def test_what_concerns_everybody_is_seen_from_every_project(site: Site) -> None:
    for who in ("auditor", "other"):
        page = asked(site, who, q="project:none AND type:policy.live")
        assert [one["type"] for one in page["data"]] == ["policy.live"]


def test_who_asks_about_a_person_is_in_the_log_once_and_the_person_is_not(site: Site) -> None:
    log = site.house.rooms.log
    before = len(log.entries(EntryFilter(type="audit.read", limit=1000)))

    page = asked(site, q="subject:lik_3 AND verdict:block", limit=2)
    asked(site, q="subject:lik_3 AND verdict:block", limit=2, after=page["next"])
    asked(site, verdict="block")
    asked(site, facets="actor", limit=1)
    reads = log.entries(EntryFilter(type="audit.read", limit=1000))

    assert len(reads) == before + 2
    assert reads[1].actor == site.actors["auditor"]
    assert reads[1].facts == {"by": ["subject"], "entries": 3, "tree_size": page["tree_size"]}
    assert reads[0].facts["by"] == ["actor"]
    assert b"lik_3" not in reads[1].leaf


def test_a_cursor_is_its_readers_own(site: Site) -> None:
    wanted = f"{ENTRIES}?actor=act_1&limit=5"
    first = site.call("GET", wanted, who="auditor").json()

    taken = site.call("GET", f"{wanted}&after={first['next']}", who="everything")

    assert taken.status_code == 400
    assert taken.json()["error"]["param"] == "after"


def test_a_plain_index_goes_on_too_but_is_a_new_question(site: Site) -> None:
    log = site.house.rooms.log
    before = len(log.entries(EntryFilter(type="audit.read", limit=1000)))
    page = asked(site, actor="act_1", limit=2)

    rest = asked(site, actor="act_1", after=page["last_index"])

    assert requests_of(rest)[0] < requests_of(page)[-1]
    assert len(log.entries(EntryFilter(type="audit.read", limit=1000))) == before + 2


@pytest.mark.parametrize(
    ("query", "position", "said"),
    [
        ("verdct:block", [0, 6], "did you mean verdict?"),
        ("verdict:block verdict:hold", [14, 26], "need AND or OR"),
        ("verdict:", [8, 8], "ends before a value"),
        ("actor:a*", [7, 8], "what follows a dot"),
    ],
)
def test_a_query_that_cannot_be_understood_is_told_where(
    site: Site, query: str, position: list[int], said: str
) -> None:
    wrong = refused(site, q=query)

    assert wrong["error"]["code"] == "query_invalid"
    assert wrong["error"]["param"] == "q"
    assert wrong["position"] == position
    assert said in wrong["detail"]


@pytest.mark.parametrize(
    ("params", "param", "said"),
    [
        ({"verdct": "block"}, "verdct", "Known are q, after, limit"),
        ({"q[]": "verdict:block"}, "q[]", "there is no such parameter"),
        ({"limit": "0"}, "limit", "Send 1 to 500"),
        ({"limit": "501"}, "limit", "Send 1 to 500"),
        ({"limit": "ten"}, "limit", "Send 1 to 500"),
        ({"order": "best"}, "order", "newest or oldest"),
        ({"count": "yes"}, "count", "false or true"),
        ({"facets": "request"}, "facets", "request has none"),
        ({"facets": "type,mode,stage,model,policy,verdict"}, "facets", "Ask for 5"),
        ({"t[gte]": "tomorrow"}, "t[gte]", "this is no time"),
        ({"t[gte]": "2026-11-01T00:00"}, "t[gte]", "no zone"),
        ({"actor": "a*"}, "actor", "what follows a dot"),
        ({"actor": "a\0b"}, "actor", "printable"),
        ({"actor": "e" * 300}, "actor", "over 200"),
        ({"actor": "é"}, "actor", "ASCII"),
        ({"q": ["a:b", "c:d"]}, "q", "there twice"),
        ({"type": ["x"] * 60}, "q", "too many"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(
    site: Site, params: dict[str, Any], param: str, said: str
) -> None:
    wrong = refused(site, **params)

    assert wrong["error"]["param"] == param
    assert said.lower() in wrong["detail"].lower()


def test_a_cursor_opens_nothing_but_its_own_next_page(site: Site) -> None:
    page = asked(site, verdict="block", limit=2)
    good = page["next"]
    head, _, mac = good.rpartition(".")
    forged = "1." + head.partition(".")[2] + "." + mac

    for text, start in (
        ("x", 0),
        ("1.2.3", 0),
        ("-1", 0),
        (f"1.2.{'9' * 17}.{'0' * 32}", 0),
        (forged, len(forged) - len(mac)),
        (f"{head}.{'0' * 32}", len(head) + 1),
    ):
        wrong = refused(site, verdict="block", limit=2, after=text)
        assert wrong["error"]["param"] == "after"
        assert wrong["position"] == [start, len(text)]
    others: list[dict[str, Any]] = [
        {"verdict": "hold"},
        {"verdict": "block", "order": "oldest"},
        {},
    ]
    for params in others:
        assert "another question" in refused(site, after=good, **params)["detail"]
    assert "another question" in refused(site, who="other", after=good, verdict="block")["detail"]
    assert asked(site, verdict="block", limit=5, after=good)["data"]


def test_a_story_is_told_within_the_project(site: Site) -> None:
    ours = site.call("GET", "/v1/audit/requests/req_3", "auditor")
    story = ours.json()

    assert ours.status_code == 200
    assert story["state"] == "decided"
    assert [one["title"] for one in story["events"]] == ["It is blocked"]
    assert story["events"][0]["proof_url"].endswith(f"/proofs/{story['events'][0]['index']}")
    assert site.call("GET", "/v1/audit/requests/req_3", "other").status_code == 404
    assert site.call("GET", "/v1/audit/requests/req_65", "operator").status_code == 404
    every = "/v1/audit/requests/req_65?project=all"
    assert site.call("GET", every, "operator").status_code == 200
    assert site.call("GET", every, "auditor").status_code == 403
    assert site.call("GET", "/v1/audit/requests/nothing", "auditor").status_code == 404
    assert site.call("GET", "/v1/audit/requests/req_3", "creator").status_code == 403
