"""What writing, marking, reading and signing a film cost, and how surely a mark is found.

`python -m benchmarks.media` prints costs, `--presence [--data DIR]` what a decoded mark scores. DIR
holds pictures (at any depth) that are used as grounds in addition to the patterns made here.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import Figure, arguments, measured, report
from generator.clip import sample_count
from generator.shots import Size
from provenance.facts import ALGORITHMIC, Facts, Maker
from provenance.manifest import read, sign
from provenance.signing import Credentials, create_authority
from provenance.visible import PRESENT_FROM, TEXT, TEXT_BY_RULE, VisibleMark
from service.media.errors import MediaError
from service.media.headers import PictureKind
from service.media.reading import read_clip, read_picture
from service.media.stills import encoded
from service.media.writing import Mark, read_lumas, write_mp4

FPS = Fraction(24)
GROUND_SIZE = Size(640, 360)


def main() -> None:
    options = arguments(__doc__)
    options.add_argument("--presence", action="store_true")
    options.add_argument("--data", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.presence:
            report("benchmarks.media --presence", [], presence(Path(folder), chosen.data))
        else:
            report("benchmarks.media", costs(Path(folder)), address_space())


def a_film(size: Size, count: int) -> NDArray[np.uint8]:
    """A ramp that moves under a fixed grain: neither trivial nor impossible to encode."""
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 24, (size.height, size.width, 1), dtype=np.int16)
    ramp = np.linspace(0, 200, size.width, dtype=np.int16)[None, :, None]
    frames = [np.roll(ramp, 5 * n, axis=1) + grain for n in range(count)]
    return np.stack([np.repeat(frame, 3, axis=2) for frame in frames]).astype(np.uint8)


def write(path: Path, film: NDArray[np.uint8], mark: Mark | None) -> None:
    count, height, width, _ = film.shape
    silence = np.zeros((sample_count(count, FPS), 2), np.float32)
    blocks = (film[start : start + 16] for start in range(0, count, 16))
    write_mp4(path, blocks, size=Size(width, height), fps=FPS, samples=silence, mark=mark)


def costs(folder: Path) -> list[Figure]:
    sizes = (Size(640, 360), Size(1280, 720), Size(1920, 1080))
    figures = [figure for size in sizes for figure in costs_at(size, folder)]
    film = a_film(sizes[1], 24)
    return figures + reading_and_signing(folder / f"{sizes[1]}.mp4", film, folder)


def costs_at(size: Size, folder: Path) -> list[Figure]:
    film, count = a_film(size, 24), 24
    mark = VisibleMark(size.width, size.height, fps=FPS, frame_count=count, seed=1)
    path = folder / f"{size}.mp4"
    luma = np.zeros((size.height, size.width), np.uint8)
    return [
        measured(f"write 24 frames {size}", lambda: write(path, film, None), times=3, warm_up=1),
        measured(
            f"write 24 frames {size}, marked",
            lambda: write(path, film, mark.draw),
            times=3,
            warm_up=1,
        ),
        measured(f"draw the mark {size}", lambda: mark.draw(luma, 7), times=500),
        measured(f"look for the mark {size}", lambda: mark.presence(luma, 7), times=200),
        measured(f"decode 24 lumas {size}", lambda: list(read_lumas(path)), times=3, warm_up=1),
    ]


def reading_and_signing(path: Path, film: NDArray[np.uint8], folder: Path) -> list[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    authority = create_authority(now)
    credentials = Credentials(authority.chain_pem, authority.key_pem)
    facts = Facts("a", Maker("scenes", "1", ALGORITHMIC), now, "0", "req_1", "dec_1", None, TEXT)
    signed = folder / "signed.mp4"
    still = encoded(film[0], PictureKind.JPEG)
    return [
        measured("sign", lambda: sign(path, signed, facts, credentials, now=now), times=20),
        measured("read a manifest", lambda: read(signed, authority.root_pem), times=50),
        measured("read_picture 1280x720 (wall)", lambda: read_picture(still), times=10),
        measured(
            "read_clip 24 frames 1280x720 (wall)", lambda: read_clip(path, folder / "clip"), times=5
        ),
    ]


def address_space() -> dict[str, object]:
    """Peak in MB of a process that has only imported what the child imports."""
    peak = "print([x.split()[1] for x in open('/proc/self/status') if 'VmPeak' in x][0])"
    imports = {
        "Pillow": "from PIL import Image, ImageOps, TiffImagePlugin, WebPImagePlugin",
        "numpy and PyAV": "import numpy, av",
    }
    found: dict[str, object] = {}
    for name, line in imports.items():
        said = subprocess.run(
            [sys.executable, "-I", "-c", f"{line}\n{peak}"],
            env={"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        )
        found[f"address space MB, {name}"] = int(said.stdout) // 1024
    return found


def grounds(data: Path | None) -> Iterator[NDArray[np.uint8]]:
    """Yield grounds of `GROUND_SIZE`: patterns, then the pictures under `data`."""
    height, width = GROUND_SIZE.height, GROUND_SIZE.width
    rows, columns = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(1)
    for period in (2, 3, 5, 8, 13, 21, 34):
        yield grey((columns // period % 2) * 255)
        yield grey((rows // period % 2) * 255)
        yield grey(((columns // period + rows // period) % 2) * 255)
        coarse = rng.integers(0, 256, (height // period + 1, width // period + 1))
        yield grey(np.kron(coarse, np.ones((period, period), int))[:height, :width])
    for level in (0, 64, 128, 192, 255):
        yield grey(np.full((height, width), level))
    for path in sorted(data.rglob("*")) if data else ():
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}:
            try:
                picture = Image.fromarray(read_picture(path.read_bytes()))
            except MediaError:
                continue
            yield np.asarray(picture.resize((width, height)))


def grey(values: NDArray[np.int_]) -> NDArray[np.uint8]:
    return np.repeat(values.astype(np.uint8)[:, :, None], 3, axis=2)


def presence(folder: Path, data: Path | None) -> dict[str, object]:
    """Return the least presence in marked and the greatest in bare frames, after H.264."""
    count = 12
    drawn: list[float] = []
    bare: list[float] = []
    path = folder / "a.mp4"
    for seed, ground in enumerate(grounds(data)):
        film = np.broadcast_to(ground, (count, *ground.shape))
        mark = VisibleMark(
            GROUND_SIZE.width,
            GROUND_SIZE.height,
            fps=FPS,
            frame_count=count,
            seed=seed,
            text=(TEXT, TEXT_BY_RULE)[seed // 2 % 2],
        )
        for draw, found in ((mark.draw, drawn), (None, bare)):
            write(path, film, draw)
            found += [mark.presence(luma, n) for n, luma in enumerate(read_lumas(path))]
    return {
        "frames": len(drawn),
        "marked, least": round(min(drawn), 4),
        "marked, 1st percentile": round(float(np.percentile(drawn, 1)), 4),
        "bare, greatest": round(max(bare), 4),
        "bare, 99th percentile": round(float(np.percentile(bare, 99)), 4),
        "threshold": PRESENT_FROM,
        "missed": sum(value < PRESENT_FROM for value in drawn),
        "false": sum(value >= PRESENT_FROM for value in bare),
    }


if __name__ == "__main__":
    main()
