"""For each reason the characters that somebody typed, and what the filter read in them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from service.cli.terminal import plain
from service.cli.underlined import underlined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.cli.terminal import JSON
    from service.decision import Decision, Reason

_READ_CHARACTERS = 200


def as_lines(decision: Decision, texts: Mapping[str, str]) -> list[str]:
    """Return what was typed with each reason's characters underlined, and how they were read.

    Args:
        texts: by the field that they stand in, as `GenerationRequest.texts` has them.
    """
    said: list[str] = []
    for _, alike in groupby(_met(decision, texts), key=lambda one: (one.param, one.place)):
        reasons = list(alike)
        typed, (start, end) = texts[reasons[0].param], _span(reasons[0])
        codes = dict.fromkeys(reason.code for reason in reasons)
        said.append(f"{plain(reasons[0].param)}: {', '.join(codes)}")
        said += underlined(typed, [(start, end)])
        said += [
            f"read as “{plain(other, _READ_CHARACTERS)}”" for other in _readings(typed[start:end])
        ]
    return said


def as_json(decision: Decision, texts: Mapping[str, str]) -> list[JSON]:
    """Return the same for programs, the strictest reason first."""
    found: list[JSON] = []
    for reason in _met(decision, texts):
        start, end = _span(reason)
        typed = texts[reason.param][start:end]
        found.append(
            {
                "code": reason.code,
                "param": reason.param,
                "span": [start, end],
                "typed": typed,
                "read_as": _readings(typed),
            }
        )
    return found


def _met(decision: Decision, texts: Mapping[str, str]) -> list[Reason]:
    from service.decision import Span

    return [
        reason
        for reason in decision.reasons
        if isinstance(reason.place, Span) and reason.param in texts
    ]


def _span(reason: Reason) -> tuple[int, int]:
    from service.decision import Span

    place = reason.place
    return (place.start, place.end) if isinstance(place, Span) else (0, 0)


def _readings(typed: str) -> list[str]:
    """Return in which other ways the filter read what was typed; none where it is plain."""
    from filters.normalise import normalise, variants

    reading = normalise(typed)
    texts = dict.fromkeys(one.text for one in (reading, *variants(reading)))
    return [text for text in texts if text != typed.lower()]
