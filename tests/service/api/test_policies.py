"""The policy book over HTTP: who may, what is refused and how, and that decisions follow."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.policy_book.changes import MAX_DOCUMENT_BYTES
from tests.service.api.site import PROMPT, SMALL, Site, a_site
from tests.service.policy_book.builders import a_document

BOOK = "/v1/policy/documents"
YAML = {"content-type": "application/yaml"}

# What stands before the thresholds of violence; those of other heads are the same.
VIOLENCE = b"sport or a stage.\n    thresholds:\n      default: "


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # Of its own: what is promoted here would decide in everybody's tests.
    with a_site(tmp_path_factory.mktemp("policies")) as opened:
        yield opened


@pytest.fixture
def calm(site: Site) -> Iterator[None]:
    """Leave the packaged policy live and nothing else standing."""
    yield
    for one in site.call("GET", BOOK, "auditor").json()["data"]:
        if one["state"] in {"canary", "shadow"}:
            site.call("POST", f"{BOOK}/{one['sha256']}/retire", "policy_author", json={})
    while site.call("POST", "/v1/policy/rollback", "operator", json={}).status_code == 200:
        pass


def drafted(site: Site, version: str, text: bytes = b"") -> str:
    made = site.call(
        "POST", BOOK, "policy_author", content=text or a_document(version), headers=YAML
    )
    assert made.status_code == 201, made.text
    return str(made.json()["sha256"])


def act(site: Site, sha256: str, what: str, who: str = "policy_author", **sent: Any) -> Any:  # noqa: ANN401 - httpx's reply
    return site.call("POST", f"{BOOK}/{sha256}/{what}", who, json=sent)


def approved(site: Site, version: str, text: bytes = b"") -> str:
    sha256 = drafted(site, version, text)
    assert act(site, sha256, "approve", "policy_approver").status_code == 200
    return sha256


def decision(site: Site, prompt: str = PROMPT) -> dict[str, Any]:
    made = site.call("POST", "/v1/policy/decisions", json={"prompt": prompt, **SMALL})
    assert made.status_code == 200, made.text
    return dict(made.json())


def test_a_draft_is_stored_with_a_receipt_and_read_back_byte_for_byte(site: Site) -> None:
    text = a_document("read back")
    made = site.call("POST", BOOK, "policy_author", json={"document": text.decode()}).json()

    read = site.call("GET", f"{BOOK}/{made['sha256']}", "auditor").json()

    assert made["state"] == "draft"
    assert made["author"] == site.actors["policy_author"]
    assert made["receipt"]["index"] >= 0
    assert read["document"].encode() == text
    assert [one["act"] for one in read["history"]] == ["drafted"]
    assert read["approved_by"] == []


@pytest.mark.usefixtures("calm")
def test_the_next_decision_is_by_the_policy_that_was_just_promoted(site: Site) -> None:
    sha256 = approved(site, "live now")
    before = decision(site)

    live = act(site, sha256, "promote", to="live")

    assert live.json()["state"] == "live"
    assert before["policy"]["sha256"] != sha256
    assert decision(site)["policy"]["sha256"] == sha256
    back = site.call("POST", "/v1/policy/rollback", "operator", json={"why": "missed_harm"})
    assert back.json()["sha256"] == before["policy"]["sha256"]
    assert decision(site)["policy"] == before["policy"]


@pytest.mark.usefixtures("calm")
def test_an_earlier_decision_is_shown_in_the_words_of_the_policy_that_made_it(site: Site) -> None:
    words = b"This looks like realistic violence against people."
    assert words in a_document("words")
    told = decision(site, "two men fight over a red ball on a green floor")
    sha256 = approved(site, "", a_document("words").replace(words, b"This policy has other words."))
    act(site, sha256, "promote", to="live")
    told_now = decision(site, "two men fight over a red ball on a green floor")

    shown = [
        site.call("GET", f"/v1/policy/decisions/{one['id']}").json() for one in (told, told_now)
    ]

    assert [one["reasons"][0]["message"] for one in shown] == [
        words.decode(),
        "This policy has other words.",
    ]


@pytest.mark.usefixtures("calm")
def test_a_shadow_says_what_it_would_and_decides_nothing(site: Site) -> None:
    stricter = a_document("stricter").replace(
        VIOLENCE + b"{hold: 0.15, block: 0.5}", VIOLENCE + b"{hold: 0.1, block: 0.2}"
    )
    sha256 = drafted(site, "", stricter)
    act(site, sha256, "promote", to="shadow")

    made = decision(site, "two men fight over a red ball on a green floor")
    read = site.call("GET", f"/v1/policy/decisions/{made['id']}").json()

    assert made["verdict"] == "hold"
    assert made["shadow"] == [
        {
            "version": "stricter",
            "sha256": sha256,
            "verdict": "block",
            "codes": ["filters.violence"],
            "differs": True,
        }
    ]
    assert read["shadow"] == made["shadow"]


@pytest.mark.usefixtures("calm")
def test_a_canary_of_everybody_decides_for_everybody(site: Site) -> None:
    sha256 = approved(site, "canary")

    assert act(site, sha256, "promote", to="canary", percent=100).json()["percent"] == 100
    assert decision(site)["policy"]["sha256"] == sha256


def test_an_author_may_not_approve_and_nothing_goes_live_without_it(site: Site) -> None:
    made = site.call("POST", BOOK, "everything", content=a_document("mine"), headers=YAML).json()

    own = act(site, made["sha256"], "approve", "everything")
    early = act(site, made["sha256"], "promote", "everything", to="live")

    assert (own.status_code, own.json()["error"]["code"]) == (403, "own_document")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_approved")


@pytest.mark.usefixtures("calm")
def test_who_looked_before_somebody_elses_change_is_told_so(site: Site) -> None:
    first, second = approved(site, "first"), approved(site, "second")
    seen = site.call("GET", BOOK, "auditor").json()["moves"]

    won = act(site, first, "promote", to="live", seen=seen)
    late = act(site, second, "promote", to="live", seen=seen)

    assert won.status_code == 200
    assert (late.status_code, late.json()["error"]["code"]) == (409, "overtaken")
    assert decision(site)["policy"]["sha256"] == first


def test_a_document_that_is_no_policy_is_refused_with_where(site: Site) -> None:
    text = a_document("x").replace(b"filters.gore", b"filters.goree")

    refused = site.call("POST", BOOK, "policy_author", content=text, headers=YAML)

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "policy_refused"
    assert "filters.goree" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\0",
        b"[" * 3000,
        b"- " * 3000,
        b"a: &a [*a]",
        b"id: x",
        a_document("a\\0b"),
        a_document("a\\nb"),
        a_document("x" * 101),
        b"x" * (MAX_DOCUMENT_BYTES + 1),
    ],
    ids=range(11),
)
def test_hostile_documents_are_a_400(site: Site, content: bytes) -> None:
    reply = site.call("POST", BOOK, "policy_author", content=content, headers=YAML)

    assert reply.status_code == 400, reply.text


@pytest.mark.parametrize(
    ("what", "sent"),
    [
        ("promote", {}),
        ("promote", {"to": "draft"}),
        ("promote", {"to": "canary"}),
        ("promote", {"to": "canary", "percent": 101}),
        ("promote", {"to": "canary", "percent": "5"}),
        ("promote", {"to": "shadow", "percent": 5}),
        ("promote", {"to": "shadow", "sean": 5}),
        ("promote", {"to": "shadow", "seen": -1}),
        ("promote", {"to": "shadow", "seen": 10**30}),
        ("retire", {"why": "x"}),
    ],
)
def test_a_field_that_does_not_fit_is_a_400(site: Site, what: str, sent: dict[str, Any]) -> None:
    sha256 = site.call("GET", BOOK, "auditor").json()["first_id"]

    assert act(site, sha256, what, **sent).status_code == 400


def test_what_is_not_in_the_book_is_a_404(site: Site) -> None:
    for path in ("0" * 64, "x", "0" * 63, "A" * 64):
        assert site.call("GET", f"{BOOK}/{path}", "auditor").status_code == 404
        assert act(site, path, "promote", to="shadow").status_code == 404
    assert site.call("GET", f"{BOOK}?after={'0' * 64}", "auditor").status_code == 404


def test_documents_are_listed_page_by_page_newest_first(site: Site) -> None:
    names = [drafted(site, f"page {number}") for number in range(3)]

    first = site.call("GET", f"{BOOK}?limit=2", "auditor").json()
    second = site.call("GET", f"{BOOK}?limit=2&after={first['last_id']}", "auditor").json()
    drafts = site.call("GET", f"{BOOK}?state=live", "auditor").json()

    assert [one["sha256"] for one in first["data"]] == names[:0:-1]
    assert first["has_more"]
    assert second["first_id"] == names[0]
    assert [one["state"] for one in drafts["data"]] == ["live"]


def test_only_the_role_named_for_it_writes(site: Site) -> None:
    for who in ("creator", "auditor", "admin", "policy_approver"):
        reply = site.call("POST", BOOK, who, content=a_document("role"), headers=YAML)

        assert reply.status_code == 403
    live = site.call("GET", f"{BOOK}?state=live", "auditor").json()["first_id"]
    assert act(site, live, "approve", "policy_author").status_code == 403


def test_a_difference_is_told_in_sentences(site: Site) -> None:
    text = a_document("diff").replace(
        VIOLENCE + b"{hold: 0.15, block: 0.5}", VIOLENCE + b"{hold: 0.1, block: 0.2}"
    )
    sha256 = drafted(site, "", text)

    told = site.call("GET", f"{BOOK}/{sha256}/diff", "auditor").json()

    assert told["new"]["sha256"] == sha256
    assert told["changes"]
    assert {"sentence", "direction"} == set(told["changes"][0])
    same = site.call("GET", f"{BOOK}/{sha256}/diff?against={sha256}", "auditor").json()
    assert same["changes"] == []
