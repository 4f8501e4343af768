"""The story of a request, told from the log: released, held, blocked, only asked about, erased."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from filters.finding import Category
from service import reviews, story
from service.acts import Acts
from service.audit.entries import Entry
from service.audit.errors import NoEntry
from service.cli.story import timeline
from service.decision import Mode
from service.desk import answer
from service.jobs import Job
from service.story import Story
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request
from tests.service.test_pipeline import hold_score


@dataclass(frozen=True, slots=True)
class Past:
    """A house in which four things were asked."""

    house: SmallHouse
    released: Job
    held: Job
    blocked: Job
    dry: str

    def told(self, wanted: str, project: str = "") -> Story:
        rooms = self.house.rooms
        return story.told(rooms.log, rooms.database, wanted, project=project)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with a_house(tmp_path_factory.mktemp("story")) as house:
        yield _lived(house)


def _lived(house: SmallHouse) -> Past:
    submit, scores = house.pipeline("front:1").submit, house.filters.scores
    scores[Category.VIOLENCE] = hold_score(house)
    first = submit(a_request())
    Acts(house.rooms, "act_moderator", "prj_test").clear(_open(house, first), "stage fight")
    _work(house)
    scores.clear()
    scores[Category.SPEECH] = 0.9
    second = submit(a_request())
    _work(house)
    scores.clear()
    scores[Category.SEXUAL] = 1.0
    third = submit(a_request())
    dry = answer(house.rooms, a_request(actor="act_other"), mode=Mode.DRY_RUN).decision
    return Past(house, first, second, third, dry.id)


def _work(house: SmallHouse) -> None:
    worker = Worker(house.pipeline("worker:1"))
    while worker.once():
        pass


def _open(house: SmallHouse, job: Job) -> str:
    with house.rooms.database.reading() as conn:
        return next(one.id for one in reviews.list_open(conn) if one.job == job.id)


def _logged(past: Past, kind: str, **facts: str | int) -> int:
    clock, log = past.house.clock, past.house.rooms.log
    key = f"{kind}:{clock().timestamp()}"
    entry = Entry(key, kind, clock(), "", "act_officer", "prj_test", facts)
    return log.append(entry).index


def test_a_released_film_is_told_from_the_first_question_to_the_release(past: Past) -> None:
    told = past.told(past.released.request_id)

    assert [one.title for one in told.events] == [
        "The request is held for a person",
        "A person clears what held it",
        "The request is allowed",
        "The request is allowed, asked again",
        "What came out is allowed",
        "The film is sealed and logged, before anybody can have it",
        "The release is allowed",
    ]
    assert told.outcome.state == "released"
    assert told.outcome.said.startswith("Released on ")
    assert told.outcome.missing == ()
    assert (told.actor, told.job) == ("act_maker", past.released.id)
    indexes = [one.entry.index for one in told.events]
    assert indexes == sorted(indexes)
    assert told.events[0].proof_url == f"/v1/audit/proofs/{indexes[0]}"


def test_reasons_stand_with_scores_and_thresholds_and_the_policy_once(past: Past) -> None:
    told = past.told(past.released.request_id)

    reason, policy = told.events[0].lines
    assert reason.startswith("filters.violence: seen in prompt, score 0.")
    assert ", hold from 0." in reason
    assert policy.startswith("by policy default ")
    assert told.events[2].lines == (
        "on condition that it carries the visible mark",
        "with a hold that a person had cleared",
    )
    assert told.events[6].lines == ()


def test_every_id_of_it_leads_to_the_same_story(past: Past) -> None:
    told = past.told(past.released.request_id)
    facts = {one.entry.type: one.entry.facts for one in told.events}

    for wanted in (
        past.released.id,
        str(told.events[0].entry.facts["decision"]),
        str(facts["review.cleared"]["review"]),
        str(facts["release.sealed"]["content_sha256"]),
    ):
        assert past.told(wanted).events == told.events


def test_what_is_held_says_since_when_and_for_whom_it_waits(past: Past) -> None:
    told = past.told(past.held.id)
    review = _open(past.house, past.held)

    assert told.outcome.state == "held"
    assert told.outcome.missing[0].startswith("no release: held at output since 20")
    assert told.outcome.missing[0].endswith(f"{review} waits for a person")
    assert past.told(review).events == told.events


def test_what_is_blocked_and_what_was_only_asked_say_so(past: Past) -> None:
    blocked, dry = past.told(past.blocked.id), past.told(past.dry)

    assert blocked.outcome.state == "refused"
    assert "filters.sexual" in blocked.outcome.missing[0]
    assert dry.outcome.state == "decided"
    assert dry.events[0].title == "The request is blocked (a dry run)"
    assert dry.job == ""


def test_readings_and_erasures_of_it_are_told_and_of_others_are_not(past: Past) -> None:
    first = past.told(past.dry).events[0].entry.index
    shown = _logged(past, "disclosure.made", index=first, field="prompt", subject="act_other")
    _logged(past, "disclosure.made", index=first + 1000, field="prompt", subject="act_x")
    erased = _logged(past, "erasure.done", erasure="ers_1", subject="act_other")
    _logged(past, "erasure.done", erasure="ers_2", subject="act_x")

    told = past.told(past.dry)

    assert [one.entry.index for one in told.events] == [first, shown, erased]
    assert told.events[1].lines == (f"prompt of entry {first}",)
    assert any("they were erased" in one for one in told.outcome.missing)


def test_what_we_have_no_words_for_is_told_all_the_same(past: Past) -> None:
    decision = str(past.told(past.blocked.id).events[0].entry.facts["decision"])
    _logged(past, "appeal.sent_back", appeal="apl_1", decision=decision)

    event = past.told("apl_1").events[-1]

    assert event.title == "Appeal: sent back"
    assert event.lines == ("appeal: apl_1", f"decision: {decision}")


@pytest.mark.parametrize(
    "wanted",
    [
        "req_01jd0000000000000000000000",
        "video_1",
        "rev_1",
        "f" * 64,
        "",
        "hello",
        "req_*",
        "req_\0",
    ],
)
def test_an_id_of_nothing_has_no_story(past: Past, wanted: str) -> None:
    with pytest.raises(NoEntry):
        past.told(wanted)


def test_another_project_has_no_story_of_it(past: Past) -> None:
    assert past.told(past.released.id, "prj_test").events
    for wanted in (past.released.id, past.released.request_id, past.dry):
        with pytest.raises(NoEntry):
            past.told(wanted, "prj_other")


def test_the_timeline_is_read_from_top_to_bottom(past: Past) -> None:
    lines = [line.plain for line in timeline(past.told(past.held.id))]

    assert lines[0] == past.held.request_id
    assert lines[3].startswith("  No release: held at output since ")
    assert lines[5][8:].startswith("  ✓ The request is allowed  #")
    assert any("‖ What came out is held for a person  #" in line for line in lines)
    assert not any(line.startswith("Missing") for line in lines)
    assert "`imprimatur audit proof NUMBER`" in lines[-1]
