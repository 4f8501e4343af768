"""Pictures and films, good and bad, made by hand."""

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.clip import sample_count
from generator.shots import Size
from service.media.errors import Code, MediaError
from service.media.writing import Mark, write_mp4

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def a_gradient(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    across = np.linspace(0, 255, width, dtype=np.uint8)
    down = np.linspace(0, 255, height, dtype=np.uint8)
    return np.stack(
        [
            np.tile(across, (height, 1)),
            np.tile(down[:, None], (1, width)),
            np.full((height, width), 90),
        ],
        axis=2,
    ).astype(np.uint8)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def a_png(width: int, height: int, packed: bytes, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        PNG_MAGIC
        + chunk(b"IHDR", head)
        + b"".join(more)
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )


def a_tone(frames: int, fps: Fraction) -> NDArray[np.float32]:
    times = np.arange(sample_count(frames, fps)) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    return np.stack([tone, tone], axis=1).astype(np.float32)


def frames_of(count: int, width: int = 128, height: int = 128) -> NDArray[np.uint8]:
    """Flat frames, each of its own grey."""
    greys = np.linspace(20, 230, count).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (count, height, width, 3))


def a_film(
    path: Path, *, frames: int = 12, fps: Fraction = Fraction(12), mark: Mark | None = None
) -> Path:
    write_mp4(
        path,
        [frames_of(frames)],
        size=Size(128, 128),
        fps=fps,
        samples=a_tone(frames, fps),
        mark=mark,
        tags={"title": "a film"},
    )
    return path


def code_of(failure: BaseException) -> Code:
    assert isinstance(failure, MediaError)
    return failure.code
