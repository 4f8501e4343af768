"""The document says what the service does; `Site.call` holds every reply of these tests to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.api.roles import ROLES
from tests.service.api.site import Site


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return dict(site.client.get("/openapi.json").json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert set(references(document)) <= known
    assert "HTTPValidationError" not in str(document)


def test_every_route_with_a_role_says_so_and_knows_its_refusals(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if operation["operationId"] not in ROLES:
            continue
        assert operation["security"] == [{"key": []}], name
        assert {"400", "401", "403", "404", "503"} <= set(operation["responses"]), name


def test_every_route_that_takes_a_body_documents_it(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        takes_body = name.startswith("post")
        assert ("requestBody" in operation) == takes_body, name


def test_the_pages_are_not_in_the_document(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if path in {"/", "/sign-in", "/style.css"}]
