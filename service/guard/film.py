"""What somebody's pipeline returns, as a clip of ours."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator.clip import Clip, sample_count
from service.guard.errors import NotAFilm

if TYPE_CHECKING:
    from PIL.Image import Image

Frames = Clip | NDArray[np.uint8] | Sequence["Image"] | Sequence[NDArray[np.uint8]]
Samples = NDArray[np.float32]


def clip_of(frames: Frames, samples: Samples | None, fps: Fraction) -> Clip:
    """Return frames and sound as one clip: a copy, so that what is looked at is what is sealed.

    Args:
        frames: a clip, an array of shape (frames, height, width, 3) of uint8 in RGB, or a list
            of such pictures.
        samples: shape (samples, 2), float32, -1..1 at 48 kHz; what outlasts the picture is cut
            off and what is missing is silent. None is silence.
        fps: of frames that do not say so themselves.

    Raises:
        NotAFilm: these are something else.
    """
    if isinstance(frames, Clip):
        samples = frames.samples if samples is None else samples
        fps, frames = frames.fps, frames.frames
    pictures = _pictures(frames)
    return Clip(pictures, fps, _sound(samples, sample_count(len(pictures), fps)))


def _pictures(
    frames: NDArray[np.uint8] | Sequence["Image"] | Sequence[NDArray[np.uint8]],
) -> NDArray[np.uint8]:
    found = frames if isinstance(frames, np.ndarray) else [_picture(one) for one in frames]
    if isinstance(found, list) and len({one.shape for one in found}) != 1:
        raise NotAFilm("frames: they are of one size, and at least one")
    copied = np.array(found)
    if copied.ndim != 4 or copied.shape[3] != 3 or copied.dtype != np.uint8 or 0 in copied.shape:
        raise NotAFilm(
            f"frames: shape {copied.shape} of {copied.dtype}; wanted are (frames, height, width, "
            "3) of uint8, RGB. Of floats in 0..1, send (255 * frames).round().astype('uint8')"
        )
    copied.flags.writeable = False
    return copied


def _picture(one: "Image | NDArray[np.uint8]") -> NDArray[np.uint8]:
    if isinstance(one, np.ndarray):
        return one
    if not hasattr(one, "convert"):
        raise NotAFilm("frames: one of them is neither an array nor a picture of PIL")
    return np.asarray(one.convert("RGB"))


def _sound(samples: Samples | None, count: int) -> Samples:
    sound = np.zeros((count, 2), np.float32)
    if samples is not None:
        if samples.ndim != 2 or samples.shape[1] != 2 or samples.dtype != np.float32:
            raise NotAFilm(
                f"samples: shape {samples.shape} of {samples.dtype}; wanted are (samples, 2) of "
                "float32 in -1..1 at 48 kHz"
            )
        heard = min(count, len(samples))
        sound[:heard] = samples[:heard]
    if not np.isfinite(sound).all():
        raise NotAFilm("samples: some are no numbers")
    sound.flags.writeable = False
    return sound
