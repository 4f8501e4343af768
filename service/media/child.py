"""Decodes one stranger's file in a process of its own, which may die of it.

Started by `reading.py` as a script with `python -I`: it imports nothing of this project, and the
library it needs only after its limits are set. Standard input is the file, standard output takes
the pixels of a picture, standard error one line of JSON as the answer. Anything else that happens
here (a signal, a traceback, silence) is read as "could not be decoded".
"""

import ctypes
import json
import resource
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

_NO_USERS_NO_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_RATE = 48_000


def main(job: dict[str, Any]) -> None:
    """Do what `job` says; it was written by `reading.py`."""
    _confine(job)
    if job["kind"] == "picture":
        _answer(_picture(job))
    else:
        _answer(_clip(job))


def _confine(job: dict[str, Any]) -> None:
    for limit, soft in (
        (resource.RLIMIT_AS, job["memory_bytes"]),
        (resource.RLIMIT_CPU, job["cpu_s"]),
        (resource.RLIMIT_FSIZE, job["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (soft, soft))
    # A namespace without any network. Hosts that forbid it (many containers) still have the
    # protocol whitelist, the forced format and the codec list of the header check.
    ctypes.CDLL(None).unshare(_NO_USERS_NO_NETWORK)


def _answer(said: dict[str, object]) -> None:
    sys.stderr.write(json.dumps(said) + "\n")


def _refuse(code: str) -> NoReturn:
    _answer({"refused": code})
    sys.exit(0)


def _picture(job: dict[str, Any]) -> dict[str, object]:
    import warnings

    from PIL import Image, ImageOps

    # The size is already bounded by the header, and checked again below.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    try:
        with Image.open(sys.stdin.buffer, formats=[job["format"]]) as opened:
            if opened.size != (job["width"], job["height"]):
                _refuse("mislabelled")
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)
            pixels = _rgb(opened)
    except MemoryError:
        _refuse("too_many_pixels")
    except (OSError, ValueError, SyntaxError, EOFError) as broken:
        _refuse("truncated" if "truncated" in str(broken).lower() else "broken")
    sys.stdout.buffer.write(pixels.data)
    sys.stdout.buffer.flush()
    return {"height": pixels.shape[0], "width": pixels.shape[1]}


def _rgb(picture: Any) -> Any:  # noqa: ANN401 - Pillow and numpy are imported after the limits
    """Return the pixels as RGB over white, shape (height, width, 3), uint8."""
    import numpy as np
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey; Pillow would clip them to 255
        grey = np.clip(np.asarray(picture, dtype=np.int64), 0, 65_535)
        eight = ((grey * 255 + 32_767) // 65_535).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(eight[:, :, None], 3, axis=2))
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, over)
    return np.ascontiguousarray(np.asarray(picture.convert("RGB")))


def _clip(job: dict[str, Any]) -> dict[str, object]:
    import av

    # Own names only: a playlist or a data reference inside the file reaches no other file.
    options = {"protocol_whitelist": "pipe", "enable_drefs": "0"}
    try:
        with av.open(
            sys.stdin.buffer, format="mov", options=options, metadata_errors="replace"
        ) as container:
            return _decode(container, job)
    except MemoryError:
        _refuse("too_many_pixels")
    except (av.FFmpegError, EOFError):
        _refuse("broken")


def _decode(container: Any, job: dict[str, Any]) -> dict[str, object]:  # noqa: ANN401 - see _rgb
    import av
    import numpy as np

    folder, turns = Path(job["folder"]), job["quarter_turns"]
    size = (job["width"], job["height"])
    height, width = size if turns % 2 else size[::-1]
    picture = container.streams.video[0]
    picture.thread_type = "NONE"
    sounds = container.streams.audio[:1]
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=_RATE)
    starts: dict[str, float] = {}
    count, samples = 0, [np.zeros((0, 2), np.float32)]
    with (folder / "frames.npy").open("wb") as frames:
        _head(frames, (job["frames"], height, width, 3), "|u1")
        for packet in container.demux(picture, *sounds):
            for frame in packet.decode():
                starts.setdefault(packet.stream.type, frame.time or 0.0)
                if packet.stream.type == "audio":
                    samples += _sound(resampler.resample(frame))
                    continue
                count += 1
                if frame.is_corrupt:
                    _refuse("broken")
                if (frame.width, frame.height) != size or count > job["frames"]:
                    _refuse("mislabelled")
                upright = np.rot90(frame.to_ndarray(format="rgb24"), -turns)
                frames.write(np.ascontiguousarray(upright).data)
        if count < job["frames"] and not job["edited"]:
            _refuse("truncated")
        frames.seek(0)
        _head(frames, (count, height, width, 3), "|u1")
    if sounds and starts.get("audio") is not None:
        samples += _sound(resampler.resample(None))
    late = round((starts.get("audio", 0.0) - starts.get("video", 0.0)) * _RATE)
    length = round(count * _RATE / Fraction(job["fps"]))
    _write_sound(folder / "sound.npy", np.concatenate(samples), late, length)
    return {"frames": count, "height": height, "width": width}


def _sound(frames: Any) -> list[Any]:  # noqa: ANN401 - see _rgb
    return [frame.to_ndarray().reshape(-1, 2) for frame in frames]


def _write_sound(path: Path, samples: Any, late: int, length: int) -> None:  # noqa: ANN401 - see _rgb
    """Write the sound, moved by `late` samples and made exactly `length` samples long."""
    import numpy as np

    start = max(-late, 0)
    before = np.zeros((min(max(late, 0), length), 2), np.float32)
    moved = np.concatenate([before, samples[start : start + length]])[:length]
    after = np.zeros((length - len(moved), 2), np.float32)
    with path.open("wb") as file:
        _head(file, (length, 2), "<f4")
        file.write(np.ascontiguousarray(np.concatenate([moved, after]), np.float32).data)


def _head(file: Any, shape: tuple[int, ...], descr: str) -> None:  # noqa: ANN401 - see _rgb
    import numpy as np

    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
