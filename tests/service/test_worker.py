from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from filters.finding import Category
from generator.clip import Clip
from generator.model import Permit, Progress, Watch
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Shot
from service import jobs, notices, reviews
from service.acts import Acts
from service.audit.errors import NotAcknowledged
from service.jobs import Job, Lease, State, Step
from service.jobs.admission import repeat
from service.notices import NoticeKind
from service.steps.run import Side
from service.vault import Vault, VaultUnavailable
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

pytestmark = pytest.mark.usefixtures("unfiltered_log")


def nothing() -> None:
    return None


class WatchedModel(ScenesRenderer):
    """The real renderer, with somebody beside it who acts on its first sign of progress."""

    def __init__(self) -> None:
        self.begun = 0
        self.done = 0
        self.act: Callable[[], None] = nothing

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        def watched(progress: Progress) -> None:
            self.act()
            watch(progress)

        self.begun += 1
        clip = super().generate(shot, permit=permit, watch=watched, folder=folder)
        self.done += 1
        return clip


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url, model=WatchedModel()) as made:
        yield made


def model_of(house: SmallHouse) -> WatchedModel:
    model = house.rooms.model
    assert isinstance(model, WatchedModel)
    return model


def submitted(house: SmallHouse) -> Job:
    return house.pipeline("front:1").submit(a_request())


def stands(house: SmallHouse, job: Job) -> Job:
    with house.rooms.database.reading() as conn:
        return jobs.get(conn, job.id)


def claimed(house: SmallHouse) -> Lease:
    lease = house.pipeline("worker:1").claim()
    assert lease is not None
    return lease


def test_a_worker_told_to_stop_between_two_steps_hands_the_job_back_at_once(
    house: SmallHouse,
) -> None:
    job = submitted(house)

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.CLAIM, Side.AFTER):
            worker.stop()

    worker = Worker(house.pipeline("worker:1", crossing))
    worker.run()

    handed_back = stands(house, job)
    assert (handed_back.state, handed_back.next_step) == (State.RUNNING, Step.GENERATE)
    assert model_of(house).begun == 0
    # No clock was put forward: nobody waits for the lease of the one that stopped.
    Worker(house.pipeline("worker:2")).once()
    assert stands(house, job).state is State.RELEASED


def test_a_worker_told_to_stop_amid_a_film_stops_with_the_next_frame(house: SmallHouse) -> None:
    job = submitted(house)
    model = model_of(house)
    worker = Worker(house.pipeline("worker:1"))
    model.act = worker.stop

    worker.run()

    handed_back = stands(house, job)
    assert (handed_back.next_step, handed_back.attempts) == (Step.GENERATE, 0)
    assert (model.begun, model.done) == (1, 0)
    model.act = nothing
    Worker(house.pipeline("worker:2")).once()
    assert stands(house, job).state is State.RELEASED


def a_refused_job(house: SmallHouse) -> Job:
    """Return a job whose film was made, held and then refused by a person."""
    house.filters.scores[Category.SPEECH] = 0.9
    job = submitted(house)
    Worker(house.pipeline("worker:1")).once()
    with house.rooms.database.reading() as conn:
        (review,) = reviews.list_open(conn)
    Acts(house.rooms, "act_moderator").refuse(review.id, "")
    house.filters.scores.clear()
    return job


def frames_of(house: SmallHouse, tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "vault" / "quarantine").iterdir()]


def films_in(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "vault" / "released").rglob("*") if path.is_file()]


def worked(house: SmallHouse, worker: Worker, *, minutes: int) -> None:
    """Let `worker` run, idle or not, for so many minutes of the house's clock."""
    passed = 0

    def sleep(_seconds: float) -> None:
        nonlocal passed
        passed += 1
        house.clock.forward(minutes=1)
        if passed == minutes:
            worker.stop()

    worker.sleep = sleep
    worker.run()


def test_frames_of_a_job_that_a_person_refused_go_while_the_worker_runs(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = a_refused_job(house)
    before = frames_of(house, tmp_path)

    worked(house, Worker(house.pipeline("worker:2")), minutes=70)

    assert before == [job.id]
    assert frames_of(house, tmp_path) == []


def test_frames_of_a_held_job_stay(house: SmallHouse, tmp_path: Path) -> None:
    house.filters.scores[Category.SPEECH] = 0.9
    job = submitted(house)
    Worker(house.pipeline("worker:1")).once()

    worked(house, Worker(house.pipeline("worker:2")), minutes=70)

    assert stands(house, job).state is State.HELD
    assert frames_of(house, tmp_path) == [job.id]


def test_a_film_that_was_published_and_not_released_goes_and_a_released_one_stays(
    house: SmallHouse, tmp_path: Path
) -> None:
    released = submitted(house)
    Worker(house.pipeline("worker:1")).once()
    lost = submitted(house)

    class Died(Exception):
        pass

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.RELEASE, Side.BEFORE):
            raise Died

    Worker(house.pipeline("worker:1", crossing)).once()
    with house.rooms.database.transaction() as conn:
        jobs.cancel(conn, lost.id, house.clock() + house.rooms.terms.lease)
    before = films_in(tmp_path)

    worked(house, Worker(house.pipeline("worker:2")), minutes=70)

    shown = stands(house, released).blob_sha256
    assert len(before) == 2
    assert films_in(tmp_path) == [shown]


def test_a_film_that_went_while_its_job_waited_is_published_again(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = submitted(house)

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.RELEASE, Side.BEFORE):
            raise OSError("the process fell over here")

    Worker(house.pipeline("worker:1", crossing)).once()
    house.clock.forward(hours=2)
    Worker(house.pipeline("worker:2")).tidy()
    between = films_in(tmp_path)
    Worker(house.pipeline("worker:2")).once()

    assert between == []
    assert films_in(tmp_path) == [stands(house, job).blob_sha256]


def test_signs_of_old_requests_are_forgotten(house: SmallHouse) -> None:
    submitted(house)
    house.clock.forward(minutes=11)

    Worker(house.pipeline("worker:1")).tidy()

    with house.rooms.database.transaction() as conn:
        assert jobs.forget_lapsed(conn, house.clock()) == 0
        assert conn.execute(select(func.count()).select_from(repeat)).scalar_one() == 0


class Untidy(Vault):
    """A vault with a folder that will not go."""

    def sweep(self, alive: Container[str], now: datetime, older_than: timedelta) -> tuple[str, ...]:
        raise VaultUnavailable("a folder would not go")


def test_a_tidying_that_fails_is_logged_and_stops_neither_the_rest_nor_the_worker(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = submitted(house)
    house.clock.forward(minutes=11)
    house.rooms = replace(house.rooms, vault=Untidy(tmp_path / "vault"))

    with capture_logs() as logs:
        worked(house, Worker(house.pipeline("worker:1")), minutes=11)

    untidy = [entry["error"] for entry in logs if entry["event"] == "worker.untidy"]
    # At the start and twice in eleven minutes: not with every turn of the loop.
    assert untidy == ["VaultUnavailable"] * 3
    assert stands(house, job).state is State.RELEASED
    with house.rooms.database.reading() as conn:
        assert conn.execute(select(func.count()).select_from(repeat)).scalar_one() == 0


LONG_ACTOR = {"actor": "a" * 128, "likeness": "lik_1", "job": "video_1", "grant": "grt_1"}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("likeness.sold", {"actor": "act_owner"}),
        ("likeness.used", {"actor": "act_owner"}),
        # PostgreSQL refuses to store it, SQLite does not mind.
        ("likeness.used", LONG_ACTOR),
    ],
    ids=["unknown topic", "incomplete", "too long"],
)
def test_what_cannot_be_told_keeps_nothing_behind_it_waiting(
    house: SmallHouse, topic: str, payload: dict[str, str]
) -> None:
    with house.rooms.database.transaction() as conn:
        jobs.put(conn, topic, "broken", payload, house.clock())
    job = submitted(house)

    Worker(house.pipeline("worker:1")).once()

    with house.rooms.database.reading() as conn:
        told = [notice.kind for notice in notices.list_for(conn, job.actor)]
    assert told == [NoticeKind.RELEASED]


def test_what_cannot_be_told_is_tried_again_less_and_less_often(house: SmallHouse) -> None:
    worker = Worker(house.pipeline("worker:1"))
    with house.rooms.database.transaction() as conn:
        jobs.put(conn, "likeness.sold", "broken", {"actor": "act_owner"}, house.clock())
    tried = []

    for minute in range(240):
        with capture_logs() as logs:
            worker.deliver()
        tried += [(minute, entry["attempts"]) for entry in logs if entry["error"] == "UnknownTopic"]
        house.clock.forward(minutes=1)

    minutes = [minute for minute, _ in tried]
    waits = [later - earlier for earlier, later in pairwise(minutes)]
    assert [attempt for _, attempt in tried] == list(range(1, len(tried) + 1))
    assert len(tried) > 4
    assert waits == sorted(waits)
    assert waits[-1] >= 30


def test_a_day_of_failing_does_not_put_a_telling_off_for_more_than_a_quarter_of_one(
    house: SmallHouse,
) -> None:
    worker = Worker(house.pipeline("worker:1"))
    with house.rooms.database.transaction() as conn:
        jobs.put(conn, "likeness.sold", "broken", {"actor": "act_owner"}, house.clock())
    for _ in range(40):
        worker.deliver()
        house.clock.forward(hours=6, seconds=1)

    with house.rooms.database.transaction() as conn:
        (item,) = jobs.next_outbox(conn, 9, timedelta(0), house.clock())

    assert item.attempts == 41


def test_what_a_dead_sender_took_is_told_by_the_next(house: SmallHouse) -> None:
    job = submitted(house)
    Worker(house.pipeline("worker:1")).carry_on(claimed(house))
    worker = Worker(house.pipeline("worker:2"))

    with house.rooms.database.transaction() as conn:  # somebody else, who dies right after
        taken = jobs.next_outbox(conn, 100, timedelta(seconds=30), house.clock())
    worker.deliver()
    with house.rooms.database.reading() as conn:
        meanwhile = notices.list_for(conn, job.actor)
    house.clock.forward(seconds=31)
    worker.deliver()

    with house.rooms.database.reading() as conn:
        assert [notice.kind for notice in notices.list_for(conn, job.actor)] == [
            NoticeKind.RELEASED
        ]
    assert taken
    assert meanwhile == ()


def test_a_film_deleted_before_its_telling_is_told_and_then_forgotten(house: SmallHouse) -> None:
    job = submitted(house)

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.RELEASE, Side.AFTER):
            raise OSError("the process fell over here")

    Worker(house.pipeline("worker:1", crossing)).once()
    with house.rooms.database.transaction() as conn:
        jobs.remove(conn, job.project, job.id, house.clock())
    house.clock.forward(minutes=1)

    Worker(house.pipeline("worker:2")).once()

    with house.rooms.database.reading() as conn:
        steps = jobs.steps(conn, job.id)
    assert steps[-1].step is Step.TELL
    assert [record.result for record in steps if record.result] == []


def test_nobody_is_told_of_what_is_not_in_the_log(house: SmallHouse) -> None:
    class Deaf:
        def __getattr__(self, name: str) -> object:
            return getattr(log, name)

        def drain(self) -> None:
            raise NotAcknowledged("the log is slow")

        def settle(self, _key: str) -> object:
            raise NotAcknowledged("the log is slow")

    house.filters.scores[Category.SEXUAL] = 0.99
    log, healthy = house.rooms.log, house.rooms
    house.rooms = replace(house.rooms, log=Deaf())  # type: ignore[arg-type]
    house.pipeline("front:1").submit(a_request())

    Worker(house.pipeline("worker:1")).once()
    with house.rooms.database.reading() as conn:
        assert notices.list_for(conn, "act_maker") == ()

    house.rooms = healthy
    Worker(house.pipeline("worker:1")).once()
    with house.rooms.database.reading() as conn:
        (told,) = notices.list_for(conn, "act_maker")
    assert told.kind is notices.NoticeKind.REFUSED
