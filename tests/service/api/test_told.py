"""Nobody hears of a decision before its entry is in the tree, whatever became of who made it."""

import pytest

from service import jobs
from service.audit.reading import EntryFilter
from service.jobs import Step
from service.request import GenerationRequest, Requester
from service.steps.run import Side
from tests.builders import a_request
from tests.service.api.site import PROMPT, Site

REFUSED, HELD = f"{PROMPT} by a nude model", f"two men fight, {PROMPT}"


class Died(BaseException):
    """The process ends between a commit and the log."""


def _dies_after_deciding(step: Step, side: Side) -> None:
    if (step, side) == (Step.DECIDE, Side.AFTER):
        raise Died


def _ours(site: Site, prompt: str) -> GenerationRequest:
    made = a_request(prompt)
    requester = Requester(site.actors["creator"], site.projects["ours"])
    return GenerationRequest(made.id, requester, made.prompt, made.parameters)


def unsettled(site: Site, prompt: str) -> str:
    """Return a video whose decision is committed and staged, and not in the tree."""
    request = _ours(site, prompt)
    with pytest.raises(Died):
        site.house.pipeline("front:dead", _dies_after_deciding).submit(request)
    assert not site.house.rooms.log.entries(EntryFilter(request=request.id))
    with site.house.rooms.database.reading() as conn:
        return jobs.list_for(conn, site.projects["ours"], limit=1).jobs[0].id


@pytest.mark.parametrize("prompt", [REFUSED, HELD], ids=["refused", "held"])
def test_a_video_is_shown_with_its_decision_in_the_log(site: Site, prompt: str) -> None:
    shown = site.call("GET", f"/v1/videos/{unsettled(site, prompt)}").json()

    assert shown["status"] == "failed"
    assert shown["decision_id"]
    assert shown["receipt"]["tree_size"] > shown["receipt"]["index"]


@pytest.mark.parametrize(
    ("path", "who"), [("/v1/videos?limit=1", "creator"), ("/v1/reviews?limit=200", "moderator")]
)
def test_a_list_shows_only_what_is_in_the_log(site: Site, path: str, who: str) -> None:
    video = unsettled(site, HELD)

    listed = site.call("GET", path, who).text
    entries = site.call("GET", "/v1/audit/entries?limit=1", "auditor").json()["data"]

    with site.house.rooms.database.reading() as conn:
        job = jobs.get(conn, video)
    assert video in listed
    assert entries[0]["request_id"] == job.request_id


def test_without_a_log_nobody_is_told_of_a_refusal(site: Site) -> None:
    video = unsettled(site, REFUSED)
    database = site.house.rooms.database
    with database.transaction() as conn:
        conn.exec_driver_sql("ALTER TABLE log_entry RENAME TO log_entry_gone")

    try:
        reply = site.call("GET", f"/v1/videos/{video}")
    finally:
        with database.transaction() as conn:
            conn.exec_driver_sql("ALTER TABLE log_entry_gone RENAME TO log_entry")
    again = site.call("GET", f"/v1/videos/{video}")

    assert reply.status_code == 503
    assert "refused" not in reply.text
    assert again.json()["decision_id"]
