"""Whose faces these are: the model's vectors, the index and the thresholds put together."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness import store
from likeness.faces import Face, FaceModel
from likeness.index import Hit, LikenessIndex
from likeness.recognition import Finding, Judge, Permissions, Sighting
from likeness.thresholds import Calibration, require_model
from likeness.vault import Vault

Rule = Callable[[Judge, Face, Sequence[Hit], Permissions], Finding]


class Lookout:
    """Tells whom faces resemble. Thread-safe.

    Args:
        faces: the model that `calibration` was measured with.

    Raises:
        CalibrationUnusable: it was measured with another model.
    """

    def __init__(self, faces: FaceModel, vault: Vault, calibration: Calibration) -> None:
        require_model(calibration, faces.sha256)
        self._detector = faces.version
        self._calibration = calibration
        self._index = LikenessIndex(vault, faces.sha256)

    def warm(self, conn: Connection) -> None:
        """Bring the index to where `conn` is.

        Raises:
            IndexUnusable, TemplateDamaged, VaultKeyUnusable: nothing can be said.
        """
        self._index.warm(conn)

    def resembled(self, conn: Connection, templates: Sequence[NDArray[np.float32]]) -> set[str]:
        """Return every likeness that one of `templates` is near enough to be."""
        found, _ = self._index.search(conn, templates, self._calibration.allow)
        return {hit.likeness for hits in found for hit in hits}

    def sightings(
        self, conn: Connection, faces: Sequence[Face], may: Permissions, rule: Rule
    ) -> list[Sighting]:
        """Return what `rule` makes of each face, in order."""
        vectors = [face.vector for face in faces]
        found, checkpoint = self._index.search(conn, vectors, self._calibration.hold)
        judge = Judge(self._calibration, store.count_active(conn))
        return [
            self._sighting(face, rule(judge, face, hits, may), checkpoint)
            for face, hits in zip(faces, found, strict=True)
        ]

    def _sighting(self, face: Face, finding: Finding, checkpoint: str) -> Sighting:
        near = finding.nearest
        return Sighting(
            box=face.box,
            height_px=face.height_px,
            outcome=finding.outcome,
            likeness=near.likeness if near else "",
            grant=finding.grant,
            similarity=round(max(0.0, 1 - near.distance), 4) if near else 0.0,
            index=checkpoint,
            detector=self._detector,
            calibration=self._calibration.id,
        )
