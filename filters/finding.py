"""What a detector saw: a category, a score, and the place that made it say so."""

from dataclasses import dataclass
from enum import StrEnum


class FilterError(Exception):
    """Base of everything this package raises. None of them ever means that a thing is harmless."""


class ModelUnavailable(FilterError):
    """A model is missing, damaged or not the one we pinned.

    The message says what is wrong and where; `remedy` how to mend it.
    """

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(f"{what}: {where}. {remedy}")
        self.what = what
        self.where = where
        self.remedy = remedy


class NothingToLookAt(FilterError):
    """A detector was given no text, no frame or no sound, so it cannot say that all is well."""


class Category(StrEnum):
    """Everything this package can find, and nothing else; a policy has a rule for each.

    What each means, and what others call it, is in `filters/taxonomy.yaml`. Persons, works and
    brands are missing on purpose: registries decide about them, not scores.
    """

    SEXUAL = "sexual"
    MINORS = "minors"  # a sexual word and an age word together: a rule, never a trained head
    VIOLENCE = "violence"
    GORE = "gore"
    SELF_HARM = "self_harm"
    HATE = "hate"
    HARASSMENT = "harassment"
    EXTREMISM = "extremism"
    ILLICIT = "illicit"
    POLITICAL = "political"
    IMPERSONATION = "impersonation"
    DANGEROUS_ACTS = "dangerous_acts"
    ANIMAL_CRUELTY = "animal_cruelty"
    PRIVACY = "privacy"
    EVASION = "evasion"  # text written so that people or filters do not see it
    LANGUAGE = "language"  # text that the heads cannot read
    SPEECH = "speech"  # somebody speaks, and no trusted transcriber has read it
    UNREADABLE = "unreadable"  # something is written in a picture, and nothing here could read it


class Surface(StrEnum):
    """Where it was seen."""

    PROMPT = "prompt"
    PICTURE = "picture"
    FRAMES = "frames"
    CAPTIONS = "captions"  # text that is to be read in the film, or is
    SPEECH = "speech"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of the text as the user typed it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels of frame `frame`, as large as that frame was handed in."""

    frame: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of sound, in milliseconds from the start."""

    start_ms: int
    end_ms: int


Place = Span | Box | Moment


@dataclass(frozen=True, slots=True)
class Finding:
    """One category that one detector looked for, also where it found next to nothing.

    Attributes:
        score: 0..1, rounded to four decimals so that a replay compares equal; 1.0 where the
            detector only answers yes or no.
        detector: name and version, such as `filters.text@1`; the version changes whenever the
            same input may get another score.
        place: the evidence, or None where it is the whole.
    """

    category: Category
    score: float
    surface: Surface
    detector: str
    place: Place | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:  # NaN fails this too, and must not pass for "low"
            raise FilterError(f"{self.detector}: {self.category} has the score {self.score}")
        object.__setattr__(self, "score", round(float(self.score), 4))
