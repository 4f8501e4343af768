"""An MP4's own account of itself, honest and not."""

import io
import struct
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.media.boxes import ClipHeader, clip_header
from service.media.errors import Code, MediaError
from service.media.limits import CLIP
from service.media.reading import read_clip
from tests.service.media.builders import a_film, code_of, frames_of


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return a_film(tmp_path_factory.mktemp("film") / "a.mp4").read_bytes()


def header_of(content: bytes) -> ClipHeader:
    return clip_header(io.BytesIO(content), len(content))


def refusal_of(content: bytes) -> Code:
    with pytest.raises(MediaError) as failure:
        header_of(content)
    return code_of(failure.value)


PARENTS = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"]


def resized(content: bytes, path: list[bytes], at: int, more: bytes) -> bytes:
    """Put `more` into the box at the end of `path`, at byte `at` of its content."""
    start, starts = 0, []
    for kind in path:
        start = content.index(kind, start) - 4
        starts.append(start)
        start += 8
    place = start + at
    out = bytearray(content[:place] + more + content[place:])
    for one in starts:
        length = int.from_bytes(content[one : one + 4]) + len(more)
        out[one : one + 4] = length.to_bytes(4)
    return bytes(out)


def box_of(content: bytes, kind: bytes) -> bytes:
    start = content.index(kind) - 4
    return content[start : start + int.from_bytes(content[start : start + 4])]


def test_an_honest_film_is_read(film: bytes) -> None:
    header = header_of(film)

    assert (header.width, header.height, header.frames) == (128, 128, 12)
    assert (header.fps, header.streams) == (Fraction(12), 2)
    assert not header.edited
    assert 1 <= header.sound_seconds < Fraction(11, 10)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (b"mvhd", PARENTS[:1]),
        (b"tkhd", PARENTS[:2]),
        (b"mdhd", PARENTS[:3]),
        (b"stsd", [*PARENTS[:4], b"stbl"]),
        (b"stsz", [*PARENTS[:4], b"stbl"]),
    ],
)
def test_of_two_boxes_of_a_kind_neither_is_believed(
    film: bytes, kind: bytes, path: list[bytes]
) -> None:
    assert refusal_of(resized(film, path, 0, box_of(film, kind))) is Code.BROKEN


def test_two_indexes_are_broken(film: bytes) -> None:
    assert refusal_of(film + box_of(film, b"moov")) is Code.BROKEN


def test_a_third_track_of_pictures_is_too_many(film: bytes) -> None:
    second = resized(film, PARENTS[:1], 0, box_of(film, b"trak"))

    assert refusal_of(second) is Code.TOO_MANY_STREAMS


@pytest.mark.parametrize("length", [0, 1, 7, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize("kind", [b"moov", b"trak", b"mdia", b"stbl", b"stsd", b"mdat"])
def test_no_lie_about_a_length_is_believed(film: bytes, kind: bytes, length: int) -> None:
    start = film.index(kind) - 4
    content = film[:start] + struct.pack(">I", length) + film[start + 4 :]

    if (kind, length) == (b"mdat", 0):  # "to the end of the file", which is true of the last box
        assert header_of(content) == header_of(film)
    else:
        assert refusal_of(content) in {Code.BROKEN, Code.TRUNCATED}


@pytest.mark.parametrize("length", [0, 15, 1 << 62, (1 << 64) - 8])
def test_a_long_length_is_checked_too(film: bytes, length: int) -> None:
    more = struct.pack(">I4sQ", 1, b"free", length)

    assert refusal_of(film + more) in {Code.BROKEN, Code.TRUNCATED}


def test_a_long_length_that_is_true_is_fine(film: bytes) -> None:
    assert header_of(film + struct.pack(">I4sQ", 1, b"free", 16)) == header_of(film)


def test_a_file_of_empty_boxes_costs_no_time() -> None:
    content = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08free" * 4_000_000
    began = time.process_time()

    assert refusal_of(content) is Code.BROKEN
    assert time.process_time() - began < 0.2


def test_a_film_of_impossible_speed_is_refused(film: bytes) -> None:
    at = film.index(b"mdhd") + 16
    content = film[:at] + struct.pack(">I", (1 << 32) - 1) + film[at + 4 :]

    assert refusal_of(content) is Code.UNSUPPORTED


def test_a_sound_that_goes_on_for_hours_is_too_long(film: bytes, tmp_path: Path) -> None:
    at = film.index(b"mdhd", film.index(b"soun") - 100) + 16
    assert film[at : at + 4] == struct.pack(">I", 48_000)
    path = tmp_path / "a.mp4"
    path.write_bytes(film[:at] + struct.pack(">I", 4) + film[at + 4 :])

    with pytest.raises(MediaError) as failure:
        read_clip(path, tmp_path / "clip")

    assert code_of(failure.value) is Code.TOO_LONG


def with_edit(film: bytes, shown: int, start: int) -> bytes:
    at = film.index(b"elst") + 12
    return film[:at] + struct.pack(">Ii", shown, start) + film[at + 8 :]


def test_a_film_whose_end_was_trimmed_is_read_as_it_is_shown(film: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(
        with_edit(film, 500, struct.unpack_from(">i", film, film.index(b"elst") + 16)[0])
    )

    assert header_of(path.read_bytes()).edited
    read = read_clip(path, tmp_path / "clip")

    assert 5 <= len(read.frames) < 12
    assert len(read.samples) == round(len(read.frames) * 48_000 / 12)
    assert np.abs(read.frames[:5].astype(int) - frames_of(12)[:5]).max() <= 4


def test_a_codec_behind_a_harmless_name_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=12)  # in an MP4 its name is `mp4v`
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuvj420p"
        for pixels in frames_of(6):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))
    assert header_of(path.read_bytes()).frames == 6

    with pytest.raises(MediaError) as failure:
        read_clip(path, tmp_path / "clip")

    assert code_of(failure.value) in {Code.UNSUPPORTED, Code.BROKEN}


CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4
)


@given(CHANGES, st.floats(0, 1), st.booleans())
def test_any_change_gives_a_header_within_reason_or_a_media_error(
    film: bytes, changes: list[tuple[float, bytes]], cut: float, whole: bool
) -> None:
    content = bytearray(film)
    end = film.index(b"mdat")
    for place, junk in changes:
        at = int(place * end)
        content[at : at + len(junk)] = junk
    if not whole:
        del content[int(cut * len(content)) :]

    try:
        header = header_of(bytes(content))
    except MediaError as refused:
        assert refused.remedy
    else:
        assert header.width > 0 < header.height
        assert header.frames > 0 < header.fps <= 240
        assert header.sound_seconds >= 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_film_is_read_whole_or_not_at_all(film: bytes, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(film)
    for _ in range(3):
        content[int(rng.integers(0, len(content)))] = int(rng.integers(0, 256))
    path = tmp_path / "a.mp4"
    path.write_bytes(content)

    try:
        read = read_clip(path, tmp_path / "clip", replace(CLIP, timeout_s=20.0))
    except MediaError:
        assert not list(tmp_path.rglob("*.npy"))
        return

    assert read.frames.shape[1:] == (128, 128, 3)
    assert len(read.samples) == round(len(read.frames) * 48_000 / read.fps)
