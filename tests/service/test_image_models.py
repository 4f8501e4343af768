"""Image classifiers from the settings to the decision."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filters.finding import Finding, ModelUnavailable, Surface
from filters.guards.weights import digest
from service import filtering, wiring
from service.decision import Gate, Mode, Verdict
from service.desk import answer
from service.doctor import models
from service.doctor.said import Level
from service.media.stills import encoded
from service.reasons import IMAGE_MODELS
from service.request import Reference
from service.settings import ImageModelChoice, Settings, SettingsRefused, from_environment
from service.wiring import DEFAULT_POLICY, policy
from tests.builders import a_house, a_request
from tests.filters.image_models.builders import FALCON, a_vit, sick

PIN = "0" * 64
WHOLE = {"family": "classifier", "model": "/m", "sha256": PIN, "labels": dict(FALCON)}
RED = Reference("input_reference", encoded(np.full((64, 64, 3), (200, 20, 20), np.uint8)))


def own(_frames: object, surface: Surface) -> list[Finding]:
    return []


def with_model(folder: Path, **changed: object) -> Settings:
    fields = {**WHOLE, "model": str(folder), "sha256": digest(folder), "timeout_s": 30.0}
    chosen = ImageModelChoice.model_validate(fields | changed)
    return Settings(image_models=(chosen,), gate_timeout_s=240.0, lease_s=500.0)


def from_text(monkeypatch: pytest.MonkeyPatch, text: str) -> Settings:
    monkeypatch.setenv("IMPRIMATUR_IMAGE_MODELS", text)
    return from_environment()


def test_image_models_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    (model,) = from_text(monkeypatch, json.dumps([WHOLE])).image_models

    assert (model.model, model.timeout_s, model.labels) == ("/m", 1.0, FALCON)
    assert model.surfaces == {"picture", "frames"}


@pytest.mark.parametrize(
    "written",
    [
        "classifier",
        json.dumps([{"family": "classifier", "model": "/m"}]),
        json.dumps([{**WHOLE, "family": "oracle"}]),
        json.dumps([{**WHOLE, "sha256": "abc"}]),
        json.dumps([{**WHOLE, "timeout_s": 11}]),
        json.dumps([{**WHOLE, "timeout_s": 1.3}]),
        json.dumps([{**WHOLE, "timeout_s": 0.7}, {**WHOLE, "timeout_s": 0.6}]),
        json.dumps([{**WHOLE, "surfaces": []}]),
        json.dumps([{**WHOLE, "surfaces": ["prompt"]}]),
    ],
)
def test_one_that_is_not_written_down_whole_refuses_to_start(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsRefused, match="IMAGE_MODELS"):
        from_text(monkeypatch, written)


def test_the_policy_knows_every_kind_and_one_it_does_not_list_refuses_to_start() -> None:
    live = policy(DEFAULT_POLICY.read_bytes())
    settings = Settings(image_models=(ImageModelChoice.model_validate(WHOLE),))
    without = replace(live, detectors=live.detectors - IMAGE_MODELS)

    assert live.detectors >= IMAGE_MODELS
    wiring._check_guards(settings, live)
    with pytest.raises(SettingsRefused, match=r"filters\.image\.classifier"):
        wiring._check_guards(settings, without)


def test_without_any_the_packaged_detector_is_asked_alone_and_torch_stays_out() -> None:
    program = (
        "import sys\n"
        "from service import filtering\nfrom service.settings import Settings\n"
        "look = filtering.with_image_models(Settings(), print)\n"
        "import filters.captions.captions\n"
        "print(look is print, sorted({'torch', 'transformers', 'rapidocr'} & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert said.stdout.strip() == b"True []"


@pytest.mark.slow
def test_a_swapped_weight_file_refuses_to_start_and_the_doctor_says_so(tmp_path: Path) -> None:
    settings = with_model(a_vit(tmp_path))
    assert "classifier" in models.pictures(settings).said
    assert models.pictures(settings).level is Level.OK

    with (tmp_path / "model.safetensors").open("r+b") as weights:
        weights.truncate(1000)

    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        filtering.with_image_models(settings, own)
    with pytest.raises(ModelUnavailable):
        models.pictures(settings)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["late", "no numbers"])
def test_one_that_is_late_or_gives_no_numbers_holds_the_request(fault: str, tmp_path: Path) -> None:
    folder = a_vit(tmp_path / "vit")
    late = fault == "late"
    settings = with_model(folder if late else sick(folder), timeout_s=1e-6 if late else 30.0)

    with a_house(tmp_path) as house:
        look = filtering.with_image_models(settings, house.filters.look)
        gates = replace(house.rooms.gates, judge_pictures=look, timeout_s=40.0)
        rooms = replace(house.rooms, gates=gates)
        given = answer(rooms, a_request(references=[RED]), mode=Mode.ENFORCE)

    assert given.decision.verdict is Verdict.HOLD
    assert {one.code for one in given.decision.reasons} == {"policy.unavailable"}


@pytest.mark.slow
def test_what_it_finds_stands_in_the_decision_with_its_pin(tmp_path: Path) -> None:
    folder = a_vit(tmp_path / "vit")

    with a_house(tmp_path) as house:
        look = filtering.with_image_models(with_model(folder), house.filters.look)
        rooms = replace(
            house.rooms, gates=replace(house.rooms.gates, judge_pictures=look, timeout_s=40.0)
        )
        given = answer(rooms, a_request(references=[RED]), mode=Mode.ENFORCE)

    detectors = {one.detector for one in given.decision.observations if one.gate is Gate.FILTERS}
    assert f"filters.image.classifier@{digest(folder)[:12]}" in detectors
