"""The picture that was approved is the one that is shown, and there is only one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.clip import Clip
from generator.model import DigitalSource, Permit, Watch
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Shot
from provenance import manifest
from service import jobs
from service.jobs import Job, State
from service.media.stills import encoded
from service.request import BadRequest, Reference
from service.steps.front import _not_possible
from service.steps.run import shot_of
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

MAGENTA = (250, 0, 250)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        yield made


def a_picture(colour: tuple[int, int, int] = MAGENTA, side: int = 64) -> Reference:
    return Reference("input_reference", encoded(np.full((side, side, 3), colour, np.uint8)))


def submitted(house: SmallHouse, *references: Reference) -> Job:
    return house.pipeline("front:1").submit(a_request(references=references))


def finished(house: SmallHouse, job: Job) -> Job:
    worker = Worker(house.pipeline("worker:1"))
    while worker.once():
        pass
    with house.rooms.database.reading() as conn:
        return jobs.get(conn, job.id)


def test_a_second_picture_is_refused_rather_than_passed_over(house: SmallHouse) -> None:
    with pytest.raises(BadRequest) as refused:
        submitted(house, a_picture(), a_picture((4, 5, 6)))

    assert (refused.value.param, refused.value.code) == ("input_reference", "too_many")
    assert refused.value.remedy
    with house.rooms.database.reading() as conn:
        assert jobs.list_for(conn, "prj_test").jobs == ()


def test_a_picture_too_small_to_be_seen_is_refused_by_its_name(house: SmallHouse) -> None:
    with pytest.raises(BadRequest) as refused:
        submitted(house, a_picture(side=4))

    assert (refused.value.param, refused.value.code) == ("input_reference", "not_possible")
    assert "4x4" in refused.value.message


def test_the_picture_that_was_approved_is_in_the_film(tmp_path: Path) -> None:
    class Seen(ScenesRenderer):
        last: Clip

        def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
            self.last = super().generate(shot, permit=permit, watch=watch, folder=folder)
            return self.last

    model = Seen()
    with a_house(tmp_path, model=model) as house:
        job = submitted(house, a_picture())
        assert finished(house, job).state is State.RELEASED

    red, green, blue = np.asarray(model.last.frames[0]).astype(int).transpose(2, 0, 1)
    assert ((red > 150) & (blue > 150) & (green < 60)).mean() > 0.05


@pytest.mark.parametrize("swapped", ["another", "none", "one value"])
def test_the_model_is_not_permitted_another_picture_than_the_approved_one(
    swapped: str, tmp_path: Path
) -> None:
    class Swapping(ScenesRenderer):
        """A back end that is handed the approved shot and asks for another one."""

        def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
            assert shot.first_frame is not None
            picture = shot.first_frame.copy()
            picture[-1, -1, -1] ^= 1
            others = {"another": np.zeros_like(picture), "none": None, "one value": picture}
            other = replace(shot, first_frame=others[swapped])
            return super().generate(other, permit=permit, watch=watch, folder=folder)

    with a_house(tmp_path, model=Swapping()) as house:
        job = submitted(house, a_picture())
        job = finished(house, job)

    assert (job.state, job.error_code) == (State.FAILED, "not_permitted")


def test_nothing_can_draw_in_a_picture_between_the_gates_and_the_model(tmp_path: Path) -> None:
    class Drawing(ScenesRenderer):
        def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
            assert shot.first_frame is not None
            with pytest.raises(ValueError, match="read-only"):
                shot.first_frame[0, 0] = 0
            return super().generate(shot, permit=permit, watch=watch, folder=folder)

    with a_house(tmp_path, model=Drawing()) as house:
        job = submitted(house, a_picture())

        assert finished(house, job).state is State.RELEASED


def test_a_job_with_two_pictures_from_before_is_ended_and_not_half_shown() -> None:
    two = a_request(references=[a_picture(), a_picture((4, 5, 6))])
    black = np.zeros((64, 64, 3), np.uint8)

    with pytest.raises(BadRequest, match="shows one"):
        shot_of(two, (black, black))


def test_a_film_that_shows_somebodys_picture_says_that_it_is_a_composite(
    house: SmallHouse, tmp_path: Path
) -> None:
    job = finished(house, submitted(house, a_picture()))
    assert job.blob_sha256 is not None
    film = tmp_path / "film.mp4"
    with house.rooms.vault.open(job.blob_sha256) as blob:
        film.write_bytes(blob.read())

    report = manifest.read(film, b"")

    assert report is not None
    assert report.facts is not None
    assert report.facts.maker.digital_source == DigitalSource.COMPOSITE
    assert len(report.facts.inputs) == 1


def test_what_the_model_cannot_do_is_named_once() -> None:
    assert str(_not_possible("prompt: it names nothing.")).count("prompt") == 1
    assert _not_possible("fps 40: from 8 to 30").param == "fps"
