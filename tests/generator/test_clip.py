"""A clip on disk is whole or refused."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.clip import (
    BLOCK_FRAMES,
    ClipDamaged,
    new_frames,
    open_clip,
    sample_count,
    save_sound,
)
from generator.shots import Shot, Size

SHOT = Shot("a ball", Size(16, 8), 5, Fraction(8), seed=1)


def _saved(folder: Path) -> None:
    frames = new_frames(folder, SHOT)
    frames[:] = np.arange(SHOT.frame_count)[:, None, None, None]
    frames.flush()  # type: ignore[attr-defined]  # a memmap
    save_sound(folder, np.zeros((sample_count(SHOT.frame_count, SHOT.fps), 2), dtype=np.float32))


def test_a_clip_comes_back_in_order_and_in_blocks(tmp_path: Path) -> None:
    _saved(tmp_path)

    blocks = list(open_clip(tmp_path, SHOT.fps).blocks())

    assert [len(block) for block in blocks] == [BLOCK_FRAMES, BLOCK_FRAMES, 8]
    assert [int(frame[0, 0, 0]) for block in blocks for frame in block] == list(range(40))


@pytest.mark.parametrize("name", ["frames.npy", "sound.npy"])
def test_a_clip_with_a_file_missing_or_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    _saved(tmp_path)
    file = tmp_path / name
    content = file.read_bytes()

    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ClipDamaged):
        open_clip(tmp_path, SHOT.fps)

    file.unlink()
    with pytest.raises(ClipDamaged):
        open_clip(tmp_path, SHOT.fps)


def test_sound_of_another_length_than_the_frames_is_refused(tmp_path: Path) -> None:
    _saved(tmp_path)

    with pytest.raises(ClipDamaged, match="sound"):
        open_clip(tmp_path, Fraction(9))


@given(st.integers(1, 20), st.fractions(8, 30, max_denominator=1001))
def test_sound_and_frames_are_equally_long_to_half_a_sample(seconds: int, fps: Fraction) -> None:
    frames = Shot("", Size(2, 2), seconds, fps, 0).frame_count

    samples = sample_count(frames, fps)

    assert abs(Fraction(samples, 48_000) - frames / fps) <= Fraction(1, 96_000)
