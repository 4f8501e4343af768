"""How often the embedded face model is wrong, and what a picture costs. Needs `--data DIR`.

`DIR/faces/headshots` holds one photograph per person, `DIR/faces/pairs/person_*` several different
photographs of each of a few. An augmented copy of a photograph is never counted as a mated pair:
it measures the augmentation. Run: `python -m benchmarks.faces --data DIR`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import arguments, measured, report
from likeness.dlib_faces import DlibFaces
from likeness.enrolment import SAME_PHOTOGRAPH_WITHIN
from likeness.faces import Face, Quality
from likeness.thresholds import load_calibration

DISTANCES = (0.40, 0.42, 0.45, 0.48, 0.50, 0.52, 0.55, 0.60)
GALLERIES = (10, 50, 100, 300, 500)
DRAWS = 5


def picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def seen_in(folder: Path, faces: DlibFaces) -> list[list[Face]]:
    return [faces.find(picture(path)) for path in sorted(folder.glob("*.jpg"))]


def between(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return all distances, shape (n, n), the diagonal infinite."""
    squares = (vectors**2).sum(1)
    away: NDArray[np.float64] = np.sqrt(
        np.maximum(0, squares[:, None] + squares[None] - 2 * vectors @ vectors.T)
    )
    np.fill_diagonal(away, np.inf)
    return away


def false_matches(away: NDArray[np.float64]) -> dict[str, object]:
    pairs = away[np.triu_indices(len(away), 1)]
    return {
        "people": len(away),
        "pairs": len(pairs),
        "nearest": round(float(pairs.min()), 3),
        "fmr": {str(at): float(f"{(pairs <= at).mean():.3g}") for at in DISTANCES},
        "false_pairs": {str(at): int((pairs <= at).sum()) for at in DISTANCES},
    }


def false_positive_identifications(away: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Share of strangers whom a gallery of that many others, one template each, mistakes."""
    chance = np.random.default_rng(7)
    people = len(away)
    shares: dict[str, dict[str, float]] = {}
    for size in (size for size in GALLERIES if size < people):
        nearest = [
            away[
                person, chance.choice(np.delete(np.arange(people), person), size, replace=False)
            ].min()
            for person in range(people)
            for _ in range(DRAWS)
        ]
        shares[str(size)] = {
            str(at): round(float(np.mean(np.array(nearest) <= at)), 4) for at in DISTANCES
        }
    return shares


def mated(folder: Path, faces: DlibFaces) -> dict[str, object]:
    kept: list[float] = []
    copies = 0
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        vectors = np.array([found[0].vector for found in seen_in(person, faces)], np.float64)
        pairs = between(vectors)[np.triu_indices(len(vectors), 1)]
        copies += int((pairs < SAME_PHOTOGRAPH_WITHIN).sum())
        kept += [float(away) for away in pairs if away >= SAME_PHOTOGRAPH_WITHIN]
    kept.sort()
    return {
        "pairs": len(kept),
        "left_out_as_one_photograph": copies,
        "nearest": round(kept[0], 3),
        "median": round(kept[len(kept) // 2], 3),
        "farthest": round(kept[-1], 3),
        "missed": {str(at): sum(away > at for away in kept) for at in DISTANCES},
    }


def detection(portraits: Sequence[list[Face]]) -> dict[str, int]:
    return {
        "portraits": len(portraits),
        "unseen": sum(not seen for seen in portraits),
        "seen_but_uncertain": sum(
            bool(seen) and not any(face.certain for face in seen) for seen in portraits
        ),
        "more_than_one_seen": sum(len(seen) > 1 for seen in portraits),
        "decides": sum(any(face.quality is Quality.DECIDES for face in seen) for seen in portraits),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder: Path = parser.parse_args().data / "faces"
    faces = DlibFaces()
    portraits = seen_in(folder / "headshots", faces)
    certain = [seen[0].vector for seen in portraits if seen and seen[0].certain]
    away = between(np.array(certain, np.float64))
    small = picture(min((folder / "headshots").glob("*.jpg")))
    sizes = ((640, 360), (1280, 720), (1920, 1080))
    frames = {size: np.asarray(Image.fromarray(small).resize(size)) for size in sizes}
    costs = [
        measured("portrait of 256x256, one face", lambda: faces.find(small), times=5, warm_up=1)
    ]
    costs += [
        measured(f"{wide}x{high}", lambda frame=frame: faces.find(frame), times=3, warm_up=1)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        for (wide, high), frame in frames.items()
    ]
    calibration = load_calibration()
    report(
        "benchmarks/faces.py",
        costs,
        {
            "model_sha256": faces.sha256,
            "allow": calibration.allow,
            "hold": calibration.hold,
            "detection": detection(portraits),
            "non_mated": false_matches(away),
            "fpir": false_positive_identifications(away),
            "mated": mated(folder / "pairs", faces),
        },
    )


if __name__ == "__main__":
    main()
