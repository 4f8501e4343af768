"""A body as flat fields, however it was sent: JSON, multipart, or multipart that says it is JSON.

`{"input_reference": {"image_url": "…"}}` and a part named `input_reference[image_url]` are the
same field; a list and a repeated part are the same values.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from service.api import multipart
from service.request import BadRequest

_MAX_DEPTH = 4
_MAX_FIELDS = 200
MAX_TEXT_CHARACTERS = 200_000
"""Of a text field. A prompt has far fewer, and is counted exactly where it is checked."""

# A megabyte of `[],` becomes a hundred of objects; a long prompt has some ten thousand commas.
_MAX_MARKS = 100_000
_MAX_STRANGER_BYTES = 16 << 10
_MARKS = (b",", b"[", b"{")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_LIST = re.compile(r"\[\d*\]")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fields:
    """Texts and files by name; each may have several. Nothing of it is in `repr`."""

    texts: Mapping[str, tuple[str, ...]] = field(repr=False)
    files: Mapping[str, tuple[bytes, ...]] = field(repr=False)

    def only(self, known: Collection[str]) -> "Fields":
        """Return the fields if all are known.

        Raises:
            BadRequest: one is not; the remedy lists those that are.
        """
        for name in (*self.texts, *self.files):
            if name not in known:
                raise BadRequest(
                    name[:64],
                    "unknown_field",
                    "there is no such field.",
                    f"Leave it out; known are {', '.join(sorted(known))}.",
                )
        return self

    def text(self, name: str, default: str | None = None) -> str:
        """Return the one text of this name.

        Raises:
            BadRequest: it is missing without a default, came twice, or is a file.
        """
        if name in self.files:
            raise BadRequest(name, "not_text", "it is a file.", "Send it as text.")
        given = self.texts.get(name, ())
        if len(given) > 1:
            raise BadRequest(name, "repeated", "it came more than once.", "Send it once.")
        if given:
            if len(given[0]) > MAX_TEXT_CHARACTERS:
                raise BadRequest(
                    name, "too_long", f"it has {len(given[0])} characters.", "Send fewer."
                )
            return given[0]
        if default is None:
            raise BadRequest(name, "missing", "it is missing.", f"Send {name}.")
        return default

    def pictures(self, name: str, most: int) -> tuple[bytes, ...]:
        """Return the pictures of this name: files, or `data:` addresses. Nothing is fetched.

        Raises:
            BadRequest: too many, an address of another kind, or not base64.
        """
        addresses = (*self.texts.get(name, ()), *self.texts.get(f"{name}[image_url]", ()))
        linked = tuple(_linked(name, address) for address in addresses if address)
        # With an address beside it, OpenAI's client sends an empty file that means nothing.
        files = tuple(one for one in self.files.get(name, ()) if one or not linked)
        if len(files) + len(linked) > most:
            raise BadRequest(
                name, "too_many", f"there are {len(files) + len(linked)}.", f"Send at most {most}."
            )
        return files + linked


async def fields_of(request: Request) -> Fields:
    """Return the body as fields.

    Raises:
        BadRequest: it is neither JSON nor multipart, or not UTF-8; the field is named.
    """
    body = await request.body()
    content_type = request.headers.get("content-type", "")
    return await run_in_threadpool(read, body, content_type)


async def few_fields_of(request: Request) -> Fields:
    """Return a small body as fields, of somebody who has not said who they are.

    Raises:
        BadRequest: as `fields_of`, or over 16 KiB.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_STRANGER_BYTES:
            raise BadRequest("body", "too_large", "it is over 16 KiB.", "Send less.")
    return read(body, request.headers.get("content-type", ""))


async def object_of(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object.

    Raises:
        BadRequest: it is none, or not UTF-8; the field is named.
    """
    return await run_in_threadpool(_object, await request.body())


def read(body: bytes, content_type: str) -> Fields:
    """Return `body` as fields; see `fields_of`."""
    boundary = multipart.boundary_of(content_type) or multipart.first_boundary(body)
    if boundary:
        return _from_parts(multipart.parts(body, boundary))
    texts: dict[str, list[str]] = {}
    _flatten("", _object(body), texts, _MAX_DEPTH)
    return Fields({name: tuple(values) for name, values in texts.items()}, {})


def body_of(model: type[Model]) -> Callable[..., Model]:
    """Return a dependency that reads the JSON body as `model`."""

    def parsed(found: Annotated[dict[str, Any], Depends(object_of)]) -> Model:
        return model.model_validate(found)

    return parsed


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says about a body that `body_of` reads."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def documented_fields(required: Collection[str], **fields: dict[str, Any]) -> dict[str, Any]:
    """Return what OpenAPI says about fields that `fields_of` reads, as JSON or as parts."""
    schema = {
        "type": "object",
        "required": sorted(required),
        "properties": fields,
        "additionalProperties": False,
    }
    kinds = ("application/json", "multipart/form-data")
    content = {kind: {"schema": schema} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


def documented_pictures(most: int) -> dict[str, Any]:
    """Return what OpenAPI says about a field of pictures."""
    address = {"type": "string", "pattern": "^data:image/[a-z]+;base64,[A-Za-z0-9+/]+=*$"}
    return {
        "description": "Files, or `data:` addresses, or objects with `image_url`.",
        "type": "array",
        "maxItems": most,
        "items": {
            "anyOf": [
                address,
                {"type": "object", "properties": {"image_url": address}, "required": ["image_url"]},
            ]
        },
    }


def _object(body: bytes) -> dict[str, Any]:
    if sum(body.count(mark) for mark in _MARKS) > _MAX_MARKS:
        raise BadRequest("body", "too_many_fields", "it has too many values.", "Send fewer.")
    # What is no UTF-8 becomes half surrogate pairs, so that the field can be named below.
    text = body.decode("utf-8", "surrogateescape")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        found = None
    except ValueError as broken:
        raise BadRequest(
            "body", "not_json", "it is neither JSON nor multipart.", "Send a JSON object."
        ) from broken
    if not isinstance(found, dict):
        raise BadRequest("body", "not_an_object", "it is no JSON object.", "Send `{…}`.")
    _require_unicode(found, "", _MAX_DEPTH)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("body", "repeated", "a field came more than once.", "Send each once.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def _require_unicode(value: object, name: str, depth: int) -> None:
    if depth < 0:
        raise BadRequest(name[:64], "too_deep", "it is nested too deep.", "Send it flat.")
    if isinstance(value, str) and _HALF_A_PAIR.search(value):
        raise BadRequest(name[:64], "invalid_utf8", "it is not UTF-8.", "Send the text as UTF-8.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _require_unicode(key, "body", depth)
            _require_unicode(inner, f"{name}[{key}]" if name else key, depth - 1)
    if isinstance(value, list):
        for inner in value:
            _require_unicode(inner, name, depth - 1)


def _flatten(name: str, value: object, texts: dict[str, list[str]], depth: int) -> None:
    if len(texts) > _MAX_FIELDS:
        raise BadRequest("body", "too_many_fields", "it has too many fields.", "Send fewer.")
    if value is None:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}[{key}]" if name else key, inner, texts, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _flatten(name, inner, texts, depth - 1)
    elif isinstance(value, bool):
        texts.setdefault(name, []).append("true" if value else "false")
    else:
        texts.setdefault(name, []).append(str(value))


def _from_parts(found: list[multipart.Part]) -> Fields:
    texts: dict[str, list[str]] = {}
    files: dict[str, list[bytes]] = {}
    for part in found:
        name = _LIST.sub("", part.name)
        if part.is_file:
            files.setdefault(name, []).append(part.content)
        else:
            texts.setdefault(name, []).append(_text(name, part.content))
    return Fields(
        {name: tuple(values) for name, values in texts.items()},
        {name: tuple(values) for name, values in files.items()},
    )


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise BadRequest(
            name[:64],
            "invalid_utf8",
            f"byte {broken.start} is not UTF-8.",
            "Send the text as UTF-8.",
        ) from None


def _linked(name: str, address: str) -> bytes:
    head = _DATA_URL.match(address[:80])
    if head is None:
        raise BadRequest(
            name,
            "not_a_data_url",
            "addresses are not fetched.",
            "Send the picture as a file, or as data:image/png;base64,….",
        )
    try:
        content = base64.b64decode(address[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(name, "not_base64", "it is not base64.", "Encode it again.") from None
    if len(content) > multipart.MAX_FILE_BYTES:
        limit = multipart.MAX_FILE_BYTES >> 20
        raise BadRequest(name, "too_large", f"it is over {limit} MiB.", "Send a smaller file.")
    return content
