"""What a hostile review broke: each test failed before its repair."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.finding import FilterError
from generator.clip import Clip
from generator.model import Permit, Watch
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Shot
from likeness.enrolment import Enrolment
from rightsholders.claims import Action, Basis, Draft, Kind
from service import jobs, notices, reviews
from service.acts import Acts
from service.audit.errors import NotAcknowledged
from service.decision import Mode
from service.desk import answer
from service.jobs import Job, State, Step
from service.media.stills import encoded
from service.media.writing import read_lumas
from service.request import Reference
from service.steps.run import Crossing, Side
from service.vault import Blob, Vault
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

MARA, NOBODY = (200, 10, 10), (10, 10, 200)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        for seed, colour in enumerate((MARA, NOBODY)):
            vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
            made.faces.people[colour] = vector / np.linalg.norm(vector)
        yield made


def a_picture(*colours: tuple[int, int, int]) -> Reference:
    """Return a picture of one person, or of two side by side."""
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, :32], frame[:, 32:] = colours[0], colours[-1]
    return Reference("input_reference", encoded(frame))


def mara_granted(house: SmallHouse, times: int = 1) -> tuple[str, list[str]]:
    made = Enrolment((house.faces.people[MARA],), ())
    with house.rooms.database.transaction() as conn:
        registry = house.rooms.gates.registry
        likeness = registry.admit(conn, "mara", "act_mara", made, now=house.clock()).id
    now, mara = house.clock(), Acts(house.rooms, "act_mara")
    until = now + timedelta(days=30)
    grants = [
        mara.grant(likeness, "act_maker", from_at=now, until_at=until).made.id for _ in range(times)
    ]
    return likeness, grants


def cleared(house: SmallHouse) -> None:
    with house.rooms.database.reading() as conn:
        (review,) = reviews.list_open(conn)
    Acts(house.rooms, "act_moderator").clear(review.id, "looks fine")


def finished(house: SmallHouse, job: Job) -> Job:
    worker = Worker(house.pipeline("worker:1"))
    while worker.once():
        pass
    return as_it_is(house, job)


def as_it_is(house: SmallHouse, job: Job) -> Job:
    with house.rooms.database.reading() as conn:
        return jobs.get(conn, job.id)


def test_clearing_a_check_that_could_not_be_made_lets_it_look_again_and_no_more(
    house: SmallHouse,
) -> None:
    house.filters.broken = FilterError("out of order")
    job = house.pipeline().submit(a_request())
    assert job.state is State.HELD

    cleared(house)
    assert finished(house, job).state is State.HELD

    house.filters.broken = None
    cleared(house)
    assert finished(house, job).state is State.RELEASED


def test_clearing_an_unknown_handle_does_not_clear_one_that_is_revoked_meanwhile(
    house: SmallHouse,
) -> None:
    likeness, _ = mara_granted(house)
    job = house.pipeline().submit(a_request("a red ball bounces for @mara and @bobbb"))
    assert job.state is State.HELD

    Acts(house.rooms, "act_mara").revoke(likeness)
    cleared(house)

    assert finished(house, job).state in {State.HELD, State.REFUSED}


def test_clearing_a_stranger_does_not_clear_somebody_who_revokes_meanwhile(
    house: SmallHouse,
) -> None:
    likeness, _ = mara_granted(house)
    asked = a_request(references=[a_picture(MARA, NOBODY)])
    job = house.pipeline().submit(asked)
    assert job.state is State.HELD

    Acts(house.rooms, "act_mara").revoke(likeness)
    cleared(house)

    assert finished(house, job).state in {State.HELD, State.REFUSED}


class Died(BaseException):
    """A worker that is no more."""


def dying_after(step: Step) -> Crossing:
    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (step, Side.AFTER):
            raise Died

    return crossing


class Overwritten(ScenesRenderer):
    """A worker that slept in its last step: it writes its frames when others have gone on."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] | None = None

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        clip = super().generate(shot, permit=permit, watch=watch, folder=folder)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
            frames = np.load(folder / "frames.npy", mmap_mode="r+")
            frames[:] = 0
            frames.flush()
        return clip


def test_frames_that_a_fenced_worker_writes_are_not_the_ones_that_are_released(
    tmp_path: Path,
) -> None:
    model = Overwritten()
    with a_house(tmp_path, model=model) as house:
        job = house.pipeline().submit(a_request())

        def another_worker_takes_over_and_dies_after_inspection() -> None:
            house.clock.forward(minutes=5)
            with pytest.raises(Died):
                Worker(house.pipeline("worker:1", dying_after(Step.INSPECT))).once()

        model.meanwhile = another_worker_takes_over_and_dies_after_inspection
        Worker(house.pipeline("worker:0")).once()
        house.clock.forward(minutes=5)
        finished(house, job)

        job = as_it_is(house, job)
        assert job.state is State.RELEASED
        assert job.blob_sha256 is not None
        film = tmp_path / "released.mp4"
        with house.rooms.vault.open(job.blob_sha256) as blob:
            film.write_bytes(blob.read())
        assert all(luma.mean() > 40 for luma in read_lumas(film))


def test_a_frame_that_changes_after_it_was_made_is_never_sealed(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = house.pipeline().submit(a_request())

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.INSPECT, Side.AFTER):
            (path,) = (tmp_path / "vault" / "quarantine").rglob("frames.npy")
            with path.open("r+b") as frames:
                frames.seek(5000)
                frames.write(b"\xff\x00\xff")

    Worker(house.pipeline("worker:1", crossing)).once()

    assert as_it_is(house, job).state is State.FAILED


def says_nothing(*_: object) -> list[Any]:
    return []


@pytest.mark.parametrize("silent", ["text", "pictures", "sound", "frames"])
def test_a_detector_that_says_nothing_has_not_looked(silent: str, house: SmallHouse) -> None:
    rooms, workshop = house.rooms, house.workshop
    if silent == "text":
        house.rooms = replace(rooms, gates=replace(rooms.gates, judge_text=says_nothing))
    if silent == "pictures":
        house.rooms = replace(rooms, gates=replace(rooms.gates, judge_pictures=says_nothing))
    inspection = workshop.inspection
    if silent == "sound":
        inspection = replace(inspection, listen=says_nothing)
    if silent == "frames":
        inspection = replace(inspection, sample=says_nothing)
    house.workshop = replace(workshop, inspection=inspection)

    job = house.pipeline().submit(a_request(references=[a_picture((1, 2, 3))]))

    assert finished(house, job).state is State.HELD


def test_an_attempt_with_hundreds_of_handles_is_in_the_log_like_any_other(
    house: SmallHouse,
) -> None:
    likeness, grants = mara_granted(house)
    Acts(house.rooms, "act_mara").revoke_grant(grants[0])
    many = " ".join(f"@nobody{number}" for number in range(400))

    job = house.pipeline().submit(a_request(f"a red ball bounces @mara {many}"))

    assert job.state is State.REFUSED
    assert job.error_code == "likeness.handle_not_granted"
    with house.rooms.database.reading() as conn:
        uses = house.rooms.gates.registry.uses_of(conn, likeness, before=house.clock())
    assert [use.verdict for use in uses] == ["block"]


def test_a_claim_filed_while_the_film_is_copied_stops_the_release(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = house.pipeline().submit(a_request("a red ball bounces, Zorbaxia style"))

    def file_a_claim() -> None:
        Acts(house.rooms, "act_holder").claim(
            Draft(
                "act_holder", "Zorbaxia", Kind.TITLE, Action.BLOCK, Basis.COPYRIGHT,
                ("Zorbaxia",), house.clock(),
            )
        )  # fmt: skip

    class Filing(Vault):
        def publish(self, path: Path, expected_sha256: str) -> Blob:
            file_a_claim()
            return super().publish(path, expected_sha256)

    house.rooms = replace(house.rooms, vault=Filing(tmp_path / "vault"))

    job = finished(house, job)
    assert (job.state, job.blob_sha256) == (State.REFUSED, None)


def test_one_of_two_grants_may_end_without_harm(house: SmallHouse) -> None:
    _, grants = mara_granted(house, times=2)
    asked = a_request(references=[a_picture(MARA)], handles=["mara"])
    job = house.pipeline().submit(asked)
    assert job.state is State.QUEUED

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.LOG, Side.AFTER):
            with house.rooms.database.reading() as conn:
                (decide,) = [one for one in jobs.steps(conn, job.id) if one.step is Step.DECIDE]
            (used,) = decide.result["granted"].values()  # type: ignore[union-attr]
            Acts(house.rooms, "act_mara").revoke_grant(str(used))

    Worker(house.pipeline("worker:1", crossing)).once()

    assert as_it_is(house, job).state is State.RELEASED
    assert len(grants) == 2


def test_people_are_told_of_a_film_that_its_maker_deletes_at_once(house: SmallHouse) -> None:
    mara_granted(house)
    job = house.pipeline().submit(a_request(references=[a_picture(MARA)], handles=["mara"]))

    with pytest.raises(Died):
        Worker(house.pipeline("worker:0", dying_after(Step.RELEASE))).once()
    with house.rooms.database.transaction() as conn:
        jobs.remove(conn, "prj_test", job.id, house.clock())
    house.clock.forward(minutes=5)
    finished(house, job)

    with house.rooms.database.reading() as conn:
        told = [notice.kind for notice in notices.list_for(conn, "act_mara")]
    assert told == [notices.NoticeKind.LIKENESS_USED]


def test_a_client_that_is_answered_late_does_not_get_two_films(house: SmallHouse) -> None:
    class Deaf:
        def __getattr__(self, name: str) -> object:
            return getattr(log, name)

        def settle(self, _key: str) -> object:
            raise NotAcknowledged("the log is slow")

    log, healthy = house.rooms.log, house.rooms
    house.rooms = replace(house.rooms, log=Deaf())  # type: ignore[arg-type]

    job = house.pipeline("front:1").submit(a_request())

    house.rooms = healthy
    house.clock.forward(minutes=5)
    assert finished(house, job).state is State.RELEASED


def test_a_decision_asked_for_alone_is_seen_by_whom_it_is_about(house: SmallHouse) -> None:
    likeness, _ = mara_granted(house)

    answer(house.rooms, a_request("a ball for @mara", actor="act_other"), mode=Mode.ENFORCE)

    with house.rooms.database.reading() as conn:
        uses = house.rooms.gates.registry.uses_of(conn, likeness, before=house.clock())
    assert [use.verdict for use in uses] == ["block"]


def test_neither_ticket_nor_job_row_names_a_handle_or_a_bare_hash_of_the_prompt(
    tmp_path: Path,
) -> None:
    prompt = "a red ball bounces for @quokkaman"
    with a_house(tmp_path) as house:
        job = house.pipeline().submit(a_request(prompt, handles=["quokkaman"]))
        assert job.state is State.HELD
        cleared(house)
        assert finished(house, job).state is State.RELEASED

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("house.sqlite3*"))

    assert b"quokkaman" not in stored
    assert hashlib.sha256(prompt.encode()).hexdigest().encode() not in stored
