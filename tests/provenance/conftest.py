from pathlib import Path

import pytest

from provenance.manifest import sign
from provenance.signing import Authority
from tests.provenance.builders import (
    MARK,
    NOW,
    Signed,
    an_authority,
    credentials_of,
    encode,
    facts_of_a_model,
)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return an_authority()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A marked film, not signed."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    encode(path, MARK.draw)
    return path


@pytest.fixture(scope="session")
def signed(film: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    path = tmp_path_factory.mktemp("signed") / "signed.mp4"
    sign(film, path, facts_of_a_model(), credentials_of(authority), now=NOW)
    return Signed(path.read_bytes(), authority)
