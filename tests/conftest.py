"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of evaluation data (`make test DATA=DIR`); the test is skipped without it."""
    folder = os.environ.get("TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no evaluation data: run `make test DATA=DIR`")
    return Path(folder)
