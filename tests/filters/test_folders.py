"""Folders of weights of both kinds are hashed, pinned and watched by the same few lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from filters import folders, whisper_files
from filters.finding import ModelUnavailable
from filters.guards import weights

# Of the files below, as operators have pinned them since there are pins.
PINS = {
    "transformers": "398bc4dd6ea97aeecdcd31026242fcfd2a794a118af54e344043b493ded83b74",
    "whisper": "ce8f3ae02005646836c6f03acc7a24fac9ea7052863827421f5e7d580f09cd98",
}
KINDS: dict[str, folders.Deciding] = {
    "transformers": weights.deciding,
    "whisper": whisper_files.deciding,
}
Kind = tuple[Path, folders.Deciding, str]


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    if request.param == "transformers":
        (tmp_path / "model.safetensors").write_bytes(b"tensors")
        (tmp_path / "config.json").write_text("{}")
    else:
        for name in (*whisper_files.NEEDED, "vocabulary.json"):
            (tmp_path / name).write_text(name)
    (tmp_path / "notes.md").write_text("decides nothing")
    return tmp_path, KINDS[request.param], PINS[request.param]


def test_a_pin_holds_what_it_always_held(kind: Kind) -> None:
    folder, deciding, pin = kind

    assert folders.digest(deciding(folder)) == pin
    assert folders.pinned(folder, pin, deciding).sha256 == pin


def test_a_file_that_decides_nothing_may_change(kind: Kind) -> None:
    folder, deciding, pin = kind
    files = folders.pinned(folder, pin, deciding)

    (folder / "notes.md").write_text("other")

    files.check()
    assert folders.pinned(folder, pin, deciding) == files


def test_what_changes_while_it_is_hashed_or_loaded_is_noticed(kind: Kind) -> None:
    folder, deciding, pin = kind
    files = folders.pinned(folder, pin, deciding)
    content = (folder / "config.json").read_bytes()

    (folder / "config.json").write_bytes(content)  # the same bytes, written anew

    with pytest.raises(ModelUnavailable, match="changed"):
        files.check()


def gone(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def a_folder_instead(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


@pytest.mark.parametrize("fault", [gone, a_folder_instead])
def test_what_cannot_be_read_is_our_error(kind: Kind, fault: Callable[[Path], None]) -> None:
    folder, deciding, pin = kind

    fault(folder)

    with pytest.raises(ModelUnavailable):
        folders.pinned(folder, pin, deciding)


def test_a_file_that_goes_between_listing_and_hashing_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        folders.digest([tmp_path / "model.bin"])
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        folders.pinned(tmp_path, "0" * 64, lambda folder: [folder / "model.bin"])
