from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection

from service import jobs, reviews
from service.database import Database
from service.decision import Stage
from service.jobs import Job, NotHeld, State, Step
from service.reviews import (
    MAX_NOTE_CHARACTERS,
    AlreadyDecided,
    NoteTooLong,
    Outcome,
    OwnRequest,
    Review,
    Ruling,
    UnknownReview,
)
from tests.service.jobs.builders import NOON, admitted, queued, running
from tests.service.jobs.databases import postgres_schema, sqlite_in

Ruler = Callable[[Connection, str, str, str, datetime], Outcome]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = sqlite_in(tmp_path) if request.param == "sqlite" else postgres_schema("reviews")
    with made as opened:
        yield opened


def at_the_door(conn: Connection) -> Job:
    came = admitted(conn)
    jobs.record_step(conn, came.lease, Step.DECIDE, {"verdict": "hold"}, NOON)
    return jobs.hold(conn, came.lease, Stage.REQUEST, NOON)


def at_the_exit(conn: Connection) -> Job:
    return jobs.hold(conn, running(conn, upto=Step.INSPECT), Stage.OUTPUT, NOON)


def opened(conn: Connection, held: Job) -> Review:
    return reviews.open_review(conn, held, f"dec_{held.id}_{held.fence}", ["rights.near"], NOON)


def test_a_held_job_waits_with_its_reasons_for_a_person(database: Database) -> None:
    with database.transaction() as conn:
        held = at_the_door(conn)
        review = opened(conn, held)

        assert reviews.list_open(conn) == (review,)
        assert (review.job, review.stage, review.ruling) == (held.id, Stage.REQUEST, Ruling.OPEN)
        assert review.reasons == ("rights.near",)
        assert review.requester == held.actor


@pytest.mark.parametrize(
    ("hold", "state", "due"),
    [(at_the_door, State.ADMITTED, Step.TICKET), (at_the_exit, State.QUEUED, Step.SEAL)],
)
def test_a_cleared_job_goes_on_where_it_stopped(
    database: Database, hold: Callable[[Connection], Job], state: State, due: Step
) -> None:
    with database.transaction() as conn:
        review = opened(conn, hold(conn))

        outcome = reviews.clear(conn, review.id, "act_moderator", "fine", NOON)

        assert outcome.job is not None
        assert (outcome.job.state, outcome.job.next_step) == (state, due)
        assert (outcome.ruling, outcome.reviewer) == (Ruling.CLEARED, "act_moderator")
        assert outcome.decision_id == review.decision_id
        assert reviews.list_open(conn) == ()


def test_a_refused_job_is_over_and_free(database: Database) -> None:
    with database.transaction() as conn:
        review = opened(conn, at_the_exit(conn))

        outcome = reviews.refuse(conn, review.id, "act_moderator", "no", NOON)

        assert outcome.job is not None
        assert outcome.job.state is State.REFUSED
        assert jobs.usage(conn, "proj_1", NOON).debited == 0
        assert reviews.get(conn, review.id).note == "no"


@pytest.mark.parametrize("decide", [reviews.clear, reviews.refuse])
def test_a_review_is_decided_once(database: Database, decide: Ruler) -> None:
    with database.transaction() as conn:
        review = opened(conn, at_the_door(conn))
        reviews.clear(conn, review.id, "act_moderator", "", NOON)

        with pytest.raises(AlreadyDecided) as late:
            decide(conn, review.id, "act_other", "", NOON)

        assert late.value.ruling is Ruling.CLEARED
        assert reviews.get(conn, review.id).reviewer == "act_moderator"


def test_of_two_moderators_at_once_one_decides(database: Database) -> None:
    with database.transaction() as conn:
        review = opened(conn, at_the_door(conn))
    start = Barrier(2)
    came: list[Outcome | AlreadyDecided] = []

    def decide(number: int) -> None:
        act = (reviews.clear, reviews.refuse)[number]
        start.wait()
        try:
            with database.transaction() as conn:
                came.append(act(conn, review.id, f"act_{number}", "", NOON))
        except AlreadyDecided as late:
            came.append(late)

    moderators = [Thread(target=decide, args=(number,)) for number in (0, 1)]
    for moderator in moderators:
        moderator.start()
    for moderator in moderators:
        moderator.join()

    assert sorted(type(each).__name__ for each in came) == ["AlreadyDecided", "Outcome"]


@pytest.mark.parametrize("decide", [reviews.clear, reviews.refuse])
def test_nobody_decides_about_their_own_request(database: Database, decide: Ruler) -> None:
    with database.transaction() as conn:
        held = at_the_door(conn)
        review = opened(conn, held)

        with pytest.raises(OwnRequest):
            decide(conn, review.id, held.actor, "", NOON)

        assert reviews.list_open(conn) == (review,)


def test_what_its_requester_cancelled_no_longer_waits(database: Database) -> None:
    with database.transaction() as conn:
        held = at_the_door(conn)
        review = opened(conn, held)
        jobs.cancel(conn, held.id, NOON)

        assert reviews.list_open(conn) == ()
        with pytest.raises(NotHeld):
            reviews.clear(conn, review.id, "act_moderator", "", NOON)


def test_only_what_is_held_is_put_before_a_person(database: Database) -> None:
    with database.transaction() as conn:
        job = jobs.get(conn, queued(conn))

        with pytest.raises(NotHeld):
            opened(conn, job)


def test_pages_of_the_queue_show_every_review_once_longest_waiting_first(
    database: Database,
) -> None:
    with database.transaction() as conn:
        made = [
            reviews.open_review(
                conn, at_the_door(conn), f"dec_{number}", [], NOON + timedelta(seconds=number)
            )
            for number in range(3)
        ]

        first = reviews.list_open(conn, limit=2)
        rest = reviews.list_open(conn, limit=2, after=first[-1].id)

        assert [*first, *rest] == made
        assert reviews.list_open(conn, project="proj_2") == ()


def test_an_unknown_review_and_a_note_without_end_are_refused(database: Database) -> None:
    with database.transaction() as conn:
        review = opened(conn, at_the_door(conn))

        with pytest.raises(UnknownReview):
            reviews.clear(conn, "rev_none", "act_moderator", "", NOON)
        with pytest.raises(NoteTooLong):
            reviews.clear(conn, review.id, "act_moderator", "x" * (MAX_NOTE_CHARACTERS + 1), NOON)

        assert "secret" not in repr(review)
