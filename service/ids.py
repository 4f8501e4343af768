"""Identifiers: a prefix that says what it names, then 26 characters that sort by time."""

import re
import secrets
from datetime import datetime

# Crockford's base 32, as in ULID: no letter that reads like a digit.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_SHAPE = re.compile(r"[a-z]+_[0-9a-hjkmnp-tv-z]{26}")


def new_id(prefix: str, now: datetime) -> str:
    """Return `prefix_` and a ULID in lower case: 48 bits of milliseconds, 80 random bits."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    digits = "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
    return f"{prefix}_{digits}"


def is_id(text: str) -> bool:
    """Whether `text` has the shape of an identifier, so that it may go into a path or a query."""
    return _SHAPE.fullmatch(text) is not None
