"""What somebody asks for, checked field by field before any gate sees it."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from generator.shots import Size
from service.decision import Purpose

MAX_PROMPT_CHARACTERS = 32_000
"""Of the prompt and all shots together."""
MAX_SHOTS = 20
MAX_ANCESTORS = 8
"""How many films back a remix is followed; a caller leaves out the oldest, and no shot."""
# So many neighbours are also joined by themselves, each time two further on: what is spread over
# them is not diluted by the rest of a long storyboard.
_NEIGHBOURS, _FURTHER_ON = 4, 2
MAX_END_USER_CHARACTERS = 128
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
# ISO 3166-1 alpha-2, assigned officially, as of November 2026.
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
TERRITORIES = frozenset(_CODES.split())


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
    FILM = "film"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Reference:
    """A file the requester sent: the bytes as they came, not yet opened."""

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
class ShotAsked:
    """The words of one shot of several.

    Attributes:
        seconds: how long it is to be; None where the requester leaves it open.
    """

    prompt: str = field(repr=False)
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One request, whole. `prompt` is kept out of `repr` so that no log or trace can show it.

    Attributes:
        prompt: may be empty where there are shots.
        handles: likenesses the requester names, without the `@`.
        territory: ISO 3166-1 alpha-2, or empty.
        idempotency_key: the requester's, or empty.
        shots: in order; only a decision can be asked about them, a film has one prompt.
        end_user: for whom a gateway asks, in its own opaque word, or empty.
        ancestors: the prompts of the films that this one remixes or extends, the oldest first.
    """

    id: str
    requester: Requester
    prompt: str = field(repr=False)
    parameters: Parameters
    references: tuple[Reference, ...] = ()
    handles: tuple[str, ...] = field(default=(), repr=False)
    territory: str = ""
    idempotency_key: str = ""
    purpose: Purpose = Purpose.UNSTATED
    shots: tuple[ShotAsked, ...] = field(default=(), repr=False)
    end_user: str = field(default="", repr=False)
    ancestors: tuple[str, ...] = field(default=(), repr=False)

    def of_kind(self, kind: ReferenceKind) -> tuple[Reference, ...]:
        """Return the references of this kind, in order."""
        return tuple(one for one in self.references if one.kind is kind)

    def texts(self) -> list[tuple[str, str]]:
        """Return each text that is judged, with the field it stands in.

        Several are judged one by one, and then joined by line feeds as `shots`, ancestors first:
        what is split over shots or remixes is met as if it stood in one.
        """
        each = self._parts()
        if len(each) > 1:
            each.append(("shots", "\n".join(text for _, text in each)))
        return each

    def stretches(self) -> list[str]:
        """Return neighbours among many texts, joined as the whole is in `texts`; few have none."""
        each = [text for _, text in self._parts()]
        if len(each) <= _NEIGHBOURS:
            return []
        starts = [*range(0, len(each) - _NEIGHBOURS, _FURTHER_ON), len(each) - _NEIGHBOURS]
        return ["\n".join(each[start : start + _NEIGHBOURS]) for start in starts]

    def _parts(self) -> list[tuple[str, str]]:
        each = [(f"ancestors[{number}]", text) for number, text in enumerate(self.ancestors)]
        each += [("prompt", self.prompt)] if self.prompt else []
        return each + [(f"shots[{number}]", shot.prompt) for number, shot in enumerate(self.shots)]


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


def checked_shots(prompt: str, shots: tuple[ShotAsked, ...]) -> tuple[ShotAsked, ...]:
    """Return the shots if they can be judged, together with `prompt`, which may be empty.

    Raises:
        BadRequest: there are too many, or one is no text, or all are too long together.
    """
    if len(shots) > MAX_SHOTS:
        raise BadRequest(
            "shots", "too_many", f"there are {len(shots)}.", f"Send at most {MAX_SHOTS}."
        )
    for number, shot in enumerate(shots):
        checked_prompt(shot.prompt, param=f"shots[{number}]")
    whole = len(prompt) + sum(len(shot.prompt) for shot in shots)
    if whole > MAX_PROMPT_CHARACTERS:
        raise BadRequest(
            "shots",
            "too_long",
            f"all texts have {whole} characters together.",
            f"Use at most {MAX_PROMPT_CHARACTERS}.",
        )
    return shots


def checked_ancestors(prompts: tuple[str, ...], written: int) -> tuple[str, ...]:
    """Return the prompts of a remix's ancestors if they can be judged, together with the rest.

    Args:
        written: characters of the prompt and all shots.

    Raises:
        BadRequest: there are too many, or one is no text, or all are too long together.
    """
    if len(prompts) > MAX_ANCESTORS:
        raise BadRequest(
            "ancestors",
            "too_many",
            f"there are {len(prompts)}.",
            f"Send at most {MAX_ANCESTORS}, the newest.",
        )
    for number, prompt in enumerate(prompts):
        checked_prompt(prompt, param=f"ancestors[{number}]")
    whole = written + sum(map(len, prompts))
    if whole > MAX_PROMPT_CHARACTERS:
        raise BadRequest(
            "ancestors",
            "too_long",
            f"all texts have {whole} characters together.",
            f"Use at most {MAX_PROMPT_CHARACTERS}.",
        )
    return prompts


def checked_territory(code: str) -> str:
    """Return the code of a territory in capitals; empty stays empty.

    Raises:
        BadRequest: no territory has it.
    """
    if not code or code.upper() in TERRITORIES:
        return code.upper()
    raise BadRequest(
        "territory",
        "not_a_country",
        f"{code[:8]!r} is no country.",
        "Use a code of ISO 3166-1 such as DE.",
    )


def checked_purpose(word: str) -> Purpose:
    """Return what it is for.

    Raises:
        BadRequest: not one of `Purpose`; the remedy lists them.
    """
    for purpose in Purpose:
        if purpose.value == word:
            return purpose
    raise BadRequest(
        "purpose",
        "unknown_purpose",
        f"{word[:32]!r} is no purpose.",
        "Use " + ", ".join(purpose.value for purpose in Purpose) + ".",
    )


def checked_end_user(word: str) -> str:
    """Return a gateway's word for whom it asks.

    Raises:
        BadRequest: it is too long, or not printable ASCII.
    """
    if len(word) <= MAX_END_USER_CHARACTERS and all("!" <= one <= "~" for one in word):
        return word
    raise BadRequest(
        "end_user",
        "not_opaque",
        "it is no printable ASCII without spaces, or too long.",
        f"Use an id of at most {MAX_END_USER_CHARACTERS} characters, and no name.",
    )


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
