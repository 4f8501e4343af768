"""What somebody sends who means harm: it costs little, changes nothing and tells nothing."""

import json
import time

import pytest

from filters.finding import FilterError
from service.api.fields import MAX_TEXT_CHARACTERS, read
from service.request import BadRequest
from tests.service.api.site import PROMPT, SMALL, Site

SHAPELESS = ["%00", "x%00y", "lik_%ff", "..%2f..%2fkeys", "x" * 500, "a_%E2%80%AE"]
PATHS = [
    ("GET", "/v1/videos/{}", "creator"),
    ("GET", "/v1/videos/{}/content", "creator"),
    ("DELETE", "/v1/videos/{}", "creator"),
    ("GET", "/v1/policy/decisions/{}", "creator"),
    ("GET", "/v1/reviews/{}", "moderator"),
    ("POST", "/v1/reviews/{}/clear", "moderator"),
    ("DELETE", "/v1/likenesses/{}", "likeness_owner"),
    ("GET", "/v1/likenesses/{}/uses", "likeness_owner"),
    ("DELETE", "/v1/grants/{}", "likeness_owner"),
    ("DELETE", "/v1/claims/{}", "rights_holder"),
    ("GET", "/v1/audit/entries/{}", "auditor"),
    ("GET", "/v1/audit/proofs/{}", "auditor"),
]


@pytest.mark.parametrize(("method", "path", "who"), PATHS, ids=str)
@pytest.mark.parametrize("shapeless", SHAPELESS, ids=range(len(SHAPELESS)))
def test_what_is_no_id_is_not_there_and_not_repeated(
    site: Site, method: str, path: str, who: str, shapeless: str
) -> None:
    reply = site.call(method, path.format(shapeless), who, content=b"{}")

    assert reply.status_code == 404
    assert "x" * 40 not in reply.text
    assert "\\u0000" not in reply.text


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/v1/audit/entries?after={}", "auditor"),
        ("/v1/claims?after={}", "rights_holder"),
        ("/v1/policy/decisions?after={}", "creator"),
    ],
)
def test_a_number_beyond_the_databases_is_refused(site: Site, path: str, who: str) -> None:
    for number in (2**63, 10**30, -1):
        assert site.call("GET", path.format(number), who).status_code == 400


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/v1/audit/entries?type={}", "auditor"),
        ("/v1/audit/entries?actor={}", "auditor"),
        ("/v1/policy/decisions?request={}", "creator"),
        ("/v1/reviews?after={}", "moderator"),
        ("/v1/videos?after={}", "creator"),
    ],
)
@pytest.mark.parametrize("text", ["%00", "%ff%fe", "x" * 300])
def test_a_query_holds_printable_words_only(site: Site, path: str, who: str, text: str) -> None:
    assert site.call("GET", path.format(text), who).status_code in {400, 404}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_outside_of_the_calendar_is_refused(site: Site, moment: str) -> None:
    claim = {"work": "w", "kind": "title", "action": "block", "basis": "copyright"}
    aliases = {"aliases": ["Zorblaxia"]}
    replies = [
        site.call("POST", "/v1/claims", "rights_holder", json={**claim, **aliases, **one})
        for one in ({"valid_from": moment}, {"valid_until": moment})
    ]
    grant = {"likeness": "lik_" + "0" * 24, "to": "*", "until": moment}
    replies.append(site.call("POST", "/v1/grants", "likeness_owner", json=grant))
    uses = f"/v1/likenesses/lik_{'0' * 24}/uses"
    replies.append(site.call("GET", uses, "likeness_owner", params={"before": moment}))

    assert [reply.status_code for reply in replies] == [400] * 4


def test_anothers_claim_is_answered_like_one_that_never_was(site: Site) -> None:
    sent = {
        "work": "Quixhollow", "kind": "title", "action": "block", "basis": "copyright",
        "aliases": ["Quixhollow"],
    }  # fmt: skip
    real = site.call("POST", "/v1/claims", "everything", json=sent).json()["id"]
    invented = real[:-1] + ("0" if real[-1] != "0" else "1")

    told = [site.call("DELETE", f"/v1/claims/{one}", "other").json() for one in (real, invented)]

    assert told[0]["error"] == told[1]["error"]


def test_a_method_that_nobody_knows_makes_no_label(site: Site) -> None:
    for number in range(3):
        assert site.client.request(f"ODD{number}", "/v1/models").status_code == 405

    text = site.call("GET", "/metrics", "operator").text
    assert "ODD" not in text
    assert "ODD" not in site.said.getvalue()


def test_no_redirect_repeats_the_host_that_was_sent(site: Site) -> None:
    reply = site.call(
        "GET", "/v1/videos/", headers={"host": "evil.example"}, follow_redirects=False
    )

    assert reply.status_code == 404
    assert "evil.example" not in str(reply.headers) + reply.text


def test_an_endless_length_is_refused_like_a_large_one(site: Site) -> None:
    reply = site.call("POST", "/v1/videos", content=b"{}", headers={"content-length": "9" * 5000})

    assert reply.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"[]," * 2_000_000 + b"[]]}",
        b'{"likenesses":[' + b"1," * 4_000_000 + b"1]}",
        b'{"prompt":"' + b"a" * 8_000_000 + b'"}',
        b"[" * 1_000_000,
        b'{"prompt":' * 100_000,
        b'{"prompt":' + b"9" * 100_000 + b"}",
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
        + b"a" * 8_000_000
        + b"\r\n--b--\r\n",
    ],
    ids=["lists", "numbers", "text", "depth", "objects", "digits", "part"],
)
def test_a_huge_body_is_refused_at_little_cost(body: bytes) -> None:
    started = time.process_time()

    with pytest.raises(BadRequest):
        read(body, "").text("prompt")

    # Megabytes are counted in milliseconds; built as objects they cost seconds and gigabytes.
    assert time.process_time() - started < 0.25


def test_a_text_may_be_as_long_as_a_prompt_in_escapes() -> None:
    prompt = "𝕏, " * 10_000

    assert read(json.dumps({"prompt": prompt}).encode(), "").text("prompt") == prompt
    assert len(prompt) < MAX_TEXT_CHARACTERS


def test_a_key_that_names_itself_is_not_repeated_in_the_log(site: Site) -> None:
    site.call("POST", "/v1/videos", json={"a secret wish": "x", **SMALL})
    site.call("GET", "/v1/videos?after=a_secret_wish")
    site.call("POST", "/v1/videos", json={"prompt": PROMPT, "size": "a secret wish"})

    assert "secret" not in site.said.getvalue()


def test_every_private_answer_says_that_nobody_may_keep_it(site: Site, released: str) -> None:
    paths = [
        "/v1/videos",
        f"/v1/videos/{released}",
        f"/v1/videos/{released}/content",
        f"/v1/videos/{released}/content?variant=thumbnail",
        "/v1/policy/decisions",
        "/v1/no/such/thing",
    ]

    for path in paths:
        assert "no-store" in site.call("GET", path).headers["cache-control"], path


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-0," * 500 + "1-1", "bytes=" + "9" * 400 + "-", "bytes=--1", "bytes=٣-٤", "lines=0-1"],
    ids=["many", "digits", "minus", "arabic", "unit"],
)
def test_an_abused_range_gets_the_whole_film_once(site: Site, released: str, wanted: str) -> None:
    path = f"/v1/videos/{released}/content"
    whole = site.call("GET", path).content

    reply = site.client.get(path, headers=raw(site, "range", wanted.encode()))

    assert (reply.status_code, reply.content) == (200, whole)


@pytest.mark.parametrize("key", [b"k" * 256, b"k\xe9", b"\xff", b"a\x7f"])
def test_an_idempotency_key_is_short_printable_ascii(site: Site, key: bytes) -> None:
    reply = site.client.post(
        "/v1/videos",
        json={"prompt": PROMPT, **SMALL},
        headers=raw(site, "idempotency-key", key),
    )

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "Idempotency-Key"


def test_the_request_id_is_ours_whatever_the_client_calls_it(site: Site) -> None:
    reply = site.call("GET", "/v1/models", headers={"x-request-id": "evil"})

    assert reply.headers["x-request-id"].startswith("req_")
    assert "evil" not in site.said.getvalue()


def test_a_burst_of_readiness_questions_is_answered_from_one_look(site: Site) -> None:
    readiness = site.app.state.state.readiness
    before = site.client.get("/readyz").status_code

    readiness.keep_s, site.words.broken = 60.0, FilterError("gone")
    try:
        remembered = [site.client.get("/readyz").status_code for _ in range(5)]
        readiness.keep_s = 0.0
        looked = site.client.get("/readyz").status_code
    finally:
        readiness.keep_s, site.words.broken = 0.0, None

    assert (before, set(remembered), looked) == (200, {200}, 503)


def raw(site: Site, name: str, value: bytes) -> dict[bytes, bytes]:
    return {b"authorization": f"Bearer {site.keys['creator']}".encode(), name.encode(): value}
