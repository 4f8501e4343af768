"""What an MP4 or MOV says about itself, read in pure Python before any library opens it."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from service.media.errors import Code, MediaError

_MAX_INDEX = 4 << 20  # the tables of an hour of film need less
# Walking a file of nothing but empty boxes took 6 s per 100 MB.
_MAX_BOXES = 1000
_MAX_FPS = 240  # of the fastest telephones; more is a lie that makes any film short
_VIDEO_CODECS = {b"avc1", b"avc3", b"hvc1", b"hev1", b"vp09", b"av01", b"mp4v"}
_AUDIO_CODECS = {b"mp4a", b"Opus", b"alac", b"fLaC", b"sowt", b"twos", b"ac-3", b"ec-3", b".mp3"}
# What this module reads; of anything else there may be several.
_READ_HERE = {
    *(b"mvhd", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr", b"minf", b"dinf", b"dref"),
    *(b"stbl", b"stsd", b"stts", b"stsz"),
}
_ONE, _MINUS_ONE = 1 << 16, (1 << 32) - (1 << 16)
# The 2x2 part of the track's matrix (a, b, c, d) for each number of clockwise quarter turns.
_TURNS = {
    (_ONE, 0, 0, _ONE): 0,
    (0, _ONE, _MINUS_ONE, 0): 1,
    (_MINUS_ONE, 0, 0, _MINUS_ONE): 2,
    (0, _MINUS_ONE, _ONE, 0): 3,
}


@dataclass(frozen=True, slots=True)
class ClipHeader:
    """A film as declared.

    Attributes:
        width: of a coded frame, before it is turned upright.
        height: likewise.
        frames: coded frames.
        fps: average.
        has_sound: whether there is a sound track.
        sound_seconds: how long it is; 0 without one.
        edited: an edit list hides frames, so that fewer may be shown than are coded.
        quarter_turns: clockwise, to turn a frame upright.
        streams: tracks of any kind.
    """

    width: int
    height: int
    frames: int
    fps: Fraction
    has_sound: bool
    sound_seconds: Fraction
    edited: bool
    quarter_turns: int
    streams: int


@dataclass(frozen=True, slots=True)
class _Track:
    kind: bytes
    codec: bytes
    size: tuple[int, int]
    samples: int
    fps: Fraction
    edited: bool = False
    quarter_turns: int = 0

    @property
    def seconds(self) -> Fraction:
        return self.samples / self.fps if self.fps else Fraction(0)


def clip_header(stream: BinaryIO, size: int) -> ClipHeader:
    """Return what the film says about itself.

    Args:
        size: of the file in bytes.

    Raises:
        MediaError: empty, not a film, cut short, in pieces, or of a codec that we do not open.
    """
    if size == 0:
        raise MediaError(Code.EMPTY, "The file is empty.")
    if stream.read(12)[4:8] != b"ftyp":
        raise MediaError(Code.NOT_A_CLIP, "This is not an MP4 or MOV film.")
    index = list(_boxes(_index(stream, size)))
    scale = _movie_timescale(_once(index))
    tracks = [_track(content, scale) for kind, content in index if kind == b"trak"]
    pictures = [track for track in tracks if track.kind == b"vide"]
    sounds = [track for track in tracks if track.kind == b"soun"]
    if len(pictures) != 1 or len(sounds) > 1:
        raise MediaError(
            Code.TOO_MANY_STREAMS, f"It has {len(pictures)} picture and {len(sounds)} sound tracks."
        )
    picture = pictures[0]
    if picture.codec not in _VIDEO_CODECS or any(s.codec not in _AUDIO_CODECS for s in sounds):
        raise MediaError(Code.UNSUPPORTED, "The film uses a codec that is not accepted.")
    if not (picture.samples and picture.fps and all(picture.size)):
        raise MediaError(Code.BROKEN, "The film says that it has no frames.")
    if picture.fps > _MAX_FPS:
        raise MediaError(Code.UNSUPPORTED, f"The film shows over {_MAX_FPS} frames per second.")
    return ClipHeader(
        *picture.size,
        picture.samples,
        picture.fps,
        bool(sounds),
        max((sound.seconds for sound in sounds), default=Fraction(0)),
        picture.edited,
        picture.quarter_turns,
        len(tracks),
    )


def top_level(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of each outermost box.

    Raises:
        MediaError: a box is longer than the file, or there are too many.
    """
    at = 0
    for _ in range(_MAX_BOXES):
        if at >= size:
            return
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            raise _truncated()
        length, start = int.from_bytes(head[:4]), 8
        if length == 1:
            length, start = int.from_bytes(head[8:16]), 16
        elif length == 0:  # to the end; only the short form can say so
            length = size - at
        if length < start:
            raise _broken()
        if at + length > size:
            raise _truncated()
        yield head[4:8], at + start, at + length
        at += length
    raise _broken()


def _index(stream: BinaryIO, size: int) -> bytes:
    moov: bytes | None = None
    pictures = False
    for kind, start, end in top_level(stream, size):
        if kind == b"moof":
            raise MediaError(Code.UNSUPPORTED, "Films in pieces (fragmented MP4) are not accepted.")
        pictures = pictures or kind == b"mdat"
        if kind == b"moov":
            if moov is not None or end - start > _MAX_INDEX:
                raise _broken()
            stream.seek(start)
            moov = stream.read(end - start)
    if moov is None or not pictures:
        raise _truncated()
    return moov


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        if length < 8 or at + length > len(content):
            raise _broken()
        yield content[at + 4 : at + 8], content[at + 8 : at + length]
        at += length


def _once(boxes: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the boxes by kind; of two of a kind that counts, the decoder might take the other."""
    found: dict[bytes, bytes] = {}
    for kind, content in boxes:
        if kind in found and kind in _READ_HERE:
            raise _broken()
        found[kind] = content
    return found


def _track(content: bytes, movie_timescale: int) -> _Track:
    try:
        trak = _once(_boxes(content))
        mdia = _once(_boxes(trak[b"mdia"]))
        kind = mdia[b"hdlr"][8:12]
        timescale = _timescale(mdia[b"mdhd"])
        if kind not in {b"vide", b"soun"}:
            return _Track(kind, b"", (0, 0), 0, Fraction(0))
        minf = _once(_boxes(mdia[b"minf"]))
        stbl = _once(_boxes(minf[b"stbl"]))
        _refuse_foreign_files(_once(_boxes(minf[b"dinf"]))[b"dref"])
        codec, width, height = _description(stbl[b"stsd"])
        count, ticks, timed = _sample_times(stbl)
        fps = Fraction(timed * timescale, ticks) if ticks else Fraction(0)
        if kind == b"soun":
            return _Track(kind, codec, (0, 0), count, fps)
        return _Track(
            kind,
            codec,
            (width, height),
            count,
            fps,
            _hides_frames(trak, timescale, (movie_timescale, count / fps if fps else Fraction(0))),
            _quarter_turns(trak[b"tkhd"]),
        )
    except (KeyError, IndexError, struct.error) as missing:
        raise _broken() from missing


def _movie_timescale(moov: dict[bytes, bytes]) -> int:
    try:
        return _timescale(moov[b"mvhd"])
    except (KeyError, IndexError, struct.error) as missing:
        raise _broken() from missing


def _description(stsd: bytes) -> tuple[bytes, int, int]:
    """Return codec, width and height; the sides mean nothing for sound."""
    if int.from_bytes(stsd[4:8]) != 1:
        raise MediaError(Code.UNSUPPORTED, "A track of the film changes its codec on the way.")
    entry = stsd[8:]
    width, height = struct.unpack_from(">HH", entry, 32)
    return entry[4:8], width, height


def _timescale(mdhd: bytes) -> int:
    timescale: int = struct.unpack_from(">I", mdhd, 20 if mdhd[0] == 1 else 12)[0]
    return timescale


def _sample_times(stbl: dict[bytes, bytes]) -> tuple[int, int, int]:
    """Return the number of coded frames, and over how many ticks how many of them last.

    Not from the track's duration: it counts the delay of reordered frames too. The last frame's
    own length is left out when all others are equal, because muxers invent it.
    """
    count: int = struct.unpack_from(">I", stbl[b"stsz"], 8)[0]
    table = stbl[b"stts"]
    entries: int = struct.unpack_from(">I", table, 4)[0]
    if entries * 8 + 8 > len(table):
        raise _broken()
    runs = list(struct.iter_unpack(">II", table[8 : 8 + 8 * entries]))
    if sum(run[0] for run in runs) != count:
        raise _broken()
    if len(runs) == 2 and runs[1][0] == 1:
        runs.pop()
    return count, sum(run[0] * run[1] for run in runs), sum(run[0] for run in runs)


def _hides_frames(trak: dict[bytes, bytes], timescale: int, whole: tuple[int, Fraction]) -> bool:
    """Say whether the edit list is more than the usual single entry over the whole track.

    Args:
        whole: the film's own time scale, and how many seconds the coded frames last.
    """
    if b"edts" not in trak:
        return False
    elst = _once(_boxes(trak[b"edts"])).get(b"elst", b"")
    if not elst:
        return False
    movie_timescale, seconds = whole
    layout = ">Qq" if elst[0] == 1 else ">Ii"
    shown, start = struct.unpack_from(layout, elst, 8)
    # A start of up to half a second is the delay of the first frame shown (B-frames). A part
    # that is shorter by a few ticks is rounding; no length means "to the end".
    cut = 0 < shown < (seconds * movie_timescale) - 2 - seconds * movie_timescale / 1000
    return int.from_bytes(elst[4:8]) != 1 or start < 0 or start * 2 > timescale or cut


def _quarter_turns(tkhd: bytes) -> int:
    a, b, _, c, d = struct.unpack_from(">5I", tkhd, 52 if tkhd[0] == 1 else 40)
    turns = _TURNS.get((a, b, c, d))
    if turns is None:
        raise MediaError(Code.UNSUPPORTED, "The film is mirrored, tilted or stretched.")
    return turns


def _refuse_foreign_files(dref: bytes) -> None:
    for _, reference in _boxes(dref[8:]):
        if not reference[3] & 1:
            raise MediaError(Code.UNSUPPORTED, "The film keeps its pictures in another file.")


def _truncated() -> MediaError:
    return MediaError(Code.TRUNCATED, "The file ends too early.")


def _broken() -> MediaError:
    return MediaError(Code.BROKEN, "The index of the film is damaged.")
