from pathlib import Path

import pytest

from filters.minilm import MiniLM, export


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the real encoder in it: a second of work, once per run. Not to be changed."""
    folder = tmp_path_factory.mktemp("encoder")
    export(folder)
    return folder


@pytest.fixture(scope="session")
def encode(encoder_folder: Path) -> MiniLM:
    return MiniLM(encoder_folder)


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper with random weights, converted: half a second, once per run. Not to be changed."""
    from tests.filters.tiny_whisper import tiny_whisper

    return tiny_whisper(tmp_path_factory.mktemp("whisper"))
