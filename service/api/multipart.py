"""A multipart body, taken apart into its parts; the library's errors stop here."""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.request import BadRequest

MAX_PARTS = 64
MAX_FILE_BYTES = 20 << 20
# A field of 32,000 characters has at most 128,000 bytes; a picture may come as a data: address.
MAX_TEXT_BYTES = 28 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its field, whether it is a file, and its bytes."""

    name: str
    is_file: bool
    content: bytes = field(repr=False)


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a content type names, or nothing."""
    kind, options = parse_options_header(content_type)
    return options.get(b"boundary", b"") if kind == b"multipart/form-data" else b""


def first_boundary(body: bytes) -> bytes:
    """Return the boundary that a body itself begins with, or nothing.

    OpenAI's client sends multipart bytes labelled as JSON when its user sets that header.
    """
    line = body[:200].split(b"\r\n", 1)[0]
    return line[2:] if line.startswith(b"--") and len(line) > 2 else b""


def parts(body: bytes, boundary: bytes) -> list[Part]:
    """Return the parts in order.

    Raises:
        BadRequest: it is not multipart, is cut short, or has too many or too large parts.
    """
    collector = _Collector()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.begin,
                "on_part_data": collector.data,
                "on_part_end": collector.end,
                "on_header_field": collector.header_field,
                "on_header_value": collector.header_value,
                "on_header_end": collector.header_end,
                "on_end": collector.finish,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as broken:
        raise _damaged() from broken
    if not collector.whole:
        raise _damaged()
    return collector.found


def _damaged() -> BadRequest:
    return BadRequest(
        "body", "bad_multipart", "the multipart body is damaged or cut short.", "Send it again."
    )


class _Collector:
    """Gathers what the parser calls back with."""

    def __init__(self) -> None:
        self.found: list[Part] = []
        self.whole = False
        self._field = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._content = bytearray()

    def begin(self) -> None:
        if len(self.found) >= MAX_PARTS:
            raise BadRequest(
                "body", "too_many_parts", "it has too many parts.", f"Send at most {MAX_PARTS}."
            )
        self._headers, self._content = {}, bytearray()

    def data(self, chunk: bytes, start: int, end: int) -> None:
        self._content += chunk[start:end]

    def header_field(self, chunk: bytes, start: int, end: int) -> None:
        self._field += chunk[start:end]

    def header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        is_file = b"filename" in options or b"filename*" in options
        limit = MAX_FILE_BYTES if is_file else MAX_TEXT_BYTES
        if not name:
            raise BadRequest("body", "bad_multipart", "a part has no name.", "Name every part.")
        if len(self._content) > limit:
            raise BadRequest(
                name[:64], "too_large", f"it is over {limit >> 20} MiB.", "Send a smaller file."
            )
        self.found.append(Part(name, is_file, bytes(self._content)))

    def finish(self) -> None:
        self.whole = True
