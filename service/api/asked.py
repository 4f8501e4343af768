"""From fields to a request: the same for a decision, a video and the page."""

from typing import Any

from likeness.consent import HANDLE
from service.accounts import Principal
from service.api.fields import Fields, Row, documented_fields, documented_pictures
from service.decision import Purpose
from service.request import (
    MAX_ANCESTORS,
    MAX_END_USER_CHARACTERS,
    MAX_FPS,
    MAX_PROMPT_CHARACTERS,
    MAX_REFERENCES,
    MAX_SECONDS,
    MAX_SHOTS,
    MIN_FPS,
    MIN_SECONDS,
    SIZES,
    TERRITORIES,
    BadRequest,
    GenerationRequest,
    Parameters,
    Reference,
    ReferenceKind,
    Requester,
    ShotAsked,
    checked_ancestors,
    checked_end_user,
    checked_fps,
    checked_prompt,
    checked_purpose,
    checked_seconds,
    checked_shots,
    checked_size,
    checked_territory,
)
from service.rooms import Rooms

FILM = frozenset(
    {"prompt", "model", "size", "seconds", "fps", "seed", "likenesses", "input_reference"}
    | {"input_reference[image_url]", "territory", "purpose"}
)
"""What a film can be asked for with."""
RECORDINGS = (
    ("input_video", "video", ReferenceKind.FILM),
    ("input_audio", "audio", ReferenceKind.SOUND),
)
KNOWN = (
    FILM
    | {"input_video", "input_audio"}
    | {"ancestors", "shots", "shots[prompt]", "shots[seconds]", "actor", "project", "end_user"}
)
"""What a decision can be asked about: also what a generator elsewhere makes, for whoever."""
DEFAULT_SIZE, DEFAULT_SECONDS, DEFAULT_FPS, DEFAULT_SEED = "640x360", "4", "24", "0"
"""The seed is fixed, so that a client that sends a request again sends the same one."""

MAX_HANDLES = 8
_MAX_SEED = 2**32 - 1
_MAX_KEY = 255


def documented_request(pictures: int, **more: dict[str, Any]) -> dict[str, Any]:
    """Return what OpenAPI says about the fields of a film, and about others."""
    return documented_fields({"prompt"}, **_documented(pictures), **more)


def documented_question(pictures: int, **more: dict[str, Any]) -> dict[str, Any]:
    """Return what OpenAPI says about the fields that `request_from` reads, and about others."""
    return documented_fields((), **_documented(pictures), **_DOCUMENTED, **more)


def _documented(pictures: int) -> dict[str, dict[str, Any]]:
    return {
        "prompt": {"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARACTERS},
        "model": {"type": "string"},
        "size": {"enum": [str(size) for size in SIZES], "default": DEFAULT_SIZE},
        "seconds": _whole(MIN_SECONDS, MAX_SECONDS, DEFAULT_SECONDS),
        "fps": _whole(MIN_FPS, MAX_FPS, DEFAULT_FPS),
        "seed": _whole(0, _MAX_SEED, DEFAULT_SEED),
        "likenesses": {
            "type": "array",
            "maxItems": MAX_HANDLES,
            "items": {"type": "string", "pattern": f"^@?(?:{HANDLE.pattern})$"},
        },
        "input_reference": documented_pictures(pictures),
        "territory": {"enum": ["", *sorted(TERRITORIES)], "default": ""},
        "purpose": {"enum": [one.value for one in Purpose], "default": Purpose.UNSTATED.value},
    }


def _whole(least: int, most: int, default: str) -> dict[str, Any]:
    number = {"type": "integer", "minimum": least, "maximum": most}
    return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,10}$"}], "default": default}


def _recording(kind: str, what: str) -> dict[str, Any]:
    pattern = f"^data:{kind}/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+=*$"
    return {"type": "string", "pattern": pattern, "description": f"A file or `data:`: {what}."}


_SHOT = {"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARACTERS}
_DOCUMENTED: dict[str, dict[str, Any]] = {
    "shots": {
        "description": "Several shots in order; needed where there is no `prompt`.",
        "type": "array",
        "maxItems": MAX_SHOTS,
        "items": {
            "anyOf": [
                _SHOT,
                {
                    "type": "object",
                    "required": ["prompt"],
                    "properties": {
                        "prompt": _SHOT,
                        "seconds": {"type": "integer", "minimum": 1, "maximum": MAX_SECONDS},
                    },
                    "additionalProperties": False,
                },
            ]
        },
    },
    "ancestors": {
        "description": "The prompts of the films that this remixes or extends, the oldest first.",
        "type": "array",
        "maxItems": MAX_ANCESTORS,
        "items": _SHOT,
    },
    "input_video": _recording("video", "an MP4 or MOV film of up to 20 seconds"),
    "input_audio": _recording("audio", "a WAV, FLAC, Ogg, MP3 or M4A sound of up to a minute"),
    "actor": {"type": "string", "description": "Whose key it is; another one is an error."},
    "project": {"type": "string", "description": "Likewise."},
    "end_user": {
        "type": "string",
        "maxLength": MAX_END_USER_CHARACTERS,
        "pattern": "^[!-~]*$",
        "description": "For whom a gateway asks; only a commitment to it is logged.",
    },
}


def film_from(
    fields: Fields, rooms: Rooms, principal: Principal, request_id: str, key: str = ""
) -> GenerationRequest:
    """Return the film that `fields` ask for; see `request_from`. It takes fewer of them.

    Args:
        key: the `Idempotency-Key`, or empty.
    """
    return request_from(fields.only(FILM), rooms, principal, request_id, key)


def request_from(
    fields: Fields, rooms: Rooms, principal: Principal, request_id: str, key: str = ""
) -> GenerationRequest:
    """Return the request that `fields` ask about, checked field by field.

    Args:
        key: the `Idempotency-Key`, or empty.

    Raises:
        BadRequest: a field is wrong; it is named, with the way out.
    """
    requester = Requester(principal.actor, principal.project)
    return request_by(requester, fields, request_id, key, model=rooms.model.origin.name)


def request_by(
    requester: Requester, fields: Fields, request_id: str, key: str = "", *, model: str
) -> GenerationRequest:
    """Return the request that `requester` states; see `request_from`.

    Args:
        model: who is meant where `fields` name none.
    """
    if "input_reference[file_id]" in fields.texts:
        raise BadRequest(
            "input_reference", "file_id", "files have no ids here.", "Send the picture itself."
        )
    fields.only(KNOWN)
    _require_same(fields, "actor", requester.actor)
    _require_same(fields, "project", requester.project)
    shots = _shots(fields)
    prompt = fields.text("prompt", "" if shots else None)
    if prompt or not shots:
        prompt = checked_prompt(prompt)
    return GenerationRequest(
        id=request_id,
        requester=requester,
        prompt=prompt,
        parameters=Parameters(
            model=fields.text("model", model) or model,
            size=checked_size(fields.text("size", DEFAULT_SIZE)),
            seconds=checked_seconds(fields.text("seconds", DEFAULT_SECONDS)),
            fps=checked_fps(fields.text("fps", DEFAULT_FPS)),
            seed=_seed(fields.text("seed", DEFAULT_SEED)),
        ),
        references=_references(fields),
        handles=_handles(fields.texts.get("likenesses", ())),
        territory=checked_territory(fields.text("territory", "")),
        idempotency_key=_checked_key(key),
        purpose=checked_purpose(fields.text("purpose", "") or Purpose.UNSTATED.value),
        shots=checked_shots(prompt, shots) if shots else (),
        end_user=checked_end_user(fields.text("end_user", "")),
        ancestors=checked_ancestors(
            fields.texts.get("ancestors", ()),
            len(prompt) + sum(len(shot.prompt) for shot in shots),
        ),
    )


def _references(fields: Fields) -> tuple[Reference, ...]:
    sent = [("input_reference", MAX_REFERENCES, "image", ReferenceKind.PICTURE)]
    sent += [(name, 1, media, kind) for name, media, kind in RECORDINGS]
    return tuple(
        Reference(name, content, kind)
        for name, most, media, kind in sent
        for content in fields.sent(name, most, media)
    )


def _require_same(fields: Fields, name: str, known: str) -> None:
    """Who asks is whose key it is; a field may say so too, and is never believed."""
    given = fields.text(name, "")
    # A gateway with a ticket knows nobody: the ticket says who.
    if given and known and given != known:
        raise BadRequest(
            name, f"another_{name}", "this key belongs to another one.", "Leave it out."
        )


def _shots(fields: Fields) -> tuple[ShotAsked, ...]:
    texts = fields.texts.get("shots", ())
    rows = fields.rows.get("shots")
    if rows is None:
        shots = tuple(ShotAsked(text) for text in texts)
    else:
        shots = tuple(_shot(number, row) for number, row in enumerate(rows))
    # A text that stands in no shot would be judged by nobody.
    if len(shots) != len(texts) + len(fields.texts.get("shots[prompt]", ())):
        raise BadRequest(
            "shots", "not_a_list", "it is no list of shots.", "Send a list of texts, or of objects."
        )
    return shots


def _shot(number: int, row: Row) -> ShotAsked:
    text = row.get("prompt", row.get(""))
    if text is None:
        raise BadRequest(f"shots[{number}]", "missing", "it has no prompt.", "Send one.")
    seconds = row.get("seconds")
    return ShotAsked(text, None if seconds is None else checked_seconds(seconds))


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
