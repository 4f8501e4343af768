"""What the routes find in the application: the house, the counters, and who may come in."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from service import accounts
from service.accounts import USED_WITHIN, NotAuthenticated, Principal
from service.api.arriving import Arrival, Arrived, reading
from service.api.deciding import Looks, shared_looks
from service.api.metrics import Metrics
from service.api.readiness import Readiness
from service.api.roles import require
from service.api.stills import Stills
from service.arrivals import Arrivals
from service.rooms import Rooms
from service.wiring import House

# Each waits for the gates' threads, of which a slow model may keep some.
_LOOKERS = 8


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
    arrivals: Arrivals[Arrival, Arrived] = field(init=False)
    looks: Looks = field(init=False)
    # Not the gates' threads: those may all be busy with models.
    _reader: ThreadPoolExecutor = field(init=False)
    _lookers: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        """Let those who arrive at once share a read."""
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="arrivals")
        self.arrivals = Arrivals(reading(self.house.rooms), self._reader)
        self._lookers = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="looks")
        self.looks = shared_looks(self.house.rooms, self._lookers)

    def note_use(self, key: str, now: datetime) -> None:
        """Write down that a key was used."""
        with self.house.rooms.database.transaction() as conn:
            accounts.note_use(conn, key, now)
        self.noted[key] = now

    def close(self) -> None:
        """End the threads."""
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._lookers.shutdown(wait=False, cancel_futures=True)


async def _state(request: Request) -> State:
    return state_of(request)


def state_of(request: Request) -> State:
    """Return the application's state."""
    state = request.app.state.state
    if not isinstance(state, State):
        raise TypeError("the application was not started")
    return state


# Coroutines, all of them: FastAPI runs a plain function in a thread, for every request.
async def rooms_of(request: Request) -> Rooms:
    """Return the rooms of the house."""
    return state_of(request).house.rooms


async def request_id(request: Request) -> str:
    """Return the id that this request has in the log, in the reply and in the decision."""
    return str(request.scope["state"]["request_id"])


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        # LiteLLM sends its `api_key` so.
        scheme, key = "bearer", request.headers.get("x-api-key", "")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    return key.strip()


async def arrived(request: Request, *, decides: bool = False) -> Arrived:
    """Return whose key is in `Authorization`, or without that in `X-API-Key`, if it opens this.

    Raises:
        NotAuthenticated: there is none, or it opens nothing.
        Forbidden: none of its roles opens this route.
    """
    state = state_of(request)
    found = await state.arrivals.ask(Arrival(_key(request), decides))
    principal, now = found.principal, state.house.rooms.clock()
    if now - state.noted.get(principal.key_id, datetime.min.replace(tzinfo=now.tzinfo)) >= (
        USED_WITHIN
    ):
        await run_in_threadpool(state.note_use, principal.key_id, now)
    require(request.scope["route"].name, principal)
    return found


async def permitted(request: Request) -> Principal:
    """Return who asks, if one of their roles opens this route.

    Raises:
        NotAuthenticated, Forbidden: as `arrived`.
    """
    return (await arrived(request)).principal


# Not in a thread: `/healthz` and `/readyz` answer while all of them are taken.
StateDep = Annotated[State, Depends(_state)]
RoomsDep = Annotated[Rooms, Depends(rooms_of)]
RequestId = Annotated[str, Depends(request_id)]
Asker = Annotated[Principal, Depends(permitted)]
