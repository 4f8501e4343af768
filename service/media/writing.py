"""Films go out: exact in time, index first, on the disk before anyone is told.

Not `diffusers.utils.encode_video`: it puts the index last and cuts 23.976 frames per second to
23, which made a clip of 4.004 s one of 4.174 s.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from generator.clip import SAMPLE_RATE, sample_count
from generator.shots import Size
from service.media.errors import Code, MediaError

Mark = Callable[[NDArray[np.uint8], int], None]
"""Draws into a frame's luma, shape (height, width), writable, given the frame's index."""

_BT709 = 1  # the number of BT.709 for primaries, transfer and matrix alike
_STUDIO_RANGE = 1  # 16..235
_SOUND_FRAME = 1024  # samples in one AAC frame
_MUXER = {
    # Index first, so that a player starts before the last byte; tags under their own names.
    "movflags": "+faststart+use_metadata_tags",
    # No library version and no time of day in the file: same input, same bytes.
    "fflags": "+bitexact",
}
_ENCODER = {"preset": "veryfast", "crf": "20"}


def write_mp4(
    path: Path,
    blocks: Iterable[NDArray[np.uint8]],
    *,
    size: Size,
    fps: Fraction,
    samples: NDArray[np.float32],
    mark: Mark | None = None,
    tags: Mapping[str, str] | None = None,
) -> int:
    """Write H.264 with AAC in an MP4 and return the number of frames.

    The file gets its name once it is whole and on the disk; on any error there is none. What
    `blocks` and `mark` raise comes through.

    Args:
        blocks: frames in order, shape (n, height, width, 3), uint8, RGB; not changed.
        size: of every frame, both sides even.
        samples: shape (samples, 2), float32, -1..1 at 48 kHz, as long as the frames to the
            nearest sample.
        mark: is given the luma of each frame before it is encoded, and may draw into it.
        tags: metadata of the container.

    Raises:
        MediaError: frames or sound are not as promised, or the disk or encoder failed.
    """
    # Whole, because libav takes what stands before a colon for a protocol.
    partial = path.absolute().with_name(f".{path.name}.partial")
    try:
        count = _encode(partial, _planes(blocks, size, fps, mark), (size, fps, samples, tags or {}))
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        _place(partial, path)
    except (av.FFmpegError, OSError) as broken:
        raise MediaError(Code.NOT_WRITTEN, "The film could not be written.") from broken
    finally:
        with suppress(OSError):  # a name too long is already said
            partial.unlink(missing_ok=True)
    return count


def read_lumas(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the luma of every frame of a film that this module wrote, shape (height, width).

    Decodes in this process: never for a file that came from outside.

    Raises:
        MediaError: it cannot be decoded.
    """
    try:
        with av.open(
            str(path.absolute()), format="mov", options={"protocol_whitelist": "file"}
        ) as container:
            for frame in container.decode(video=0):
                yield _luma(frame)
    except (av.FFmpegError, OSError) as broken:
        raise MediaError(Code.BROKEN, "The film cannot be decoded.") from broken


_Promise = tuple[Size, Fraction, NDArray[np.float32], Mapping[str, str]]


def _encode(partial: Path, frames: Iterator[av.VideoFrame], promise: _Promise) -> int:
    size, fps, samples, tags = promise
    if samples.dtype != np.float32 or samples.ndim != 2 or samples.shape[1] != 2:
        raise MediaError(Code.NOT_WRITTEN, "The sound is not two channels of float32.")
    if not np.isfinite(samples).all():
        raise MediaError(Code.NOT_WRITTEN, "The sound is not two channels of numbers.")
    with av.open(str(partial), "w", format="mp4", options=_MUXER) as container:
        container.metadata.update(tags)
        picture = _picture_stream(container, size, fps)
        sound = container.add_stream("aac", rate=SAMPLE_RATE)
        sound.codec_context.layout = "stereo"
        sound.codec_context.bit_rate = 192_000
        channels = np.ascontiguousarray(np.clip(samples, -1, 1).T, dtype=np.float32)
        count = heard = 0
        for frame in frames:
            container.mux(picture.encode(frame))
            count += 1
            # Sound follows picture by picture, so that neither waits in the muxer's queue.
            heard = _encode_sound(container, sound, channels, (heard, sample_count(count, fps)))
        if count == 0 or sample_count(count, fps) != len(samples):
            raise MediaError(
                Code.NOT_WRITTEN, f"{count} frames and {len(samples)} samples are not one length."
            )
        _encode_sound(container, sound, channels, (heard, len(samples) + _SOUND_FRAME))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    return count


def _picture_stream(
    container: av.container.OutputContainer, size: Size, fps: Fraction
) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=fps, options=dict(_ENCODER))
    stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / fps
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _STUDIO_RANGE
    return stream


def _encode_sound(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    channels: NDArray[np.float32],
    span: tuple[int, int],
) -> int:
    """Encode whole AAC frames from `span[0]` up to `span[1]`; return where the next begins."""
    start, until = span
    while start < channels.shape[1] and start + _SOUND_FRAME <= until:
        part = np.ascontiguousarray(channels[:, start : start + _SOUND_FRAME])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        container.mux(stream.encode(frame))
        start += part.shape[1]
    return start


def _planes(
    blocks: Iterable[NDArray[np.uint8]], size: Size, fps: Fraction, mark: Mark | None
) -> Iterator[av.VideoFrame]:
    index = 0
    for block in blocks:
        if block.shape[1:] != (size.height, size.width, 3) or block.dtype != np.uint8:
            raise MediaError(Code.NOT_WRITTEN, f"A block of frames has shape {block.shape}.")
        for pixels in block:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame = frame.reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            if mark is not None:
                mark(_luma(frame), index)
            frame.pts, frame.time_base = index, 1 / fps
            yield frame
            index += 1


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the frame's own luma, not a copy."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width]


def _place(partial: Path, path: Path) -> None:
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        partial.replace(path)
        try:
            os.fsync(folder)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    finally:
        os.close(folder)
