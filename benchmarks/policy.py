"""How long a decision about a short prompt takes, everything real and on one core.

    OMP_NUM_THREADS=1 taskset -c 0 python -m benchmarks.policy [--times N] [--cache DIR]

`in_process` is what `guard` pays: three gates, policy, a signed and durable log entry, a ticket.
`over_http` adds FastAPI, a socket on loopback and the API key. `log_alone` is the part of both
that waits for the disk. Both decisions go to one house, with SQLite, after a warm-up.
"""

import argparse
import os
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

from benchmarks.measure import Figure, measured, report
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--cache", type=Path, default=None, help="where the encoder is kept")
    asked = parser.parse_args()
    telemetry.configure()
    with tempfile.TemporaryDirectory() as folder:
        cache = asked.cache or Path(folder) / "cache"
        settings = Settings(home=Path(folder) / "home", cache=cache)
        with opened(settings) as house:
            app = create_app(settings)
            app.state.state = State(house)
            figures = [
                in_process(house.rooms, asked.times),
                over_http(house.rooms, app, asked.times),
                log_alone(house.rooms, asked.times),
            ]
    report(
        "benchmarks.policy",
        figures,
        {"prompt_characters": len(PROMPT), "cores_allowed": len(os.sched_getaffinity(0))},
    )


if __name__ == "__main__":
    main()
