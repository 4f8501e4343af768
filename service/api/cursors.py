"""Where a page of the log goes on: a place, the tree and the moment it began at, and whose it is.

A cursor says that the first page was answered, and so that its reading is in the log; it is
authenticated, and opens nothing but the pages behind the same question of the same project.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from service.audit.search.language import QueryError
from service.keys import SecretKey

_SHAPE = re.compile(r"([0-9]{1,16})\.([0-9]{1,16})\.([0-9]{1,16})\.([0-9a-f]{32})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAC_CHARACTERS = 32


class BadCursor(QueryError):
    """Nobody here gave this cursor out, or not for this question."""

    param = "after"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The page behind entry `after`, of a log of `size` entries, asked for the first time `at`."""

    after: int
    size: int
    at: datetime


def written(cursor: Cursor, about: str, key: SecretKey) -> str:
    """Return a cursor as text; `about` is everything that the question consists of."""
    asked_us = (cursor.at - _EPOCH) // timedelta(microseconds=1)
    head = f"{cursor.after}.{cursor.size}.{asked_us}"
    return f"{head}.{_mac(head, about, key)}"


def shaped(text: str) -> Cursor:
    """Return what a cursor says; whether it is one of ours, `require_own` knows.

    Raises:
        BadCursor: it has not the shape of one.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise _refused("this is no cursor", text, 0)
    at = _EPOCH + timedelta(microseconds=int(found[3]))
    return Cursor(int(found[1]), int(found[2]), at)


def require_own(text: str, about: str, keys: tuple[SecretKey, ...]) -> None:
    """Return if one of `keys` gave this cursor out for this question.

    Raises:
        BadCursor: none did.
    """
    head, _, mac = text.rpartition(".")
    if not any(hmac.compare_digest(mac, _mac(head, about, key)) for key in keys):
        raise _refused("this cursor belongs to another question", text, len(head) + 1)


def _mac(head: str, about: str, key: SecretKey) -> str:
    message = f"impr/cursor/v1\n{head}\n{about}".encode()
    return hmac.new(key.secret, message, sha256).hexdigest()[:_MAC_CHARACTERS]


def _refused(said: str, text: str, start: int) -> BadCursor:
    remedy = "send `next` of the page before, and the same question"
    return BadCursor(said, text, (start, len(text)), remedy)
