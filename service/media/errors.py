"""Why a picture or film was not read or written, in words that are safe to show."""

from enum import StrEnum


class Code(StrEnum):
    """What is wrong, for programs."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LONG = "too_long"
    TOO_MANY_STREAMS = "too_many_streams"
    NOT_A_PICTURE = "not_a_picture"
    NOT_A_CLIP = "not_a_clip"
    NOT_A_SOUND = "not_a_sound"
    UNSUPPORTED = "unsupported"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    MISLABELLED = "mislabelled"
    TIMEOUT = "timeout"
    NOT_WRITTEN = "not_written"


_REMEDIES = {
    Code.EMPTY: "Send a file with content.",
    Code.TOO_LARGE: "Send a smaller file.",
    Code.TOO_MANY_PIXELS: "Scale it down and send it again.",
    Code.TOO_LONG: "Send a shorter clip, or one with fewer frames per second.",
    Code.TOO_MANY_STREAMS: "Export it with one picture track and one sound track.",
    Code.NOT_A_PICTURE: "Send a PNG, JPEG or WebP picture.",
    Code.NOT_A_CLIP: "Send an MP4 or MOV film.",
    Code.NOT_A_SOUND: "Send a WAV, FLAC, Ogg, MP3 or M4A sound.",
    Code.UNSUPPORTED: "Export it again as an ordinary PNG or JPEG picture, or MP4 film with H.264.",
    Code.TRUNCATED: "Part of it is missing: send the whole file again.",
    Code.BROKEN: "Open it and export it again.",
    Code.MISLABELLED: "Open it and export it again.",
    Code.TIMEOUT: "Send a smaller or simpler file.",
    Code.NOT_WRITTEN: "Try again; if it happens again, the operator must look at the disk.",
}


class MediaError(Exception):
    """A file was not read or not written. Nothing of it may be used.

    Attributes:
        code: what is wrong.
        message: one sentence, safe to show.
        remedy: what the sender can do.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code.value}: {message}")
        self.code = code
        self.message = message
        self.remedy = _REMEDIES[code]
