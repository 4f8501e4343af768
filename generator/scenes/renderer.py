"""The embedded back end: draws and sounds a scene by rule, at any size the service offers."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.clip import BLOCK_FRAMES, Clip, new_frames, open_clip, sample_count, save_sound
from generator.model import DigitalSource, Origin, Permit, Progress, Watch
from generator.scenes import sound
from generator.scenes.grammar import named, read
from generator.scenes.physics import Truth, truth
from generator.scenes.picture import Picture
from generator.scenes.scene import Scene
from generator.scenes.view import View
from generator.shots import Limits, Shot, ShotNotPossible, Size

LIMITS = Limits(
    min_side=256, max_side=1280, max_pixels=1280 * 720, min_fps=8, max_fps=30, max_seconds=20
)
SMALL = Size(128, 128)
SMALL_FPS = Fraction(16)
SMALL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """A clip in memory, with what is true of it: what a model is trained and measured on.

    Attributes:
        frames: shape (frames, height, width, 3), uint8.
        samples: shape (samples, 2), float32.
        centres: pixel column and row of each thing's centre, shape (things, frames, 2).
    """

    frames: NDArray[np.uint8]
    samples: NDArray[np.float32]
    scene: Scene
    truth: Truth
    centres: NDArray[np.float64]


class ScenesRenderer:
    """A `VideoModel` that computes what it shows: a renderer by rule, trained on nothing."""

    origin = Origin(name="scenes", version="2", source=DigitalSource.BY_RULE)

    def check(self, shot: Shot) -> None:
        """See `VideoModel.check`; it reads the prompt too, in well under a millisecond."""
        LIMITS.check(shot)
        _readable(shot)

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        """See `VideoModel.generate`; the sound is the first step, then each block of frames."""
        self.check(shot)
        permit(shot)
        steps = 1 + -(-shot.frame_count // BLOCK_FRAMES)
        watch(Progress(0, steps))
        play = _Play(shot, _readable(shot))
        save_sound(folder_made(folder), play.samples())
        watch(Progress(1, steps))
        picture, frames = play.picture(), new_frames(folder, shot)
        for step, first in enumerate(range(0, shot.frame_count, BLOCK_FRAMES), start=2):
            picture.draw(frames[first : first + BLOCK_FRAMES], first)
            watch(Progress(step, steps))
        frames.flush()  # type: ignore[attr-defined]  # a memmap, typed as the array it is
        return open_clip(folder, shot.fps)


def small(prompt: str, seed: int) -> Rendered:
    """Return two seconds of `prompt` at 128x128 and 16 frames a second, with sound and truth.

    Raises:
        ShotNotPossible: the prompt names nothing that can be drawn.
    """
    return rendered(Shot(prompt, SMALL, SMALL_SECONDS, SMALL_FPS, seed))


def rendered(shot: Shot) -> Rendered:
    """Return `shot` in memory; any even size is possible here, so keep it small."""
    play = _Play(shot, _readable(shot))
    frames = np.empty((shot.frame_count, shot.size.height, shot.size.width, 3), dtype=np.uint8)
    picture = play.picture()
    for first in range(0, shot.frame_count, BLOCK_FRAMES):
        picture.draw(frames[first : first + BLOCK_FRAMES], first)
    centres = [
        play.view.place(poses.x, poses.y, play.truth.times, depth)
        for poses, depth in zip(play.truth.poses, play.truth.depths, strict=True)
    ]
    shape = (len(centres), shot.frame_count, 2)
    return Rendered(
        frames, play.samples(), play.scene, play.truth, np.array(centres).reshape(shape)
    )


def folder_made(folder: Path) -> Path:
    """Return `folder`, which exists now."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _readable(shot: Shot) -> Scene:
    scene = read(shot.prompt, shot.seed)
    heard_and_seen = {thing.shape.value for thing in scene.things} | {scene.ambience.value}
    unwanted = sorted(named(shot.negative) & heard_and_seen)
    if unwanted:
        raise ShotNotPossible(
            f"negative: it forbids what the prompt asks for: {', '.join(unwanted)}"
        )
    return scene


class _Play:
    """One shot's scene set in motion."""

    def __init__(self, shot: Shot, scene: Scene) -> None:
        self.scene = scene
        self._shot = shot
        seconds = float(shot.frame_count / shot.fps)
        self.view = View(shot.size.width, shot.size.height, scene.camera, scene.setting, seconds)
        times = np.arange(shot.frame_count) / float(shot.fps)
        self.truth = truth(scene, self.view.stage, times, seconds, shot.seed)

    def samples(self) -> NDArray[np.float32]:
        count = sample_count(self._shot.frame_count, self._shot.fps)
        return sound.render(
            self.scene, self.truth, count, self.view.stage.width_m / 2, self._shot.seed
        )

    def picture(self) -> Picture:
        shot = self._shot
        return Picture(self.scene, self.view, self.truth, shot.seed, hung=shot.first_frame)
