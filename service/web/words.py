"""What the page says in plain words: where a request stands, and which words a rule met."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from service.jobs import Job, State
from service.wire import JSON


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands: a symbol, a word, a sentence, and a class of the style sheet."""

    tone: str
    symbol: str
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of a text, and whether a reason points at it."""

    text: str
    seen: bool


def standing(job: Job) -> Standing:
    """Return where a request stands."""
    match job.state:
        case State.ADMITTED | State.QUEUED:
            return Standing("wait", "○", "In line", "It was allowed, and waits for a free place.")
        case State.RUNNING:
            return Standing("wait", "◐", "Being made", "You may close this page and come back.")
        case State.HELD:
            return Standing(
                "hold",
                "‖",
                "Held",
                "A person has to look at this first. Nothing is lost: once it is cleared, it goes "
                "on by itself.",
            )
        case State.REFUSED:
            return Standing("block", "✕", "Refused", "Nothing was made, and nothing is billed.")
        case State.FAILED:
            return Standing("block", "!", "Failed", job.error_message)
        case State.CANCELLED:
            return Standing("wait", "·", "Cancelled", "It was cancelled before it was made.")
        case State.RELEASED:
            return Standing("allow", "✓", "Released", "Marked, signed, and in the log.")
        case _:
            assert_never(job.state)


def stretches(text: str, reasons: Iterable[JSON]) -> list[Stretch]:
    """Return `text` cut where reasons point at it; overlapping places become one."""
    spans = sorted(span for reason in reasons if (span := span_of(reason, text)))
    cut: list[Stretch] = []
    at = 0
    for start, end in _merged(spans):
        cut += [Stretch(text[at:start], seen=False), Stretch(text[start:end], seen=True)]
        at = end
    cut.append(Stretch(text[at:], seen=False))
    return [stretch for stretch in cut if stretch.text]


def span_of(reason: JSON, text: str) -> tuple[int, int] | None:
    """Return where in the prompt a reason points; None for the whole, or for something else."""
    span = reason.get("span")
    if reason.get("param") != "prompt" or not isinstance(span, list) or len(span) != 2:
        return None
    start, end = span
    return (start, end) if 0 <= start < end <= len(text) else None


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            continue
        merged.append((start, end))
    return merged
