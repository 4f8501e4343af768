"""How high the frame detector scores what is harmless: rendered scenes, and pictures in a folder.

python -m benchmarks.frames [--data DIR]
"""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Figure, arguments, measured, report
from filters.finding import Surface
from filters.nudity import NudityDetector
from generator.scenes.renderer import rendered
from generator.shots import Shot, Size
from service.media.errors import MediaError
from service.media.reading import read_picture

COLOURS = ("red", "blue", "green", "yellow", "white", "black", "orange", "purple", "pink", "brown")
THINGS = ("ball bounces", "ball rolls", "box falls", "pendulum swings", "leaf falls")
SIZES = (Size(256, 256), Size(640, 360), Size(1280, 720))
Picture = NDArray[np.uint8]


def scenes() -> Iterator[Picture]:
    for size, (seed, (colour, thing)) in itertools.product(
        SIZES, enumerate(itertools.product(COLOURS, THINGS))
    ):
        floor = COLOURS[seed * 7 % len(COLOURS)]
        shot = Shot(f"a {colour} {thing} on a {floor} floor", size, 1, Fraction(8), seed)
        yield from rendered(shot).frames[::4]


def pictures(folder: Path) -> Iterator[Picture]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}:
            try:
                yield read_picture(path.read_bytes())
            except MediaError:
                continue


def scores(detector: NudityDetector, frames: Iterator[Picture]) -> dict[str, object]:
    highest = np.array(
        [
            max(finding.score for finding in detector.look([(0, frame)], Surface.FRAMES))
            for frame in frames
        ]
    )
    return {
        "frames": len(highest),
        "highest": round(float(highest.max()), 4),
        "99th percentile": round(float(np.quantile(highest, 0.99)), 4),
        "from 0.6 (held)": int((highest >= 0.6).sum()),
        "from 0.85 (blocked)": int((highest >= 0.85).sum()),
    }


def main() -> None:
    options = arguments(__doc__)
    options.add_argument("--data", type=Path)
    data = options.parse_args().data
    detector = NudityDetector()
    frame = next(scenes())
    figures: list[Figure] = [measured("one frame", lambda: detector.look([(0, frame)]), times=10)]
    notes: dict[str, object] = {"scenes": scores(detector, scenes())}
    if data:
        notes["pictures"] = scores(detector, pictures(data / "faces"))
    report("benchmarks/frames.py", figures, notes)


if __name__ == "__main__":
    main()
