"""A request goes into the database and comes back the same."""

import json
from dataclasses import replace

import pytest

from service.body import BodyDamaged, fingerprint, parameters_json, restored, sealed_json
from service.decision import Purpose
from service.request import GenerationRequest, Reference, ReferenceKind, ShotAsked
from tests.builders import a_request

KEY = b"k" * 32
WHOLE = replace(
    a_request("", handles=("ann",)),
    territory="DE",
    purpose=Purpose.PARODY,
    ancestors=("a cat",),
    shots=(ShotAsked("a cat", 2), ShotAsked("a hat")),
    end_user="u-1",
    references=(Reference("input_video", b"film", ReferenceKind.FILM),),
)


def again(request: GenerationRequest, opened: bytes) -> GenerationRequest:
    parameters: dict[str, object] = dict(parameters_json(request.parameters))
    return restored(request.id, request.requester, parameters, opened)


def test_every_field_comes_back() -> None:
    assert again(WHOLE, sealed_json(WHOLE)) == WHOLE


def test_what_was_sealed_before_purpose_and_shots_came_still_opens() -> None:
    old = a_request("a cat")
    body = json.loads(sealed_json(old))
    for name in ("purpose", "shots", "end_user", "ancestors"):
        del body[name]

    assert again(old, json.dumps(body).encode()) == old


@pytest.mark.parametrize(
    "damaged", [b"{}", b"[]", b"not json", sealed_json(WHOLE).replace(b"parody", b"sport")]
)
def test_what_is_no_request_is_said_to_be_damaged(damaged: bytes) -> None:
    with pytest.raises(BodyDamaged):
        again(WHOLE, damaged)


@pytest.mark.parametrize(
    "other",
    [
        replace(WHOLE, purpose=Purpose.NEWS),
        replace(WHOLE, end_user="u-2"),
        replace(WHOLE, ancestors=("a cat in a hat",)),
        replace(WHOLE, shots=WHOLE.shots[::-1]),
        replace(WHOLE, shots=(ShotAsked("a cat", 3), ShotAsked("a hat"))),
        replace(WHOLE, territory="FR"),
    ],
)
def test_another_request_has_another_fingerprint(other: GenerationRequest) -> None:
    assert fingerprint(other, KEY) != fingerprint(WHOLE, KEY)
    assert fingerprint(replace(WHOLE, id="req_2"), KEY) == fingerprint(WHOLE, KEY)
