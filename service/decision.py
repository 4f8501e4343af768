"""The words of a decision: verdict, reasons, observations, conditions. Pure values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Verdict(IntEnum):
    """Ordered by strictness, so that `max` of several verdicts is the one that holds."""

    ALLOW = 0
    HOLD = 1
    BLOCK = 2

    @property
    def word(self) -> str:
        """The verdict on the wire: `allow`, `hold` or `block`."""
        return self.name.lower()


class Gate(StrEnum):
    """Who looked."""

    FILTERS = "filters"
    LIKENESS = "likeness"
    RIGHTS = "rights"
    POLICY = "policy"


class Owner(StrEnum):
    """Whose rule it is, so that a refused person knows whom to ask."""

    PLATFORM = "platform"
    HOLDER = "holder"
    PERSON = "person"
    PROJECT = "project"


class Mode(StrEnum):
    """`enforce` decides; `shadow` and `dry_run` are logged and permit nothing."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    DRY_RUN = "dry_run"


class Purpose(StrEnum):
    """What the requester says it is for; a word and not a text, so that it may stand in the log."""

    UNSTATED = "unstated"
    PERSONAL = "personal"
    ADVERTISING = "advertising"
    EDUCATION = "education"
    ENTERTAINMENT = "entertainment"
    NEWS = "news"
    PARODY = "parody"
    POLITICAL = "political"
    RESEARCH = "research"


class Stage(StrEnum):
    """When in a request's life the decision is taken."""

    REQUEST = "request"
    HALF_WAY = "half_way"
    OUTPUT = "output"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of the text as the user typed it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Region:
    """A box in a picture: x, y, width, height in pixels of frame `frame` (0 for a still)."""

    frame: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of sound or film, in milliseconds from the start."""

    start_ms: int
    end_ms: int


Place = Span | Region | Moment


@dataclass(frozen=True, slots=True)
class Observation:
    """What a detector saw, or that it could not look. Everything seen is recorded, also on allow.

    Attributes:
        id: `obs_…`, unique within the decision.
        gate: who looked.
        detector: name and version, such as `filters.text@1`.
        category: the dotted name of what was seen, such as `filters.sexual` or
            `likeness.stranger`; the policy has a rule for each. `policy.unavailable` says that
            the detector could not look, which is a hold.
        surface: where it looked: `prompt`, `picture`, `frames`, `speech`.
        param: the field of the request, such as `prompt` or `input_reference`.
        score: 0..1, rounded to four decimals; 1.0 where the detector answers yes or no.
        place: where in the text, picture or sound; None for the whole.
        matched: ids of grants, likenesses or claims.
        index: checkpoint of the index that was asked, such as `claims:18231`, or empty.
    """

    id: str
    gate: Gate
    detector: str
    category: str
    surface: str
    param: str
    score: float
    place: Place | None = None
    matched: tuple[str, ...] = ()
    index: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule of the policy that an observation met. `message` and `remedy` are safe to show.

    Attributes:
        observation: id of the observation that it points at.
        joined: ids of the other observations that a rule over several of them needed.
    """

    code: str
    verdict: Verdict
    gate: Gate
    owner: Owner
    category: str
    message: str
    remedy: str
    param: str
    rule: str
    observation: str
    score: float
    threshold: float
    place: Place | None = None
    appealable: bool = False
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who asks from where and what for, as far as a policy may tell cases apart by it.

    Attributes:
        project: id, or empty.
        plan: the project's plan, a word of the operator's, or empty.
        territory: ISO 3166-1 alpha-2, or empty.
    """

    project: str = ""
    plan: str = ""
    territory: str = ""
    purpose: Purpose = Purpose.UNSTATED


@dataclass(frozen=True, slots=True)
class VisibleMark:
    """The output must carry the visible moving mark."""


@dataclass(frozen=True, slots=True)
class MaxSeconds:
    """The output may not be longer than `value` seconds."""

    value: int


@dataclass(frozen=True, slots=True)
class Steer:
    """Generate from `prompt` with `negative` in place of what was asked."""

    prompt: str
    negative: str


Condition = VisibleMark | MaxSeconds | Steer


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which policy decided: id, version and the SHA-256 of its document, hex."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is in the log: where, and under which signed checkpoint."""

    log: str
    index: int
    tree_size: int
    checkpoint: str
    proof_url: str


@dataclass(frozen=True, slots=True)
class Shadow:
    """What another policy, which decides nothing yet, would have said."""

    policy: PolicyRef
    verdict: Verdict
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer about one request at one stage. Made only by `decide`.

    Attributes:
        cleared: `code@observation` of each reason that a person had cleared or lifted, so that a
            replay of what is logged comes to the same answer.
        shadow: other policies' answers; filled in after the decision was made.
    """

    id: str
    request_id: str
    created_at: datetime
    mode: Mode
    stage: Stage
    verdict: Verdict
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    observations: tuple[Observation, ...]
    policy: PolicyRef
    billable: bool = field(default=False)
    circumstances: Circumstances = Circumstances()
    cleared: tuple[str, ...] = ()
    shadow: tuple[Shadow, ...] = ()


class NothingChecked(Exception):
    """A decision without a single observation was asked for, which can only be a mistake."""


def strictest(reasons: Sequence[Reason]) -> Verdict:
    """Return the verdict that holds when all of `reasons` apply: block over hold over allow."""
    return max((reason.verdict for reason in reasons), default=Verdict.ALLOW)
