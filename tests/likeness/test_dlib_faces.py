import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from likeness import dlib_faces
from likeness.dlib_faces import PREDICTOR, RECOGNISER, DlibFaces
from likeness.faces import ModelUnavailable, PictureUnusable, Quality, distance, quality_of


def test_the_one_face_of_a_portrait_is_found_where_it_is(
    model: DlibFaces, astronaut: NDArray[np.uint8]
) -> None:
    (face,) = model.find(astronaut)

    assert face.quality is Quality.DECIDES
    assert face.vector.shape == (128,)
    assert face.vector.dtype == np.float32
    assert face.box.x < 224 < face.box.x + face.box.width
    assert face.box.y < 120 < face.box.y + face.box.height


def test_all_six_people_of_a_group_are_found_and_are_six_people(
    model: DlibFaces, group: NDArray[np.uint8]
) -> None:
    faces = [face for face in model.find(group) if face.certain]

    apart = [
        distance(one.vector, other.vector)
        for number, one in enumerate(faces)
        for other in faces[:number]
    ]
    assert len(faces) == 6
    assert min(apart) > 0.52


def test_a_picture_of_nobody_has_no_faces(model: DlibFaces) -> None:
    sea = np.zeros((360, 640, 3), np.uint8)
    sea[:180] = (120, 160, 220)

    assert model.find(sea) == []


def test_the_same_face_far_smaller_decides_less(
    model: DlibFaces, astronaut: NDArray[np.uint8]
) -> None:
    def at(side: int) -> Quality:
        small = np.asarray(
            Image.fromarray(astronaut).resize((side, side), Image.Resampling.LANCZOS)
        )
        return model.find(small)[0].quality

    assert at(320) is Quality.DECIDES
    assert at(240) is Quality.INCONCLUSIVE


def test_a_view_that_is_not_contiguous_measures_the_same(
    model: DlibFaces, astronaut: NDArray[np.uint8]
) -> None:
    wide = np.repeat(astronaut, 2, axis=1)[:, ::2]

    assert distance(model.find(wide)[0].vector, model.find(astronaut)[0].vector) < 1e-6


@pytest.mark.parametrize(
    ("height_px", "certain", "quality"),
    [
        (48, True, Quality.DECIDES),
        (47, True, Quality.INCONCLUSIVE),
        (32, True, Quality.INCONCLUSIVE),
        (31, True, Quality.TOO_SMALL),
        (200, False, Quality.INCONCLUSIVE),
    ],
)
def test_size_and_certainty_set_what_a_face_can_prove(
    height_px: int, certain: bool, quality: Quality
) -> None:
    assert quality_of(height_px, certain=certain) is quality


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((16, 64, 3), np.uint8),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((32, 16_385, 3), np.uint8),
    ],
    ids=["grey", "with alpha", "float", "too low", "empty", "too wide"],
)
def test_what_is_not_a_usable_picture_is_refused(model: DlibFaces, picture: np.ndarray) -> None:
    with pytest.raises(PictureUnusable):
        model.find(picture)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in (PREDICTOR, RECOGNISER):
        shutil.copyfile(dlib_faces._wheel_folder() / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", [PREDICTOR, RECOGNISER])
def test_a_missing_model_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()

    with pytest.raises(ModelUnavailable, match=name):
        DlibFaces(copied)


@pytest.mark.parametrize("name", [PREDICTOR, RECOGNISER])
def test_a_model_file_with_one_changed_byte_is_not_loaded(copied: Path, name: str) -> None:
    altered = bytearray((copied / name).read_bytes())
    altered[len(altered) // 2] ^= 1
    (copied / name).write_bytes(altered)

    with pytest.raises(ModelUnavailable, match=name):
        DlibFaces(copied)


def test_the_predictor_that_may_not_be_used_commercially_is_not_needed(copied: Path) -> None:
    assert sorted(path.name for path in copied.iterdir()) == sorted([PREDICTOR, RECOGNISER])

    assert DlibFaces(copied).sha256
