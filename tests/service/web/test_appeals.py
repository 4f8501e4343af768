"""Appealing from the page of a refused request, without a script."""

import pytest
from starlette.testclient import TestClient

from service.appealing import Appealing
from tests.service.api.site import Site
from tests.service.web.test_pages import HERE, asked, signed_in

REFUSED = "a nude red ball falls on a green floor"
WHY = "A ball <b>wears</b> nothing."


@pytest.fixture
def browser(site: Site) -> TestClient:
    return signed_in(site, TestClient(site.app, follow_redirects=False))


def appealed(browser: TestClient, page: str, why: str = WHY, **headers: str) -> str:
    reply = browser.post(f"{page}/appeal", files={"why": (None, why)}, headers=headers or HERE)
    assert reply.status_code == 303, reply.text
    return str(reply.headers["location"])


def test_an_appeal_is_sent_from_the_page_and_its_answer_read_there(
    site: Site, browser: TestClient
) -> None:
    page = asked(browser, REFUSED)
    before = browser.get(page).text

    appeal = appealed(browser, page)
    waiting = browser.get(appeal).text
    mods = Appealing(site.house.rooms, site.actors["moderator"], site.projects["ours"])
    mods.dismiss(appeal.rpartition("/")[2], "A ball is not a person, but that is the rule.")
    answered = browser.get(appeal).text
    after = browser.get(page).text

    assert f'action="{page}/appeal"' in before
    assert "○</span> Appealed" in waiting
    assert "A ball &lt;b&gt;wears&lt;/b&gt; nothing." in waiting
    assert "Dismissed" in answered
    assert "that is the rule" in answered
    assert f'<a href="{appeal}">' in after
    assert "<textarea" not in after


def test_an_upheld_appeal_says_what_to_do_next(site: Site, browser: TestClient) -> None:
    page = asked(browser, f"{REFUSED} slowly")
    appeal = appealed(browser, page)
    mods = Appealing(site.house.rooms, site.actors["moderator"], site.projects["ours"])

    mods.uphold(appeal.rpartition("/")[2], "You are right.")

    assert "send it once more" in browser.get(appeal).text
    assert "Your appeal was upheld." in browser.get(page).text
    assert "In line" in browser.get(asked(browser, f"{REFUSED} slowly")).text


@pytest.mark.parametrize("why", ["", "   ", "x" * 4001, "a\x00b"])
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(browser: TestClient, why: str) -> None:
    page = asked(browser, f"{REFUSED} again")

    reply = browser.post(f"{page}/appeal", files={"why": (None, why)}, headers=HERE)

    assert reply.status_code == 400
    assert 'role="alert"' in reply.text
    assert f'action="{page}/appeal"' in reply.text
    assert why.strip("\x00 ") in reply.text


def test_a_second_appeal_is_refused_with_a_sentence(browser: TestClient) -> None:
    page = asked(browser, f"{REFUSED} twice")
    appealed(browser, page)

    again = browser.post(
        f"{page}/appeal", files={"why": (None, WHY)}, headers={**HERE, "accept": "text/html"}
    )

    assert again.status_code == 409
    assert "is against this decision" in again.text


def test_nobody_appeals_from_another_site_or_for_somebody_else(
    site: Site, browser: TestClient
) -> None:
    page = asked(browser, f"{REFUSED} quickly")
    form = {"why": (None, WHY)}
    cross = browser.post(f"{page}/appeal", files=form, headers={"origin": "https://evil.example"})
    for who, status in (("other", 404), ("everything", 404), ("auditor", 403)):
        stranger = signed_in(site, TestClient(site.app, follow_redirects=False), who)
        assert stranger.post(f"{page}/appeal", files=form, headers=HERE).status_code == status
    nobody = TestClient(site.app, follow_redirects=False)
    out = nobody.post(f"{page}/appeal", files=form, headers=HERE)
    appeal = appealed(browser, page)

    assert (cross.status_code, out.status_code) == (403, 401)
    assert signed_in(site, nobody, "everything").get(appeal).status_code == 404
    colleague = nobody.get(page).text
    assert "<textarea" not in colleague
    assert browser.get("/appeals/apl_00000000000000000000000000").status_code == 404
