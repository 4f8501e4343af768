"""The distances at which a face counts as somebody, and the model they were measured with."""

import json
from dataclasses import dataclass
from pathlib import Path

from likeness.faces import LikenessError

SHIPPED = Path(__file__).with_name("calibration.json")


class CalibrationUnusable(LikenessError):
    """The calibration is missing, malformed, or made for another model. Nothing is decided."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds of one model; distances are Euclidean.

    Attributes:
        id: recorded with every sighting.
        model_sha256: of the recogniser whose vectors these are, hex.
        allow: at most this far from a template a face is that person.
        hold: up to here it may be; beyond, it is not.
        identity_limit: with more people enrolled than this nobody is refused automatically for
            looking like one of them: the chance that some stranger does grows with their number.
    """

    id: str
    model_sha256: str
    allow: float
    hold: float
    identity_limit: int


def load_calibration(path: Path = SHIPPED) -> Calibration:
    """Return the calibration in `path`.

    Raises:
        CalibrationUnusable: unreadable, incomplete, or not 0 < allow < hold.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(
            id=str(read["id"]),
            model_sha256=str(read["model_sha256"]),
            allow=float(read["allow_distance"]),
            hold=float(read["hold_distance"]),
            identity_limit=int(read["identity_limit"]),
        )
    except OSError as missing:
        raise CalibrationUnusable(f"{path.name} cannot be read") from missing
    except (ValueError, KeyError, TypeError) as broken:
        raise CalibrationUnusable(f"{path.name} is not a calibration: {broken}") from broken
    if not 0 < calibration.allow < calibration.hold or calibration.identity_limit < 0:
        raise CalibrationUnusable(f"{path.name}: thresholds must be 0 < allow < hold")
    return calibration


def require_model(calibration: Calibration, model_sha256: str) -> None:
    """Refuse a calibration that was measured with another model.

    Raises:
        CalibrationUnusable: the hashes differ; run `benchmarks/faces.py` with the new model.
    """
    if calibration.model_sha256 != model_sha256:
        raise CalibrationUnusable(
            f"calibration {calibration.id} belongs to another model; "
            "measure this one with benchmarks/faces.py"
        )
