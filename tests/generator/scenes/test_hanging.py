"""A picture hangs in the scene, whole and in its own proportions, wherever the camera looks."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.scenes.renderer import rendered
from generator.shots import Shot, Size

Pixels = NDArray[np.bool_]

MAGENTA = (250, 0, 250)  # no paint of the scenes comes near
SQUARE = Size(256, 256)
SETTINGS = {
    "room": "a green ball bouncing in a room, blue wall",
    "outdoors": "a green ball bouncing on the lawn",
    "space": "a green planet orbiting",
}


def plain(tall: int, wide: int) -> NDArray[np.uint8]:
    return np.full((tall, wide, 3), MAGENTA, dtype=np.uint8)


def frames(prompt: str, hung: NDArray[np.uint8] | None, size: Size = SQUARE) -> NDArray[np.uint8]:
    return rendered(Shot(prompt, size, 1, Fraction(8), 3, first_frame=hung)).frames


def magenta(frame: NDArray[np.number[Any]]) -> Pixels:
    red, green, blue = frame.astype(int).transpose(2, 0, 1)
    return np.asarray((red > 150) & (blue > 150) & (green < 60))


def extent(shown: Pixels) -> tuple[int, int]:
    """Return height and width of the box around what is shown."""
    rows, columns = np.nonzero(shown)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("setting", list(SETTINGS))
@pytest.mark.parametrize("camera", ["", ", pan", ", zoom"])
@pytest.mark.parametrize("size", [Size(256, 256), Size(360, 640), Size(640, 360)], ids=str)
def test_it_is_seen_whole_in_every_frame(setting: str, camera: str, size: Size) -> None:
    clip = frames(SETTINGS[setting] + camera, plain(300, 400), size)

    for frame in clip:
        shown = magenta(frame)
        assert shown.sum() > 0.02 * shown.size
        edge = np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]])
        assert not edge.any()


@pytest.mark.parametrize(
    ("tall", "wide"), [(300, 400), (400, 300), (64, 64), (16, 128), (128, 16), (3000, 2000)]
)
@pytest.mark.parametrize("setting", ["room", "outdoors"])
def test_its_aspect_is_kept(setting: str, tall: int, wide: int) -> None:
    first = frames(SETTINGS[setting], plain(tall, wide), Size(640, 640))[0]

    high, broad = extent(magenta(first))

    assert broad / high == pytest.approx(wide / tall, rel=0.07)


@pytest.mark.parametrize("setting", ["room", "outdoors"])
def test_it_is_about_a_third_of_the_height(setting: str) -> None:
    high, _ = extent(magenta(frames(SETTINGS[setting], plain(300, 400), Size(640, 360))[0]))

    assert 0.30 < high / 360 < 0.37


def test_it_shows_what_was_sent_the_right_way_round() -> None:
    picture = np.zeros((200, 200, 3), dtype=np.uint8)
    picture[:100, :100], picture[:100, 100:] = (255, 0, 0), (0, 255, 0)
    picture[100:, :100], picture[100:, 100:] = (0, 0, 255), (255, 255, 255)

    # The median of all frames: the ball passes before it in a few of them.
    with_it = np.median(frames(SETTINGS["room"], picture, Size(512, 512)), axis=0)
    in_its_place = np.median(frames(SETTINGS["room"], plain(200, 200), Size(512, 512)), axis=0)

    rows, columns = np.nonzero(magenta(in_its_place))
    high, broad = (int(np.ptp(rows)) + 1) // 4, (int(np.ptp(columns)) + 1) // 4
    quarters = [
        with_it[rows.min() + down * high, columns.min() + across * broad]
        for down, across in ((1, 1), (1, 3), (3, 1), (3, 3))
    ]

    for quarter, colour in zip(
        quarters, ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)), strict=True
    ):
        assert np.abs(quarter - colour).max() < 40


def test_without_a_picture_nothing_changes_and_with_one_only_its_place_does() -> None:
    bare = frames(SETTINGS["room"], None, Size(640, 360))
    hung = frames(SETTINGS["room"], plain(300, 400), Size(640, 360))

    changed = (bare != hung).any(axis=(0, 3))

    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert rows.max() < 0.66 * 360
    assert columns.min() > 290


def test_things_pass_in_front_of_it() -> None:
    clip = frames("a large green ball bouncing in a room", plain(300, 400))

    hidden = [int(magenta(frame).sum()) for frame in clip]

    assert min(hidden) < 0.95 * max(hidden)


def test_it_moves_with_the_camera() -> None:
    panned = frames(SETTINGS["outdoors"] + ", pan", plain(300, 400))
    zoomed = frames(SETTINGS["room"] + ", zoom", plain(300, 400))

    left = [np.nonzero(magenta(frame))[1].mean() for frame in (panned[0], panned[-1])]
    assert left[0] - left[1] > 20
    assert extent(magenta(zoomed[-1]))[0] > 1.1 * extent(magenta(zoomed[0]))[0]


def test_on_an_easel_it_stands_on_the_ground() -> None:
    bare = frames(SETTINGS["outdoors"], None, Size(512, 512))[0]
    hung = frames(SETTINGS["outdoors"], plain(300, 400), Size(512, 512))[0]

    lowest = int(np.nonzero((bare != hung).any(axis=(1, 2)))[0].max())

    assert 0.70 < lowest / 512 < 0.77


@pytest.mark.parametrize("size", [Size(128, 128), Size(130, 1280), Size(1280, 128)], ids=str)
@pytest.mark.parametrize("setting", list(SETTINGS))
@pytest.mark.parametrize("shape", [(16, 128), (128, 16)], ids=str)
def test_it_finds_room_at_every_size(setting: str, size: Size, shape: tuple[int, int]) -> None:
    clip = frames(SETTINGS[setting], plain(*shape), size)

    assert magenta(clip[0]).any()
