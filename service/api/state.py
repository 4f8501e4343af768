"""What the routes find in the application: the house, the counters, and who may come in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from service import accounts
from service.accounts import USED_WITHIN, NotAuthenticated, Principal
from service.api.metrics import Metrics
from service.api.readiness import Readiness
from service.api.roles import require
from service.api.stills import Stills
from service.rooms import Rooms
from service.wiring import House


@dataclass(slots=True)
class State:
    """One for each application.

    Attributes:
        noted: when the use of a key was last written down, so that it is not a commit each time.
    """

    house: House
    metrics: Metrics = field(default_factory=Metrics)
    stills: Stills = field(default_factory=Stills)
    readiness: Readiness = field(default_factory=Readiness)
    noted: dict[str, datetime] = field(default_factory=dict)


async def _state(request: Request) -> State:
    return state_of(request)


def state_of(request: Request) -> State:
    """Return the application's state."""
    state = request.app.state.state
    if not isinstance(state, State):
        raise TypeError("the application was not started")
    return state


def rooms_of(request: Request) -> Rooms:
    """Return the rooms of the house."""
    return state_of(request).house.rooms


def request_id(request: Request) -> str:
    """Return the id that this request has in the log, in the reply and in the decision."""
    return str(request.scope["state"]["request_id"])


def bearer(request: Request) -> Principal:
    """Return whose key is in `Authorization`.

    Raises:
        NotAuthenticated: there is none, or it opens nothing.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    state = state_of(request)
    rooms = state.house.rooms
    now = rooms.clock()
    with rooms.database.reading() as conn:
        principal = accounts.authenticate(conn, key.strip(), now)
    if now - state.noted.get(principal.key_id, datetime.min.replace(tzinfo=now.tzinfo)) >= (
        USED_WITHIN
    ):
        with rooms.database.transaction() as conn:
            accounts.note_use(conn, principal.key_id, now)
        state.noted[principal.key_id] = now
    return principal


def permitted(request: Request, principal: Annotated[Principal, Depends(bearer)]) -> Principal:
    """Return who asks, if one of their roles opens this route.

    Raises:
        Forbidden: none does.
    """
    require(request.scope["route"].name, principal)
    return principal


# Not in a thread: `/healthz` and `/readyz` answer while all of them are taken.
StateDep = Annotated[State, Depends(_state)]
RoomsDep = Annotated[Rooms, Depends(rooms_of)]
RequestId = Annotated[str, Depends(request_id)]
Asker = Annotated[Principal, Depends(permitted)]
