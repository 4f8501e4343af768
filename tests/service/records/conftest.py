from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.records.house import Office, an_office


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with an_office(tmp_path, url) as made:
        yield made
