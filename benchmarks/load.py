"""Clients of a benchmark: connections that each ask again as soon as they are answered.

Bare HTTP/1.1 over asyncio, so that on two cores the asking costs the answering little.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast


@dataclass(slots=True)
class Run:
    """What a run saw: wall milliseconds of each answer, and the statuses."""

    walls: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def rank(self, share: float) -> float:
        """Return the wall milliseconds within which this share was answered."""
        ordered = sorted(self.walls)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Asking(asyncio.Protocol):
    def __init__(self, request: Callable[[], bytes], run: Run, until: float) -> None:
        self._request, self._run, self._until = request, run, until
        self._received = b""
        self._asked_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        now = time.perf_counter()
        status = int(self._received[9:12])
        self._run.walls.append((now - self._asked_at) * 1000)
        self._run.statuses[status] = self._run.statuses.get(status, 0) + 1
        self._received = b""
        if now < self._until:
            self._ask()
            return
        self._transport.close()

    def connection_lost(self, _lost: Exception | None) -> None:
        self.done.set_result(None)

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._request())


async def _ask_all(
    port: int, request: Callable[[], bytes], connections: int, seconds: float
) -> Run:
    run = Run()
    started = time.perf_counter()
    asking = [
        (
            await asyncio.get_running_loop().create_connection(
                lambda: _Asking(request, run, started + seconds), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.done for one in asking))
    run.seconds = time.perf_counter() - started
    return run


def ask(port: int, request: Callable[[], bytes], *, connections: int, seconds: float) -> Run:
    """Return what `connections` saw that asked `request()` of a loopback port for `seconds`."""
    return asyncio.run(_ask_all(port, request, connections, seconds))


def post(path: str, key: str, body: bytes) -> bytes:
    """Return the bytes of a POST of JSON with an API key."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
