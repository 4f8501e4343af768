"""Holds of decisions without a job: before a person once, and cleared for a while."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest

from filters.finding import Category, FilterError
from service import appeals, desk, jobs, notices, reviews
from service.acts import Acts
from service.appealing import Appealing
from service.decision import Mode, Verdict
from service.desk import Answer
from service.media.stills import encoded
from service.request import GenerationRequest, Reference, Requester
from service.reviews import CLEARED_FOR, AlreadyDecided, OwnRequest, Review, Ruling
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

PROJECT = "prj_test"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url) as opened:
        opened.filters.scores[Category.VIOLENCE] = 0.3
        yield opened


def asked(house: SmallHouse, request: GenerationRequest | None = None) -> Answer:
    return desk.answer(house.rooms, request or a_request(), mode=Mode.ENFORCE)


def held(house: SmallHouse, request: GenerationRequest | None = None) -> Review:
    given = asked(house, request)
    assert given.decision.verdict is Verdict.HOLD
    assert given.review is not None
    return given.review


def moderator(house: SmallHouse, actor: str = "act_moderator") -> Acts:
    return Acts(house.rooms, actor, PROJECT)


def waiting(house: SmallHouse) -> tuple[Review, ...]:
    with house.rooms.database.reading() as conn:
        return reviews.list_open(conn, project=PROJECT)


def test_a_held_decision_waits_for_a_person(house: SmallHouse) -> None:
    given = asked(house)

    assert given.review is not None
    assert waiting(house) == (given.review,)
    assert (given.review.job, given.review.decision_id) == ("", given.decision.id)
    assert given.review.reasons == ("filters.violence",)
    entry = house.rooms.log.entry(given.receipt.index)
    assert entry.facts["review"] == given.review.id


def test_what_was_cleared_is_allowed_when_it_is_asked_for_again(house: SmallHouse) -> None:
    review = held(house)

    done = moderator(house).clear(review.id, "a play")

    entry = house.rooms.log.entry(done.receipt.index)
    assert (entry.type, entry.facts["until"]) == (
        "review.cleared", int((done.made.at + CLEARED_FOR).timestamp()),
    )  # fmt: skip
    again = asked(house)
    assert (again.decision.verdict, again.review) == (Verdict.ALLOW, None)
    assert again.ticket is not None
    assert again.decision.cleared
    assert house.pipeline().submit(a_request()).state is not jobs.State.HELD


def test_a_clearance_lapses(house: SmallHouse) -> None:
    review = held(house)
    moderator(house).clear(review.id, "")
    house.clock.forward(days=CLEARED_FOR.days, seconds=1)

    assert held(house).id != review.id


def test_only_what_was_seen_is_cleared(house: SmallHouse) -> None:
    moderator(house).clear(held(house).id, "")

    other = replace(a_request(), requester=Requester("act_other", PROJECT))
    elsewhere = replace(a_request(), requester=Requester("act_maker", "prj_other"))
    held(house, other)
    held(house, elsewhere)
    held(house, a_request("a red ball bounces on a green floor."))
    house.filters.scores[Category.SEXUAL] = 0.3
    assert held(house).reasons == ("filters.sexual",)


def test_a_block_is_not_cleared(house: SmallHouse) -> None:
    moderator(house).clear(held(house).id, "")

    house.filters.scores[Category.VIOLENCE] = 0.9

    assert asked(house).decision.verdict is Verdict.BLOCK


def test_a_flood_of_the_same_request_is_one_review(house: SmallHouse) -> None:
    first = held(house)
    came: list[str] = []

    def ask() -> None:
        came.append(held(house).id)

    askers = [Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert came == [first.id] * 6
    assert waiting(house) == (first,)


def test_what_a_person_refused_is_not_put_before_them_again(house: SmallHouse) -> None:
    review = held(house)
    moderator(house).refuse(review.id, "no")

    again = asked(house)

    assert again.review is not None
    assert (again.review.id, again.review.ruling) == (review.id, Ruling.REFUSED)
    assert waiting(house) == ()
    house.clock.forward(days=CLEARED_FOR.days, seconds=1)
    assert held(house).ruling is Ruling.OPEN


def test_the_second_decision_about_what_was_refused_can_be_appealed_too(house: SmallHouse) -> None:
    moderator(house, "act_first").refuse(held(house).id, "no")
    again = asked(house).decision
    appeal = Appealing(house.rooms, "act_maker", PROJECT).open(again.id, "A play.").appeal
    assert appeal.reviewer == "act_first"
    with pytest.raises(appeals.OwnAppeal):
        Appealing(house.rooms, "act_first", PROJECT).uphold(appeal.id, "Right.")

    Appealing(house.rooms, "act_second", PROJECT).uphold(appeal.id, "Right.")

    assert asked(house).decision.verdict is Verdict.ALLOW


@pytest.mark.parametrize("mode", [Mode.DRY_RUN, Mode.SHADOW])
def test_what_decides_nothing_waits_for_nobody(house: SmallHouse, mode: Mode) -> None:
    given = desk.answer(house.rooms, a_request(), mode=mode)

    assert (given.decision.verdict, given.review) == (Verdict.HOLD, None)
    assert waiting(house) == ()


def test_a_check_that_could_not_be_made_waits_for_nobody(house: SmallHouse) -> None:
    house.filters.broken = FilterError("out of memory")

    given = asked(house)

    assert (given.decision.verdict, given.review) == (Verdict.HOLD, None)
    assert waiting(house) == ()


def test_nobody_clears_their_own_request(house: SmallHouse) -> None:
    with pytest.raises(OwnRequest):
        moderator(house, "act_maker").clear(held(house).id, "")


def test_of_two_moderators_at_once_one_decides_and_the_log_says_who(house: SmallHouse) -> None:
    review = held(house)
    start = Barrier(2)
    came: list[str] = []

    def decide(number: int) -> None:
        mine = moderator(house, f"act_{number}")
        start.wait()
        try:
            came.append((mine.clear, mine.refuse)[number](review.id, "").made.ruling.value)
        except AlreadyDecided:
            came.append("late")

    moderators = [Thread(target=decide, args=(number,)) for number in (0, 1)]
    for one in moderators:
        one.start()
    for one in moderators:
        one.join()

    assert sorted(came) in (["cleared", "late"], ["late", "refused"])


@pytest.mark.parametrize("act", ["clear", "refuse"])
def test_the_requester_is_told(house: SmallHouse, act: str) -> None:
    review = held(house)
    getattr(moderator(house), act)(review.id, "")

    Worker(house.pipeline()).deliver()

    with house.rooms.database.reading() as conn:
        (notice,) = notices.list_for(conn, "act_maker")
    assert notice.kind.value == {"clear": "review_cleared", "refuse": "review_refused"}[act]
    assert notice.subject == review.id


def test_a_clearance_is_gone_with_whom_it_was_for(house: SmallHouse) -> None:
    moderator(house).clear(held(house).id, "")

    with house.rooms.database.transaction() as conn:
        reviews.forget_notes(conn, "act_maker")

    held(house)


def test_a_clearance_survives_a_restart(tmp_path: Path) -> None:
    with a_house(tmp_path) as before:
        before.filters.scores[Category.VIOLENCE] = 0.3
        moderator(before).clear(held(before).id, "")

    with a_house(tmp_path) as after:
        after.filters.scores[Category.VIOLENCE] = 0.3

        assert asked(after).decision.verdict is Verdict.ALLOW


def test_another_picture_is_another_request(house: SmallHouse) -> None:
    grain = np.random.default_rng(3).integers(60, 200, (96, 96, 3)).astype(np.uint8)
    moderator(house).clear(held(house).id, "")

    held(house, a_request(references=[Reference("input_reference", encoded(grain))]))
