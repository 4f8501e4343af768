import re

import pytest
from starlette.testclient import TestClient

from service import accounts
from service.accounts import NewKey, Role
from service.database import Database
from service.web.pages import _STYLE
from service.web.rendering import page as rendered
from service.web.session import COOKIE, LASTS
from tests.service.api.site import PROMPT, SMALL, Site
from tests.service.api.test_errors import another_house

HERE = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}


@pytest.fixture
def browser(site: Site) -> TestClient:
    # Not entered: the site's own client has started the application.
    return TestClient(site.app, follow_redirects=False)


def signed_in(site: Site, browser: TestClient, who: str = "creator") -> TestClient:
    reply = browser.post("/sign-in", files={"key": (None, site.keys[who])}, headers=HERE)
    assert reply.status_code == 303, reply.text
    return browser


def asked(browser: TestClient, prompt: str, **sent: str) -> str:
    fields = {"prompt": prompt, **SMALL, "likenesses": "", **sent}
    parts = {name: (None, value) for name, value in fields.items()}
    reply = browser.post("/requests", files=parts, headers=HERE)
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


def test_a_stranger_is_shown_the_way_in(browser: TestClient) -> None:
    reply = browser.get("/")

    assert reply.status_code == 200
    assert '<label for="key">' in reply.text
    assert "Sign out" not in reply.text


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    site: Site, browser: TestClient
) -> None:
    reply = browser.post("/sign-in", files={"key": (None, site.keys["creator"])}, headers=HERE)

    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert site.keys["creator"] not in cookie
    assert "Your requests" in browser.get("/").text


def test_a_wrong_key_does_not_sign_in(browser: TestClient) -> None:
    reply = browser.post("/sign-in", files={"key": (None, "impr_live_x")}, headers=HERE)

    assert reply.status_code == 401
    assert 'role="alert"' in reply.text
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
        {},
    ],
    ids=["cross-site", "origin", "same-site", "null", "silent"],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/requests"])
def test_a_form_from_another_site_is_refused(
    site: Site, browser: TestClient, headers: dict[str, str], path: str
) -> None:
    signed_in(site, browser)

    reply = browser.post(path, files={"prompt": (None, PROMPT)}, headers=headers)

    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == "cross_site"


def test_a_forged_or_old_or_revoked_session_is_nobody(site: Site, browser: TestClient) -> None:
    now = site.house.clock()
    project = site.projects["ours"]
    with site.house.rooms.database.transaction() as conn:
        issued = accounts.create_key(
            conn, NewKey(site.actors["creator"], project, frozenset({Role.CREATOR})), now
        )
    site.keys["passing"] = issued.secret
    signed_in(site, browser, "passing")
    good = browser.cookies[COOKIE]
    head, _, tail = good.partition(".")
    for forged in (f"{head}x.{tail}", f"{head}.{tail[::-1]}", head, "", "é.é", "a" * 900):
        stranger = TestClient(site.app)
        reply = stranger.get("/", headers={b"cookie": f"{COOKIE}={forged}".encode()})
        assert "API key" in reply.text, forged

    with site.house.rooms.database.transaction() as conn:
        accounts.revoke(conn, project, issued.key.id, now)

    assert "API key" in browser.get("/").text


def test_a_session_ends(site: Site, browser: TestClient) -> None:
    signed_in(site, browser)
    before = browser.get("/").text

    site.house.clock.forward(seconds=LASTS.total_seconds() + 60)

    assert "Your requests" in before
    assert "API key" in browser.get("/").text


def test_a_request_is_watched_and_its_film_seen(site: Site, browser: TestClient) -> None:
    signed_in(site, browser)
    page = asked(browser, PROMPT)

    waiting = browser.get(page).text
    site.work()
    done = browser.get(page).text
    film = browser.get(f"{page}/film", headers={"range": "bytes=4-7"})

    assert '<meta http-equiv="refresh"' in waiting
    assert "<progress" in waiting
    assert '<meta http-equiv="refresh"' not in done
    assert f'<video controls preload="metadata" src="{page}/film"' in done
    assert done.count("✓ ") >= 11
    assert "Signed checkpoint" in done
    assert (film.status_code, film.content) == (206, b"ftyp")
    assert page in browser.get("/").text


def test_a_refusal_says_which_rule_what_was_seen_and_what_to_change(
    site: Site, browser: TestClient
) -> None:
    signed_in(site, browser)

    text = browser.get(asked(browser, PROMPT + " by a nude model")).text

    assert "✕ block" in text
    assert "filters/sexual" in text
    assert "0.97 where block begins at" in text
    assert "Leave out nudity" in text


def test_a_held_request_says_that_a_person_looks(site: Site, browser: TestClient) -> None:
    signed_in(site, browser)

    text = browser.get(asked(browser, "two men fight over a red ball on a green floor")).text

    assert '<span aria-hidden="true">‖</span> Held' in text
    assert "A person has to look at this first" in text
    assert "/appeal" not in text


def test_a_wrong_field_keeps_what_was_typed_and_names_the_way_out(
    site: Site, browser: TestClient
) -> None:
    signed_in(site, browser)
    parts = {"prompt": (None, "a <b>red</b> ball"), "seconds": (None, "99")}

    reply = browser.post("/requests", files=parts, headers=HERE)

    assert reply.status_code == 400
    assert 'role="alert"' in reply.text
    assert "Use a whole number from 1 to 20" in reply.text
    assert "a &lt;b&gt;red&lt;/b&gt; ball" in reply.text


def test_another_projects_request_and_a_role_too_few_see_nothing(
    site: Site, browser: TestClient
) -> None:
    page = asked(signed_in(site, browser), PROMPT)
    stranger = signed_in(site, TestClient(site.app, follow_redirects=False), "other")
    auditor = signed_in(site, TestClient(site.app, follow_redirects=False), "auditor")

    assert stranger.get(page).status_code == 404
    assert stranger.get(f"{page}/film").status_code == 404
    assert auditor.get(page).status_code == 403
    assert TestClient(site.app).get(f"{page}/film").status_code == 401


def test_pages_have_a_strict_policy_and_load_nothing_from_elsewhere(
    site: Site, browser: TestClient
) -> None:
    signed_in(site, browser)
    page = asked(browser, PROMPT)

    for path in ("/", page):
        reply = browser.get(path)
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', reply.text)
        assert "<script" not in reply.text
        assert "style=" not in reply.text


def test_a_person_reads_an_error_as_a_page_and_a_program_as_a_problem(
    site: Site, browser: TestClient
) -> None:
    for path, status in (("/requests/nope", 404), ("/nowhere", 404)):
        signed_in(site, browser)
        person = browser.get(path, headers={"accept": "text/html,*/*;q=0.8"})
        program = browser.get(path)

        assert (person.status_code, program.status_code) == (status, status)
        assert "<h1>This is not here</h1>" in person.text
        assert person.headers["content-security-policy"].startswith("default-src 'none'")
        assert person.headers["x-request-id"] in person.text
        assert program.json()["error"]["code"] == "not_found"
    api = browser.get("/v1/videos", headers={"accept": "text/html"})
    assert api.json()["error"]["code"] == "invalid_api_key"


def test_a_page_says_when_the_database_is_away(site: Site, browser: TestClient) -> None:
    signed_in(site, browser)
    away = Database("sqlite:////nowhere/at/all.sqlite3")

    with another_house(site, database=away):
        reply = browser.get("/", headers={"accept": "text/html"})

    assert reply.status_code == 503
    assert "Nothing was decided and nothing was changed; try again." in reply.text
    assert reply.headers["retry-after"] == "5"


def test_the_words_that_a_rule_met_are_marked_and_the_way_on_is_shown(
    site: Site, browser: TestClient
) -> None:
    signed_in(site, browser)
    page = asked(browser, f"{PROMPT} by @no_one_here & a nude model")

    text = browser.get(page).text
    again = browser.get(page.replace("/requests/", "/?again=")).text

    assert "by <mark>@no_one_here</mark> &amp; a nude model</p>" in text
    assert "<mark>@no_one_here</mark> in the prompt" in text
    assert f'action="{page}/appeal"' in text
    assert "@no_one_here &amp; a nude model" in again
    assert "<option selected>256x256</option>" in again


def test_a_request_of_somebody_else_is_nothing_to_begin_from(
    site: Site, browser: TestClient
) -> None:
    page = asked(signed_in(site, browser), PROMPT)
    for who in ("other", "everything"):
        stranger = signed_in(site, TestClient(site.app, follow_redirects=False), who)

        assert stranger.get(page.replace("/requests/", "/?again=")).status_code == 404


def test_a_key_without_the_role_is_told_so_and_shown_no_form(
    site: Site, browser: TestClient
) -> None:
    text = signed_in(site, browser, "auditor").get("/").text

    assert "<textarea" not in text
    assert "needs the role creator" in text


def test_a_stranger_may_send_little(browser: TestClient) -> None:
    reply = browser.post("/sign-in", files={"key": (None, "x" * 20_000)}, headers=HERE)

    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "too_large"


def test_every_field_has_a_label(site: Site, browser: TestClient) -> None:
    signed_in(site, browser)

    pages = [browser.get("/").text, bytes(rendered("sign_in.html", wrong=True).body).decode()]

    for text in pages:
        fields = re.findall(r'<(?:input|textarea|select)[^>]* id="([^"]+)"', text)
        assert fields
        assert all(f'<label for="{field}"' in text for field in fields)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("ink", 4.5), ("muted", 4.5), ("link", 4.5), ("stop", 4.5), ("wait", 4.5), ("go", 4.5),
        ("line", 3.0),
    ],
)  # fmt: skip
def test_every_colour_has_contrast_enough_on_paper(name: str, least: float) -> None:
    tokens = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", _STYLE.read_text()))

    assert contrast(tokens[name], tokens["paper"]) >= least


def test_marked_words_can_be_read() -> None:
    tokens = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", _STYLE.read_text()))

    assert contrast(tokens["ink"], tokens["seen"]) >= 4.5


def contrast(first: str, second: str) -> float:
    lights = sorted(luminance(one) for one in (first, second))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
