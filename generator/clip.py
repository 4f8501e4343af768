"""A clip: frames and sound, on disk while it is long and in memory while it is short.

Twenty seconds of 1080p are 3 GB as RGB, so the frames live in a memory-mapped `.npy` file. A
`np.memmap` is an `ndarray`: whoever reads a clip slices blocks of frames and need not know.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.shots import GeneratorError, Shot

SAMPLE_RATE = 48_000
BLOCK_FRAMES = 16


class ClipDamaged(GeneratorError):
    """The folder of a clip is incomplete or does not hold what it says."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames and sound of the same length.

    Attributes:
        frames: shape (frames, height, width, 3), uint8, RGB; often memory-mapped, never written to.
        fps: frames per second.
        samples: shape (samples, 2), float32 in -1..1, at `SAMPLE_RATE`; exactly as long as the
            frames, to the nearest sample.
    """

    frames: NDArray[np.uint8]
    fps: Fraction
    samples: NDArray[np.float32]

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames in order, at most `BLOCK_FRAMES` at a time."""
        for start in range(0, len(self.frames), BLOCK_FRAMES):
            yield self.frames[start : start + BLOCK_FRAMES]


def sample_count(frame_count: int, fps: Fraction) -> int:
    """Return how many samples sound as long as `frame_count` frames last."""
    return round(frame_count * SAMPLE_RATE / fps)


def new_frames(folder: Path, shot: Shot) -> NDArray[np.uint8]:
    """Return a writable, memory-mapped array for the frames of `shot`, inside `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (shot.frame_count, shot.size.height, shot.size.width, 3)
    return np.lib.format.open_memmap(folder / "frames.npy", mode="w+", dtype=np.uint8, shape=shape)


def save_sound(folder: Path, samples: NDArray[np.float32]) -> None:
    """Write the sound beside the frames."""
    np.save(folder / "sound.npy", samples.astype(np.float32, copy=False), allow_pickle=False)


def open_clip(folder: Path, fps: Fraction) -> Clip:
    """Open what `new_frames` and `save_sound` wrote, read-only.

    Raises:
        ClipDamaged: a file is missing, cut short, or of another shape or length than promised.
    """
    try:
        frames = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)
        samples = np.load(folder / "sound.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as broken:
        raise ClipDamaged(f"clip in {folder.name} cannot be opened") from broken
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ClipDamaged(f"clip in {folder.name}: frames have shape {frames.shape}")
    if samples.shape != (sample_count(len(frames), fps), 2):
        raise ClipDamaged(f"clip in {folder.name}: sound has shape {samples.shape}")
    return Clip(frames, fps, samples)


def kept(folder: Path) -> str:
    """Make the files of a clip survive a power failure, and return the SHA-256 of both, hex.

    Raises:
        ClipDamaged: a file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for name in ("frames.npy", "sound.npy"):
            with (folder / name).open("rb") as file:
                os.fsync(file.fileno())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as broken:
        raise ClipDamaged(f"clip in {folder.name} cannot be read") from broken
    return digest.hexdigest()
