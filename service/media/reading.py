"""Strangers' pictures and films become arrays, in a disposable child process."""

import io
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from service.media.boxes import ClipHeader, clip_header
from service.media.errors import Code, MediaError
from service.media.headers import picture_header
from service.media.limits import CLIP, PICTURE, Limits
from service.media.running import (
    ANSWER_BYTES,
    CHILD,
    MESSAGES,
    mislabelled,
    number,
    run,
    unavailable,
)

SAMPLE_RATE = 48_000
# Address space of the interpreter with Pillow is 26 MB, with numpy and PyAV 243 MB; the rest
# is room for allocators (`python -m benchmarks.media` prints the peaks).
_PICTURE_BASE, _CLIP_BASE = 192 << 20, 384 << 20
# Per pixel, beside the decoded picture: RGBA over white is four copies of 4, RGB twice 3; the
# decoder's own are 6 for a progressive JPEG and 8 for a WebP, gone by then.
_PICTURE_PIXEL_BYTES = 28
# A decoder keeps up to 17 frames of at most 3 bytes a pixel (10 bits, 4:2:0), and RGB copies.
_CLIP_PIXEL_BYTES = 17 * 3 + 9
_HEAD_BYTES = 128  # of a .npy file whose shape is not absurd

_Start = Callable[[Sequence[IO[bytes]], float], dict[str, object]]


@dataclass(frozen=True, slots=True)
class ReadClip:
    """A film as read; `frames.npy` and `sound.npy` in the folder hold the same.

    Attributes:
        frames: shape (frames, height, width, 3), uint8, RGB, upright; memory-mapped, read-only.
        fps: average frames per second.
        samples: shape (samples, 2), float32 at 48 kHz, exactly as long as the frames.
        has_sound: False when there was no sound track and `samples` is silence.
    """

    frames: NDArray[np.uint8]
    fps: Fraction
    samples: NDArray[np.float32]
    has_sound: bool


def read_picture(
    content: bytes, limits: Limits = PICTURE, *, child: Path = CHILD
) -> NDArray[np.uint8]:
    """Return a picture as RGB, upright, transparency over white.

    Args:
        content: the file as it came; PNG, JPEG or WebP by its first bytes.
        child: the program that decodes.

    Returns:
        Shape (height, width, 3), uint8.

    Raises:
        MediaError: it is none of these, over a limit, damaged, or could not be decoded in time.
    """
    check_bytes(len(content), limits)
    header = picture_header(content)
    pixels = header.width * header.height
    memory = _PICTURE_BASE + pixels * (_PICTURE_PIXEL_BYTES + header.channel_bytes)
    _check_pixels(header.width, header.height, memory, limits)
    job: dict[str, object] = {
        "kind": "picture",
        "format": header.kind.value,
        "width": header.width,
        "height": header.height,
        "memory_bytes": memory,
        "file_bytes": pixels * 3 + ANSWER_BYTES,
    }
    try:
        with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as decoded:
            stream.write(content)
            stream.seek(0)
            answer = run(child, job, stream, [decoded], limits.timeout_s)
            decoded.seek(0)
            found = decoded.read(pixels * 3 + 1)
    except OSError as broken:
        raise unavailable() from broken
    shape = (number(answer, "height"), number(answer, "width"))
    upright = (header.height, header.width)
    if shape not in {upright, upright[::-1]} or len(found) != pixels * 3:
        raise mislabelled()
    return np.frombuffer(bytearray(found), np.uint8).reshape(*shape, 3)


def walls(*, child: Path = CHILD) -> frozenset[str]:
    """Return what keeps a decoder that was taken over from the rest of this machine.

    Of "network" (a namespace without any), "files" (Landlock) and "calls" (seccomp). Without
    both of the last two, whoever breaks a decoder reads what this process may read.

    Raises:
        MediaError: no decoding process can be started.
    """
    job: dict[str, object] = {"kind": "nothing", "memory_bytes": _PICTURE_BASE, "file_bytes": 4096}
    try:
        with tempfile.TemporaryFile() as stream:
            stand = run(child, job, stream, [], 10.0).get("walls")
    except OSError as broken:
        raise unavailable() from broken
    return frozenset(str(wall) for wall in stand) if isinstance(stand, list) else frozenset()


def read_clip(path: Path, folder: Path, limits: Limits = CLIP, *, child: Path = CHILD) -> ReadClip:
    """Return a film as frames and sound, which are written to `folder`.

    Args:
        path: an MP4 or MOV by its first bytes.
        folder: gets `frames.npy` and `sound.npy`; made if absent. On an error they are removed.
        child: the program that decodes.

    Raises:
        MediaError: it is neither, over a limit, damaged, or could not be decoded in time.
    """
    try:
        stream = path.open("rb")
    except OSError as broken:
        raise MediaError(Code.BROKEN, "The file cannot be read.") from broken
    with stream:
        size = os.fstat(stream.fileno()).st_size
        check_bytes(size, limits)
        header = clip_header(stream, size)
        job = clip_job(header, limits)
        stream.seek(0)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove(folder)  # not written over: somebody may have it mapped
            return _decoded(header, folder, partial(run, child, job, stream), limits.timeout_s)
        except OSError as broken:
            _remove(folder)
            raise unavailable() from broken
        except MediaError:
            _remove(folder)
            raise


def _decoded(header: ClipHeader, folder: Path, run: _Start, timeout_s: float) -> ReadClip:
    """Return what the child wrote into files that this process opened, and checks."""
    paths = (folder / "frames.npy", folder / "sound.npy")
    with paths[0].open("x+b", buffering=0) as pictures, paths[1].open("x+b", buffering=0) as sound:
        outs = (pictures, sound)
        for out in outs:
            out.seek(_HEAD_BYTES)
        count = number(run(outs, timeout_s), "frames")
        if count != header.frames and not (header.edited and count < header.frames):
            raise mislabelled()
        upright = (header.height, header.width)
        size = upright[::-1] if header.quarter_turns % 2 else upright
        length = round(count * SAMPLE_RATE / header.fps)
        # The heads are ours: the child, which a stranger's file may own, wrote plain numbers.
        _head(pictures, "|u1", (count, *size, 3))
        _head(sound, "<f4", (length, 2))
    frames = np.load(paths[0], mmap_mode="r", allow_pickle=False)
    samples = np.load(paths[1], allow_pickle=False)
    if not np.isfinite(samples).all():
        raise MediaError(Code.BROKEN, MESSAGES[Code.BROKEN])
    return ReadClip(frames, header.fps, samples, header.has_sound)


def _head(out: IO[bytes], kind: str, shape: tuple[int, ...]) -> None:
    """Write the head of a .npy file before what the child wrote, if that is as long as promised."""
    if os.fstat(out.fileno()).st_size != _HEAD_BYTES + math.prod(shape) * np.dtype(kind).itemsize:
        raise mislabelled()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    if len(head.getvalue()) != _HEAD_BYTES:
        raise mislabelled()
    out.seek(0)
    out.write(head.getvalue())


def clip_job(header: ClipHeader, limits: Limits) -> dict[str, object]:
    """Return what the child is to do with a film of this head.

    Raises:
        MediaError: it is over a limit.
    """
    memory = _CLIP_BASE + header.width * header.height * _CLIP_PIXEL_BYTES
    _check_pixels(header.width, header.height, memory, limits)
    if header.streams > limits.streams:
        raise MediaError(Code.TOO_MANY_STREAMS, f"It has {header.streams} tracks.")
    seconds = max(header.frames / header.fps, header.sound_seconds)
    if header.frames > limits.frames or seconds > limits.seconds:
        raise MediaError(
            Code.TOO_LONG,
            f"It has {header.frames} frames in {float(seconds):.1f} s; we take up to"
            f" {limits.frames} frames and {limits.seconds:g} s.",
        )
    pixels = header.frames * header.width * header.height * 3
    return {
        "kind": "clip",
        "width": header.width,
        "height": header.height,
        "frames": header.frames,
        "fps": str(header.fps),
        "edited": header.edited,
        "quarter_turns": header.quarter_turns,
        "memory_bytes": memory,
        "file_bytes": max(pixels, math.ceil(seconds + 1) * SAMPLE_RATE * 8) + ANSWER_BYTES,
    }


def check_bytes(size: int, limits: Limits) -> None:
    """Refuse a file that is too large.

    Raises:
        MediaError: it is.
    """
    if size > limits.bytes:
        raise MediaError(Code.TOO_LARGE, f"The file is over {limits.bytes >> 20} MB.")


def _check_pixels(width: int, height: int, memory: int, limits: Limits) -> None:
    if width * height > limits.pixels or memory > limits.memory_bytes:
        raise MediaError(
            Code.TOO_MANY_PIXELS,
            f"It is {width}x{height}; we take up to {limits.pixels / 1e6:.1f} million pixels.",
        )


def _remove(folder: Path) -> None:
    for name in ("frames.npy", "sound.npy"):
        (folder / name).unlink(missing_ok=True)
