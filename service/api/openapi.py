"""The OpenAPI document: what FastAPI says of the routes, and what only we know of the replies."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI

from service.api.roles import ROLES
from service.wire import JSON

_PROBLEM: JSON = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "error"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request id."},
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        },
        "decision": {"type": "object", "description": "With `policy_blocked`: the whole of it."},
        "video": {"type": "string", "description": "With `policy_blocked`."},
        "position": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "With `query_invalid`: which characters of `param` are at fault.",
        },
    },
}
_ASKING = (400, 401, 403, 404, 503)
_ACTING = (*_ASKING, 409, 410, 413)
_BY_ROUTE: Mapping[str, tuple[int, ...]] = {
    "create_video": (*_ACTING, 422),
    "get_content": (*_ASKING, 410),
    "get_entry": (*_ASKING, 410),
    "get_proof": (*_ASKING, 410),
    "get_decision_proof": (*_ASKING, 410),
    "explain_decision": (*_ASKING, 410),
    "get_decision": (*_ASKING, 410),
}


class Described(FastAPI):
    """An application whose document is whole. Its routes are named like their functions."""

    def openapi(self) -> JSON:
        """Return the document; it is made once."""
        if self.openapi_schema is None:
            _complete(super().openapi())
        return super().openapi()


def _complete(document: JSON) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    # A field that does not fit is a 400 here, and one kind of problem among others.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "`impr_live_…`"}
    }
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _describe(operation, method, schemas)


def _describe(operation: JSON, method: str, schemas: JSON) -> None:
    name, replies = operation["operationId"], operation["responses"]
    replies.pop("422", None)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas.update(content["schema"].pop("$defs", {}))
    if name not in ROLES:
        return
    operation["security"] = [{"key": []}]
    roles = ", ".join(sorted(role.value for role in ROLES[name]))
    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {roles}."
    for status in _BY_ROUTE.get(name, _ASKING if method == "get" else _ACTING):
        replies[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
