"""No picture of a nude person exists in this project; wiring is tested on faces and by hand."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
from skimage.data import astronaut

from filters.finding import Box, Category, FilterError, NothingToLookAt, Surface
from filters.frames import NotAFrame
from filters.nudity import FLOOR, LABELS, SEXUAL, NudityDetector, _sights


@pytest.fixture(scope="module")
def detector() -> NudityDetector:
    return NudityDetector()


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] = astronaut()
    return picture


def a_table(
    *candidates: tuple[str, float, tuple[float, float, float, float]],
) -> NDArray[np.float32]:
    """Return raw model output with a row per label, score and (centre, size) in 320ths."""
    table = np.zeros((len(candidates), 4 + len(LABELS)), np.float32)
    for row, (label, score, box) in enumerate(candidates):
        table[row, :4] = box
        table[row, 4 + LABELS.index(label)] = score
    return table


def test_we_see_what_the_wheels_own_detector_sees(
    detector: NudityDetector, portrait: NDArray[np.uint8]
) -> None:
    # Taken with nudenet 3.4.2's NudeDetector().detect(astronaut()): FACE_FEMALE 0.8105.
    theirs = np.array([173, 82, 100, 97])

    (face,) = detector.sights(portrait)

    assert face.label == "FACE_FEMALE"
    assert face.score == pytest.approx(0.8105, abs=0.005)
    ours = np.array([face.box.x, face.box.y, face.box.width, face.box.height])
    assert np.abs(ours - theirs).max() <= 2


@pytest.mark.parametrize(("down", "right"), [(0, 0), (0, 400), (300, 0)])
def test_boxes_are_in_pixels_of_the_frame_given(
    detector: NudityDetector, portrait: NDArray[np.uint8], down: int, right: int
) -> None:
    frame = np.pad(portrait, ((down, 0), (right, 0), (0, 0)))

    face = detector.sights(frame)[0]

    assert face.label == "FACE_FEMALE"
    assert abs(face.box.x - 173 - right) < 12
    assert abs(face.box.y - 82 - down) < 12


def test_a_face_is_no_finding_but_the_look_is_recorded(
    detector: NudityDetector, portrait: NDArray[np.uint8]
) -> None:
    (found,) = detector.look([(3, portrait), (9, portrait)])

    assert found.category is Category.SEXUAL
    assert found.surface is Surface.FRAMES
    assert 0 < found.score < FLOOR
    assert found.place is None


def test_looking_at_nothing_is_an_error_and_never_fine(detector: NudityDetector) -> None:
    with pytest.raises(NothingToLookAt):
        detector.look([])


def test_a_frame_of_another_kind_is_refused(detector: NudityDetector) -> None:
    with pytest.raises(NotAFrame):
        detector.look([(0, np.zeros((8, 8), np.uint8))])


def test_the_same_frame_gives_the_same_score_in_any_company(
    detector: NudityDetector, portrait: NDArray[np.uint8]
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, portrait.shape, np.uint8)

    alone = detector.sights(portrait)
    detector.look([(0, noise), (1, portrait)])

    assert detector.sights(portrait) == alone


def test_a_covered_part_does_not_outvote_a_bare_one_in_the_same_place() -> None:
    table = a_table(
        ("FEMALE_BREAST_COVERED", 0.9, (100, 100, 40, 40)),
        ("FEMALE_BREAST_EXPOSED", 0.5, (101, 101, 40, 40)),
    )

    labels = [sight.label for sight in _sights(table, 0, np.zeros((320, 320, 3), np.uint8))]

    assert labels == ["FEMALE_BREAST_COVERED", "FEMALE_BREAST_EXPOSED"]


def test_shadows_of_one_thing_are_one_sight_and_two_things_are_two() -> None:
    table = a_table(
        ("FACE_MALE", 0.8, (100, 100, 40, 40)),
        ("FACE_MALE", 0.6, (104, 100, 40, 40)),
        ("FACE_MALE", 0.5, (200, 100, 40, 40)),
        ("FACE_MALE", FLOOR - 0.01, (300, 300, 10, 10)),
    )

    found = _sights(table, 7, np.zeros((640, 640, 3), np.uint8))

    assert [(sight.label, round(sight.score, 4), sight.box) for sight in found] == [
        ("FACE_MALE", 0.8, Box(7, 160, 160, 80, 80)),
        ("FACE_MALE", 0.5, Box(7, 360, 160, 80, 80)),
    ]


def test_boxes_end_at_the_edge_of_the_frame() -> None:
    table = a_table(("FACE_MALE", 0.8, (5, 5, 40, 40)))

    (sight,) = _sights(table, 0, np.zeros((180, 320, 3), np.uint8))

    assert sight.box == Box(0, 0, 0, 25, 25)


class Scripted(NudityDetector):
    """The real logic over candidates that a test wrote: one table per frame, by its first byte."""

    def __init__(self, tables: list[NDArray[np.float32]]) -> None:
        self._tables = tables

    def _table(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._tables[int(frame[0, 0, 0])]


def test_each_bare_part_is_reported_once_with_its_best_frame() -> None:
    box = (100.0, 100.0, 40.0, 40.0)
    detector = Scripted(
        [
            a_table(("BUTTOCKS_EXPOSED", 0.4, box)),
            a_table(("BUTTOCKS_EXPOSED", 0.7, box), ("FEMALE_BREAST_EXPOSED", 0.3, box)),
            a_table(("MALE_BREAST_EXPOSED", 0.9, box), ("BELLY_EXPOSED", 0.9, box)),
        ]
    )
    frames = [(index * 12, np.full((320, 320, 3), index, np.uint8)) for index in range(3)]

    found = detector.look(frames)

    assert [(each.score, each.place) for each in found] == [
        (0.7, Box(12, 80, 80, 40, 40)),
        (0.3, Box(12, 80, 80, 40, 40)),
    ]


def test_every_exposed_part_that_counts_is_a_label_of_the_model() -> None:
    assert set(SEXUAL) < set(LABELS)
    assert all(label.endswith("_EXPOSED") for label in SEXUAL)


class Broken:
    """A session that gives what a test says, or raises it."""

    def __init__(self, given: object) -> None:
        self.given = given

    def run(self, _names: object, _inputs: object) -> object:
        if isinstance(self.given, Exception):
            raise self.given
        return [self.given]


@pytest.mark.parametrize(
    "given",
    [
        InvalidArgument("x"),
        np.full((1, 4 + len(LABELS), 2), np.nan, np.float32),
        np.zeros((1, 3, 2), np.float32),
        "nonsense",
    ],
    ids=["raises", "nan", "another shape", "nonsense"],
)
def test_a_model_that_fails_on_one_frame_of_many_is_no_all_clear(given: object) -> None:
    detector = NudityDetector()
    calm, session = np.zeros((64, 64, 3), np.uint8), detector._session

    def frames() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        yield 0, calm
        detector._session = Broken(given)
        yield 1, calm

    with pytest.raises(FilterError):
        detector.look(frames())

    detector._session = session
    assert detector.look([(0, calm)])
