"""Every error becomes one body that both worlds read, and none becomes "fine"."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import filters
import likeness
import rightsholders
from filters.finding import FilterError
from likeness.faces import LikenessError
from rightsholders.claims import RightsError
from service import jobs, reviews, vault
from service.api.errors import KNOWN, InProgress, problem_of
from service.api.problems import answered
from service.audit.errors import AuditError, LogTampered, NotAcknowledged
from service.database import Database, DatabaseUnavailable
from service.media.errors import Code, MediaError
from service.request import BadRequest
from service.wiring import House
from tests.service.api.site import PROMPT, SMALL, Site

BASES = (FilterError, LikenessError, RightsError, AuditError, reviews.ReviewError, vault.VaultError)


def leaves(base: type[Exception]) -> list[type[Exception]]:
    return [leaf for one in base.__subclasses__() for leaf in (one, *leaves(one))]


def every_leaf() -> list[type[Exception]]:
    for package in (filters, likeness, rightsholders):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("train", "minilm_export")):
                importlib.import_module(module.name)
    return [leaf for base in BASES for leaf in (base, *leaves(base))]


@pytest.mark.parametrize("leaf", every_leaf(), ids=lambda leaf: leaf.__qualname__)
def test_every_leaf_of_every_room_has_a_line_in_the_map(leaf: type[Exception]) -> None:
    assert issubclass(leaf, KNOWN)


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("locked", "wait"),
        LogTampered("the tree is not the one that was signed"),
        NotAcknowledged("late"),
        FilterError("no model"),
        LikenessError("no index"),
        RightsError("no index"),
        vault.VaultFull("free space"),
        MediaError(Code.NOT_WRITTEN, "The disk is full."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_out_of_order_is_a_503_that_can_be_tried_again(error: Exception) -> None:
    problem = problem_of(error)

    assert problem.status == 503
    assert problem.headers["retry-after"]
    assert "Nothing was decided" in problem.message
    assert "tree" not in problem.message


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadRequest("size", "unknown_size", "it is odd.", "Use 1x1."), 400, "unknown_size"),
        (jobs.UnknownJob("video_x"), 404, "not_found"),
        (jobs.IdempotencyConflict("video_x"), 422, "idempotency_key_reused"),
        (InProgress(), 409, "in_progress"),
        (reviews.OwnRequest("rev_x"), 403, "own_request"),
        (MediaError(Code.BROKEN, "It is damaged."), 400, "broken"),
        (RuntimeError("the prompt was: a secret"), 500, "internal"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_each_error_has_its_status_and_its_word(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.message


def test_one_body_serves_rfc_9457_and_openais_client() -> None:
    reply = answered(problem_of(jobs.UnknownJob("video_x")), "req_1")

    assert reply.media_type == "application/problem+json"
    for member in (b'"type"', b'"title"', b'"status"', b'"detail"', b'"instance"', b'"error"'):
        assert member in reply.body


@contextmanager
def another_house(site: Site, **rooms: object) -> Iterator[None]:
    state = site.app.state.state
    whole = state.house
    state.house = House(whole.settings, dataclasses.replace(whole.rooms, **rooms), whole.owner)
    try:
        yield
    finally:
        state.house = whole


def test_without_a_database_nothing_is_decided_and_the_site_is_not_ready(site: Site) -> None:
    with another_house(site, database=Database("sqlite:////nowhere/at/all.sqlite3")):
        decision = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT})
        video = site.call("POST", "/v1/videos", json={"prompt": PROMPT, **SMALL})
        ready = site.client.get("/readyz")

    for reply in (decision, video):
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "5"
        assert "verdict" not in reply.text
    assert ready.status_code == 503
    assert "database" in ready.json()["missing"]


def test_an_error_nobody_thought_of_says_nothing_about_its_cause(site: Site) -> None:
    site.words.broken = RuntimeError("the prompt was: a secret")
    try:
        reply = site.call("POST", "/v1/policy/decisions", json={"prompt": PROMPT})
    finally:
        site.words.broken = None

    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal"
    assert "secret" not in reply.text
    assert "secret" not in site.said.getvalue()
    assert "RuntimeError" in site.said.getvalue()


def test_an_address_that_leads_nowhere_and_a_wrong_method_are_problems_too(site: Site) -> None:
    for method, path, status in (("GET", "/v2/videos", 404), ("PATCH", "/v1/videos", 405)):
        reply = site.call(method, path)

        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["error"]["message"]


def test_a_wrong_filter_in_an_address_is_a_400_and_named(site: Site) -> None:
    reply = site.call("GET", "/v1/videos", params={"limit": "1000"})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "limit"


@pytest.mark.parametrize("broken", [FilterError("gone")], ids=str)
def test_the_site_says_by_name_what_is_not_ready(site: Site, broken: Exception) -> None:
    before = site.client.get("/readyz")

    site.words.broken = broken
    try:
        after = site.client.get("/readyz")
    finally:
        site.words.broken = None

    assert (before.status_code, before.json()["missing"]) == (200, [])
    assert (after.status_code, after.json()["missing"]) == (503, ["models"])
    assert site.client.get("/healthz").json() == {"status": "alive"}


def test_metrics_have_few_labels_and_nothing_typed(site: Site) -> None:
    site.client.get("/no/such/page/at/all")
    site.call("POST", "/v1/policy/decisions", json={"prompt": "a nude model"})

    text = site.call("GET", "/metrics", "operator").text

    assert 'imprimatur_decisions_total{gate="filters",verdict="block"}' in text
    assert 'route="/v1/policy/decisions"' in text
    assert "no/such/page" not in text
    assert "video_" not in text
