"""Films and sounds that somebody sends along: what is looked at and heard, and nothing more.

Of a film only the frames that are looked at are kept, so that 20 seconds of it cost what two
frames a second cost.
"""

import io
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.media.boxes import ClipHeader, clip_header
from service.media.errors import Code, MediaError
from service.media.limits import REFERENCE_CLIP, REFERENCE_SOUND, Limits
from service.media.reading import SAMPLE_RATE, check_bytes, clip_job
from service.media.running import (
    ANSWER_BYTES,
    CHILD,
    MESSAGES,
    mislabelled,
    number,
    run,
    unavailable,
)

Sample = Callable[[int, Fraction], Sequence[int]]
"""Which of so many frames at so many a second to look at, ascending."""


_SOUND_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mov": "audio/mp4",
    "mp3": "audio/mpeg",
}


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked at of a recording.

    Attributes:
        numbers: of the frames, ascending; none of a sound.
        pictures: as many, shape (looks, height, width, 3), uint8, RGB, upright; read-only.
        samples: shape (samples, 2), float32 at 48 kHz; None where there is no sound.
    """

    numbers: tuple[int, ...] = ()
    pictures: NDArray[np.uint8] | None = field(default=None, repr=False)
    samples: NDArray[np.float32] | None = field(default=None, repr=False)


def read_looks(
    content: bytes, sample: Sample, limits: Limits = REFERENCE_CLIP, *, child: Path = CHILD
) -> Looks:
    """Return what is looked at of a film, and its whole sound.

    Raises:
        MediaError: it is no MP4 or MOV film, over a limit, damaged, or hides frames, so that what
            is shown at a place cannot be said.
    """
    check_bytes(len(content), limits)
    header = clip_header(io.BytesIO(content), len(content))
    if header.edited:
        raise MediaError(Code.UNSUPPORTED, "The film has parts that are not shown.")
    numbers = tuple(sample(header.frames, header.fps))
    job = clip_job(header, limits) | {"keep": numbers}
    try:
        with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as pictures:
            stream.write(content)
            stream.seek(0)
            with tempfile.TemporaryFile() as sound:
                answer = run(child, job, stream, (pictures, sound), limits.timeout_s)
                if number(answer, "frames") != header.frames:
                    raise mislabelled()
                length = round(header.frames * SAMPLE_RATE / header.fps)
                samples = _samples(sound.fileno(), length)
            return Looks(numbers, _pictures(pictures.fileno(), len(numbers), header), samples)
    except OSError as broken:
        raise unavailable() from broken


def read_sound(content: bytes, limits: Limits = REFERENCE_SOUND, *, child: Path = CHILD) -> Looks:
    """Return a sound.

    Raises:
        MediaError: it is none of WAV, FLAC, Ogg, MP3 and M4A, over a limit, or damaged.
    """
    check_bytes(len(content), limits)
    most = math.ceil(limits.seconds * SAMPLE_RATE)
    job: dict[str, object] = {
        "kind": "sound",
        "format": _sound_format(content),
        "samples": most,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": most * 8 + ANSWER_BYTES,
    }
    try:
        with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as sound:
            stream.write(content)
            stream.seek(0)
            answer = run(child, job, stream, (sound,), limits.timeout_s)
            return Looks(samples=_samples(sound.fileno(), number(answer, "samples")))
    except OSError as broken:
        raise unavailable() from broken


def sound_type(content: bytes) -> str:
    """Return the media type of a sound.

    Raises:
        MediaError: it is none that is opened here.
    """
    return _SOUND_TYPES[_sound_format(content)]


def _samples(handle: int, length: int) -> NDArray[np.float32]:
    with open(handle, "rb", closefd=False) as file:
        file.seek(0)
        found = np.frombuffer(file.read(length * 8 + 1), np.uint8)
    if len(found) != length * 8:
        raise mislabelled()
    samples = found.view(np.float32).reshape(-1, 2)
    if not np.isfinite(samples).all():
        raise MediaError(Code.BROKEN, MESSAGES[Code.BROKEN])
    return samples


def _pictures(handle: int, count: int, header: ClipHeader) -> NDArray[np.uint8]:
    upright = (header.height, header.width)
    height, width = upright[::-1] if header.quarter_turns % 2 else upright
    # Mapped and not read: the file lies on the disk, and goes with the last view of it.
    with open(handle, "rb", closefd=False) as file:
        if file.seek(0, io.SEEK_END) != count * height * width * 3:
            raise mislabelled()
        return np.memmap(file, np.uint8, "r", shape=(count, height, width, 3))


def _sound_format(content: bytes) -> str:
    """Return libav's name for the kind of file, by its first bytes."""
    if not content:
        raise MediaError(Code.EMPTY, "The file is empty.")
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content[:4] == b"fLaC":
        return "flac"
    if content[:4] == b"OggS":
        return "ogg"
    if content[4:8] == b"ftyp":
        return "mov"
    if content[:3] == b"ID3" or (content[0] == 0xFF and content[1:2] > b"\xdf"):
        return "mp3"
    raise MediaError(Code.NOT_A_SOUND, "This is no sound that is opened here.")
