"""What the process says of itself: one JSON object per line on stderr, and only keys we know.

The operational log is read by more people than the audit log. A key that is not on the list is
dropped, so that a prompt, a name or an API key gets in only if somebody changes this file.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import msgspec
import structlog
from structlog.contextvars import merge_contextvars

ALLOWED = frozenset(
    {
        "attempts", "blob", "cause", "decision", "error", "event", "fence", "folder", "gate",
        "item", "job", "key", "level", "logger", "method", "ms", "next_step", "owner", "part",
        "request_id", "retry", "route", "state", "status", "timeout_s", "timestamp", "topic",
        "verdict",
        # Of a refusal: a word of ours, never what the requester sent.
        "code",
    }
)  # fmt: skip
# Facts are ids, words and paths of ours; whatever is longer was written by a person.
_MAX_TEXT = 200

_Event = MutableMapping[str, Any]


class _Library(logging.Handler):
    """Says that a library said something, and not what: its words may quote the input."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        structlog.get_logger().warning("library.said", logger=record.name, error=error)


def only_allowed(_logger: object, _method: str, event: _Event) -> _Event:
    """Return the event without every key that is not on the list, and without long texts."""
    return {
        key: value
        for key, value in event.items()
        if key in ALLOWED and isinstance(value, str | int | float) and len(str(value)) <= _MAX_TEXT
    }


def _encoded(event: _Event, **_asked: object) -> str:
    return msgspec.json.encode(event).decode()


def configure(stream: TextIO | None = None) -> None:
    """Send everything that is logged from now on to `stream`, or stderr."""
    structlog.configure(
        processors=[
            merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(serializer=_encoded),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Its lines hold query strings; what was asked is in `request.replied`, by route.
    logging.getLogger("uvicorn.access").disabled = True
    root = logging.getLogger()
    if not any(isinstance(handler, _Library) for handler in root.handlers):
        root.addHandler(_Library(logging.WARNING))
