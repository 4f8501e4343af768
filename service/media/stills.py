"""Frames become picture files: full size, and small for lists."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.media.headers import PictureKind

_SAVE: dict[PictureKind, dict[str, int]] = {
    PictureKind.PNG: {"compress_level": 6},
    PictureKind.JPEG: {"quality": 88},
    PictureKind.WEBP: {"quality": 82, "method": 4},
}


def encoded(frame: NDArray[np.uint8], kind: PictureKind = PictureKind.PNG) -> bytes:
    """Return one frame, shape (height, width, 3), uint8, RGB, as the bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(frame, "RGB").save(buffer, kind.value, **_SAVE[kind])
    return buffer.getvalue()


def thumbnail(
    frame: NDArray[np.uint8], longest_side: int, kind: PictureKind = PictureKind.WEBP
) -> bytes:
    """Return the frame as a picture file, no side over `longest_side`; never enlarged."""
    picture = Image.fromarray(frame, "RGB")
    picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return encoded(np.asarray(picture), kind)
