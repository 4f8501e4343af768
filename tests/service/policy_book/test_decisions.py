"""Which policy decides about a job from its first stage to its last, and what if none does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from filters.finding import Category
from service import accounts, jobs
from service.audit.reading import EntryFilter
from service.decision import Mode, Stage, Verdict
from service.jobs import Job, State
from service.policy_book.changes import Changes
from service.policy_book.states import BookBroken
from service.policy_book.states import State as Standing
from service.request import Requester
from service.steps.run import asked
from service.steps.verdicts import decided
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request
from tests.service.policy_book.builders import a_document


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        yield made


def somebody(house: SmallHouse) -> Changes:
    with house.rooms.database.transaction() as conn:
        actor = accounts.create_actor(conn, "somebody", house.clock()).id
    return Changes(house.rooms.book, house.rooms.log, house.clock, actor)


def promoted(house: SmallHouse, document: bytes, to: Standing, percent: float | None = None) -> str:
    changes = somebody(house)
    sha256 = changes.draft(document).document.ref.sha256
    somebody(house).approve(sha256)
    changes.promote(sha256, to, percent=percent)
    return sha256


def ended(house: SmallHouse, job: Job) -> Job:
    worker = Worker(house.pipeline("worker:1"))
    while worker.once():
        pass
    with house.rooms.database.reading() as conn:
        return jobs.get(conn, job.id)


def policies_of(house: SmallHouse, job: Job) -> list[tuple[object, object]]:
    entries = house.rooms.log.entries(EntryFilter(type="decision.made", request=job.request_id))
    return [(one.facts["stage"], one.facts["policy"]["sha256"]) for one in reversed(entries)]  # type: ignore[index,call-overload]


def test_a_canary_decides_about_its_actors_at_every_stage(house: SmallHouse) -> None:
    sha256 = promoted(house, a_document("canary"), Standing.CANARY, 50)
    standing = house.rooms.book.standing()
    inside = next(
        actor
        for actor in (f"act_{number}" for number in range(100))
        if standing.policy_for("prj_test", actor).ref.sha256 == sha256
    )

    job = ended(house, house.pipeline("front:1").submit(a_request(actor=inside)))

    assert job.state is State.RELEASED
    told = policies_of(house, job)
    assert {stage for stage, _ in told} >= {"request", "output", "release"}
    assert {by for _, by in told} == {sha256}


def test_a_shadow_stands_in_the_leaf_of_every_decision_and_changes_none(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.12
    stricter = a_document("stricter").replace(
        b"sport or a stage.\n    thresholds:\n      default: {hold: 0.15, block: 0.5}",
        b"sport or a stage.\n    thresholds:\n      default: {hold: 0.1, block: 0.4}",
    )
    sha256 = promoted(house, stricter, Standing.SHADOW)

    job = ended(house, house.pipeline("front:1").submit(a_request()))

    assert job.state is State.RELEASED
    entries = house.rooms.log.entries(EntryFilter(type="decision.made", request=job.request_id))
    first = entries[-1].facts["shadow"]
    assert first == [
        {
            "version": "stricter",
            "sha256": sha256,
            "verdict": "hold",
            "codes": ["filters.violence"],
            "differs": True,
        }
    ]
    assert all(one.facts["verdict"] == "allow" for one in entries)


def test_a_plan_is_among_the_circumstances_of_a_decision(house: SmallHouse) -> None:
    with house.rooms.database.transaction() as conn:
        project = accounts.create_project(conn, "ours", house.clock()).id
    somebody(house).set_plan(project, "research")
    request = replace(a_request(), requester=Requester("act_maker", project), territory="DE")
    seen = house.rooms.gates.look(asked(house.rooms, request), now=house.clock())

    decision = decided(house.rooms, request, seen, stage=Stage.REQUEST, mode=Mode.DRY_RUN)

    assert decision.verdict is Verdict.ALLOW
    assert (decision.circumstances.plan, decision.circumstances.territory) == ("research", "DE")
    assert decision.circumstances.project == project


def test_a_broken_book_decides_nothing_and_the_job_goes_on_once_it_is_mended(
    house: SmallHouse,
) -> None:
    head = "UPDATE policy_head SET id = {}"
    with house.rooms.database.transaction() as conn:
        conn.exec_driver_sql(head.format(2))
    seen = house.rooms.gates.look(asked(house.rooms, a_request()), now=house.clock())
    with pytest.raises(BookBroken):
        decided(house.rooms, a_request(), seen, stage=Stage.REQUEST)
    job = house.pipeline("front:1").submit(a_request())
    assert job.state is State.ADMITTED
    assert policies_of(house, job) == []

    with house.rooms.database.transaction() as conn:
        conn.exec_driver_sql(head.format(1))
    house.clock.forward(minutes=5)

    assert ended(house, job).state is State.RELEASED
