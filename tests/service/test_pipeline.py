from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from filters.finding import Category, FilterError
from generator.clip import Clip
from generator.model import Permit, Watch
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Shot
from likeness.consent import Use
from rightsholders.claims import Action, Basis, Draft, Kind
from service import jobs, reviews
from service.acts import Acts
from service.audit.reading import EntryFilter
from service.jobs import Job, State, Step
from service.media.stills import encoded
from service.request import BadRequest, GenerationRequest, Reference
from service.steps.run import Side
from service.vault import Blob, Vault
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

MARA = (200, 10, 10)
NOBODY = (10, 10, 200)


class CountingModel(ScenesRenderer):
    """The real renderer, which remembers how often it was asked."""

    def __init__(self) -> None:
        self.clips = 0
        self.at_the_end: Callable[[], None] = _nothing

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        self.clips += 1
        clip = super().generate(shot, permit=permit, watch=watch, folder=folder)
        self.at_the_end()
        return clip


def _nothing() -> None:
    return None


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url, model=CountingModel()) as made:
        yield made


def clips_made(house: SmallHouse) -> int:
    model = house.rooms.model
    assert isinstance(model, CountingModel)
    return model.clips


def finished(house: SmallHouse, job: Job) -> Job:
    worker = Worker(house.pipeline("worker:1"))
    while worker.once():
        pass
    with house.rooms.database.reading() as conn:
        return jobs.get(conn, job.id)


def submitted(house: SmallHouse, request: GenerationRequest | None = None) -> Job:
    return house.pipeline("front:1").submit(request or a_request())


def a_picture(colour: tuple[int, int, int]) -> Reference:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:] = colour
    return Reference("input_reference", encoded(frame))


def a_person(house: SmallHouse, colour: tuple[int, int, int], seed: int = 1) -> None:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    house.faces.people[colour] = vector / np.linalg.norm(vector)


def enrolled(house: SmallHouse, colour: tuple[int, int, int] = MARA) -> str:
    """Enrol Mara, who is `act_mara`, and return her likeness; her photograph is plain colour."""
    registry = house.rooms.gates.registry
    from likeness.enrolment import Enrolment

    made = Enrolment((house.faces.people[colour],), ())
    with house.rooms.database.transaction() as conn:
        return registry.admit(conn, "mara", "act_mara", made, now=house.clock()).id


def granted(house: SmallHouse, likeness: str, to: str = "act_maker") -> str:
    now = house.clock()
    act = Acts(house.rooms, "act_mara")
    return act.grant(likeness, to, from_at=now, until_at=now + timedelta(days=30)).made.id


def opened_review(house: SmallHouse) -> reviews.Review:
    with house.rooms.database.reading() as conn:
        (review,) = reviews.list_open(conn)
    return review


def decisions(house: SmallHouse, job: Job) -> list[tuple[object, object]]:
    entries = house.rooms.log.entries(EntryFilter(type="decision.made", request=job.request_id))
    return [
        (entry.facts["stage"], entry.facts["verdict"])
        for entry in sorted(entries, key=lambda entry: entry.index)
    ]


def test_an_allowed_request_becomes_a_released_film(house: SmallHouse) -> None:
    job = finished(house, submitted(house))

    assert job.state is State.RELEASED
    assert job.percent == 100
    assert decisions(house, job) == [
        ("request", "allow"), ("request", "allow"), ("output", "allow"), ("release", "allow"),
    ]  # fmt: skip
    assert house.rooms.log.verify().sound


def test_a_blocked_request_never_reaches_the_model_and_is_not_billed(house: SmallHouse) -> None:
    house.filters.scores[Category.SEXUAL] = 0.99

    job = finished(house, submitted(house))

    assert job.state is State.REFUSED
    assert job.error_code == "filters.sexual"
    assert clips_made(house) == 0
    assert decisions(house, job) == [("request", "block")]
    with house.rooms.database.reading() as conn:
        assert jobs.usage(conn, "prj_test", job.admitted_at).debited == 0


def test_a_gate_that_breaks_holds_and_never_allows(house: SmallHouse) -> None:
    house.filters.broken = FilterError("out of order")

    job = finished(house, submitted(house))

    assert job.state is State.HELD
    assert opened_review(house).reasons == ("policy.unavailable",)
    assert clips_made(house) == 0


def test_a_cleared_request_goes_on_and_the_clearing_is_logged(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = hold_score(house)
    job = submitted(house)
    assert job.state is State.HELD

    Acts(house.rooms, "act_moderator").clear(opened_review(house).id, "stage fight")

    assert finished(house, job).state is State.RELEASED
    assert len(house.rooms.log.entries(EntryFilter(type="review.cleared"))) == 1


def test_a_refused_review_ends_the_job(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = hold_score(house)
    job = submitted(house)

    Acts(house.rooms, "act_moderator").refuse(opened_review(house).id, "")

    assert finished(house, job).state is State.REFUSED
    assert clips_made(house) == 0


def test_nobody_clears_their_own_request(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = hold_score(house)
    submitted(house)

    with pytest.raises(reviews.OwnRequest):
        Acts(house.rooms, "act_maker").clear(opened_review(house).id, "")


def test_speech_that_nobody_read_is_held_after_the_film_is_made(house: SmallHouse) -> None:
    house.filters.scores[Category.SPEECH] = 0.9

    job = finished(house, submitted(house))

    assert job.state is State.HELD
    assert opened_review(house).reasons == ("filters.speech",)
    assert job.blob_sha256 is None

    Acts(house.rooms, "act_moderator").clear(opened_review(house).id, "a bird")
    assert finished(house, job).state is State.RELEASED
    assert clips_made(house) == 1


def test_a_film_that_is_blocked_leaves_nothing_behind(house: SmallHouse, tmp_path: Path) -> None:
    house.filters.scores[Category.GORE] = 1.0

    job = finished(house, submitted(house))

    assert job.state is State.REFUSED
    assert list((tmp_path / "vault" / "quarantine").iterdir()) == []
    assert list((tmp_path / "vault" / "workbench").iterdir()) == []


def test_a_stranger_in_a_picture_is_held(house: SmallHouse) -> None:
    a_person(house, NOBODY)

    job = submitted(house, a_request(references=[a_picture(NOBODY)]))

    assert job.state is State.HELD
    assert opened_review(house).reasons == ("likeness.stranger",)


def test_who_granted_is_allowed_and_who_did_not_is_refused(house: SmallHouse) -> None:
    a_person(house, MARA)
    likeness = enrolled(house)

    refused = submitted(house, a_request(references=[a_picture(MARA)]))
    granted(house, likeness)
    allowed = submitted(house, a_request(references=[a_picture(MARA)], handles=["mara"]))

    assert refused.state is State.REFUSED
    assert refused.error_code == "likeness.not_granted"
    assert finished(house, allowed).state is State.RELEASED
    with house.rooms.database.reading() as conn:
        uses = house.rooms.gates.registry.uses_of(conn, likeness, before=house.clock())
    assert {use.verdict for use in uses} == {"block", "allow"}


def test_revocation_stops_a_job_that_waits_in_line(house: SmallHouse) -> None:
    a_person(house, MARA)
    likeness = enrolled(house)
    granted(house, likeness)
    job = submitted(house, a_request(references=[a_picture(MARA)], handles=["mara"]))
    assert job.state is State.QUEUED

    Acts(house.rooms, "act_mara").revoke(likeness)

    job = finished(house, job)
    assert job.state in {State.REFUSED, State.HELD}
    assert clips_made(house) == 0


@pytest.mark.parametrize("step", [Step.GENERATE, Step.INSPECT, Step.SEAL, Step.LOG], ids=str)
def test_revocation_at_any_later_moment_stops_the_release(step: Step, house: SmallHouse) -> None:
    a_person(house, MARA)
    grant = granted(house, enrolled(house))
    job = submitted(house, a_request(references=[a_picture(MARA)], handles=["mara"]))

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (step, Side.AFTER):
            Acts(house.rooms, "act_mara").revoke_grant(grant)

    Worker(house.pipeline("worker:1", crossing)).once()

    job = finished(house, job)
    assert job.state in {State.REFUSED, State.HELD}
    assert job.blob_sha256 is None


def test_revocation_between_the_last_question_and_the_release_stops_it(
    house: SmallHouse, tmp_path: Path
) -> None:
    a_person(house, MARA)
    grant = granted(house, enrolled(house))
    job = submitted(house, a_request(references=[a_picture(MARA)], handles=["mara"]))
    acts = Acts(house.rooms, "act_mara")

    class Revoking(Vault):
        def publish(self, path: Path, expected_sha256: str) -> Blob:
            acts.revoke_grant(grant)
            return super().publish(path, expected_sha256)

    house.rooms = replace(house.rooms, vault=Revoking(tmp_path / "vault"))
    Worker(house.pipeline("worker:1")).once()

    with house.rooms.database.reading() as conn:
        job = jobs.get(conn, job.id)
    assert job.state in {State.REFUSED, State.HELD}
    assert job.blob_sha256 is None


def test_a_claim_filed_while_a_job_waits_stops_it(house: SmallHouse) -> None:
    job = submitted(house, a_request("a red ball bounces, Zorbaxia style"))
    assert job.state is State.QUEUED

    Acts(house.rooms, "act_holder").claim(
        Draft(
            "act_holder", "Zorbaxia", Kind.TITLE, Action.BLOCK, Basis.COPYRIGHT, ("Zorbaxia",),
            house.clock(),
        )
    )  # fmt: skip

    job = finished(house, job)
    assert job.state is State.REFUSED
    assert job.error_code == "rights.claim"


def test_a_ticket_that_ran_out_in_line_is_renewed_only_because_the_gates_were_asked_again(
    house: SmallHouse,
) -> None:
    job = submitted(house)

    house.clock.forward(hours=2)

    assert finished(house, job).state is State.RELEASED


def test_a_ticket_that_runs_out_before_the_first_frame_permits_nothing(house: SmallHouse) -> None:
    job = submitted(house)

    def crossing(at: Step, on: Side) -> None:
        if (at, on) == (Step.CLAIM, Side.AFTER):
            house.clock.forward(hours=2)

    Worker(house.pipeline("worker:1", crossing)).once()

    with house.rooms.database.reading() as conn:
        job = jobs.get(conn, job.id)
    assert (job.state, job.error_code) == (State.FAILED, "not_permitted")


def test_a_cancelled_job_stops_within_a_step_and_leaves_nothing(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = submitted(house, a_request(seconds=4))
    with house.rooms.database.transaction() as conn:
        lease = jobs.claim(conn, "worker:1", timedelta(seconds=30), house.clock())
        jobs.cancel(conn, job.id, house.clock())
    assert lease is not None

    Worker(house.pipeline("worker:1")).carry_on(lease)

    with house.rooms.database.reading() as conn:
        assert jobs.get(conn, job.id).state is State.CANCELLED
    assert list((tmp_path / "vault" / "quarantine").iterdir()) == []


def test_the_same_key_is_the_same_job_and_another_request_a_conflict(house: SmallHouse) -> None:
    first = submitted(house, a_request(key="k1"))

    assert submitted(house, a_request(key="k1")).id == first.id
    with pytest.raises(jobs.IdempotencyConflict):
        submitted(house, a_request("a blue ball falls", key="k1"))


def test_what_cannot_be_drawn_is_refused_before_any_job_exists(house: SmallHouse) -> None:
    with pytest.raises(BadRequest) as refused:
        submitted(house, a_request("quarterly revenue"))

    assert refused.value.param == "prompt"
    with house.rooms.database.reading() as conn:
        assert jobs.list_for(conn, "prj_test").jobs == ()


def test_a_picture_that_is_none_is_refused_before_any_job_exists(house: SmallHouse) -> None:
    with pytest.raises(BadRequest) as refused:
        submitted(house, a_request(references=[Reference("input_reference", b"GIF89a")]))

    assert refused.value.param == "input_reference"
    assert refused.value.remedy


def test_neither_prompt_nor_picture_stands_in_the_database(tmp_path: Path) -> None:
    picture = a_picture((1, 2, 3))
    asked = a_request("a red ball bounces past xylophonic quokkas", references=[picture])
    with a_house(tmp_path) as house:
        assert finished(house, submitted(house, asked)).state is State.RELEASED

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("house.sqlite3*"))

    assert b"decision.made" in stored
    assert b"xylophonic" not in stored
    assert b"quokkas" not in stored
    assert picture.content[-40:] not in stored


def hold_score(house: SmallHouse) -> float:
    """Return a score between hold and block of `filters.violence`."""
    limits = house.rooms.book.standing().live.rule_for("filters.violence").thresholds_on("prompt")
    assert limits.hold is not None
    assert limits.block is not None
    return round((limits.hold + limits.block) / 2, 4)


def test_enrolment_is_logged_without_the_handle(house: SmallHouse) -> None:
    a_person(house, MARA)
    frame = np.random.default_rng(5).integers(60, 200, (96, 96, 3)).astype(np.uint8)
    frame[0, 0] = MARA
    picture = Reference("photographs", encoded(frame))

    done = Acts(house.rooms, "act_mara").enrol("mara", [picture.content])

    entry = house.rooms.log.entry(done.receipt.index)
    assert entry.type == "likeness.enrolled"
    assert "mara" not in str(entry.facts)
    assert Use.FACE.value not in entry.facts
