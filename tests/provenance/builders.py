"""A development authority, facts, and short films to sign."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.clip import sample_count
from generator.shots import Size
from provenance.facts import ALGORITHMIC, Disclosure, Facts, Input, Maker, Oversight
from provenance.seal import Draw
from provenance.signing import Authority, Credentials, create_authority
from provenance.visible import TEXT, VisibleMark
from service.media.writing import write_mp4

NOW = datetime.now(UTC).replace(microsecond=0)
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
FPS = Fraction(12)
FRAMES = 24
MARK = VisibleMark(256, 256, fps=FPS, frame_count=FRAMES, seed=5)


def credentials_of(authority: Authority) -> Credentials:
    return Credentials(authority.chain_pem, authority.key_pem)


def facts_of_a_model() -> Facts:
    return Facts(
        title="film_1.mp4",
        maker=Maker("tiny", "3", TRAINED, "ab" * 32),
        made_at=NOW,
        service_version="0.1.0",
        request_id="req_1",
        decision_id="dec_1",
        disclosure=Disclosure("c2pa.types.model.pytorch", "tiny", Oversight.PROMPTED),
        visible_mark=TEXT,
        inputs=(Input("cd" * 32, "image/png"), Input("ef" * 32, "image/jpeg")),
    )


def facts_by_rule() -> Facts:
    return Facts(
        title="film_2.mp4",
        maker=Maker("scenes", "1", ALGORITHMIC),
        made_at=NOW,
        service_version="0.1.0",
        request_id="req_2",
        decision_id="dec_2",
        visible_mark=TEXT,
    )


def pictures(count: int = FRAMES, side: int = 256) -> NDArray[np.uint8]:
    """A moving gradient with a little grain."""
    grain = np.random.default_rng(4).integers(0, 12, (side, side, 3))
    ramp = np.linspace(0, 200, side)[None, :, None]
    return np.stack([(ramp + grain + frame) % 256 for frame in range(count)]).astype(np.uint8)


def encode_with(draw: Draw | None, path: Path, frames: NDArray[np.uint8] | None = None) -> None:
    shown = pictures() if frames is None else frames
    write_mp4(
        path,
        [shown],
        size=Size(256, 256),
        fps=FPS,
        samples=np.zeros((sample_count(len(shown), FPS), 2), np.float32),
        mark=draw,
    )


def encode(path: Path, draw: Draw | None) -> None:
    encode_with(draw, path)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed film and the authority it was signed under."""

    content: bytes
    authority: Authority


def an_authority() -> Authority:
    return create_authority(NOW)
