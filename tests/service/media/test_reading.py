import json
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.media.errors import Code, MediaError
from service.media.limits import PICTURE
from service.media.reading import read_picture
from tests.service.media.builders import (
    a_gradient,
    a_png,
    code_of,
    saved,
)

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


def test_the_first_picture_of_a_phone_s_double_picture_is_read() -> None:
    pair = saved(
        Image.fromarray(GRADIENT), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64))]
    )

    assert np.abs(read_picture(pair).astype(int) - GRADIENT).mean() < 5


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGBA", "RGB"])
def test_a_large_picture_fits_the_memory_it_is_given(mode: str) -> None:
    kind = "PNG" if mode == "RGBA" else "WEBP"
    content = saved(Image.new(mode, (2500, 2000), 77), kind, lossless=True, method=0)

    assert read_picture(content).shape == (2000, 2500, 3)


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


ANSWERS = """import json, os, sys; sys.stderr.write('{"height": %d, "width": %d}')"""
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
        ANSWERS % (32, 192) + "; os.write(json.loads(sys.argv[1])['out'][0], bytes(64 * 96 * 3))",
        Code.MISLABELLED,
    ),
    "is refused memory": (EATS_MEMORY, Code.BROKEN),
}


def test_a_machine_that_starts_no_process_is_not_the_sender_s_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert refused(saved(Image.fromarray(GRADIENT), "PNG")) is Code.NOT_WRITTEN


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
