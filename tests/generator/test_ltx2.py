"""A model that is missing, incomplete or cut short says so, and looking costs nothing."""

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from generator.ltx2 import DISTILLED, Ltx2, exact_sound
from generator.model import GeneratorUnavailable
from generator.shots import Shot, ShotNotPossible, Size
from generator.weights import check_folder, digest

SHOT = Shot("a red ball", Size(256, 256), 1, Fraction(8), seed=1)
_PARTS = (
    "scheduler",
    "vae",
    "audio_vae",
    "text_encoder",
    "tokenizer",
    "connectors",
    "transformer",
    "vocoder",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in the shape of a checkpoint, with four numbers for weights."""
    index = {
        "_class_name": "LTX2Pipeline",
        **{name: ["diffusers", "Any"] for name in _PARTS},
        "processor": [None, None],
    }
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    for name in _PARTS:
        part = tmp_path / name
        part.mkdir()
        (part / "config.json").write_text("{}")
        if name not in {"scheduler", "tokenizer"}:
            weights = len(header).to_bytes(8, "little") + header + bytes(16)
            (part / "model.safetensors").write_bytes(weights)
    return tmp_path


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


_LIST = b"\x02" + bytes(7) + b"[]"
_INDEX = '{"weight_map": {"w": "m-2.safetensors"}}'
_DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda root: (root / "model_index.json").unlink(), "model_index.json"),
    "index not JSON": (lambda root: (root / "model_index.json").write_text("{"), "model_index"),
    "index empty": (lambda root: (root / "model_index.json").write_text("{}"), "transformer"),
    "no weights": (lambda root: (root / "vae" / "model.safetensors").unlink(), "vae"),
    "pickled weights only": (
        lambda root: (root / "vae" / "model.safetensors").rename(root / "vae" / "model.bin"), "vae",
    ),
    "no config": (lambda root: (root / "vocoder" / "config.json").unlink(), "vocoder"),
    "weights cut": (lambda root: _cut(root / "connectors" / "model.safetensors"), "connectors"),
    "weights empty": (lambda root: (root / "vae" / "model.safetensors").write_bytes(b""), "vae"),
    "weights not weights": (
        lambda root: (root / "vae" / "model.safetensors").write_bytes(_LIST), "vae",
    ),
    "a shard missing": (
        lambda root: (root / "vae" / "m.safetensors.index.json").write_text(_INDEX),
        "m-2.safetensors",
    ),
    "tokenizer empty": (lambda root: (root / "tokenizer" / "config.json").unlink(), "tokenizer"),
}  # fmt: skip


@pytest.mark.parametrize("damage", list(_DAMAGE))
def test_a_damaged_folder_is_refused_and_the_part_is_named(folder: Path, damage: str) -> None:
    break_it, named = _DAMAGE[damage]
    break_it(folder)

    with pytest.raises(GeneratorUnavailable, match=named):
        _ = Ltx2(str(folder), device="cpu", offline=True).origin


def test_a_whole_folder_passes(folder: Path) -> None:
    check_folder(folder, frozenset(_PARTS))


def test_the_hash_changes_with_one_bit_of_one_weight(folder: Path) -> None:
    before = digest(folder)
    weights = folder / "vae" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1

    weights.write_bytes(content)

    assert digest(folder) != before


@pytest.mark.parametrize("source", ["/nowhere/at/all", "nobody/no-such-model", "no-such-folder"])
def test_a_model_that_is_not_there_is_unavailable_after_the_permit(
    source: str, tmp_path: Path
) -> None:
    asked: list[Shot] = []
    model = Ltx2(source, device="cpu", offline=True)

    with pytest.raises(GeneratorUnavailable, match=source.split("/")[-1]):
        model.generate(SHOT, permit=asked.append, watch=lambda _: None, folder=tmp_path / "clip")

    assert asked == [SHOT]


def test_weights_of_the_wrong_shape_are_unavailable_not_a_crash(
    folder: Path, tmp_path: Path
) -> None:
    model = Ltx2(str(folder), device="cpu", offline=True)

    with pytest.raises(GeneratorUnavailable):
        model.generate(SHOT, permit=lambda _: None, watch=lambda _: None, folder=tmp_path / "clip")


def test_a_negative_that_would_not_be_heeded_is_refused() -> None:
    shot = Shot("a ball", Size(256, 256), 1, Fraction(8), 1, negative="a face")

    with pytest.raises(ShotNotPossible, match="negative"):
        Ltx2("/nowhere", device="cpu", offline=True).check(shot)


def test_admitting_a_request_imports_no_torch() -> None:
    program = (
        "import sys\nfrom fractions import Fraction\n"
        "from generator.ltx2 import Ltx2\nfrom generator.scenes.renderer import ScenesRenderer\n"
        "from generator.shots import Shot, Size\n"
        "shot = Shot('a ball', Size(256, 256), 1, Fraction(8), 1)\n"
        "Ltx2('/nowhere', device='cpu', offline=True).check(shot)\nScenesRenderer().check(shot)\n"
        "heavy = ('torch', 'diffusers', 'av', 'scipy', 'huggingface_hub')\n"
        "print([name for name in heavy if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_copied_schedule_is_the_one_of_diffusers() -> None:
    from diffusers.pipelines.ltx2.utils import DISTILLED_SIGMA_VALUES

    assert list(DISTILLED.sigmas) == DISTILLED_SIGMA_VALUES
    assert len(DISTILLED.sigmas) == DISTILLED.steps


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_is_resampled_in_time_and_padded_to_the_sample(rate: int, channels: int) -> None:
    t = np.arange(rate) / rate
    tone = np.tile(0.5 * np.sin(2 * np.pi * 440 * t), (channels, 1)).astype(np.float32)

    sound = exact_sound(tone, rate, 50_001)

    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert sound.shape == (50_001, 2)
    assert np.abs(sound[1000:46_000] - wanted[1000:46_000, None]).max() < 0.01
    assert (sound[48_000:] == 0).all()
