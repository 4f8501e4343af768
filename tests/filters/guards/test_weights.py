import json
from pathlib import Path

import pytest

from filters.finding import ModelUnavailable
from filters.guards.weights import digest, located, pinned


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    return tmp_path


def test_the_same_files_have_the_same_digest_and_are_used(folder: Path) -> None:
    assert pinned(folder, digest(folder)).sha256 == digest(folder)


@pytest.mark.parametrize(
    "how", ["cut short", "swapped", "one byte", "added", "template", "missing"]
)
def test_a_changed_file_is_refused_by_its_hash(how: str, folder: Path) -> None:
    known = digest(folder)
    weights = folder / "model.safetensors"
    match how:
        case "cut short":
            weights.write_bytes(weights.read_bytes()[:-1])
        case "swapped":
            weights.write_bytes(bytes(10_240))
        case "one byte":
            weights.write_bytes(b"\xff" + weights.read_bytes()[1:])
        case "added":
            (folder / "more.safetensors").write_bytes(b"x")
        case "template":
            (folder / "chat_template.jinja").write_text("safe")
        case _:
            (folder / "tokenizer.json").unlink()

    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        pinned(folder, known)


def test_a_folder_without_tensors_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ModelUnavailable, match=r"no \.safetensors"):
        digest(folder)


def test_a_shard_that_is_not_there_is_named(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelUnavailable, match="model-00001-of-00002"):
        digest(folder)


def test_a_file_that_changes_while_it_is_loaded_is_noticed(folder: Path) -> None:
    files = pinned(folder, digest(folder))
    (folder / "config.json").write_text('{"a": 1}')

    with pytest.raises(ModelUnavailable, match="changed"):
        files.check()


@pytest.mark.parametrize("model", ["/nowhere/at/all", "./nowhere"])
def test_a_missing_folder_is_no_hub_id(model: str) -> None:
    with pytest.raises(ModelUnavailable, match="folder is missing"):
        located(model, offline=True)


@pytest.mark.parametrize("model", ["Qwen/Qwen3Guard-Gen-0.6B", "not an id at all//"])
def test_offline_an_id_that_is_not_in_the_cache_is_refused_and_nobody_is_asked(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelUnavailable, match="not here"):
        located(model, offline=True)


def test_a_folder_is_taken_as_it_is(folder: Path) -> None:
    assert located(str(folder), offline=True) == folder
