"""A film with its marks and its manifest: the same for a worker and for a guarded program."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from generator.clip import Clip
from generator.model import DigitalSource, Origin
from generator.shots import Size
from provenance.facts import Disclosure, Facts, Input, Maker, Oversight
from provenance.seal import Draw, Sealed, Sealer
from provenance.visible import TEXT, TEXT_BY_RULE, VisibleMark
from service.media.headers import picture_header
from service.media.looking import sound_type
from service.media.writing import read_lumas, write_mp4
from service.request import GenerationRequest, Reference, ReferenceKind

_ENCODING, _READING = 85, 90

Percent = Callable[[int], None]
"""Told now and then how far it is; what it raises stops the work."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is to be sealed: frames and sound, and what the manifest says of them.

    Attributes:
        size: of every frame, as it was asked for.
        seed: chooses where the visible mark begins.
    """

    clip: Clip
    facts: Facts
    size: Size
    seed: int


def sealed(sealer: Sealer, target: Path, film: Film, *, beat: Percent) -> Sealed:
    """Return the film sealed at `target`: marked, encoded, signed, and all of it read back.

    Raises:
        ProvenanceError, MediaError: the file does not carry what it must; nothing is left of it.
    """
    clip = film.clip
    mark = VisibleMark(
        film.size.width,
        film.size.height,
        fps=clip.fps,
        frame_count=len(clip.frames),
        seed=film.seed,
        text=film.facts.visible_mark,
    )

    def encode(path: Path, draw: Draw | None) -> None:
        write_mp4(
            path,
            _beating(clip.blocks(), beat, _ENCODING),
            size=film.size,
            fps=clip.fps,
            samples=np.asarray(clip.samples),
            mark=draw,
        )

    def decode(path: Path) -> Iterator[NDArray[np.uint8]]:
        return _beating(read_lumas(path), beat, _READING)

    return sealer.seal(target, film.facts, encode, decode, mark=mark)


def facts(
    origin: Origin,
    request: GenerationRequest,
    *,
    title: str,
    made_at: datetime,
    service_version: str,
    decision: str,
) -> Facts:
    """Return what the manifest says of a film that `origin` made for `request`."""
    by_rule = origin.source is DigitalSource.BY_RULE
    return Facts(
        title=title,
        maker=Maker(origin.name, origin.version, _source(origin, request).value, origin.sha256),
        made_at=made_at.replace(microsecond=0),
        service_version=service_version,
        request_id=request.id,
        decision_id=decision,
        disclosure=None if by_rule else _disclosure(origin),
        visible_mark=TEXT_BY_RULE if by_rule else TEXT,
        inputs=_inputs(request),
    )


def _source(origin: Origin, request: GenerationRequest) -> DigitalSource:
    """Return the IPTC source type: a renderer that shows somebody's picture made a composite."""
    if origin.source is DigitalSource.BY_RULE and request.references:
        return DigitalSource.COMPOSITE
    return origin.source


def _disclosure(origin: Origin) -> Disclosure:
    return Disclosure("c2pa.types.model.pytorch", origin.name, Oversight.PROMPTED)


def _inputs(request: GenerationRequest) -> tuple[Input, ...]:
    return tuple(
        Input(reference.sha256, _media_type(reference)) for reference in request.references
    )


def _media_type(reference: Reference) -> str:
    match reference.kind:
        case ReferenceKind.PICTURE:
            return picture_header(reference.content).kind.media_type
        case ReferenceKind.FILM:
            return "video/mp4"
        case ReferenceKind.SOUND:
            return sound_type(reference.content)
        case _:
            assert_never(reference.kind)


def _beating(
    blocks: Iterable[NDArray[np.uint8]], beat: Percent, percent: int
) -> Iterator[NDArray[np.uint8]]:
    for block in blocks:
        beat(percent)
        yield block
