import itertools
import resource
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.clip import sample_count
from generator.shots import Size
from service.media.boxes import top_level
from service.media.errors import Code, MediaError
from service.media.reading import read_clip
from service.media.writing import read_lumas, write_mp4
from tests.service.media.builders import a_film, a_tone, code_of, frames_of

RATES = [
    Fraction(8),
    Fraction(16),
    Fraction(24_000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30),
]


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_frames_and_length_are_exact_at_every_rate(tmp_path: Path, fps: Fraction) -> None:
    count = round(2 * fps)
    path = a_film(tmp_path / "a.mp4", frames=count, fps=fps)

    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        times = [frame.pts * picture.time_base for frame in container.decode(picture)]

    assert times == [Fraction(n) / fps for n in range(count)]
    assert picture.average_rate == fps
    assert picture.duration * picture.time_base == count / fps


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_sound_starts_with_the_picture_within_a_millisecond(tmp_path: Path, fps: Fraction) -> None:
    count = round(fps)
    half = count // 2
    frames = np.zeros((count, 128, 128, 3), np.uint8)
    frames[half:] = 255
    samples = np.zeros((sample_count(count, fps), 2), np.float32)
    samples[sample_count(half, fps) :: 40] = 0.9  # clicks from the flash on
    path = tmp_path / "a.mp4"

    write_mp4(path, [frames], size=Size(128, 128), fps=fps, samples=samples)

    read = read_clip(path, tmp_path / "clip")
    flash = int(np.argmax(read.frames[:, 64, 64, 0] > 128)) / fps
    # AAC rings a little ahead of a click: the first sample at half of its height counts.
    click = int(np.argmax(np.abs(read.samples[:, 0]) > 0.2)) / 48_000
    assert abs(float(flash) - click) <= 0.001


def test_the_index_stands_before_the_pictures(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4")

    with path.open("rb") as stream:
        order = [kind for kind, _, _ in top_level(stream, path.stat().st_size)]

    assert order.index(b"moov") < order.index(b"mdat")


def test_colours_are_bt709_and_say_so(tmp_path: Path) -> None:
    colours = np.zeros((4, 128, 128, 3), np.uint8)
    colours[:] = np.array([[200, 30, 90], [10, 220, 40], [0, 0, 255], [255, 255, 255]])[
        :, None, None
    ]
    path = tmp_path / "a.mp4"

    write_mp4(path, [colours], size=Size(128, 128), fps=Fraction(8), samples=a_tone(4, Fraction(8)))

    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        white = next(itertools.islice(container.decode(video=0), 3, 4))
    assert tags == (1, 1, 1, 1)
    assert white.to_ndarray()[:128].mean() == pytest.approx(235, abs=1)
    read = read_clip(path, tmp_path / "clip").frames
    assert np.abs(read[:, 64, 64].astype(int) - colours[:, 64, 64]).max() <= 6


def test_the_mark_is_drawn_into_the_luma_of_each_frame(tmp_path: Path) -> None:
    seen: list[int] = []

    def mark(luma: NDArray[np.uint8], frame: int) -> None:
        seen.append(frame)
        luma[:32, :32] = 235

    path = a_film(tmp_path / "a.mp4", mark=mark)

    assert seen == list(range(12))
    lumas = list(read_lumas(path))
    assert len(lumas) == 12
    assert all(luma[4:28, 4:28].mean() > 225 for luma in lumas)
    assert all(luma.shape == (128, 128) for luma in lumas)


def test_the_frames_handed_in_are_not_changed(tmp_path: Path) -> None:
    frames = np.full((8, 128, 128, 3), 77, np.uint8)

    def blacken(luma: NDArray[np.uint8], _: int) -> None:
        luma[...] = 16

    write_mp4(
        tmp_path / "a.mp4",
        [frames],
        size=Size(128, 128),
        fps=Fraction(8),
        samples=a_tone(8, Fraction(8)),
        mark=blacken,
    )

    assert (frames == 77).all()


def test_tags_are_in_the_file_under_their_own_names(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    write_mp4(
        path,
        [frames_of(8)],
        size=Size(128, 128),
        fps=Fraction(8),
        samples=a_tone(8, Fraction(8)),
        tags={"AIGC": '{"Label":"1"}'},
    )

    with av.open(str(path)) as container:
        assert container.metadata["AIGC"] == '{"Label":"1"}'


def test_the_same_film_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = a_film(tmp_path / "a.mp4"), a_film(tmp_path / "b.mp4")

    assert first.read_bytes() == second.read_bytes()


class Stop(Exception):
    """What a cancelled generator raises."""


def cancelled() -> Iterator[NDArray[np.uint8]]:
    yield frames_of(8)
    raise Stop


@pytest.mark.parametrize(
    ("blocks", "samples", "error"),
    [
        (cancelled, a_tone(8, Fraction(8)), Stop),
        (lambda: iter([frames_of(7)]), a_tone(8, Fraction(8)), MediaError),
        (lambda: iter([frames_of(8, 126)]), a_tone(8, Fraction(8)), MediaError),
        (lambda: iter([frames_of(8).astype(np.float32)]), a_tone(8, Fraction(8)), MediaError),
        (lambda: iter([]), a_tone(0, Fraction(8)), MediaError),
        (lambda: iter([frames_of(8)]), a_tone(8, Fraction(8))[:, :1], MediaError),
        (lambda: iter([frames_of(8)]), np.ones((48_000, 2), np.int16), MediaError),
        (lambda: iter([frames_of(8)]), a_tone(8, Fraction(8)) * np.float32("nan"), MediaError),
    ],
)
def test_a_film_that_is_not_as_promised_leaves_no_file(
    tmp_path: Path, blocks: object, samples: NDArray[np.float32], error: type[Exception]
) -> None:
    assert callable(blocks)

    with pytest.raises(error):
        write_mp4(
            tmp_path / "a.mp4", blocks(), size=Size(128, 128), fps=Fraction(8), samples=samples
        )

    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as failure:
        a_film(tmp_path / "nowhere" / "a.mp4")

    assert code_of(failure.value) is Code.NOT_WRITTEN


@pytest.mark.parametrize("name", ["a b.mp4", "ü ☃ %d.mp4", "a:b.mp4", "-x.mp4", "pipe:1"])
def test_any_name_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)

    a_film(Path(name))

    assert len(list(read_lumas(Path(name)))) == 12
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_too_long_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as failure:
        a_film(tmp_path / ("x" * 250))

    assert code_of(failure.value) is Code.NOT_WRITTEN


def test_one_frame_is_a_film(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4", frames=1, fps=Fraction(7, 3))

    read = read_clip(path, tmp_path / "clip")

    assert len(read.frames) == 1
    assert len(read.samples) == sample_count(1, read.fps)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_full_disk_leaves_no_film(tmp_path: Path, part: float) -> None:
    whole = a_film(tmp_path / "whole.mp4").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(whole * part), hard))
    try:
        with pytest.raises(MediaError) as failure:
            a_film(tmp_path / "a.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    assert code_of(failure.value) is Code.NOT_WRITTEN
    assert [path.name for path in tmp_path.iterdir()] == ["whole.mp4"]
