"""A request on its way into the database and back: JSON, sealed under its requester's key."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from fractions import Fraction

import rfc8785

from generator.shots import Size
from service.decision import Purpose
from service.request import (
    GenerationRequest,
    Parameters,
    Reference,
    ReferenceKind,
    Requester,
    ShotAsked,
)

Fields = dict[str, str | int]
Json = str | int | None | Sequence["Json"]


class BodyDamaged(Exception):
    """What was opened is not a request."""


def fingerprint(request: GenerationRequest, key: bytes) -> str:
    """Return what is equal for two sendings of the same request: fields and files, not form.

    Keyed, since a bare hash of a prompt can be guessed.
    """
    fields: list[Json] = [
        request.prompt,
        list(parameters_json(request.parameters).values()),
        [[one.param, one.kind.value, one.sha256] for one in request.references],
        list(request.handles),
        request.territory,
    ]
    # Only where there is something, so that what was kept before these fields came still holds.
    if request.purpose is not Purpose.UNSTATED or request.shots or request.end_user:
        shots: list[Json] = [[one.prompt, one.seconds] for one in request.shots]
        fields += [request.purpose.value, shots, request.end_user]
    if request.ancestors:
        before: list[Json] = ["ancestors", *request.ancestors]
        fields.append(before)
    said = b"impr/fingerprint/v1\n" + rfc8785.dumps(fields)
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def parameters_json(parameters: Parameters) -> Fields:
    """Return how it is to be made, as it stands beside the job in the clear."""
    return {
        "model": parameters.model,
        "size": str(parameters.size),
        "seconds": parameters.seconds,
        "fps": str(parameters.fps),
        "seed": str(parameters.seed),
    }


def sealed_json(request: GenerationRequest) -> bytes:
    """Return what only its requester's key may open: words, pictures, who they name."""
    return json.dumps(
        {
            "prompt": request.prompt,
            "handles": list(request.handles),
            "territory": request.territory,
            "purpose": request.purpose.value,
            "shots": [[one.prompt, one.seconds] for one in request.shots],
            "end_user": request.end_user,
            "ancestors": list(request.ancestors),
            "references": [
                {
                    "param": one.param,
                    "kind": one.kind.value,
                    "content": base64.b64encode(one.content).decode(),
                }
                for one in request.references
            ],
        }
    ).encode()


def restored(
    request_id: str, requester: Requester, parameters: dict[str, object], opened: bytes
) -> GenerationRequest:
    """Return the request that `parameters_json` and `sealed_json` were made from.

    Raises:
        BodyDamaged: a part is missing or of another kind.
    """
    try:
        body = json.loads(opened)
        width, _, height = str(parameters["size"]).partition("x")
        return GenerationRequest(
            id=request_id,
            requester=requester,
            prompt=body["prompt"],
            parameters=Parameters(
                model=str(parameters["model"]),
                size=Size(int(width), int(height)),
                seconds=int(str(parameters["seconds"])),
                fps=Fraction(str(parameters["fps"])),
                seed=int(str(parameters["seed"])),
            ),
            references=tuple(
                Reference(
                    one["param"], base64.b64decode(one["content"]), ReferenceKind(one["kind"])
                )
                for one in body["references"]
            ),
            handles=tuple(body["handles"]),
            territory=body["territory"],
            # Sealed before these fields came, it has none of them.
            purpose=Purpose(body.get("purpose", Purpose.UNSTATED)),
            shots=tuple(ShotAsked(prompt, seconds) for prompt, seconds in body.get("shots", ())),
            end_user=body.get("end_user", ""),
            ancestors=tuple(body.get("ancestors", ())),
        )
    except (KeyError, TypeError, ValueError) as broken:
        raise BodyDamaged(f"request {request_id} cannot be read back") from broken
