import json
from pathlib import Path

import pytest

from likeness.dlib_faces import DlibFaces
from likeness.thresholds import CalibrationUnusable, load_calibration, require_model

GOOD = {
    "id": "c",
    "model_sha256": "ab",
    "allow_distance": 0.4,
    "hold_distance": 0.5,
    "identity_limit": 300,
}


def test_the_shipped_calibration_belongs_to_the_embedded_model(model: DlibFaces) -> None:
    require_model(load_calibration(), model.sha256)


def test_a_calibration_of_another_model_is_refused() -> None:
    with pytest.raises(CalibrationUnusable):
        require_model(load_calibration(), "0" * 64)


def test_a_missing_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationUnusable):
        load_calibration(tmp_path / "calibration.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_distance": 0.5},
        {"allow_distance": 0},
        {"allow_distance": float("nan")},
        {"hold_distance": None},
        {"identity_limit": -1},
    ],
)
def test_thresholds_that_make_no_sense_are_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(GOOD | changes))

    with pytest.raises(CalibrationUnusable):
        load_calibration(path)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_calibration_with_a_field_missing_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({key: value for key, value in GOOD.items() if key != missing}))

    with pytest.raises(CalibrationUnusable):
        load_calibration(path)
