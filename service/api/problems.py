"""What an error looks like over HTTP: RFC 9457 and OpenAI's `error{}` in one body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi.responses import JSONResponse

from service.wire import JSON

_TYPE = "urn:imprimatur:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as HTTP says it.

    Attributes:
        code: a word for programs, such as `not_found`.
        param: the field that is wrong, or empty.
        should_retry: told to OpenAI's client, which otherwise tries 409 and 5xx again.
    """

    status: int
    code: str
    message: str
    param: str = ""
    should_retry: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: JSON = field(default_factory=dict)


def problem_json(problem: Problem, request_id: str) -> JSON:
    """Return the body for `problem`."""
    return {
        "type": _TYPE + problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "instance": request_id,
        "error": {
            "message": problem.message,
            "type": _openai_type(problem.status),
            "param": problem.param or None,
            "code": problem.code,
        },
        **problem.extra,
    }


def answered(problem: Problem, request_id: str) -> JSONResponse:
    """Return the response for `problem`."""
    return JSONResponse(
        problem_json(problem, request_id),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={
            "x-should-retry": "true" if problem.should_retry else "false",
            **problem.headers,
        },
    )


def _openai_type(status: int) -> str:
    words = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    return words.get(status, "server_error" if status >= 500 else "invalid_request_error")
