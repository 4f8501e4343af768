"""A body as flat fields, however it was sent: JSON, multipart, or multipart that says it is JSON.

`{"input_reference": {"image_url": "…"}}` and a part named `input_reference[image_url]` are the
same field; a list and a repeated part are the same values.
"""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
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
_DATA_URL = re.compile(r"data:(?P<kind>image|video|audio)/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_KINDS = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}
_LIST = re.compile(r"\[\d*\]")
_IN_ROW = re.compile(
    r"(?P<list>\w{1,64})\[(?P<number>[0-9]{1,3})\]\[(?P<name>\w{1,64})\]", re.ASCII
)

Model = TypeVar("Model", bound=BaseModel)
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fields:
    """Texts and files by name; each may have several. Nothing of it is in `repr`.

    Attributes:
        rows: of each list of objects, what stands together in one of them; a bare text in such a
            list has the empty name. All of it is in `texts` as well, name by name.
    """

    texts: Mapping[str, tuple[str, ...]] = field(repr=False)
    files: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict, repr=False)

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

    def sent(self, name: str, most: int, kind: str = "image") -> tuple[bytes, ...]:
        """Return the files of this name, also those in `data:` addresses. Nothing is fetched.

        Args:
            kind: `image`, `video` or `audio`.

        Raises:
            BadRequest: too many, an address of another kind, or not base64.
        """
        addresses = (*self.texts.get(name, ()), *self.texts.get(f"{name}[{kind}_url]", ()))
        linked = tuple(file_in(name, address, kind) for address in addresses if address)
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
    return of_object(_object(body))


def of_object(found: Mapping[str, Any]) -> Fields:
    """Return a JSON object as fields."""
    texts: dict[str, list[str]] = {}
    _flatten("", dict(found), texts, _MAX_DEPTH)
    rows = {
        name: tuple(_row(name, one) for one in value)
        for name, value in found.items()
        if isinstance(value, list) and any(isinstance(one, dict) for one in value)
    }
    return Fields({name: tuple(values) for name, values in texts.items()}, {}, rows)


def items_of(name: str, most: int) -> Callable[[Request], Awaitable[list[object]]]:
    """Return a dependency that reads a JSON body of one list, whose items `item` checks."""

    async def items(request: Request) -> list[object]:
        found = await run_in_threadpool(_parsed, await request.body())
        given = found.get(name)
        if set(found) != {name} or not isinstance(given, list) or not 1 <= len(given) <= most:
            raise BadRequest(
                name, "not_a_list", f"the body is not {name} alone, with 1 to {most} in it.",
                f'Send {{"{name}": […]}}.',
            )  # fmt: skip
        return given

    return items


def item(given: object) -> Fields:
    """Return one item of a list as fields.

    Raises:
        BadRequest: it is no object, or not UTF-8; the field is named.
    """
    if not isinstance(given, dict):
        raise BadRequest("body", "not_an_object", "it is no JSON object.", "Send `{…}`.")
    _require_unicode(given, "", _MAX_DEPTH)
    return of_object(given)


def _row(name: str, value: object) -> Row:
    texts: dict[str, list[str]] = {}
    _flatten("", value, texts, _MAX_DEPTH)
    for inner, given in texts.items():
        if len(given) > 1:
            raise BadRequest(
                f"{name}[{inner}]"[:64], "repeated", "it came more than once.", "Send it once."
            )
    return {inner: given[0] for inner, given in texts.items()}


def body_of(model: type[Model], *, depth: int = _MAX_DEPTH) -> Callable[..., Model]:
    """Return a dependency that reads the JSON body, nested no deeper than `depth`, as `model`."""

    async def found_in(request: Request) -> dict[str, Any]:
        return await run_in_threadpool(_object, await request.body(), depth)

    def parsed(found: Annotated[dict[str, Any], Depends(found_in)]) -> Model:
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


def documented_list(name: str, most: int) -> dict[str, Any]:
    """Return what OpenAPI says about a body that `items_of` reads."""
    schema = {
        "type": "object",
        "required": [name],
        "properties": {
            name: {"type": "array", "minItems": 1, "maxItems": most, "items": {"type": "object"}}
        },
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


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


def _object(body: bytes, depth: int = _MAX_DEPTH) -> dict[str, Any]:
    found = _parsed(body)
    _require_unicode(found, "", depth)
    return found


def _parsed(body: bytes) -> dict[str, Any]:
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
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for part in found:
        name = _LIST.sub("", part.name)
        if part.is_file:
            files.setdefault(name, []).append(part.content)
        else:
            text = _text(name, part.content)
            texts.setdefault(name, []).append(text)
            if place := _IN_ROW.fullmatch(part.name):
                row = rows.setdefault(place["list"], {}).setdefault(int(place["number"]), {})
                row[place["name"]] = text
    return Fields(
        {name: tuple(values) for name, values in texts.items()},
        {name: tuple(values) for name, values in files.items()},
        {name: tuple(one[number] for number in sorted(one)) for name, one in rows.items()},
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


def file_in(name: str, address: str, kind: str) -> bytes:
    """Return the file in a `data:` address of this kind, such as `image`. Nothing is fetched.

    Raises:
        BadRequest: it is another address, no base64, or too large.
    """
    head = _DATA_URL.match(address[:80])
    if head is None or head["kind"].lower() != kind:
        raise BadRequest(
            name,
            "not_a_data_url",
            "addresses are not fetched.",
            f"Send it as a file, or as data:{_KINDS[kind]};base64,….",
        )
    try:
        content = base64.b64decode(address[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(name, "not_base64", "it is not base64.", "Encode it again.") from None
    if len(content) > multipart.MAX_FILE_BYTES:
        limit = multipart.MAX_FILE_BYTES >> 20
        raise BadRequest(name, "too_large", f"it is over {limit} MiB.", "Send a smaller file.")
    return content
