"""From fields to a request: the same for a decision, a video and the page."""

from typing import Any

from likeness.consent import HANDLE
from service.accounts import Principal
from service.api.fields import Fields, documented_fields, documented_pictures
from service.request import (
    MAX_FPS,
    MAX_PROMPT_CHARACTERS,
    MAX_REFERENCES,
    MAX_SECONDS,
    MIN_FPS,
    MIN_SECONDS,
    SIZES,
    BadRequest,
    GenerationRequest,
    Parameters,
    Reference,
    Requester,
    checked_fps,
    checked_prompt,
    checked_seconds,
    checked_size,
)
from service.rooms import Rooms

KNOWN = frozenset(
    {"prompt", "model", "size", "seconds", "fps", "seed", "likenesses", "input_reference"}
    | {"input_reference[image_url]"}
)
DEFAULT_SIZE, DEFAULT_SECONDS, DEFAULT_FPS, DEFAULT_SEED = "640x360", "4", "24", "0"
"""The seed is fixed, so that a client that sends a request again sends the same one."""

MAX_HANDLES = 8
_MAX_SEED = 2**32 - 1
_MAX_KEY = 255


def documented_request(pictures: int, **more: dict[str, Any]) -> dict[str, Any]:
    """Return what OpenAPI says about the fields that `request_from` reads, and about others."""
    return documented_fields(
        {"prompt"},
        prompt={"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARACTERS},
        model={"type": "string"},
        size={"enum": [str(size) for size in SIZES], "default": DEFAULT_SIZE},
        seconds=_whole(MIN_SECONDS, MAX_SECONDS, DEFAULT_SECONDS),
        fps=_whole(MIN_FPS, MAX_FPS, DEFAULT_FPS),
        seed=_whole(0, _MAX_SEED, DEFAULT_SEED),
        likenesses={
            "type": "array",
            "maxItems": MAX_HANDLES,
            "items": {"type": "string", "pattern": f"^@?(?:{HANDLE.pattern})$"},
        },
        input_reference=documented_pictures(pictures),
        **more,
    )


def _whole(least: int, most: int, default: str) -> dict[str, Any]:
    number = {"type": "integer", "minimum": least, "maximum": most}
    return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,10}$"}], "default": default}


def request_from(
    fields: Fields, rooms: Rooms, principal: Principal, request_id: str, key: str = ""
) -> GenerationRequest:
    """Return the request that `fields` ask for, checked field by field.

    Args:
        key: the `Idempotency-Key`, or empty.

    Raises:
        BadRequest: a field is wrong; it is named, with the way out.
    """
    if "input_reference[file_id]" in fields.texts:
        raise BadRequest(
            "input_reference", "file_id", "files have no ids here.", "Send the picture itself."
        )
    fields.only(KNOWN)
    return GenerationRequest(
        id=request_id,
        requester=Requester(principal.actor, principal.project),
        prompt=checked_prompt(fields.text("prompt")),
        parameters=Parameters(
            model=fields.text("model", rooms.model.origin.name) or rooms.model.origin.name,
            size=checked_size(fields.text("size", DEFAULT_SIZE)),
            seconds=checked_seconds(fields.text("seconds", DEFAULT_SECONDS)),
            fps=checked_fps(fields.text("fps", DEFAULT_FPS)),
            seed=_seed(fields.text("seed", DEFAULT_SEED)),
        ),
        references=tuple(
            Reference("input_reference", content)
            for content in fields.pictures("input_reference", MAX_REFERENCES)
        ),
        handles=_handles(fields.texts.get("likenesses", ())),
        idempotency_key=_checked_key(key),
    )


def _seed(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_SEED:
        return int(text)
    raise BadRequest(
        "seed",
        "unknown_seed",
        f"{text[:32]!r} is not a seed.",
        f"Use a whole number from 0 to {_MAX_SEED}.",
    )


def _handles(given: tuple[str, ...]) -> tuple[str, ...]:
    handles = tuple(one.removeprefix("@") for one in given if one)
    if len(handles) > MAX_HANDLES:
        raise BadRequest(
            "likenesses", "too_many", f"it names {len(handles)}.", f"Name at most {MAX_HANDLES}."
        )
    for handle in handles:
        if not HANDLE.fullmatch(handle):
            raise BadRequest(
                "likenesses",
                "not_a_handle",
                "one of them is no handle.",
                "Write @ and 3 to 30 of a-z, 0-9 and _, beginning with a letter.",
            )
    return tuple(dict.fromkeys(handles))


def _checked_key(key: str) -> str:
    if len(key) > _MAX_KEY or not key.isascii() or not key.isprintable():
        raise BadRequest(
            "Idempotency-Key",
            "bad_key",
            "it is no printable ASCII, or too long.",
            f"Use at most {_MAX_KEY} characters.",
        )
    return key
