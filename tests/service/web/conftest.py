from collections.abc import Iterator

import pytest

from tests.service.api.site import Site, a_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("web")) as opened:
        yield opened
