"""The pictures and the sound show what is true."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import VadOptions, get_speech_timestamps

from benchmarks.scenes import PROMPTS, at_16_khz, onset_error_ms
from generator.clip import sample_count
from generator.model import DigitalSource
from generator.scenes.renderer import ScenesRenderer, rendered, small
from generator.shots import Shot, ShotNotPossible, Size


def _shot(prompt: str, size: Size, seconds: int = 1, fps: int = 8, seed: int = 3) -> Shot:
    return Shot(prompt, size, seconds, Fraction(fps), seed)


def test_no_clip_is_taken_for_speech() -> None:
    options = VadOptions(min_speech_duration_ms=0, min_silence_duration_ms=100)

    heard = [
        (PROMPTS[number % len(PROMPTS)], number)
        for number in range(40)
        if get_speech_timestamps(
            at_16_khz(small(PROMPTS[number % len(PROMPTS)], number).samples), options
        )
    ]

    assert heard == []


def test_impacts_are_heard_within_a_millisecond_of_the_contact() -> None:
    prompts = (
        "a ball bounces in a room",
        "a wooden box drops",
        "a metal pendulum",
        "a drop",
        "a glass ball bounces",
    )

    errors = [
        error
        for prompt in prompts
        for seed in range(6)
        for error in onset_error_ms(small(prompt, seed))
    ]

    assert len(errors) > 40
    assert max(abs(error) for error in errors) < 1


def test_the_louder_channel_is_on_the_side_of_the_contact() -> None:
    sides = []
    for seed in range(12):
        clip = small("a rubber ball rolling in a room", seed)
        for touch in clip.truth.touches:
            start = round(touch.contact.at_s * 48_000)
            left, right = np.abs(clip.samples[start : start + 400]).sum(axis=0)
            sides.append((right - left) * touch.contact.x_m > 0)

    assert len(sides) > 5
    assert all(sides)


def test_the_ball_is_where_the_truth_says() -> None:
    clip = rendered(
        _shot(
            "a red rubber ball bouncing on a green floor in a room, blue wall",
            Size(256, 192),
            2,
            10,
        )
    )

    red, green, blue = clip.frames.astype(int).transpose(3, 0, 1, 2)
    ball = (red > 120) & (red > green + 50) & (red > blue + 50)
    for frame, (column, row) in enumerate(clip.centres[0]):
        rows, columns = np.nonzero(ball[frame])
        assert abs(columns.mean() + 0.5 - column) < 4
        assert abs(rows.mean() + 0.5 - row) < 4


def test_at_the_frame_of_a_contact_the_ball_is_low() -> None:
    clip = small("a rubber ball bouncing", 4)

    floor = [touch for touch in clip.truth.touches if touch.contact.struck == "floor"]

    assert floor
    for touch in floor:
        assert abs(clip.truth.times[touch.frame] - touch.contact.at_s) <= 1 / 32 + 1e-9


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_kind_of_scene_fills_and_moves_the_picture(prompt: str) -> None:
    clip = small(prompt, 2)

    assert clip.frames.shape == (32, 128, 128, 3)
    assert clip.samples.shape == (96_000, 2)
    assert clip.frames.std() > 5
    assert (clip.frames[0] != clip.frames[12]).any()
    assert float(np.abs(clip.samples).max()) <= 1


@pytest.mark.parametrize(
    "size", [Size(128, 128), Size(130, 1280), Size(1280, 128), Size(384, 640), Size(640, 360)]
)
@pytest.mark.parametrize(
    "prompt", ["a large box falling, pan", "three pendulums, rain, zoom", "a planet"]
)
def test_every_even_size_can_be_drawn(prompt: str, size: Size) -> None:
    clip = rendered(_shot(prompt, size))

    assert clip.frames.shape == (8, size.height, size.width, 3)
    assert np.isfinite(clip.centres).all()


def test_what_is_drawn_in_blocks_has_no_seams(tmp_path: Path) -> None:
    shot = _shot("two balls bouncing, rain, pan", Size(256, 256), 3, 12)

    clip = ScenesRenderer().generate(
        shot, permit=lambda _: None, watch=lambda _: None, folder=tmp_path
    )

    assert (clip.frames == rendered(shot).frames).all()


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30), Fraction(8)])
def test_sound_is_exactly_as_long_as_the_frames(fps: Fraction) -> None:
    shot = Shot("a drop, birds", Size(128, 128), 2, fps, 1)

    clip = rendered(shot)

    assert clip.samples.shape == (sample_count(shot.frame_count, fps), 2)


def test_it_refuses_words_it_does_not_know_and_a_negative_it_would_break() -> None:
    renderer = ScenesRenderer()

    with pytest.raises(ShotNotPossible, match="Try: "):
        renderer.check(_shot("a lawyer pleads", Size(256, 256)))
    with pytest.raises(ShotNotPossible, match="negative"):
        renderer.check(
            Shot("a ball in the rain", Size(256, 256), 1, Fraction(8), 1, negative="rain")
        )


def test_it_does_not_call_itself_a_model() -> None:
    assert ScenesRenderer.origin.source is DigitalSource.BY_RULE
    assert ScenesRenderer.origin.sha256 == ""
