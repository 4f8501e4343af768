"""The one place where the rooms' nouns become observations of the policy's categories.

Adding a category to a room without a word for it here fails the type check.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from filters import finding as filter_words
from filters.finding import Category, Finding, Surface
from likeness.handles import Mention, MentionStatus
from likeness.recognition import Outcome, Sighting
from rightsholders.claims import Action
from rightsholders.register import Match
from service.decision import Gate, Moment, Observation, Place, Region, Span
from service.policy_book import UNAVAILABLE

DETECTORS = frozenset(
    {
        "filters.captions",
        "filters.evasion",
        "filters.nudity",
        "filters.sphinx",
        "filters.text",
        "filters.voice_activity",
        "likeness.dlib",
        "likeness.faces",
        "likeness.handles",
        "rights.names",
    }
)
"""Every detector that this build can ask, without its version; a policy lists each."""

GUARDS = frozenset(
    f"filters.guard.{family}"
    for family in (
        "llama_guard", "llama_guard_4", "qwen3guard", "shieldgemma", "granite_guardian",
        "gpt_oss_safeguard", "classifier",
    )
)  # fmt: skip
"""Detectors that are there only where the settings name them; a policy lists those it trusts."""

IMAGE_MODELS = frozenset(
    f"filters.image.{family}" for family in ("classifier", "zero_shot", "shieldgemma2")
)
"""The same for pictures."""

READERS = frozenset({"filters.whisper"})
"""What reads speech only where the settings name it; a policy that lists it lets it clear."""

NOTHING = frozenset({"likeness.none", "rights.none"})
"""What a gate reports that looked and saw nothing of its concern."""

SURFACES = frozenset({*(surface.value for surface in Surface), "request"})
# Of one kind: a dozen kinds of nine are 30 kB, half of what a leaf holds.
_KEPT = 8
# With as many reasons, and two ids and a place in each, 96 are under 60 kB.
_MOST = 96
_FEWER = (4, 2, 1)
SpanOf = Callable[[int, int], tuple[int, int]]
"""Maps a span of the normalised text to one of the text as the user typed it."""


def from_finding(finding: Finding, *, param: str) -> Observation:
    """Return what the filters found, also when it is next to nothing."""
    return Observation(
        id="",
        gate=Gate.FILTERS,
        detector=finding.detector,
        category=category_of(finding.category),
        surface=finding.surface.value,
        param=param,
        score=finding.score,
        place=_place(finding.place),
    )


def from_sighting(sighting: Sighting, *, surface: Surface, param: str, frame: int) -> Observation:
    """Return whose face was seen. The similarity stays here: whoever knew it could climb it."""
    box = sighting.box
    return Observation(
        id="",
        gate=Gate.LIKENESS,
        detector=sighting.detector,
        category=outcome_of(sighting.outcome),
        surface=surface.value,
        param=param,
        score=1.0,
        place=Region(frame, box.x, box.y, box.width, box.height),
        matched=tuple(part for part in (sighting.likeness, sighting.grant) if part),
        index=sighting.index,
    )


def from_mention(mention: Mention, *, span_of: SpanOf | None, param: str) -> Observation:
    """Return who was named by handle, and whether the requester may depict them.

    Args:
        span_of: None where the handle stands in a field of its own.
    """
    return Observation(
        id="",
        gate=Gate.LIKENESS,
        detector="likeness.handles@1",
        category=status_of(mention.status),
        surface=Surface.PROMPT.value,
        param=param,
        score=1.0,
        place=Span(*span_of(mention.start, mention.end)) if span_of else None,
        matched=tuple(part for part in (mention.likeness, mention.grant) if part),
    )


def from_match(match: Match, *, span_of: SpanOf, param: str) -> Observation:
    """Return which claim the words met."""
    return Observation(
        id="",
        gate=Gate.RIGHTS,
        detector="rights.names@1",
        category=action_of(match.action),
        surface=Surface.PROMPT.value,
        param=param,
        score=1.0,
        place=Span(*span_of(match.start, match.end)),
        matched=(match.claim,),
        index=match.index,
    )


def nothing_seen(gate: Gate, detector: str, *, param: str, index: str = "") -> Observation:
    """Return that a gate looked and saw nothing of its concern."""
    return Observation(
        id="",
        gate=gate,
        detector=detector,
        category=f"{gate.value}.none",
        surface="request",
        param=param,
        score=1.0,
        index=index,
    )


def could_not_look(gate: Gate, detector: str) -> Observation:
    """Return that a gate failed or was late, which holds the request."""
    return Observation(
        id="",
        gate=gate,
        detector=detector,
        category=UNAVAILABLE,
        surface="request",
        param="request",
        score=1.0,
    )


def numbered(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the observations, condensed, with identifiers that are unique in their decision."""
    return tuple(
        replace(seen, id=f"obs_{number}")
        for number, seen in enumerate(_condensed(observations), start=1)
    )


def _condensed(observations: Iterable[Observation]) -> list[Observation]:
    """Keep of each kind the strongest few, and one that says how many there were besides.

    A decision has to fit into a leaf of the log, whatever somebody writes or a crowd shows. Where
    many texts or pictures were sent, those of one field count as one.
    """
    everything = list(observations)
    kept = _strongest(everything, _KEPT, of_field=False)
    for most in (_KEPT, *_FEWER):
        if len(kept) <= _MOST:
            break
        kept = _strongest(everything, most, of_field=True)
    return kept


def _strongest(seen: Sequence[Observation], most: int, *, of_field: bool) -> list[Observation]:
    """Return of each kind the `most` strongest, and one that counts the others.

    The count is part of what a person clears, so that one more in the crowd is a new hold.
    """
    kinds: dict[tuple[str, str, str, str], list[Observation]] = {}
    for one in seen:
        param = one.param.partition("[")[0] + "[]" * ("[" in one.param) if of_field else one.param
        kinds.setdefault((one.detector, one.category, one.surface, param), []).append(one)
    kept: list[Observation] = []
    for alike in kinds.values():
        strongest = sorted(alike, key=lambda one: -one.score)
        kept += strongest[:most]
        more = len(alike) - most
        kept += [replace(strongest[most], matched=(f"and_{more}",))] if more > 0 else []
    return kept


def category_of(category: Category) -> str:
    """Return the policy's name for what a filter found."""
    match category:
        case (
            Category.SEXUAL
            | Category.MINORS
            | Category.VIOLENCE
            | Category.GORE
            | Category.SELF_HARM
            | Category.HATE
            | Category.HARASSMENT
            | Category.EXTREMISM
            | Category.ILLICIT
            | Category.POLITICAL
            | Category.IMPERSONATION
            | Category.DANGEROUS_ACTS
            | Category.ANIMAL_CRUELTY
            | Category.PRIVACY
            | Category.EVASION
            | Category.LANGUAGE
            | Category.SPEECH
            | Category.UNREADABLE
        ):
            return f"filters.{category.value}"
        case _:
            assert_never(category)


def outcome_of(outcome: Outcome) -> str:
    """Return the policy's name for what was made of a face."""
    match outcome:
        case (
            Outcome.GRANTED
            | Outcome.NOT_GRANTED
            | Outcome.UNCERTAIN
            | Outcome.STRANGER
            | Outcome.UNKNOWN_PERSON
            | Outcome.INCONCLUSIVE
            | Outcome.TOO_SMALL
        ):
            return f"likeness.{outcome.value}"
        case _:
            assert_never(outcome)


def status_of(status: MentionStatus) -> str:
    """Return the policy's name for a handle in the text."""
    match status:
        case MentionStatus.GRANTED | MentionStatus.NOT_GRANTED | MentionStatus.UNKNOWN:
            return f"likeness.handle_{status.value}"
        case _:
            assert_never(status)


def action_of(action: Action) -> str:
    """Return the policy's name for what a holder asked for."""
    match action:
        case Action.BLOCK:
            return "rights.claim"
        case Action.HOLD:
            return "rights.claim_hold"
        case _:
            assert_never(action)


CATEGORIES = frozenset(
    {
        UNAVAILABLE,
        *NOTHING,
        *map(category_of, Category),
        *map(outcome_of, Outcome),
        *map(status_of, MentionStatus),
        *map(action_of, Action),
    }
)
"""Every category an observation can have; a policy has a rule for each."""


def _place(place: filter_words.Place | None) -> Place | None:
    match place:
        case None:
            return None
        case filter_words.Span(start, end):
            return Span(start, end)
        case filter_words.Box(frame, x, y, width, height):
            return Region(frame, x, y, width, height)
        case filter_words.Moment(start_ms, end_ms):
            return Moment(start_ms, end_ms)
        case _:
            assert_never(place)
