"""Text in a code that a program reads and a person does not: where it stands, and what it says."""

import base64
import binascii
import html
import re
import urllib.parse
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from filters.normalise import normalise
from filters.reading import Reading

# More than a few in one text are not decoded, only noticed.
_DECODED = 4
_PRINTABLE = re.compile(r"[\t\n\r -~]+")
_THREE_LETTERS = re.compile("[A-Za-z]{3}")
_MORSE_LETTERS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
    ".-- -..- -.-- --.."
)
_MORSE = dict(zip(_MORSE_LETTERS.split(), "abcdefghijklmnopqrstuvwxyz", strict=True))


@dataclass(frozen=True, slots=True)
class Payload:
    """Characters `start` to `end` of a text as typed, and what they say when decoded."""

    start: int
    end: int
    said: str = field(repr=False)


def payloads(text: str) -> Iterator[Payload]:
    """Yield what is encoded in `text`: base64, hexadecimal, percent, entity or Morse code."""
    for pattern, decoded in _CODES:
        for found in pattern.finditer(text):
            said = decoded(found[0])
            letters = sum(sign.isalpha() or sign == " " for sign in said)
            readable = _PRINTABLE.fullmatch(said) and _THREE_LETTERS.search(said)
            if readable and 4 * letters >= 3 * len(said):
                yield Payload(found.start(), found.end(), said)


def decoded(text: str) -> list[Reading]:
    """Return what each of the first few payloads says; every character leads to its payload."""
    readings = []
    for _, payload in zip(range(_DECODED), payloads(text), strict=False):
        said = normalise(payload.said).text
        starts, ends = [payload.start] * len(said), [payload.end] * len(said)
        readings.append(Reading(said, starts, ends, len(text)))
    return readings


def without_payloads(reading: Reading, text: str) -> Reading:
    """Return `reading` of `text` with spaces for what is encoded: heads make nonsense of it."""
    letters = list(reading.text)
    for payload in payloads(text):
        first = bisect_left(reading.starts, payload.start)
        last = bisect_left(reading.starts, payload.end)
        letters[first:last] = " " * (last - first)
    return Reading("".join(letters), reading.starts, reading.ends, reading.length)


def _from_base64(found: str) -> str:
    plain = found.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _from_hex(found: str) -> str:
    digits = re.sub(r"[^0-9a-fA-F]", "", found.replace("0x", ""))
    try:
        return bytes.fromhex(digits).decode("ascii")
    except ValueError:
        return ""


def _from_morse(found: str) -> str:
    words = re.split(r"\s*[/|]\s*|\s{2,}", found.strip(" /|"))
    said = [[_MORSE.get(sign, "") for sign in word.split()] for word in words]
    # Dots and dashes in a drawing are not all letters.
    return " ".join("".join(word) for word in said) if all(all(word) for word in said) else ""


_CODES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}={0,2}"), _from_base64),
    (re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){6,}"), _from_hex),
    (re.compile(r"(?:%[0-9a-fA-F]{2}){4,}"), urllib.parse.unquote),
    (re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};){4,}"), html.unescape),
    (re.compile(r"(?<![.\w-])(?:[.-]{1,4}[ /|]{1,3}){5,}[.-]{1,4}(?![.\w-])"), _from_morse),
)
