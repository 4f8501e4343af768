"""`/v1/policy/ticket_keys`: with what a gateway anywhere checks the tickets that we issue.

Open to everybody, as key sets are: nothing in it is secret, it says nothing about any project, and
a gateway that only checks needs no key of ours that somebody could take from it.
"""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from service.api.state import RoomsDep
from service.keys import Purpose
from service.ticket_keys import keys_json

router = APIRouter(prefix="/v1/policy", tags=["policy"])

_FRESH_S = 300


@router.get("/ticket_keys")
def list_ticket_keys(rooms: RoomsDep) -> JSONResponse:
    """Return the public keys whose tickets still count, the newest first."""
    return JSONResponse(
        keys_json(rooms.keys.verifying(Purpose.TICKET)),
        headers={"cache-control": f"public, max-age={_FRESH_S}"},
    )
