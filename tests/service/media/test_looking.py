"""Films and sounds that are sent along: what is looked at of them, and what is refused."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from filters.frames import sampled
from service.media.errors import Code, MediaError
from service.media.limits import REFERENCE_CLIP, REFERENCE_SOUND
from service.media.looking import read_looks, read_sound
from tests.service.media.builders import a_film, code_of, frames_of


def a_sound(kind: str, codec: str, seconds: float = 0.5, tracks: int = 1) -> bytes:
    """Return a tone of 440 Hz."""
    buffer = io.BytesIO()
    at = np.arange(int(48_000 * seconds)) / 48_000
    tone = (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    with av.open(buffer, "w", format=kind) as out:
        streams = [out.add_stream(codec, rate=48_000, layout="stereo") for _ in range(tracks)]
        for stream in streams:
            stream.codec_context.options = {"strict": "experimental"}
            resampler = av.AudioResampler(stream.codec_context.format, "stereo", 48_000, 1024)
            frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
            frame.sample_rate = 48_000
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(stream.encode(piece))
            out.mux(stream.encode(None))
    return buffer.getvalue()


SOUNDS = [
    ("wav", "pcm_s16le"), ("wav", "pcm_s24le"), ("flac", "flac"), ("ogg", "libopus"),
    ("ogg", "vorbis"), ("mp3", "libmp3lame"), ("ipod", "aac"),
]  # fmt: skip


def refused_film(content: bytes, **limits: float) -> Code:
    with pytest.raises(MediaError) as failure:
        read_looks(content, sampled, replace(REFERENCE_CLIP, **limits))  # type: ignore[arg-type]
    return code_of(failure.value)


def refused_sound(content: bytes, **limits: float) -> Code:
    with pytest.raises(MediaError) as failure:
        read_sound(content, replace(REFERENCE_SOUND, **limits))  # type: ignore[arg-type]
    return code_of(failure.value)


def test_two_frames_a_second_the_first_and_the_last_are_looked_at(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4", frames=21, fps=Fraction(10))

    looks = read_looks(path.read_bytes(), sampled)

    assert looks.numbers == (0, 5, 10, 15, 20)
    assert looks.pictures is not None
    shown = frames_of(21)[[0, 5, 10, 15, 20]]
    assert np.abs(np.asarray(looks.pictures).astype(int) - shown).max() <= 4
    assert looks.samples is not None
    assert len(looks.samples) == round(2.1 * 48_000)
    assert 0.19 < float(np.sqrt((looks.samples**2).mean())) < 0.23


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"bytes": 500}, Code.TOO_LARGE),
        ({"seconds": 1.0}, Code.TOO_LONG),
        ({"frames": 5}, Code.TOO_LONG),
        ({"pixels": 100}, Code.TOO_MANY_PIXELS),
        ({"streams": 1}, Code.TOO_MANY_STREAMS),
    ],
)
def test_a_film_over_a_limit_is_refused(
    tmp_path: Path, limits: dict[str, float], code: Code
) -> None:
    film = a_film(tmp_path / "a.mp4", frames=21, fps=Fraction(10)).read_bytes()

    assert refused_film(film, **limits) is code


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", Code.EMPTY), (b"no film at all", Code.NOT_A_CLIP), (b"RIFF1234WAVE", Code.NOT_A_CLIP)],
)
def test_what_is_no_film_is_refused(content: bytes, code: Code) -> None:
    assert refused_film(content) is code


def test_a_film_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4", frames=21, fps=Fraction(10)).read_bytes()

    assert refused_film(film[: len(film) // 2]) is Code.TRUNCATED


@pytest.mark.parametrize(("kind", "codec"), SOUNDS)
def test_every_usual_kind_of_sound_is_heard(kind: str, codec: str) -> None:
    looks = read_sound(a_sound(kind, codec))

    assert looks.samples is not None
    assert looks.numbers == ()
    assert abs(len(looks.samples) - 24_000) < 3_000
    assert 0.15 < float(np.sqrt((looks.samples**2).mean())) < 0.25


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.EMPTY),
        (b"Dear Sir", Code.NOT_A_SOUND),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", Code.BROKEN),
        (b"fLaC" + bytes(100), Code.BROKEN),
        (b"ID3" + bytes(100), Code.BROKEN),
        (b"\xff", Code.NOT_A_SOUND),
    ],
)
def test_what_is_no_sound_is_refused(content: bytes, code: Code) -> None:
    assert refused_sound(content) is code


def test_a_sound_over_a_limit_is_refused() -> None:
    wave = a_sound("wav", "pcm_s16le")

    assert refused_sound(wave, seconds=0.25) is Code.TOO_LONG
    assert refused_sound(wave, bytes=500) is Code.TOO_LARGE


def test_two_tracks_of_sound_are_refused_since_one_might_hide() -> None:
    assert refused_sound(a_sound("ipod", "aac", tracks=2)) is Code.TOO_MANY_STREAMS


def test_a_film_is_no_sound_since_nobody_would_look_at_it(tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4", frames=9, fps=Fraction(8)).read_bytes()

    assert refused_sound(film) is Code.TOO_MANY_STREAMS


def test_a_film_as_long_as_the_longest_we_make_is_taken(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4", frames=160, fps=Fraction(8))

    looks = read_looks(path.read_bytes(), sampled)

    assert (looks.numbers[0], looks.numbers[-1], len(looks.numbers)) == (0, 159, 41)
