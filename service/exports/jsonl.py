"""JSON lines: every entry as the exact bytes of its leaf, and the way from it to the root.

docs/exports.md has the format; `service/audit/verify_file.py` checks it and shares no code.
"""

import json
from collections.abc import Iterator
from json.encoder import encode_basestring as quoted

from service.audit.checkpoint import base64_of
from service.exports.opening import Opened, closing
from service.exports.words import Row
from service.wire import JSON


def lines(opened: Opened) -> Iterator[str]:
    """Yield the export line by line."""
    yield line(opened.envelope())
    for row in opened.rows():
        yield _entry(row)
    yield line(closing(opened.count))


def line(content: JSON) -> str:
    """Return one object on a line of its own."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _entry(row: Row) -> str:
    text = quoted(row.entry.leaf.decode())
    if not row.path:
        return f'{{"index":{row.entry.index},"leaf":{text}}}\n'
    path = '","'.join(map(base64_of, row.path))
    return f'{{"index":{row.entry.index},"leaf":{text},"proof":["{path}"]}}\n'
