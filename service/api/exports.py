"""`/v1/audit/exports`: entries in a file that proves itself, sent while it is made.

It is logged before the first byte. What breaks half-way ends the connection before its end, and
leaves a file without its last line.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.api.searching import project_asked
from service.api.state import Asker, RoomsDep
from service.api.words import PRINTABLE
from service.audit.search.asking import query_of
from service.audit.search.language import MAX_CHARACTERS
from service.exports import parquet, writing
from service.exports.opening import Books, Opened, opened
from service.exports.statements import Told
from service.exports.words import Asked, Exporter, Format, Proofs

router = APIRouter(prefix="/v1/audit", tags=["audit"])

_SENT_BYTES = 1 << 16
_Time = Annotated[str, Field(max_length=40, pattern=PRINTABLE)]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Format = Format.JSONL
    q: Annotated[str, Field(max_length=MAX_CHARACTERS)] = ""
    since: _Time = ""
    until: _Time = ""
    proofs: Proofs = Proofs.EACH
    project: Annotated[str, Field(max_length=80, pattern=PRINTABLE)] = ""


@router.get(
    "/exports",
    response_class=StreamingResponse,
    responses={200: {"content": {one.media_type.partition(";")[0]: {} for one in Format}}},
)
def export_entries(
    asker: Asker, rooms: RoomsDep, wanted: Annotated[_Wanted, Query()]
) -> StreamingResponse:
    """Return entries in a format, with the query, the checkpoint and what proves them.

    Of the key's project, and what concerns everybody; an operator asks for `project=all`. Who
    asks, by what and for how many is in the log before the first byte.
    """
    now = rooms.clock()
    query = query_of(wanted.q, wanted.since, wanted.until, now)
    if wanted.format is Format.PARQUET:
        parquet.require_installed()
    asked = Asked(wanted.format, query, project_asked(wanted.project, asker), wanted.proofs)
    export = opened(Books(rooms.log, rooms.database), asked, Exporter(asker.actor, now))
    told = writing.told_by(rooms.book)
    file = f"imprimatur-{export.exported.index}.{wanted.format.suffix}"
    headers = {
        "content-disposition": f'attachment; filename="{file}"',
        "cache-control": "no-store",
    }
    if wanted.format.is_text:
        pieces = writing.gathered(writing.chunks(export, told))
        return StreamingResponse(pieces, media_type=wanted.format.media_type, headers=headers)
    whole, size = _made(export, told)
    headers["content-length"] = str(size)
    return StreamingResponse(whole, media_type=wanted.format.media_type, headers=headers)


def _made(export: Opened, told: Told) -> tuple[Iterator[bytes], int]:
    """Return a whole file in pieces, and its size; nothing of it has a name any more."""
    with TemporaryDirectory(prefix="imprimatur-export-") as folder:
        path = Path(folder) / "export"
        writing.write(export, told, path)
        file = path.open("rb")
        size = path.stat().st_size

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_SENT_BYTES):
                yield piece

    return pieces(), size
