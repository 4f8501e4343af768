"""How long a decision about a short prompt takes with the real text filter, on one core, warm.

`in_process` is what `guard` pays: three gates, policy, a signed and durable log entry, a ticket.
`over_http` adds FastAPI, a socket on loopback and the API key. `log_alone` is the part of both
that waits for the disk. Run by `benchmarks/policy.py --neural`.
"""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import httpx2
import uvicorn
from fastapi import FastAPI

from benchmarks.measure import Figure, measured
from generator.shots import Size
from service import accounts, desk, telemetry
from service.accounts import NewKey, Role
from service.api.state import State
from service.app import create_app
from service.audit.entries import Entry
from service.decision import Mode
from service.ids import new_id
from service.request import GenerationRequest, Parameters, Requester
from service.rooms import Rooms
from service.settings import Settings
from service.wiring import now, opened

PROMPT = "a red ball bounces twice on a green floor while rain falls behind it"
WARM_UP = 20
TIMES = 300


def request() -> GenerationRequest:
    return GenerationRequest(
        new_id("req", now()),
        Requester("act_bench", "proj_bench"),
        PROMPT,
        Parameters("scenes", Size(640, 360), 4, Fraction(24), 0),
    )


def in_process(rooms: Rooms, times: int) -> Figure:
    def once() -> None:
        desk.answer(rooms, request(), mode=Mode.ENFORCE)

    return measured("in_process", once, times=times, warm_up=WARM_UP)


def log_alone(rooms: Rooms, times: int) -> Figure:
    def once() -> None:
        rooms.log.append(Entry(new_id("act", now()), "bench.nothing", now()))

    return measured("log_alone", once, times=times, warm_up=WARM_UP)


def over_http(rooms: Rooms, app: FastAPI, times: int) -> Figure:
    with rooms.database.transaction() as conn:
        actor = accounts.create_actor(conn, "bench", now()).id
        project = accounts.create_project(conn, "bench", now()).id
        key = accounts.create_key(conn, NewKey(actor, project, frozenset({Role.CREATOR})), now())
    headers = {"authorization": f"Bearer {key.secret}"}
    with served(app) as address, httpx2.Client(base_url=address, headers=headers) as client:

        def once() -> None:
            client.post("/v1/policy/decisions", json={"prompt": PROMPT}).raise_for_status()

        return measured("over_http", once, times=times, warm_up=WARM_UP)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Yield the address of the application, served by a thread of this process."""
    # With the protocol left open, asyncio does not switch off Nagle's algorithm, which costs 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def figures(cache: Path | None) -> list[Figure]:
    """Return the three figures; `cache` is where the encoder is kept."""
    telemetry.configure()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", cache=cache or Path(folder) / "cache")
        with opened(settings) as house:
            app = create_app(settings)
            app.state.state = State(house)
            return [
                in_process(house.rooms, TIMES),
                over_http(house.rooms, app, TIMES),
                log_alone(house.rooms, TIMES),
            ]
