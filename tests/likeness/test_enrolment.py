from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from likeness.dlib_faces import DlibFaces
from likeness.enrolment import (
    Flaw,
    PhotographCount,
    PhotographRefused,
    _require_same_person,
    enrolment,
)
from likeness.faces import PictureUnusable
from likeness.thresholds import load_calibration
from tests.likeness.builders import a_face, near, person

Picture = NDArray[np.uint8]
CALIBRATION = load_calibration()


def refused(model: DlibFaces, *photographs: Picture) -> PhotographRefused:
    with pytest.raises(PhotographRefused) as caught:
        enrolment(photographs, model, CALIBRATION)
    return caught.value


def scaled(picture: Picture, side: int) -> Picture:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))


def test_one_good_photograph_makes_one_template_and_advice(
    model: DlibFaces, astronaut: Picture
) -> None:
    made = enrolment([astronaut], model, CALIBRATION)

    assert made.depth == 1
    assert any("5 photographs" in advice for advice in made.advice)


@pytest.mark.parametrize("count", [0, 11])
def test_none_or_more_than_ten_photographs_are_refused(
    model: DlibFaces, astronaut: Picture, count: int
) -> None:
    with pytest.raises(PhotographCount):
        enrolment([astronaut] * count, model, CALIBRATION)


def test_a_photograph_of_nobody_is_refused_by_its_number(
    model: DlibFaces, astronaut: Picture
) -> None:
    error = refused(model, astronaut, np.zeros((300, 300, 3), np.uint8))

    assert (error.number, error.flaw) == (2, Flaw.NO_FACE)


def test_a_photograph_of_several_people_is_refused(model: DlibFaces, group: Picture) -> None:
    assert refused(model, group).flaw is Flaw.SEVERAL_FACES


def test_a_photograph_of_somebody_else_is_refused_by_its_number(
    model: DlibFaces, astronaut: Picture, portraits: Sequence[Picture]
) -> None:
    error = refused(model, astronaut, portraits[0])

    assert (error.number, error.flaw) == (2, Flaw.ANOTHER_PERSON)


def test_the_same_photograph_twice_is_refused_even_if_scaled(
    model: DlibFaces, astronaut: Picture
) -> None:
    error = refused(model, astronaut, scaled(astronaut, 500))

    assert (error.number, error.flaw) == (2, Flaw.SAME_PHOTOGRAPH)


def test_every_two_photographs_must_show_the_same_person() -> None:
    first, last = near(1, 0.3), near(1, -0.3)

    _require_same_person(2, a_face(person(1)), [a_face(first)], CALIBRATION)
    with pytest.raises(PhotographRefused) as caught:
        _require_same_person(3, a_face(last), [a_face(person(1)), a_face(first)], CALIBRATION)

    assert caught.value.flaw is Flaw.ANOTHER_PERSON


def test_a_face_too_small_to_decide_is_refused(model: DlibFaces, astronaut: Picture) -> None:
    assert refused(model, scaled(astronaut, 240)).flaw is Flaw.TOO_SMALL


def test_a_blurred_photograph_is_refused(model: DlibFaces, astronaut: Picture) -> None:
    blurred = np.asarray(Image.fromarray(astronaut).filter(ImageFilter.GaussianBlur(2)))

    assert refused(model, blurred).flaw is Flaw.BLURRED


def test_a_dark_photograph_is_refused(model: DlibFaces, astronaut: Picture) -> None:
    assert refused(model, (astronaut * 0.2).astype(np.uint8)).flaw is Flaw.TOO_DARK


def test_a_bleached_photograph_is_refused(model: DlibFaces, astronaut: Picture) -> None:
    bleached = (255 - (255 - astronaut.astype(np.float32)) * 0.2).astype(np.uint8)

    assert refused(model, bleached).flaw is Flaw.TOO_BRIGHT


def test_what_is_not_a_picture_is_refused(model: DlibFaces) -> None:
    with pytest.raises(PictureUnusable):
        enrolment([np.zeros((300, 300), np.uint8)], model, CALIBRATION)
