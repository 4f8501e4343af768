import socket
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from generator.clip import open_clip
from generator.shots import Size
from service.media.errors import Code, MediaError
from service.media.limits import CLIP
from service.media.reading import read_clip, read_picture
from service.media.running import CHILD, run
from service.media.writing import write_mp4
from tests.service.media.builders import (
    a_film,
    a_gradient,
    a_png,
    a_tone,
    code_of,
    frames_of,
    saved,
)

GRADIENT = a_gradient()


def refused(content: bytes) -> Code:
    with pytest.raises(MediaError) as failure:
        read_picture(content)
    return code_of(failure.value)


@pytest.mark.parametrize("fps", [Fraction(8), Fraction(24_000, 1001), Fraction(30)])
def test_a_film_comes_back_whole(tmp_path: Path, fps: Fraction) -> None:
    path = a_film(tmp_path / "a.mp4", frames=9, fps=fps)

    read = read_clip(path, tmp_path / "clip")

    assert read.fps == fps
    assert read.has_sound
    assert np.abs(read.frames.astype(int) - frames_of(9)).max() <= 4
    assert len(open_clip(tmp_path / "clip", fps).frames) == 9
    assert 0.19 < float(np.sqrt((read.samples**2).mean())) < 0.23


def test_a_bomb_that_gets_past_the_header_meets_the_memory_limit() -> None:
    rows = zlib.compress(bytes(12_000 * (12_000 * 3 + 1)), 1)
    job: dict[str, object] = {
        "kind": "picture", "format": "PNG", "width": 12_000, "height": 12_000,
        "memory_bytes": 300 << 20, "file_bytes": 1 << 30,
    }  # fmt: skip

    with tempfile.TemporaryFile() as stream, pytest.raises(MediaError) as failure:
        stream.write(a_png(12_000, 12_000, rows))
        stream.seek(0)
        run(CHILD, job, stream, [], 10.0)

    assert code_of(failure.value) is Code.TOO_MANY_PIXELS


def film_refused(path: Path, tmp_path: Path, **limits: float) -> Code:
    with pytest.raises(MediaError) as failure:
        read_clip(path, tmp_path / "clip", replace(CLIP, **limits))  # type: ignore[arg-type]  # numbers
    assert not list((tmp_path / "clip").glob("*.npy"))
    return code_of(failure.value)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"bytes": 500}, Code.TOO_LARGE),
        ({"pixels": 127 * 128}, Code.TOO_MANY_PIXELS),
        ({"memory_bytes": 1 << 20}, Code.TOO_MANY_PIXELS),
        ({"frames": 11}, Code.TOO_LONG),
        ({"seconds": 0.9}, Code.TOO_LONG),
        ({"streams": 1}, Code.TOO_MANY_STREAMS),
        ({"timeout_s": 0.01}, Code.TIMEOUT),
    ],
)
def test_a_film_over_a_limit_is_refused(
    tmp_path: Path, limits: dict[str, float], code: Code
) -> None:
    assert film_refused(a_film(tmp_path / "a.mp4"), tmp_path, **limits) is code


def test_a_cut_film_is_truncated_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = a_film(tmp_path / "a.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"

    for length in (40, 500, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        assert film_refused(cut, tmp_path) is Code.TRUNCATED


def test_a_film_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    frames = np.zeros((12, 96, 160, 3), np.uint8)
    frames[:, :48] = 255  # the upper half is white
    path = tmp_path / "a.mp4"
    write_mp4(
        path,
        [frames],
        size=Size(160, 96),
        fps=Fraction(12),
        samples=a_tone(12, Fraction(12)),
    )
    one = 1 << 16
    straight = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    quarter = struct.pack(">9i", 0, one, 0, -one, 0, 0, 96 * one, 0, 1 << 30)
    content = path.read_bytes()
    at = content.index(straight, content.index(b"tkhd"))
    path.write_bytes(content[:at] + quarter + content[at + 36 :])

    frames_read = read_clip(path, tmp_path / "clip").frames

    assert frames_read.shape == (12, 160, 96, 3)
    assert frames_read[:, :, 60:].min() > 240  # clockwise: the right half
    assert frames_read[:, :, :36].max() < 15


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_other_codecs_are_read(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
        for pixels in frames_of(6):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    read = read_clip(path, tmp_path / "clip")

    assert read.frames.shape == (6, 128, 128, 3)
    assert not read.has_sound
    assert not read.samples.any()


def changed(path: Path, before: bytes, after: bytes) -> Path:
    content = path.read_bytes()
    assert content.count(before) >= 1
    path.write_bytes(content.replace(before, after))
    return path


def test_a_film_that_declares_another_size_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4")
    declared = struct.pack(">HHII", 128, 128, 0x480000, 0x480000)
    smaller = struct.pack(">HHII", 64, 64, 0x480000, 0x480000)

    assert film_refused(changed(path, declared, smaller), tmp_path) is Code.MISLABELLED


def test_a_film_with_damaged_pictures_is_broken(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4", frames=24)
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 1500
    content[start : start + 3000] = bytes(3000)
    path.write_bytes(content)

    assert film_refused(path, tmp_path) in {Code.BROKEN, Code.TRUNCATED, Code.MISLABELLED}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.EMPTY),
        (b"\x1aE\xdf\xa3" + bytes(100), Code.NOT_A_CLIP),
        (b"RIFF\0\0\0\0AVI LIST", Code.NOT_A_CLIP),
        (saved(Image.fromarray(GRADIENT), "PNG"), Code.NOT_A_CLIP),
        (b"\0\0\0\x14ftypisom" + bytes(8), Code.TRUNCATED),
    ],
)
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes, code: Code) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)

    assert film_refused(path, tmp_path) is code


def test_a_film_whose_pictures_are_in_another_file_is_refused(tmp_path: Path) -> None:
    path = a_film(tmp_path / "a.mp4")

    code = film_refused(changed(path, b"url \0\0\0\x01", b"url \0\0\0\x00"), tmp_path)

    assert code is Code.UNSUPPORTED


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that remembers who came."""
    seen: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            seen.append(connection.recv(100))
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1], seen
    stop.set()
    thread.join()
    server.close()


def decoder_refuses(path: Path, tmp_path: Path) -> Code:
    """Hand `path` to the child as if its header had been fine."""
    job: dict[str, object] = {
        "kind": "clip", "folder": str(tmp_path), "width": 128, "height": 128, "frames": 12,
        "fps": "12", "edited": False, "quarter_turns": 0,
        "memory_bytes": 1 << 30, "file_bytes": 1 << 20,
    }  # fmt: skip
    with path.open("rb") as stream, pytest.raises(MediaError) as failure:
        run(CHILD, job, stream, [], 10.0)
    return code_of(failure.value)


def test_a_playlist_is_refused_and_nothing_is_fetched(
    tmp_path: Path, listener: tuple[int, list[bytes]]
) -> None:
    port, seen = listener
    address = f"http://127.0.0.1:{port}/x"
    playlists = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}.ts\n",
        f"ffconcat version 1.0\nfile {address}.mp4\n",
        f"<MPD><BaseURL>{address}</BaseURL></MPD>",
    )
    path = tmp_path / "film.mp4"

    for text in playlists:
        path.write_text(text)
        assert film_refused(path, tmp_path) is Code.NOT_A_CLIP
        assert refused(text.encode()) is Code.NOT_A_PICTURE
        assert decoder_refuses(path, tmp_path) is Code.BROKEN
    time.sleep(0.1)
    assert not seen
