"""What the gate relies on in every generator: both back ends keep all of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.clip import sample_count
from generator.ltx2 import Ltx2
from generator.model import Cancelled, DigitalSource, NotPermitted, Progress, VideoModel
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Shot, ShotNotPossible, Size


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A back end, and a shot that it can make."""

    model: VideoModel
    shot: Shot


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random checkpoint, made once."""
    from tests.contracts.tiny_ltx2 import save_tiny

    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def _tiny(tiny_folder: Path) -> BackEnd:
    from tests.contracts.tiny_ltx2 import FPS, PROFILE

    model = Ltx2(str(tiny_folder), PROFILE, device="cpu", offline=True)
    return BackEnd(model, Shot("a red ball", Size(80, 70), 1, FPS, seed=5))


@pytest.fixture(params=["scenes", "ltx2"])
def back_end(request: pytest.FixtureRequest) -> BackEnd:
    if request.param == "ltx2":
        tiny = request.getfixturevalue("_tiny")
        assert isinstance(tiny, BackEnd)
        return tiny
    shot = Shot("a red ball bounces on a green floor", Size(256, 256), 2, Fraction(10), seed=5)
    return BackEnd(ScenesRenderer(), shot)


def _allowed(_: Shot) -> None:
    """A permit that is always given."""


def _unwatched(_: Progress) -> None:
    """A watch that never stops."""


def _steps(back_end: BackEnd, folder: Path) -> list[Progress]:
    seen: list[Progress] = []
    back_end.model.generate(back_end.shot, permit=_allowed, watch=seen.append, folder=folder)
    return seen


def test_a_refused_permit_leaves_no_file_and_no_progress(back_end: BackEnd, tmp_path: Path) -> None:
    def refused(_: Shot) -> None:
        raise NotPermitted("no ticket")

    seen: list[Progress] = []
    folder = tmp_path / "clip"

    with pytest.raises(NotPermitted):
        back_end.model.generate(back_end.shot, permit=refused, watch=seen.append, folder=folder)

    assert seen == []
    assert not folder.exists()


def test_the_permit_is_asked_first_and_for_exactly_this_shot(
    back_end: BackEnd, tmp_path: Path
) -> None:
    order: list[object] = []

    back_end.model.generate(back_end.shot, permit=order.append, watch=order.append, folder=tmp_path)

    assert order[0] is back_end.shot
    assert [type(event) for event in order[1:]] == [Progress] * (len(order) - 1)


def test_progress_goes_from_nought_to_all_one_step_at_a_time(
    back_end: BackEnd, tmp_path: Path
) -> None:
    seen = _steps(back_end, tmp_path)

    assert [progress.step for progress in seen] == list(range(seen[0].steps + 1))
    assert len({progress.steps for progress in seen}) == 1


def test_cancelling_at_any_step_stops_there_and_the_next_clip_is_made(
    back_end: BackEnd, tmp_path: Path
) -> None:
    steps = _steps(back_end, tmp_path / "before")[0].steps

    for last in range(steps + 1):
        seen: list[int] = []

        def stop(progress: Progress, last: int = last, seen: list[int] = seen) -> None:
            seen.append(progress.step)
            if progress.step == last:
                raise Cancelled("stop")

        with pytest.raises(Cancelled):
            back_end.model.generate(back_end.shot, permit=_allowed, watch=stop, folder=tmp_path)
        assert seen == list(range(last + 1))

    clip = back_end.model.generate(
        back_end.shot, permit=_allowed, watch=_unwatched, folder=tmp_path
    )
    assert len(clip.frames) == back_end.shot.frame_count


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError, OSError, KeyboardInterrupt])
def test_whatever_watch_raises_comes_through_as_it_is(
    back_end: BackEnd, tmp_path: Path, error: type[BaseException]
) -> None:
    def fails(progress: Progress) -> None:
        if progress.step == 1:
            raise error("mine")

    with pytest.raises(error, match="mine"):
        back_end.model.generate(back_end.shot, permit=_allowed, watch=fails, folder=tmp_path)


def test_the_same_seed_makes_the_same_clip_and_another_does_not(
    back_end: BackEnd, tmp_path: Path
) -> None:
    def made(shot: Shot, name: str) -> tuple[bytes, bytes]:
        clip = back_end.model.generate(
            shot, permit=_allowed, watch=_unwatched, folder=tmp_path / name
        )
        return clip.frames.tobytes(), clip.samples.tobytes()

    first, again = made(back_end.shot, "first"), made(back_end.shot, "again")
    other = made(replace(back_end.shot, seed=6), "other")

    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_frames_and_sound_are_exactly_as_long_and_large_as_asked(
    back_end: BackEnd, tmp_path: Path
) -> None:
    for fps in (back_end.shot.fps, Fraction(24000, 2501)):
        shot = replace(back_end.shot, fps=fps)

        clip = back_end.model.generate(shot, permit=_allowed, watch=_unwatched, folder=tmp_path)

        assert clip.frames.shape == (shot.frame_count, shot.size.height, shot.size.width, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.samples.shape == (sample_count(shot.frame_count, fps), 2)
        assert clip.samples.dtype == np.float32
        assert float(np.abs(clip.samples).max()) <= 1
        assert clip.frames.std() > 0


_OFF_LIMITS: dict[str, Callable[[Shot], Shot]] = {
    "odd width": lambda shot: replace(shot, size=Size(shot.size.width + 1, shot.size.height)),
    "too small": lambda shot: replace(shot, size=Size(32, shot.size.height)),
    "too large": lambda shot: replace(shot, size=Size(4096, shot.size.height)),
    "negative size": lambda shot: replace(shot, size=Size(-256, shot.size.height)),
    "too slow": lambda shot: replace(shot, fps=Fraction(7)),
    "too fast": lambda shot: replace(shot, fps=Fraction(61)),
    "no length": lambda shot: replace(shot, seconds=0),
    "too long": lambda shot: replace(shot, seconds=21),
    "negative seed": lambda shot: replace(shot, seed=-1),
    "a picture of nothing": lambda shot: _begun(shot, np.zeros((0, 0, 3), dtype=np.uint8)),
    "a speck": lambda shot: _begun(shot, np.zeros((15, 15, 3), dtype=np.uint8)),
    "a strip": lambda shot: _begun(shot, np.zeros((20, 161, 3), dtype=np.uint8)),
    "a wall": lambda shot: _begun(shot, np.broadcast_to(np.uint8(0), (100_000, 100_000, 3))),
    "a grey picture": lambda shot: _begun(shot, np.zeros((64, 64), dtype=np.uint8)),
    "a picture in floats": lambda shot: _begun(shot, np.zeros((64, 64, 3))),
}


def _begun(shot: Shot, picture: NDArray[Any]) -> Shot:
    return replace(shot, first_frame=picture)


@pytest.mark.parametrize("name", list(_OFF_LIMITS))
def test_a_shot_off_limits_is_refused_before_the_permit(
    back_end: BackEnd, tmp_path: Path, name: str
) -> None:
    shot = _OFF_LIMITS[name](back_end.shot)
    asked: list[Shot] = []

    with pytest.raises(ShotNotPossible):
        back_end.model.check(shot)
    with pytest.raises(ShotNotPossible):
        back_end.model.generate(
            shot, permit=asked.append, watch=_unwatched, folder=tmp_path / "clip"
        )

    assert asked == []
    assert not (tmp_path / "clip").exists()


def _halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> NDArray[np.uint8]:
    picture = np.empty((96, 128, 3), dtype=np.uint8)
    picture[:, :64], picture[:, 64:] = left, right
    return picture


def test_a_picture_shows_and_another_one_shows_otherwise(back_end: BackEnd, tmp_path: Path) -> None:
    def made(picture: NDArray[np.uint8] | None, name: str) -> NDArray[np.int16]:
        shot = replace(back_end.shot, first_frame=picture)
        clip = back_end.model.generate(
            shot, permit=_allowed, watch=_unwatched, folder=tmp_path / name
        )
        return np.asarray(clip.frames[0], dtype=np.int16)

    without = made(None, "without")
    warm = made(_halves((250, 40, 20), (240, 200, 30)), "warm")
    again = made(_halves((250, 40, 20), (240, 200, 30)), "again")
    cold = made(_halves((10, 30, 200), (20, 160, 220)), "cold")

    assert (warm == again).all()
    assert np.abs(warm - without).max() > 20
    assert np.abs(warm - cold).max() > 20


@pytest.mark.parametrize("size", [(16, 16), (16, 128), (128, 16), (1200, 900), (70, 80)], ids=str)
def test_a_picture_of_any_reasonable_size_is_taken_and_left_as_it_is(
    back_end: BackEnd, tmp_path: Path, size: tuple[int, int]
) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (*size, 3)).astype(np.uint8)
    picture.flags.writeable = False
    shot = replace(back_end.shot, seconds=1, first_frame=picture)

    clip = back_end.model.generate(shot, permit=_allowed, watch=_unwatched, folder=tmp_path)

    assert len(clip.frames) == shot.frame_count


def test_a_clip_with_a_picture_leaves_the_weights_as_they_were(
    tiny_folder: Path, tmp_path: Path
) -> None:
    # In bfloat16: a pipeline that is derived from another one easily casts what both share.
    from tests.contracts.tiny_ltx2 import FPS, PROFILE

    model = Ltx2(str(tiny_folder), replace(PROFILE, dtype="bfloat16"), device="cpu", offline=True)
    shot = Shot("a red ball", Size(64, 64), 1, FPS, seed=5)

    def made(shot: Shot, name: str) -> bytes:
        clip = model.generate(shot, permit=_allowed, watch=_unwatched, folder=tmp_path / name)
        return clip.frames.tobytes() + clip.samples.tobytes()

    before = made(shot, "before")
    made(replace(shot, first_frame=_halves((250, 40, 20), (240, 200, 30))), "between")

    assert made(shot, "after") == before


def test_the_permit_is_asked_for_the_picture_too(back_end: BackEnd, tmp_path: Path) -> None:
    picture = _halves((250, 40, 20), (240, 200, 30))
    asked: list[Shot] = []

    def refused(shot: Shot) -> None:
        asked.append(shot)
        raise NotPermitted("another picture")

    with pytest.raises(NotPermitted):
        back_end.model.generate(
            replace(back_end.shot, first_frame=picture),
            permit=refused,
            watch=_unwatched,
            folder=tmp_path / "clip",
        )

    assert asked[0].first_frame is picture
    assert not (tmp_path / "clip").exists()


def test_the_origin_says_whether_it_was_trained_and_on_which_weights(back_end: BackEnd) -> None:
    origin = back_end.model.origin

    trained = origin.source is DigitalSource.TRAINED
    assert origin.name
    assert origin.version
    assert (len(origin.sha256) == 64) is trained
    assert trained is isinstance(back_end.model, Ltx2)
