"""Decodes one stranger's file in a process of its own, which may die of it.

Started by `reading.py` as a script with `python -I`: it imports nothing of this project. Standard
input is the file, the descriptors in `job["out"]` take what it holds, and standard error takes one
line of JSON as the answer. Anything else that happens here (a signal, a traceback, silence) is
read as "could not be decoded".

A decoder that a hostile file took over must find nothing worth having: once its library is loaded
the process opens no file, no socket and no program, and signals nobody.
"""

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NoReturn

_NO_USERS_NO_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2  # prctl and its argument
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # one number on every processor
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # number of rights by version; 5 adds one
# All that decoding needs of the kernel of x86-64, once the libraries are loaded: to read and
# write what is open, memory, time, locks and the end. Everything else fails with EPERM.
_CALLS = (
    *(0, 1, 3, 5, 8, 262),  # read, write, close, fstat, lseek, newfstatat
    *(9, 10, 11, 12, 25, 28),  # mmap, mprotect, munmap, brk, mremap, madvise
    *(13, 14, 15, 131),  # rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack
    *(16, 17, 18, 19, 20, 32, 72, 77),  # ioctl, pread, pwrite, readv, writev, dup, fcntl, ftruncate
    *(24, 35, 96, 98, 99, 202, 204, 228, 230),  # yield, sleep, times, sysinfo, futex, affinity
    *(39, 60, 63, 186, 231, 273, 318, 324, 334),  # ids, exit, uname, getrandom, membarrier, rseq
)
_X86_64 = 0xC000003E
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO of EPERM
_RATE = 48_000
# By name, because an `mp4v` or `mp4a` track may name any codec that libav knows.
_CODECS = [
    *("h264", "hevc", "vp9", "libvpx-vp9", "av1", "libdav1d", "mpeg4"),
    *("aac", "opus", "libopus", "alac", "flac", "pcm_s16le", "pcm_s16be", "ac3", "eac3"),
    *("mp3", "mp3float", "vorbis", "libvorbis"),
    *("pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_f32le"),
]


def main(job: dict[str, Any]) -> None:
    """Do what `job` says; it was written by `reading.py`."""
    _limit(job)
    kinds = {"picture": _picture, "clip": _clip, "sound": _sounds, "nothing": _nothing}
    walls: list[str] = []
    said = kinds[job["kind"]](job, walls)
    _answer(said | {"walls": walls})


def _limit(job: dict[str, Any]) -> None:
    for limit, soft, hard in (
        (resource.RLIMIT_AS, job["memory_bytes"], job["memory_bytes"]),
        # The soft limit says what happened (SIGXCPU); the hard one only kills.
        (resource.RLIMIT_CPU, job["cpu_s"], job["cpu_s"] + 1),
        (resource.RLIMIT_FSIZE, job["file_bytes"], job["file_bytes"]),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 64),
    ):
        resource.setrlimit(limit, (soft, hard))


def _confine(walls: list[str]) -> None:
    """Put up every wall that this kernel and its host grant, and note which stand.

    Called after the libraries are loaded and before the first byte of the file is read. A host
    may refuse a wall (an old kernel, a container's policy); the others stand without it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NO_USERS_NO_NETWORK) == 0:
        walls.append("network")
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return
    if _no_files(libc):
        walls.append("files")
    if platform.machine() == "x86_64" and _few_calls(libc):
        walls.append("calls")


def _no_files(libc: Any) -> bool:  # noqa: ANN401 - a C library
    """Landlock: no path may be opened from here on; from version 6 no stranger be signalled."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    rules = struct.pack("=QQQ", files, network, scopes)
    size = 8 if version < 4 else 16 if version < 6 else 24
    handle = libc.syscall(_LANDLOCK_CREATE, rules, size, 0)
    if handle < 0:
        return False
    refused = libc.syscall(_LANDLOCK_RESTRICT, handle, 0)
    os.close(handle)
    return bool(refused == 0)


def _few_calls(libc: Any) -> bool:  # noqa: ANN401 - a C library
    """Seccomp: any system call but `_CALLS` fails, also under the numbers of other modes."""
    load, equal, end = 0x20, 0x15, 0x06  # of classic BPF: load a word, jump if equal, return
    count = len(_CALLS)
    program = [(load, 0, 0, 4), (equal, 0, count + 1, _X86_64), (load, 0, 0, 0)]
    program += [(equal, count - at, 0, call) for at, call in enumerate(_CALLS)]
    program += [(end, 0, 0, _DENY), (end, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    head = struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code))
    return bool(libc.prctl(_SET_FILTER, _FILTER_MODE, head, 0, 0) == 0)


def _answer(said: dict[str, object]) -> None:
    sys.stderr.write(json.dumps(said) + "\n")


def _refuse(code: str) -> NoReturn:
    _answer({"refused": code})
    sys.exit(0)


def _nothing(_: dict[str, Any], walls: list[str]) -> dict[str, object]:
    _confine(walls)
    return {}


def _picture(job: dict[str, Any], walls: list[str]) -> dict[str, object]:
    import warnings

    # All that Pillow would load on the way: behind the walls no module can be read. Not numpy,
    # which would take three quarters of the start.
    from PIL import (  # noqa: F401 - see above
        Image,
        ImageOps,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    Image.preinit()
    # The size is already bounded by the header, and checked again below.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    _confine(walls)
    try:
        with Image.open(sys.stdin.buffer, formats=[job["format"]]) as opened:
            if opened.size != (job["width"], job["height"]):
                _refuse("mislabelled")
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)
            picture = _rgb(opened)
    except MemoryError:
        _refuse("too_many_pixels")
    except (OSError, ValueError, SyntaxError, EOFError) as broken:
        _refuse("truncated" if "truncated" in str(broken).lower() else "broken")
    with os.fdopen(job["out"][0], "wb") as pixels:
        pixels.write(picture.tobytes())
    return {"height": picture.height, "width": picture.width}


def _rgb(picture: Any) -> Any:  # noqa: ANN401 - Pillow is imported after the limits
    """Return the picture as RGB over white."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey; Pillow would clip them to 255
        return picture.point(lambda value: value * (255 / 65_535) + 0.5).convert("L").convert("RGB")
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, over)
    return picture.convert("RGB")


def _clip(job: dict[str, Any], walls: list[str]) -> dict[str, object]:
    # Again all that is loaded on the way, by PyAV itself.
    import av
    import av.subtitles.stream
    import numpy  # noqa: F401 - see above

    _confine(walls)
    # Own names only: a playlist or a data reference inside the file reaches no other file.
    options = {
        "protocol_whitelist": "pipe",
        "enable_drefs": "0",
        "codec_whitelist": ",".join(_CODECS),
    }
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

    tracks = (container.streams.video[0], *container.streams.audio[:1])
    if any(track.codec_context.name not in _CODECS for track in tracks):
        _refuse("unsupported")
    tracks[0].codec_context.thread_count = 1  # no thread can be started
    tracks[0].thread_type = "NONE"
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=_RATE)
    starts: dict[str, float] = {}
    count, samples = 0, [np.zeros((0, 2), np.float32)]
    keep = None if job.get("keep") is None else set(job["keep"])
    with os.fdopen(job["out"][0], "wb") as frames:
        for packet in container.demux(*tracks):
            for frame in packet.decode():
                starts.setdefault(packet.stream.type, frame.time or 0.0)
                if packet.stream.type == "audio":
                    samples += _sound(resampler.resample(frame))
                    continue
                count += 1
                _check(frame, job, count)
                if keep is None or count - 1 in keep:
                    frames.write(_upright(frame, job).data)
    if count < job["frames"] and not job["edited"]:
        _refuse("truncated")
    if starts.get("audio") is not None:
        samples += _sound(resampler.resample(None))
    late = round((starts.get("audio", 0.0) - starts.get("video", 0.0)) * _RATE)
    length = round(count * _RATE / Fraction(job["fps"]))
    _write_sound(job["out"][1], np.concatenate(samples), late, length)
    return {"frames": count}


def _check(frame: Any, job: dict[str, Any], count: int) -> None:  # noqa: ANN401 - see _rgb
    if frame.is_corrupt:
        _refuse("broken")
    if (frame.width, frame.height) != (job["width"], job["height"]) or count > job["frames"]:
        _refuse("mislabelled")


def _upright(frame: Any, job: dict[str, Any]) -> Any:  # noqa: ANN401 - see _rgb
    import numpy as np

    pixels = frame.reformat(format="rgb24", threads=1).to_ndarray()  # no thread can be started
    return np.ascontiguousarray(np.rot90(pixels, -job["quarter_turns"]))


def _sounds(job: dict[str, Any], walls: list[str]) -> dict[str, object]:
    import av
    import av.subtitles.stream
    import numpy as np

    _confine(walls)
    options = {"protocol_whitelist": "pipe", "codec_whitelist": ",".join(_CODECS)}
    if job["format"] == "mov":
        options["enable_drefs"] = "0"
    try:
        with av.open(
            sys.stdin.buffer, format=job["format"], options=options, metadata_errors="replace"
        ) as container:
            pieces = list(_heard(container, job["samples"]))
            if not any(map(len, pieces)):
                _refuse("empty")
            samples = np.concatenate(pieces)
    except MemoryError:
        _refuse("too_long")
    except (av.FFmpegError, EOFError, ValueError):
        _refuse("broken")
    with os.fdopen(job["out"][0], "wb") as file:
        file.write(np.ascontiguousarray(samples, np.float32).data)
    return {"samples": len(samples)}


def _heard(container: Any, most: int) -> Iterator[Any]:  # noqa: ANN401 - see _rgb
    """Yield the one track, of sound, in pieces of shape (samples, 2).

    Nobody would look at a picture or read a text beside it.
    """
    import av

    if len(container.streams) != 1 or len(container.streams.audio) != 1:
        _refuse("too_many_streams")
    track = container.streams.audio[0]
    if track.codec_context.name not in _CODECS:
        _refuse("unsupported")
    track.codec_context.thread_count = 1  # no thread can be started
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=_RATE)
    count = 0
    for packet in container.demux(track):
        for frame in packet.decode():
            for piece in _sound(resampler.resample(frame)):
                count += len(piece)
                if count > most:
                    _refuse("too_long")
                yield piece
    yield from _sound(resampler.resample(None) if count else [])


def _sound(frames: Any) -> list[Any]:  # noqa: ANN401 - see _rgb
    return [frame.to_ndarray().reshape(-1, 2) for frame in frames]


def _write_sound(out: int, samples: Any, late: int, length: int) -> None:  # noqa: ANN401 - see _rgb
    """Write the sound, moved by `late` samples and made exactly `length` samples long."""
    import numpy as np

    start = max(-late, 0)
    before = np.zeros((min(max(late, 0), length), 2), np.float32)
    moved = np.concatenate([before, samples[start : start + length]])[:length]
    after = np.zeros((length - len(moved), 2), np.float32)
    with os.fdopen(out, "wb") as file:
        file.write(np.ascontiguousarray(np.concatenate([moved, after]), np.float32).data)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
