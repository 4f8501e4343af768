"""What somebody asks for, checked field by field before any gate sees it."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from generator.shots import Size

MAX_PROMPT_CHARACTERS = 32_000
MAX_REFERENCES = 4
"""How many pictures a decision can be asked about; a film begins with one (`checked_shown`)."""
MIN_SECONDS, MAX_SECONDS = 1, 20
MIN_FPS, MAX_FPS = 8, 30
SIZES = tuple(
    Size(width, height)
    for width, height in (
        (256, 256),
        (512, 512),
        (384, 640),
        (640, 384),
        (640, 360),
        (360, 640),
        (720, 1280),
        (1280, 720),
    )
)
# Tab, line feed and carriage return are how people write paragraphs; every other control
# character hides something from whoever reads the prompt later.
ALLOWED_CONTROLS = frozenset("\t\n\r")


class BadRequest(Exception):
    """A field is wrong. The message says what, and `remedy` how to mend it."""

    def __init__(self, param: str, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{param}: {message} {remedy}")
        self.param = param
        self.code = code
        self.message = message
        self.remedy = remedy


class ReferenceKind(StrEnum):
    """What a reference is used for."""

    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture the requester sent: the bytes as they came, not yet opened."""

    param: str
    content: bytes = field(repr=False)
    kind: ReferenceKind = ReferenceKind.PICTURE

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Parameters:
    """How it is to be made."""

    model: str
    size: Size
    seconds: int
    fps: Fraction
    seed: int


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: the API key's owner (a person) and the project it belongs to."""

    actor: str
    project: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One request, whole. `prompt` is kept out of `repr` so that no log or trace can show it.

    Attributes:
        handles: likenesses the requester names, without the `@`.
        territory: ISO 3166-1 alpha-2, or empty.
        idempotency_key: the requester's, or empty.
    """

    id: str
    requester: Requester
    prompt: str = field(repr=False)
    parameters: Parameters
    references: tuple[Reference, ...] = ()
    handles: tuple[str, ...] = field(default=(), repr=False)
    territory: str = ""
    idempotency_key: str = ""


def checked_prompt(prompt: str | bytes, *, param: str = "prompt") -> str:
    """Return the prompt as text if it is one a person could have written.

    Raises:
        BadRequest: not UTF-8, empty, too long, or with control characters.
    """
    if isinstance(prompt, bytes):
        try:
            prompt = prompt.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise BadRequest(
                param,
                "invalid_utf8",
                f"byte {broken.start} is not UTF-8.",
                "Send the text as UTF-8.",
            ) from None
    if any("\ud800" <= character <= "\udfff" for character in prompt):
        raise BadRequest(
            param, "invalid_utf8", "it holds half a surrogate pair.", "Send valid UTF-8."
        )
    if not prompt.strip():
        raise BadRequest(param, "empty", "it is empty.", "Describe what should be seen and heard.")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise BadRequest(
            param,
            "too_long",
            f"it has {len(prompt)} characters.",
            f"Use at most {MAX_PROMPT_CHARACTERS}.",
        )
    for at, character in enumerate(prompt):
        if (character < " " or "\x7f" <= character <= "\x9f") and character not in ALLOWED_CONTROLS:
            raise BadRequest(
                param,
                "control_character",
                f"character {at} is the control character U+{ord(character):04X}.",
                "Remove it.",
            )
    return prompt


def checked_shown(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Return the references if a film can show them all: one picture, or none.

    Raises:
        BadRequest: there are more; what is gated and then not used would be a broken promise.
    """
    if len(references) > 1:
        raise BadRequest(
            references[1].param,
            "too_many",
            f"there are {len(references)} pictures, and a film shows one.",
            "Send the one that it is to show.",
        )
    return references


def checked_size(size: str) -> Size:
    """Return the size if it is one we make.

    Raises:
        BadRequest: not one of `SIZES`; the remedy lists them.
    """
    for known in SIZES:
        if str(known) == size:
            return known
    raise BadRequest(
        "size",
        "unknown_size",
        f"{size[:32]!r} is not a size we make.",
        "Use one of " + ", ".join(map(str, SIZES)) + ".",
    )


def checked_seconds(seconds: str | int) -> int:
    """Return the length if it is a whole number of seconds that we make.

    Raises:
        BadRequest: not a whole number from `MIN_SECONDS` to `MAX_SECONDS`.
    """
    text = str(seconds)
    # ASCII digits only: int() would also take '٤', and str.isdigit() '²'.
    if (
        text.isascii()
        and text.isdigit()
        and len(text) < 4
        and MIN_SECONDS <= int(text) <= MAX_SECONDS
    ):
        return int(text)
    raise BadRequest(
        "seconds",
        "unknown_seconds",
        f"{text[:32]!r} is not a length we make.",
        f"Use a whole number from {MIN_SECONDS} to {MAX_SECONDS}.",
    )


def checked_fps(fps: str | int) -> Fraction:
    """Return the frame rate if it is a whole number that we make.

    Raises:
        BadRequest: not a whole number from `MIN_FPS` to `MAX_FPS`.
    """
    text = str(fps)
    if text.isascii() and text.isdigit() and len(text) < 4 and MIN_FPS <= int(text) <= MAX_FPS:
        return Fraction(int(text))
    raise BadRequest(
        "fps",
        "unknown_fps",
        f"{text[:32]!r} is not a frame rate we make.",
        f"Use a whole number from {MIN_FPS} to {MAX_FPS}.",
    )
