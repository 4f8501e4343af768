"""What a guarded program asks for, in the words of `POST /v1/policy/decisions`."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path

from generator.shots import Size
from service.api.asked import request_by
from service.api.fields import Fields
from service.media.errors import MediaError
from service.media.headers import picture_header
from service.request import BadRequest, GenerationRequest, Requester
from service.wire import JSON

Image = bytes | PathLike[str]
Stated = str | int | Sequence[str]

# The visible mark has no room below; 4:2:0 chroma wants even sides.
MIN_SIDE, MAX_SIDE = 128, 4096
_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
# It stands in the log in the clear, where no sentence of anybody's may.
_MODEL = re.compile(r"[A-Za-z0-9._/:@+-]{1,100}")
_PICTURES = "input_reference"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as somebody's program states it, not yet checked.

    Attributes:
        model: as its maker calls it; stands in the log and in the manifest.
        size: such as `640x360`; in this process any with even sides.
        texts: further fields by name.
    """

    prompt: str = field(repr=False)
    images: tuple[Image, ...] = field(repr=False)
    model: str
    size: str
    texts: Mapping[str, Stated] = field(repr=False)

    def request(self, requester: Requester, request_id: str) -> GenerationRequest:
        """Return the request, checked field by field like one over HTTP.

        Raises:
            BadRequest: a field is wrong; it is named, with the way out.
            OSError: a picture cannot be read.
        """
        if not _MODEL.fullmatch(self.model):
            raise BadRequest(
                "model", "not_a_model", "it is no word for a model.",
                "Use up to 100 letters, digits and . _ / : @ + -.",
            )  # fmt: skip
        size = _size(self.size)
        texts = {name: _texts(value) for name, value in self._stated().items()}
        files = {_PICTURES: tuple(_content(one) for one in self.images)}
        stated = request_by(requester, Fields(texts, files), request_id, model=self.model)
        return replace(stated, parameters=replace(stated.parameters, size=size))

    def json(self) -> JSON:
        """Return it as the body of a request over HTTP.

        Raises:
            BadRequest, OSError: a picture is none, or cannot be read.
        """
        pictures = [_data_url(_content(one)) for one in self.images]
        more: JSON = {_PICTURES: pictures} if pictures else {}
        return {**self._stated(), "size": self.size, **more}

    def _stated(self) -> dict[str, Stated]:
        texts = {name: value for name, value in self.texts.items() if value not in ("", ())}
        return {**texts, "prompt": self.prompt, "model": self.model}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be generated now.

    Attributes:
        prompt, negative: what to generate and what not; another prompt than was asked where the
            policy steers.
        seconds: the most.
        ticket: for a gateway; signed, and it expires.
        decision: the whole of it.
    """

    prompt: str = field(repr=False)
    negative: str = field(repr=False)
    size: Size
    seconds: int
    fps: Fraction
    seed: int
    ticket: str = field(repr=False)
    decision: JSON = field(repr=False)


def _size(text: str) -> Size:
    found = _SIZE.fullmatch(text)
    sides = [int(side) for side in found.groups()] if found else []
    if not sides or any(side % 2 or not MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise BadRequest(
            "size",
            "unknown_size",
            f"{text[:32]!r} is no size that can be sealed.",
            f"Use even sides of {MIN_SIDE} to {MAX_SIDE} pixels, such as 640x360.",
        )
    return Size(*sides)


def _texts(value: Stated) -> tuple[str, ...]:
    return (str(value),) if isinstance(value, str | int) else tuple(value)


def _content(image: Image) -> bytes:
    return image if isinstance(image, bytes) else Path(image).read_bytes()


def _data_url(content: bytes) -> str:
    try:
        kind = picture_header(content).kind.media_type
    except MediaError as refused:
        raise BadRequest(_PICTURES, refused.code, refused.message, refused.remedy) from refused
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
