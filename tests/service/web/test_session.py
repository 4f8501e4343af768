"""Whose cookie, from which page: over TLS, behind a proxy, from a browser that says little."""

import dataclasses
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.web.session import COOKIE, SECURE_COOKIE
from tests.service.api.site import Site

OURS = "https://films.example"
SAME, NONE = {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}


@pytest.fixture
def over_tls(site: Site) -> Iterator[TestClient]:
    state = site.app.state.state
    plain = state.house
    settings = plain.settings.model_copy(update={"public_url": OURS})
    state.house = dataclasses.replace(plain, settings=settings)
    # As behind a proxy: its own name in Host.
    yield TestClient(site.app, base_url="https://127.0.0.1:8000", follow_redirects=False)
    state.house = plain


def sent(client: TestClient, key: str, headers: dict[str, str]) -> int:
    return client.post("/sign-in", files={"key": (None, key)}, headers=headers).status_code


def test_over_tls_the_cookie_is_of_this_host_alone(site: Site, over_tls: TestClient) -> None:
    reply = over_tls.post(
        "/sign-in", files={"key": (None, site.keys["creator"])}, headers={"origin": OURS}
    )

    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=")
    assert "; Secure" in cookie
    assert "; Path=/" in cookie
    assert "Domain" not in cookie
    assert "Your requests" in over_tls.get("/").text


def test_over_tls_a_cookie_that_a_neighbour_could_plant_is_not_read(
    site: Site, over_tls: TestClient
) -> None:
    sent(over_tls, site.keys["creator"], SAME)
    good = over_tls.cookies[SECURE_COOKIE]
    planted = TestClient(site.app, base_url="https://127.0.0.1:8000", cookies={COOKIE: good})

    assert "API key" in planted.get("/").text


def test_signing_out_takes_back_the_cookie_that_was_set(site: Site, over_tls: TestClient) -> None:
    sent(over_tls, site.keys["creator"], SAME)

    reply = over_tls.post("/sign-out", headers=SAME)

    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f'{SECURE_COOKIE}=""')
    assert "Max-Age=0" in cookie
    assert "; Secure" in cookie
    assert "API key" in over_tls.get("/").text


def test_signing_in_again_replaces_whatever_session_there_was(site: Site) -> None:
    browser = TestClient(site.app, follow_redirects=False)
    browser.cookies.set(COOKIE, "planted.by-somebody")

    reply = browser.post("/sign-in", files={"key": (None, site.keys["creator"])}, headers=SAME)

    assert reply.headers["set-cookie"].startswith(f"{COOKIE}=")
    assert "planted" not in reply.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers",
    [SAME, NONE, {"origin": OURS}, {**SAME, "origin": "https://127.0.0.1:8000"}],
    ids=["same", "typed", "origin", "proxied"],
)
def test_a_page_of_ours_may_send_a_form(
    site: Site, over_tls: TestClient, headers: dict[str, str]
) -> None:
    assert sent(over_tls, site.keys["creator"], headers) == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null", "host": ""},
        {"origin": "http://films.example"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": f"{OURS}.evil.example"},
        {"origin": OURS.upper() + "@evil.example"},
        {"origin": OURS, "sec-fetch-site": "cross-site"},
        {"origin": OURS, "sec-fetch-site": "same-site"},
        {"origin": OURS, "sec-fetch-site": ""},
        {"referer": f"{OURS}/"},
    ],
    ids=str,
)
def test_another_page_may_not(site: Site, over_tls: TestClient, headers: dict[str, str]) -> None:
    assert sent(over_tls, site.keys["creator"], headers) == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://10.0.0.5:8000", 303), ("https://10.0.0.5:8000", 403), ("http://evil.example", 403)],
)
def test_without_tls_the_origin_is_the_host_that_was_asked(
    site: Site, origin: str, status: int
) -> None:
    browser = TestClient(site.app, base_url="http://10.0.0.5:8000", follow_redirects=False)

    assert sent(browser, site.keys["creator"], {"origin": origin}) == status
