"""A live server on loopback, its worker in a thread, and the official client."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from openai import OpenAI

from service.worker import Worker
from tests.service.api.site import Site, a_site


@dataclass(frozen=True, slots=True)
class Served:
    site: Site
    base_url: str

    def client(self, who: str = "creator") -> OpenAI:
        return OpenAI(base_url=f"{self.base_url}/v1", api_key=self.site.keys[who], max_retries=2)


def _socket() -> socket.socket:
    # With the protocol left open, asyncio does not switch off Nagle's algorithm.
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_site(tmp_path_factory.mktemp("journey")) as site, _socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(site.app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        worker = Worker(site.house.pipeline("worker:1"))
        threads = [
            threading.Thread(target=server.run, kwargs={"sockets": [listening]}),
            threading.Thread(target=worker.run),
        ]
        for thread in threads:
            thread.start()
        yield Served(site, f"http://127.0.0.1:{listening.getsockname()[1]}")
        worker.stop()
        server.should_exit = True
        for thread in threads:
            thread.join()


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with served.client() as opened:
        yield opened
