"""All marks and the manifest on one file, each read back from the file before it gets its name."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from provenance import manifest
from provenance.facts import Facts
from provenance.failures import ProvenanceError, SealFailed
from provenance.placing import placed
from provenance.report import State
from provenance.signing import Credentials, checked
from provenance.visible import PRESENT_FROM, VisibleMark

Luma = NDArray[np.uint8]
"""One frame's brightness: shape (height, width), uint8."""
Draw = Callable[[Luma, int], None]
"""Draws into a writable luma plane, given the frame's index."""
Encode = Callable[[Path, Draw | None], None]
"""Writes the film to a path, passing every frame's luma to the drawing first."""
Decode = Callable[[Path], Iterable[Luma]]
"""Yields the luma of every frame of the file, in order."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was read back from the finished file, with the least value found."""

    name: str
    least: float
    required: float


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that carries everything it must.

    Attributes:
        sha256: of the whole file, hex.
        bytes: its size.
        manifest: label of its manifest, `urn:c2pa:…`.
        checks: what was read back.
    """

    path: Path
    sha256: str
    bytes: int
    manifest: str
    checks: tuple[Check, ...]


class Sealer:
    """Seals files with one set of credentials.

    Args:
        credentials: what signs.
        root_pem: the root of `credentials`; the finished file must be valid under it.
        clock: the time now, aware UTC.
    """

    def __init__(
        self, credentials: Credentials, root_pem: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._credentials = credentials
        self._root_pem = root_pem
        self._clock = clock

    def seal(
        self,
        target: Path,
        facts: Facts,
        encode: Encode,
        decode: Decode,
        *,
        mark: VisibleMark | None,
    ) -> Sealed:
        """Return the sealed film, which is at `target` from then on.

        1. draw the visible mark and encode; 2. decode and find the mark in every frame; 3. sign;
        4. read the manifest back. What `encode` and `decode` raise comes through.

        Args:
            mark: required when `facts` say that there is one, forbidden otherwise.

        Raises:
            CredentialsUnusable: before anything is encoded.
            SealFailed: the file does not carry what it must. Nothing is left at `target`.
            SignFailed: no manifest could be written. Nothing is left at `target`.
        """
        if bool(facts.visible_mark) != (mark is not None):
            raise SealFailed("the facts and the film disagree about a visible mark")
        checked(self._credentials, self._clock())
        marked = target.with_name(f".{target.name}.marked")
        signed = target.with_name(f".{target.name}.signed")
        try:
            encode(marked, None if mark is None else mark.draw)
            checks = () if mark is None else (_every_frame(mark, decode(marked)),)
            now = self._clock()
            label = manifest.sign(marked, signed, facts, self._credentials, now=now)
            self._read_back(signed, facts)
            content = _sha256(signed)
            sealed = Sealed(target, content, signed.stat().st_size, label, checks)
            placed(signed, target)
        except OSError as broken:
            raise SealFailed(f"{target.name} could not be written: {broken}") from broken
        finally:
            marked.unlink(missing_ok=True)
            signed.unlink(missing_ok=True)
        return sealed

    def _read_back(self, path: Path, facts: Facts) -> None:
        try:
            report = manifest.read(path, self._root_pem)
        except ProvenanceError as broken:
            raise SealFailed("the manifest cannot be read back") from broken
        if report is None or report.state is not State.TRUSTED:
            failures = "no manifest" if report is None else ", ".join(report.failures)
            raise SealFailed(f"the manifest is not valid under our root: {failures}")
        if report.facts != facts:
            raise SealFailed("the manifest says something else than was to be signed")


def _every_frame(mark: VisibleMark, lumas: Iterable[Luma]) -> Check:
    least = 1.0
    missing = object()
    for frame, luma in zip_longest(range(mark.frame_count), lumas, fillvalue=missing):
        if not isinstance(frame, int) or not isinstance(luma, np.ndarray):
            raise SealFailed(f"the file does not have exactly {mark.frame_count} frames")
        present = mark.presence(luma, frame)
        if present < PRESENT_FROM:
            raise SealFailed(f"the visible mark is not found in frame {frame} ({present:.2f})")
        least = min(least, present)
    return Check("visible mark in every frame", round(least, 4), PRESENT_FROM)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
