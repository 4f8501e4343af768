"""The page in a real browser, with the keyboard only."""

from collections.abc import Iterator

import pytest

from tests.journeys import chromium
from tests.journeys.chromium import Page
from tests.journeys.conftest import Served
from tests.service.api.site import PROMPT

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"
SMALL_TARGETS = """[...document.querySelectorAll('a:not(.skip), button, input, select, summary')]
  .filter(e => e.getClientRects().length && getComputedStyle(e).display !== 'inline')
  .filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML)"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if chromium.PROGRAM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with chromium.opened(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def signed_in(page: Page, served: Served) -> Page:
    page.said.clear()
    page.go(served.base_url)
    page.wait("document.querySelector('#key') || document.querySelector('#prompt')")
    if page.sees("!!document.querySelector('#key')"):
        page.tab_to("#key")
        page.type(served.site.keys["creator"])
        page.press("Enter")
    page.wait("!!document.querySelector('#prompt')")
    return page


def ask(page: Page, prompt: str) -> None:
    page.tab_to("#prompt")
    page.type(prompt)
    page.tab_to("#seconds")
    page.sees("document.activeElement.select()")
    page.type("1")
    page.tab_to("main form button")
    page.press("Enter")
    page.wait("!!document.querySelector('h1.standing')")


def complaints(page: Page, served: Served) -> list[object]:
    """Return console errors, violations of the policy, and requests to anywhere else."""
    # The player draws its own buttons from data: addresses, which ask nobody.
    ours = (f"{served.base_url}/", "data:")
    return [
        *page.events("Runtime.exceptionThrown"),
        *page.events("Log.entryAdded", lambda one: one["entry"]["level"] == "error"),
        *page.events("Runtime.consoleAPICalled", lambda one: one["type"] == "error"),
        *page.events(
            "Audits.issueAdded",
            lambda one: one["issue"]["code"] == "ContentSecurityPolicyIssue",
        ),
        *page.events(
            "Network.requestWillBeSent", lambda one: not one["request"]["url"].startswith(ours)
        ),
    ]


def test_sign_in_ask_and_watch_with_the_keyboard_alone(signed_in: Page, served: Served) -> None:
    ask(signed_in, PROMPT)

    signed_in.wait("document.querySelector('h1').innerText.includes('Released')")
    signed_in.wait("document.querySelector('video').readyState > 0")

    assert signed_in.sees("document.querySelector('video').duration") == pytest.approx(1, abs=0.1)
    assert complaints(signed_in, served) == []


def test_a_refusal_marks_the_words_and_leads_back_to_them(signed_in: Page, served: Served) -> None:
    ask(signed_in, "@nobody_here and a nude model bounce a red ball on a green floor")

    assert "Refused" in signed_in.sees("document.querySelector('h1').innerText")
    assert signed_in.sees("document.querySelector('.prompt mark').innerText") == "@nobody_here"
    assert "Why is it wrong?" in signed_in.sees("document.body.innerText")
    signed_in.tab_to("a.button")
    signed_in.press("Enter")
    signed_in.wait("!!document.querySelector('#prompt')")
    assert "nude" in signed_in.sees("document.querySelector('#prompt').value")
    assert complaints(signed_in, served) == []


def test_an_appeal_is_sent_with_the_keyboard_alone(signed_in: Page, served: Served) -> None:
    ask(signed_in, "a nude red ball bounces on a green floor")

    signed_in.tab_to("#why")
    signed_in.type("A ball wears nothing.")
    signed_in.tab_to("form[action$='/appeal'] button")
    signed_in.press("Enter")
    signed_in.wait("document.querySelector('h1').innerText.includes('Appealed')")

    assert "A ball wears nothing." in signed_in.sees("document.body.innerText")
    assert complaints(signed_in, served) == []


def test_a_narrow_window_needs_no_sideways_scrolling(signed_in: Page, served: Served) -> None:
    signed_in.narrow(320)

    ask(signed_in, f"two men fight, {PROMPT} {'x' * 200}")
    for _ in range(2):
        assert signed_in.sees(OVERFLOWS) is False
        assert signed_in.sees(SMALL_TARGETS) == []
        signed_in.go(served.base_url)
        signed_in.wait("!!document.querySelector('#prompt')")
    signed_in.narrow(1000)


def test_the_focus_is_seen_wherever_it_goes(signed_in: Page) -> None:
    seen = set()
    for _ in range(12):
        signed_in.press("Tab")
        where = signed_in.sees("document.activeElement.tagName + document.activeElement.id")
        if where.startswith("BODY"):
            continue
        seen.add(where)
        ring = "getComputedStyle(document.activeElement)"
        assert signed_in.sees(f"parseFloat({ring}.outlineWidth)") >= 2, where
        assert signed_in.sees(f"{ring}.outlineStyle") == "solid", where

    assert len(seen) >= 7


def test_the_page_never_shows_in_a_frame_or_runs_a_script(signed_in: Page, served: Served) -> None:
    signed_in.sees(
        "(() => { const script = document.createElement('script');"
        "script.textContent = 'window.ran = 1'; document.body.append(script); })()"
    )

    assert signed_in.sees("window.ran") is None
    assert any("policy" in str(one).lower() for one in complaints(signed_in, served))
