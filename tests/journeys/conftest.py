"""A live server on loopback, its worker in a thread, and the official client."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from openai import OpenAI

from service.worker import Worker
from tests.service.api.site import Site, a_site


@dataclass(frozen=True, slots=True)
class Served:
    site: Site
    base_url: str

    def client(self, who: str = "creator") -> OpenAI:
        return OpenAI(base_url=f"{self.base_url}/v1", api_key=self.site.keys[who], max_retries=2)


@dataclass(frozen=True, slots=True)
class Running:
    server: uvicorn.Server
    thread: threading.Thread
    address: tuple[str, int]


@contextmanager
def running(app: FastAPI, **config: Any) -> Iterator[Running]:  # noqa: ANN401 - uvicorn's own
    """Yield a server on loopback, in a thread that has ended afterwards."""
    # With the protocol left open, asyncio does not switch off Nagle's algorithm.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, **config)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Running(server, thread, listening.getsockname())
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_site(tmp_path_factory.mktemp("journey")) as site, running(site.app) as here:
        worker = Worker(site.house.pipeline("worker:1"))
        making = threading.Thread(target=worker.run)
        making.start()
        yield Served(site, f"http://127.0.0.1:{here.address[1]}")
        worker.stop()
        making.join()


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with served.client() as opened:
        yield opened
