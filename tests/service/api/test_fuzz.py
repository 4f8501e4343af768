"""Requests made from the OpenAPI document, fit and unfit: no fault, no unheard-of status."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from service.api.roles import ROLES
from tests.service.api.site import Site, a_site

_BASE = "http://testserver"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of its own: nothing says what a million monkeys leave behind."""
    with a_site(tmp_path_factory.mktemp("fuzz")) as opened:
        yield opened


def operations(site: Site) -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(site.app.openapi())
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    found = [one for one in schema.get_all_operations() if isinstance(one, Ok)]
    return {one.ok().definition.raw["operationId"]: one.ok() for one in found}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ROLES))
def test_no_request_breaks_the_service_or_gets_an_undocumented_status(
    site: Site, name: str, fuzz: int
) -> None:
    operation = operations(site)[name]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @hypothesis.settings(
        max_examples=fuzz,
        deadline=None,
        derandomize=fuzz < 100,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=cases)
    def ask(case: Any) -> None:  # noqa: ANN401 - schemathesis's case
        sent = requests.Request(**case.as_transport_kwargs(base_url=_BASE)).prepare()
        headers = {name: value for name, value in sent.headers.items() if name.isascii()}
        headers.pop("Authorization", None)
        path = str(sent.url).removeprefix(_BASE)
        reply = site.call(
            str(sent.method), path, "everything", headers=headers, content=sent.body or b""
        )
        assert reply.status_code < 500, (sent.method, path, sent.body, reply.text)

    ask()
