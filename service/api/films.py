"""A released file on its way out: whole, or the part that a player asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from service.api.errors import NotReady
from service.api.stills import Still, Stills
from service.jobs import Job, State
from service.vault import Vault

REPLIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The film, or a picture of it.",
        "content": {kind: {} for kind in ("video/mp4", "image/webp", "image/jpeg")},
    },
    206: {"description": "The part that was asked for.", "content": {"video/mp4": {}}},
    304: {"description": "It is the one that you have."},
    416: {"description": "It has no such part."},
}

_CHUNK_BYTES = 256 << 10
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class _Span:
    """Bytes `start` to `end`, both included."""

    start: int
    end: int


def released_sha256(job: Job) -> str:
    """Return the name of the job's film.

    Raises:
        NotReady: it has none; the message says whether one may still come.
    """
    if job.blob_sha256 is not None:
        return job.blob_sha256
    waits = {
        State.HELD: "A person has to look at it first; ask again after the review",
        State.ADMITTED: "It is not made yet; ask again when its status is completed",
        State.QUEUED: "It is not made yet; ask again when its status is completed",
        State.RUNNING: "It is not made yet; ask again when its status is completed",
    }
    raise NotReady(waits.get(job.state, "There is no film: it was refused, failed or cancelled"))


def film(request: Request, vault: Vault, job: Job) -> Response:
    """Return the film, or the range that was asked for.

    Raises:
        NotReady: there is none.
        VaultError: it was taken away or changed.
    """
    sha256 = released_sha256(job)
    blob = vault.open(sha256)
    size = blob.seek(0, 2)
    tag = f'"{sha256}"'
    headers = {
        "accept-ranges": "bytes",
        "etag": tag,
        "cache-control": "private, no-store",
        "content-disposition": f'inline; filename="{job.id}.mp4"',
    }
    if tag in request.headers.get("if-none-match", ""):
        blob.close()
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range", "")
    if request.headers.get("if-range", tag) != tag:
        wanted = ""
    is_range = _RANGE.fullmatch(wanted.strip()) is not None and wanted.strip() != "bytes=-"
    span = _span(wanted, size)
    if span is None:
        blob.close()
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    if is_range:
        headers["content-range"] = f"bytes {span.start}-{span.end}/{size}"
    headers["content-length"] = str(span.end - span.start + 1)
    status = 206 if is_range else 200
    return StreamingResponse(_chunks(blob, span), status, headers, media_type="video/mp4")


def picture(vault: Vault, stills: Stills, job: Job, still: Still) -> Response:
    """Return a still of the film; raises as `film` does, and MediaError."""
    content = stills.of(vault, released_sha256(job), still)
    return Response(
        content, media_type=still.media_type, headers={"cache-control": "private, no-store"}
    )


def _span(wanted: str, size: int) -> _Span | None:
    """Return what to send; None where nothing of the range exists. Several ranges: the whole."""
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return _Span(0, size - 1)
    if not found[1]:
        last = min(int(found[2]), size)
        return _Span(size - last, size - 1) if last else None
    start, end = int(found[1]), int(found[2]) if found[2] else size - 1
    if start >= size or end < start:
        return None
    return _Span(start, min(end, size - 1))


def _chunks(blob: BufferedReader, span: _Span) -> Iterator[bytes]:
    with blob:
        blob.seek(span.start)
        left = span.end - span.start + 1
        while left > 0:
            chunk = blob.read(min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
