"""Faces by dlib: HOG detector, 5-point predictor, ResNet of 128 dimensions. Imports dlib, alone.

The wheel that carries the model files also carries a 68-point predictor whose author forbids
commercial use; it is never opened here. Its Python module imports `pkg_resources`, which
current setuptools no longer has, so that the files are found without importing it.
"""

import hashlib
import importlib.util
import threading
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from likeness.faces import Box, Face, ModelUnavailable, PictureUnusable, quality_of

PREDICTOR = "shape_predictor_5_face_landmarks.dat"
RECOGNISER = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = {
    PREDICTOR: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    RECOGNISER: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}
MIN_SIDE, MAX_SIDE = 32, 16_384
# The detector's window is 80 pixels. Scanned at 2.5 times its size a picture shows it faces from
# 32 pixels; the bound keeps 1280x720 (the generator's largest) at about 0.4 s and lets it see
# faces from 40 pixels there, in a larger picture from a 32nd of the long side.
SCAN_SCALE = 2.5
SCAN_LONG_SIDE = 2560
CERTAIN_FROM = 0.3
# Beside a face that is certain, what scores under 0 is mostly a hand or a flag. Where nothing is
# certain it may be the one face there: 4 of 536 portraits score -0.52 to -0.03, and a portrait
# that passed as a landscape would pass the gate (benchmarks/faces.py).
SEEN_FROM = 0.0
SEEN_ALONE_FROM = -0.55


class DlibFaces:
    """The embedded face model. Loading takes 0.1 s; safe for several threads, one at a time.

    Args:
        folder: where the two model files lie; None finds them in the installed wheel.

    Raises:
        ModelUnavailable: a file is missing or is not the one that was calibrated.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or _wheel_folder()
        paths = {name: _checked(folder / name) for name in SHA256}
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(paths[PREDICTOR]))
        self._recogniser = dlib.face_recognition_model_v1(str(paths[RECOGNISER]))
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        return "likeness.dlib@1"

    @property
    def sha256(self) -> str:
        return SHA256[RECOGNISER]

    def find(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Return every face in `picture`, shape (height, width, 3), RGB, largest first.

        Faces are upright to within some 30 degrees and frontal to within some 45; others go
        unseen, as do faces under a 32nd of the picture's long side.

        Raises:
            PictureUnusable: not 8-bit RGB, or a side outside 32..16384 pixels.
        """
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise PictureUnusable(f"wanted 8-bit RGB, got {picture.dtype} of {picture.shape}")
        if min(picture.shape[:2]) < MIN_SIDE or max(picture.shape[:2]) > MAX_SIDE:
            raise PictureUnusable(
                f"a side of {picture.shape[:2]} is outside {MIN_SIDE}..{MAX_SIDE}"
            )
        whole = np.ascontiguousarray(picture)
        with self._lock:
            faces = [self._face(whole, seen, score) for seen, score in self._seen(whole)]
        return sorted(faces, key=lambda face: (-face.height_px, face.box.x, face.box.y))

    def _seen(self, picture: NDArray[np.uint8]) -> list[tuple[dlib.rectangle, float]]:
        height, width = picture.shape[:2]
        scale = min(SCAN_SCALE, SCAN_LONG_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        scanned = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
        boxes, scores, _ = self._detector.run(scanned, 0, SEEN_ALONE_FROM)
        certain = any(score >= CERTAIN_FROM for score in scores)
        seen_from = SEEN_FROM if certain else SEEN_ALONE_FROM
        return [
            (
                dlib.rectangle(
                    *(
                        round(edge / scale)
                        for edge in (box.left(), box.top(), box.right(), box.bottom())
                    )
                ),
                score,
            )
            for box, score in zip(boxes, scores, strict=True)
            if score >= seen_from
        ]

    def _face(self, picture: NDArray[np.uint8], seen: dlib.rectangle, score: float) -> Face:
        points = self._predictor(picture, seen)
        vector = np.asarray(self._recogniser.compute_face_descriptor(picture, points), np.float32)
        height, width = picture.shape[:2]
        left, top = (min(max(0, seen.left()), width - 1), min(max(0, seen.top()), height - 1))
        box = Box(
            left,
            top,
            max(1, min(width, seen.right() + 1) - left),
            max(1, min(height, seen.bottom() + 1) - top),
        )
        tall = int(seen.height())
        certain = score >= CERTAIN_FROM
        quality = quality_of(tall, certain=certain)
        return Face(box, tall, vector, quality, certain, round(score, 4))


def _wheel_folder() -> Path:
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise ModelUnavailable(
            "the wheel face-recognition-models is not installed; run `pip install imprimatur[gate]`"
        )
    return Path(found.submodule_search_locations[0]) / "models"


def _checked(path: Path) -> Path:
    """Return `path` if its bytes are the calibrated ones."""
    remedy = "reinstall face-recognition-models 0.3.0"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as missing:
        raise ModelUnavailable(f"{path.name} cannot be read; {remedy}") from missing
    if found != SHA256[path.name]:
        raise ModelUnavailable(
            f"{path.name} has SHA-256 {found[:12]}…, not the pinned one; {remedy}"
        )
    return path
