"""`/v1/models`: the one generator that this service has."""

from fastapi import APIRouter

from service.api.state import Asker, RoomsDep
from service.request import BadRequest
from service.rooms import Rooms
from service.wire import JSON

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("")
def list_models(_asker: Asker, rooms: RoomsDep) -> JSON:
    """Return what `model` may be."""
    return {"object": "list", "data": [_model(rooms)]}


@router.get("/{model}")
def get_model(_asker: Asker, rooms: RoomsDep, model: str) -> JSON:
    """Return one model."""
    if model != rooms.model.origin.name:
        raise BadRequest(
            "model", "unknown_model", "it is not served here.", f"Use {rooms.model.origin.name!r}."
        )
    return _model(rooms)


def _model(rooms: Rooms) -> JSON:
    origin = rooms.model.origin
    return {
        "id": origin.name,
        "object": "model",
        # Back ends carry a version and no date of birth.
        "created": 0,
        "owned_by": "imprimatur",
        "version": origin.version,
        "digital_source_type": origin.source.value,
        "sha256": origin.sha256 or None,
    }
