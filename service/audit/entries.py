"""What is logged: facts in the open, private values as commitments only.

A leaf is canonical JSON (RFC 8785). For a private value it holds
`SHA-256("impr/commit/v1" || salt || value)` with 32 random bytes of salt: without the salt, which
lies under the subject's key beside the log, nobody can test a guess, so erasing the key makes the
commitment say nothing. A bare hash of a prompt could be guessed; it never enters a leaf.
"""

import dataclasses
import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple

import msgspec
import rfc8785

from service.audit.errors import BadEntry

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

# C2SP tlog-tiles: an entry's length is two bytes in a bundle.
MAX_LEAF_BYTES = 65_535
SALT_BYTES = 32
_COMMIT = b"impr/commit/v1"
_VERSION = 1
_STAMP_CHARACTERS = 27
_MAX_DEPTH = 8
# Facts are codes, ids and short sentences of ours. Whatever is longer was written by a person.
_MAX_TEXT = 1024
_MAX_VALUE_CHARACTERS = 1 << 20
_MAX_INTEGER = 2**53 - 1

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_KEY = re.compile(r"[A-Za-z0-9_.:/@-]{1,100}")
_ID = re.compile(r"[!-~]{0,200}")
_IDS = re.compile(r"[!-~]{1,200} [!-~]{1,200}(?: [!-~]{0,200}){3}")
FORBIDDEN = frozenset(
    {
        "address", "caption", "display", "email", "embedding", "embeddings", "face", "ip", "mail",
        "name", "names", "negative", "password", "phone", "prompt", "prompts", "secret", "speech",
        "template", "token", "transcript", "username", "vector", "vectors", "voice",
    }
)  # fmt: skip
"""Words that no key in `facts` may contain, whatever surrounds them (`user_name`, `promptHash`)."""


@dataclass(frozen=True, slots=True)
class Private:
    """A value about `subject`, who can have it erased. Only a commitment enters the leaf.

    Attributes:
        field: what it is, such as `prompt` or `mention/0`; once per entry.
        subject: id of the person or holder that it is about.
    """

    field: str
    subject: str
    text: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        key: unique in the log; the same entry with the same key is logged once.
        type: dotted, such as `decision.made`.
        at: when it happened, aware; the log adds `logged_at`, which never goes backwards.
        request, actor, project: ids, or empty.
        facts: codes, ids, scores, versions; `search/terms.py` says which can be searched.
    """

    key: str
    type: str
    at: datetime
    request: str = ""
    actor: str = ""
    project: str = ""
    facts: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    values: tuple[Private, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """A private value with the salt of its commitment."""

    field: str
    subject: str
    salt: bytes = dataclasses.field(repr=False)
    text: str = dataclasses.field(repr=False)


class Prepared(NamedTuple):
    """An entry, checked and encoded but for the time, which the sequencer puts in the middle."""

    key: str
    head: bytes
    tail: bytes
    values: tuple[Committed, ...] = ()

    def leaf(self, logged_at: str) -> bytes:
        """Return the leaf's bytes."""
        return self.head + logged_at.encode() + self.tail


def commitment(salt: bytes, text: str) -> str:
    """Return the commitment to a private value, hex."""
    return hashlib.sha256(_COMMIT + salt + text.encode()).hexdigest()


def stamp(at: datetime) -> str:
    """Return a moment as the log writes it: UTC, six decimals, so that text sorts like time."""
    at = at if at.tzinfo is UTC else at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


def prepare(entry: Entry) -> Prepared:
    """Return the entry ready to be logged, with new salts.

    Raises:
        BadEntry: a forbidden or unfit key, a value that is not JSON, a text of over 1,024
            characters in `facts`, a naive time, or a leaf of over 65,535 bytes.
    """
    _check_ids(entry)
    if entry.values:
        _check_values(entry.values)
    facts = _checked(entry.facts, _MAX_DEPTH)
    try:
        values = _committed(entry.values) if entry.values else ()
        sealed = {one.field: commitment(one.salt, one.text) for one in values}
        # The members in the order of their names, as RFC 8785 has them.
        head = (
            f'{{"actor":{_quoted(entry.actor)},"at":"{stamp(entry.at)}"'
            f',"commitments":{_encoded(sealed)},"facts":{_encoded(facts)}'
            f',"key":{_quoted(entry.key)},"logged_at":"'
        ).encode()
    except (UnicodeEncodeError, rfc8785.CanonicalizationError):
        raise BadEntry("a text holds half a surrogate pair") from None
    # Each is printable ASCII.
    tail = (
        f'","project":{_quoted(entry.project)},"request":{_quoted(entry.request)}'
        f',"type":{_quoted(entry.type)},"v":{_VERSION}}}'
    ).encode()
    if len(head) + _STAMP_CHARACTERS + len(tail) > MAX_LEAF_BYTES:
        raise BadEntry(f"the leaf is over {MAX_LEAF_BYTES} bytes")
    return Prepared(entry.key, head, tail, values)


def _committed(values: Sequence[Private]) -> tuple[Committed, ...]:
    return tuple(
        Committed(one.field, one.subject, os.urandom(SALT_BYTES), one.text) for one in values
    )


def _check_ids(entry: Entry) -> None:
    if entry.at.tzinfo is None:
        raise BadEntry("the time has no zone")
    # None may hold a space, so that one look at all five is the same as five.
    if _IDS.fullmatch(f"{entry.key} {entry.type} {entry.request} {entry.actor} {entry.project}"):
        return
    for name in ("key", "type", "request", "actor", "project"):
        if not _ID.fullmatch(getattr(entry, name)):
            raise BadEntry(f"{name} is up to 200 printable ASCII characters without spaces")
    raise BadEntry("an entry has a key and a type")


def _check_values(values: Sequence[Private]) -> None:
    if len({one.field for one in values}) != len(values):
        raise BadEntry("two private values have one field")
    for one in values:
        if not _KEY.fullmatch(one.field) or not one.subject or not _ID.fullmatch(one.subject):
            raise BadEntry("a private value has a field and a subject, printable ASCII")
        if len(one.text) > _MAX_VALUE_CHARACTERS:
            raise BadEntry(f"a private value is at most {_MAX_VALUE_CHARACTERS} characters")


def _refusal(key: str) -> str:
    """Return why this key may not stand in `facts`, or nothing."""
    if not _KEY.fullmatch(key):
        return "is not 1 to 100 ASCII letters, digits or _.:/@-"
    words = {word.lower() for word in _WORD.findall(key)}
    if words & FORBIDDEN or key.lower() in FORBIDDEN:
        return "names something private: pass it as a private value"
    return ""


def _checked(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON, still unchecked
    """Return `value` as plain lists and dictionaries, or refuse it."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int or kind is float:
        return _number(value)
    if isinstance(value, str):
        return _text(str(value))
    if not depth:
        raise BadEntry(f"the facts are nested over {_MAX_DEPTH} deep")
    if kind is list or kind is tuple:
        return [_checked(item, depth - 1) for item in value]
    if isinstance(value, (dict, Mapping)):
        return _members(value, depth - 1)
    raise BadEntry(f"a {kind.__name__} is not JSON: pass text, a number or a list")


def _members(value: Mapping[Any, Any], depth: int) -> Mapping[Any, Any]:
    if refused := _refused(tuple(value)):
        raise BadEntry(refused)
    # Most objects of every decision are short texts and scores, and need no second look.
    if type(value) is dict and all(map(_is_plain, value.values())):
        return value
    return {key: item if _is_plain(item) else _checked(item, depth) for key, item in value.items()}


@lru_cache(maxsize=4096)
def _refused(keys: tuple[Any, ...]) -> str:
    """Return what is wrong with the keys of one object; the same ones come again and again."""
    for key in keys:
        refused = _refusal(key) if isinstance(key, str) else "is not text"
        if refused:
            return f"the fact {key!r:.120} {refused}"
    return ""


def _is_plain(item: Any) -> bool:  # noqa: ANN401 - JSON, still unchecked
    """Whether it may be encoded as it stands: a short text, a score, nothing."""
    kind = type(item)
    if kind is str:
        return len(item) <= _MAX_TEXT
    if kind is float:
        return bool(0.0 < item < 1.0)
    return item is None or kind is bool or (kind is list and not item)


def _text(value: str) -> str:
    if len(value) > _MAX_TEXT:
        raise BadEntry(f"a text in the facts is over {_MAX_TEXT} characters")
    return value


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise BadEntry("a number is not finite")
    if value != int(value):
        return value
    if abs(value) > _MAX_INTEGER:
        raise BadEntry("a number is over 53 bits: write it as text")
    return int(value)


_fast = msgspec.json.Encoder(order="sorted").encode


def _encoded(value: dict[str, Any]) -> str:
    """Return canonical JSON.

    The C encoder agrees with RFC 8785 on what `_checked` lets through (ASCII keys, integers of
    53 bits, no integral floats) except under 0.0001, where it writes 1e-5 and JavaScript 0.00001;
    what may hold such a number goes the slow way.
    """
    if not value:
        return "{}"
    text = _fast(value).decode()
    if "e-" in text and _SMALL.search(text):
        return rfc8785.dumps(value).decode()
    return text


# A hit inside a text costs time and nothing else.
_SMALL = re.compile(r"[0-9]e-[0-9]")
