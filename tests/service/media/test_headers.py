import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.media.errors import Code, MediaError
from service.media.headers import PictureKind, picture_header
from tests.service.media.builders import a_gradient, a_png, chunk, code_of, saved

PICTURES = {
    "png": saved(Image.fromarray(a_gradient(37, 21)), "PNG"),
    "jpeg": saved(Image.fromarray(a_gradient(37, 21)), "JPEG"),
    "progressive jpeg": saved(Image.fromarray(a_gradient(37, 21)), "JPEG", progressive=True),
    "lossy webp": saved(Image.fromarray(a_gradient(37, 21)), "WEBP"),
    "lossless webp": saved(Image.fromarray(a_gradient(37, 21)), "WEBP", lossless=True),
    "webp with extras": saved(Image.new("RGBA", (37, 21), (1, 2, 3, 99)), "WEBP", exif=b"Exif\0\0"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_declared_size_is_read_without_any_library(name: str) -> None:
    header = picture_header(PICTURES[name])

    assert (header.width, header.height) == (37, 21)
    assert header.kind.value.lower() in name


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from(list(PictureKind)))
def test_the_size_is_read_from_what_pillow_writes(
    width: int, height: int, kind: PictureKind
) -> None:
    content = saved(Image.new("RGB", (width, height)), kind.value)

    header = picture_header(content)

    assert (header.kind, header.width, header.height) == (kind, width, height)


@given(st.binary(max_size=200), st.sampled_from(list(PICTURES.values())), st.integers(0, 120))
def test_any_bytes_give_a_header_or_a_media_error(junk: bytes, good: bytes, at: int) -> None:
    for content in (junk, good[:at] + junk, good[:at] + junk + good[at + len(junk) :]):
        try:
            header = picture_header(content)
        except MediaError as refused:
            assert refused.remedy
        else:
            assert header.width > 0
            assert header.height > 0


GIF = saved(Image.new("RGB", (4, 4)), "GIF")
MOVING_WEBP = saved(
    Image.new("RGB", (8, 8)), "WEBP", save_all=True, append_images=[Image.new("RGB", (8, 8), 9)]
)
MOVING_PNG = saved(
    Image.new("RGB", (8, 8)), "PNG", save_all=True, append_images=[Image.new("RGB", (8, 8), 9)]
)
ROW = zlib.compress(bytes(4))
REFUSED = {
    "nothing": (b"", Code.EMPTY),
    "text": (b"hello", Code.NOT_A_PICTURE),
    "a playlist": (b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", Code.NOT_A_PICTURE),
    "a script of files": (b"ffconcat version 1.0\nfile http://127.0.0.1/x\n", Code.NOT_A_PICTURE),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Code.NOT_A_PICTURE),
    "PDF": (b"%PDF-1.7\n", Code.NOT_A_PICTURE),
    "GIF": (GIF, Code.UNSUPPORTED),
    "moving WebP": (MOVING_WEBP, Code.UNSUPPORTED),
    "moving PNG": (MOVING_PNG, Code.UNSUPPORTED),
    "PNG signature only": (PICTURES["png"][:8], Code.TRUNCATED),
    "half a PNG": (PICTURES["png"][: len(PICTURES["png"]) // 2], Code.TRUNCATED),
    "half a WebP": (PICTURES["lossy webp"][:40], Code.TRUNCATED),
    "JPEG head only": (PICTURES["jpeg"][:30], Code.TRUNCATED),
    "PNG and ZIP": (PICTURES["png"] + b"PK\x03\x04", Code.MISLABELLED),
    "WebP and ZIP": (PICTURES["lossy webp"] + b"PK\x03\x04", Code.MISLABELLED),
    "no pixels": (a_png(0, 1, ROW), Code.BROKEN),
    "1x1 with a huge picture": (
        a_png(1, 1, np.random.default_rng(1).bytes(200_000)), Code.MISLABELLED,
    ),
    "PNG without header": (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", bytes(40)), Code.BROKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_one_whole_picture_is_refused_with_its_reason(name: str) -> None:
    content, code = REFUSED[name]

    with pytest.raises(MediaError) as failure:
        picture_header(content)

    assert code_of(failure.value) is code
    assert failure.value.message


MANY = 20 << 20
COSTLY = {
    "a JPEG of nothing but fill": b"\xff\xd8" + b"\xff" * MANY,
    "a JPEG of empty segments": b"\xff\xd8" + b"\xff\xe0\0\2" * (MANY // 4),
    "a JPEG of bare markers": b"\xff\xd8" + b"\xff\xd0" * (MANY // 2),
    "a PNG of empty chunks": a_png(4, 4, b"", *[chunk(b"tEXt", b"")] * (MANY // 12)),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_file_made_to_be_walked_for_long_is_not(name: str) -> None:
    began = time.process_time()

    with pytest.raises(MediaError) as failure:
        picture_header(COSTLY[name])

    assert code_of(failure.value) is Code.BROKEN
    assert time.process_time() - began < 0.3


@pytest.mark.parametrize("length", [0, 1])
def test_a_segment_shorter_than_its_own_length_is_broken(length: int) -> None:
    content = b"\xff\xd8\xff\xe0" + length.to_bytes(2) + PICTURES["jpeg"][2:]

    with pytest.raises(MediaError) as failure:
        picture_header(content)

    assert code_of(failure.value) is Code.BROKEN
