import json
from pathlib import Path

import pytest

from filters.whisper_files import digest
from tests.filters.tiny_whisper import tiny_whisper
from tests.service.cli.conftest import Command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper"))


def test_the_hash_of_a_whisper_is_printed_as_it_is_pinned(command: Command, folder: Path) -> None:
    ran = command("models", "digest", folder)

    assert (ran.code, ran.out.strip()) == (0, digest(folder))


def test_a_folder_that_lacks_its_tokenizer_has_no_hash(command: Command, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "preprocessor_config.json").write_text("{}")

    ran = command("models", "digest", tmp_path)

    assert ran.code == 1
    assert "tokenizer.json" in ran.err


@pytest.mark.parametrize("pinned", [True, False])
def test_a_whisper_is_listed_with_its_state(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, *, pinned: bool
) -> None:
    sha256 = digest(folder) if pinned else "0" * 64
    chosen = {"model": str(folder), "sha256": sha256}
    monkeypatch.setenv("IMPRIMATUR_WHISPER", json.dumps(chosen))

    ran = command("models", "list", "--json")

    (row,) = ran.answer["data"]
    assert ran.code == (0 if pinned else 1)
    assert (row["family"], row["pinned"], row["model"]) == ("whisper", pinned, str(folder))


def test_nothing_of_your_own_is_said_so(command: Command) -> None:
    ran = command("models", "list")

    assert ran.code == 0
    assert "IMPRIMATUR_WHISPER" in ran.out
