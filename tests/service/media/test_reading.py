import json
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

import numpy as np
import pytest
from PIL import Image

from generator.clip import open_clip
from service.media.errors import Code, MediaError
from service.media.limits import CLIP, PICTURE
from service.media.reading import CHILD, _run, read_clip, read_picture
from tests.service.media.builders import a_film, a_gradient, a_png, code_of, frames_of, saved

GRADIENT = a_gradient()


def refused(content: bytes) -> Code:
    with pytest.raises(MediaError) as failure:
        read_picture(content)
    return code_of(failure.value)


def test_a_png_comes_back_as_it_was() -> None:
    assert np.array_equal(read_picture(saved(Image.fromarray(GRADIENT), "PNG")), GRADIENT)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_picture_comes_back_nearly_as_it_was(kind: str) -> None:
    read = read_picture(saved(Image.fromarray(GRADIENT), kind, quality=95))

    assert np.abs(read.astype(int) - GRADIENT).mean() < 3


def test_transparency_is_laid_over_white() -> None:
    content = saved(Image.new("RGBA", (8, 8), (0, 0, 0, 51)), "PNG")

    assert read_picture(content)[0, 0].tolist() == [204, 204, 204]


def test_sixteen_bits_of_grey_keep_their_range() -> None:
    ramp = np.arange(65_536, dtype=np.uint16).reshape(256, 256)

    read = read_picture(saved(Image.fromarray(ramp), "PNG"))

    assert (read[0, 0, 0], read[128, 0, 0], read[-1, -1, 2]) == (0, 128, 255)


@pytest.mark.parametrize(
    ("picture", "kind", "expected"),
    [
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
        (Image.new("L", (16, 16), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (16, 16), 1), "PNG", (255, 255, 255)),
        (Image.new("RGB", (16, 16), (9, 200, 30)).quantize(4), "PNG", (9, 200, 30)),
    ],
)
def test_every_colour_model_becomes_rgb(
    picture: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    read = read_picture(saved(picture, kind))

    assert np.abs(read[8, 8].astype(int) - expected).max() <= 2


def test_a_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise

    read = read_picture(saved(Image.fromarray(GRADIENT), "PNG", exif=exif))

    assert np.array_equal(read, np.rot90(GRADIENT, -1))


def test_a_cut_jpeg_is_truncated() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), "JPEG")

    assert refused(content[: len(content) // 2]) is Code.TRUNCATED


def test_a_bomb_is_refused_by_its_header_before_anything_is_opened() -> None:
    rows = zlib.compress(bytes(12_000 * (12_000 * 3 + 1)), 1)
    began = time.process_time()

    code = refused(a_png(12_000, 12_000, rows))

    assert code is Code.TOO_MANY_PIXELS
    assert time.process_time() - began < 0.5


def test_a_picture_that_holds_less_than_it_says_is_refused() -> None:
    assert refused(a_png(4000, 3000, zlib.compress(bytes(13)))) in {Code.BROKEN, Code.TRUNCATED}


def test_a_picture_over_the_byte_limit_is_refused() -> None:
    with pytest.raises(MediaError) as failure:
        read_picture(saved(Image.fromarray(GRADIENT), "PNG"), replace(PICTURE, bytes=100))

    assert code_of(failure.value) is Code.TOO_LARGE


ANSWERS = """import sys; sys.stderr.write('{"height": %d, "width": %d}')"""
EATS_MEMORY = """
import json, resource, sys
limit = json.loads(sys.argv[1])["memory_bytes"]
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
bytearray(1 << 30)
"""
CHILDREN = {
    "dies": ("import os; os.kill(os.getpid(), 11)", Code.BROKEN),
    "says nothing": ("", Code.BROKEN),
    "hangs": ("import time; time.sleep(60)", Code.TIMEOUT),
    "crashes": ("raise ValueError", Code.BROKEN),
    "talks nonsense": ("import sys; sys.stderr.write('[1]')", Code.BROKEN),
    "sends no pixels": (ANSWERS % (64, 96), Code.MISLABELLED),
    "sends another size": (
        ANSWERS % (32, 192) + "; sys.stdout.buffer.write(bytes(64 * 96 * 3))",
        Code.MISLABELLED,
    ),
    "is refused memory": (EATS_MEMORY, Code.BROKEN),
}


@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_that_dies_hangs_or_lies_is_an_error(name: str, tmp_path: Path) -> None:
    program, code = CHILDREN[name]
    child = tmp_path / "child.py"
    child.write_text(program)

    with pytest.raises(MediaError) as failure:
        read_picture(
            saved(Image.fromarray(GRADIENT), "PNG"), replace(PICTURE, timeout_s=1.0), child=child
        )

    assert code_of(failure.value) is code


def test_the_child_cannot_see_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRIMATUR_SECRET", "x")
    child = tmp_path / "child.py"
    child.write_text(
        "import json, os, sys\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    )

    with pytest.raises(MediaError):
        read_picture(saved(Image.fromarray(GRADIENT), "PNG"), child=child)

    assert "IMPRIMATUR_SECRET" not in json.loads((tmp_path / "seen").read_text())


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
        _run(CHILD, job, stream, None, 10.0)

    assert code_of(failure.value) is Code.MISLABELLED


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
        _run(CHILD, job, stream, None, 10.0)
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


def test_nothing_is_left_running_after_a_timeout(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import os, subprocess, sys, time\n"
        "sleeper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{sleeper.pid}}')\n"
        "time.sleep(60)\n"
    )

    with pytest.raises(MediaError):
        read_picture(
            saved(Image.fromarray(GRADIENT), "PNG"), replace(PICTURE, timeout_s=1.0), child=child
        )

    time.sleep(0.2)
    for pid in (tmp_path / "pids").read_text().split():
        state = Path(f"/proc/{pid}/stat")
        assert not state.exists() or state.read_text().split()[2] == "Z"
