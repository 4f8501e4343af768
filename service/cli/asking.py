"""From the arguments of a command to a request, checked field by field like one over HTTP."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.errors import Refused

if TYPE_CHECKING:
    from fractions import Fraction

    from generator.shots import Size
    from service.decision import Purpose
    from service.request import GenerationRequest, Reference, Requester, ShotAsked
    from service.rooms import Rooms

_MAX_STDIN_BYTES = 1 << 20
_MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed."""

    prompt: str = field(repr=False)
    images: tuple[Path, ...] = ()
    likenesses: tuple[str, ...] = ()
    territory: str = ""
    size: str = "640x360"
    seconds: int = 4
    fps: int = 24
    seed: int = 0
    purpose: str = ""
    shots: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What somebody typed, checked field by field; only who asks, and when, is missing."""

    prompt: str = field(repr=False)
    references: tuple[Reference, ...]
    handles: tuple[str, ...]
    territory: str
    size: Size
    seconds: int
    fps: Fraction
    seed: int
    purpose: Purpose
    shots: tuple[ShotAsked, ...] = field(default=(), repr=False)

    def request(self, rooms: Rooms, requester: Requester) -> GenerationRequest:
        """Return the request that `requester` makes now."""
        from service.ids import new_id
        from service.request import GenerationRequest, Parameters

        return GenerationRequest(
            id=new_id("req", rooms.clock()),
            requester=requester,
            prompt=self.prompt,
            parameters=Parameters(
                rooms.model.origin.name, self.size, self.seconds, self.fps, self.seed
            ),
            references=self.references,
            handles=self.handles,
            territory=self.territory,
            purpose=self.purpose,
            shots=self.shots,
        )


def checked(asked: Asked) -> Checked:
    """Return what was typed if it can be asked for; no model is opened for that.

    Raises:
        BadRequest: a field is wrong; it is named, with the way out.
        Refused, OSError: a picture is none, or cannot be read.
    """
    from service import request as fields
    from service.decision import Purpose

    if not 0 <= asked.seed <= _MAX_SEED:
        raise fields.BadRequest(
            "seed", "unknown_seed", f"{asked.seed} is no seed.", f"Use 0 to {_MAX_SEED}."
        )
    prompt = fields.checked_prompt(_typed(asked.prompt))
    return Checked(
        prompt=prompt,
        shots=fields.checked_shots(prompt, tuple(map(fields.ShotAsked, asked.shots))),
        references=_references(asked.images),
        handles=tuple(dict.fromkeys(_handle(one) for one in asked.likenesses)),
        territory=fields.checked_territory(asked.territory),
        size=fields.checked_size(asked.size),
        seconds=fields.checked_seconds(asked.seconds),
        fps=fields.checked_fps(asked.fps),
        seed=asked.seed,
        purpose=fields.checked_purpose(asked.purpose or Purpose.UNSTATED.value),
    )


def _content(path: Path) -> bytes:
    """Return a picture's bytes, or as many as show that there are too many."""
    from service.media.limits import PICTURE

    with path.open("rb") as file:
        return file.read(PICTURE.bytes + 1)


def _typed(prompt: str) -> str | bytes:
    return sys.stdin.buffer.read(_MAX_STDIN_BYTES) if prompt == "-" else prompt


def _references(images: tuple[Path, ...]) -> tuple[Reference, ...]:
    from service.request import MAX_REFERENCES, BadRequest, Reference

    if len(images) > MAX_REFERENCES:
        raise BadRequest(
            "image", "too_many", f"there are {len(images)}.", f"Send at most {MAX_REFERENCES}."
        )
    # The name of the file stays here: a field's name goes into the log.
    return tuple(Reference("input_reference", picture_of(path)) for path in images)


def picture_of(path: Path) -> bytes:
    """Return the bytes of a picture.

    Raises:
        Refused: it is not one; the message names the file.
        OSError: it cannot be read.
    """
    from service.media.errors import MediaError
    from service.media.headers import picture_header

    content = _content(path)
    try:
        picture_header(content)
    except MediaError as refused:
        raise Refused(f"{path}: {refused.message} {refused.remedy}") from refused
    return content


def _handle(typed: str) -> str:
    from likeness.consent import HANDLE
    from service.request import BadRequest

    handle = typed.removeprefix("@")
    if not HANDLE.fullmatch(handle):
        raise BadRequest(
            "likeness",
            "not_a_handle",
            f"{typed[:40]!r} is no handle.",
            "Write @ and 3 to 30 of a-z, 0-9 and _, beginning with a letter.",
        )
    return handle
