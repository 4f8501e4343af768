"""What only a real connection shows: who is slow, who goes away, who says nothing of themselves."""

import json
import socket
import time

import httpx2

from tests.journeys.conftest import Served, running


def connected(served: Served) -> socket.socket:
    host, _, port = served.base_url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: here", *lines, "", ""]).encode()


def said(served: Served, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in served.site.said.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_a_stranger_is_turned_away_before_a_byte_of_the_body_is_read(served: Served) -> None:
    with connected(served) as stranger:
        stranger.sendall(head("/v1/videos", "Content-Length: 30000000"))

        assert stranger.recv(100).startswith(b"HTTP/1.1 401")


def test_slow_senders_keep_nobody_else_waiting(served: Served) -> None:
    key = f"Authorization: Bearer {served.site.keys['creator']}"
    slow = [connected(served) for _ in range(60)]
    for one in slow:
        one.sendall(head("/v1/videos", key, "Content-Length: 1000") + b"{")

    started = time.monotonic()
    status = httpx2.get(f"{served.base_url}/healthz").status_code

    assert status == 200
    assert time.monotonic() - started < 5
    for one in slow:
        one.close()


def test_a_client_that_goes_away_is_no_fault_of_ours(served: Served) -> None:
    key = f"Authorization: Bearer {served.site.keys['creator']}"
    before = len(said(served, "request.failed"))
    with connected(served) as hasty:
        hasty.sendall(head("/v1/videos", key, "Content-Length: 1000") + b"{")

    until = time.monotonic() + 10
    while time.monotonic() < until:
        if any(line["status"] == 499 for line in said(served, "request.replied")):
            break
        time.sleep(0.05)

    assert any(line["status"] == 499 for line in said(served, "request.replied"))
    assert len(said(served, "request.failed")) == before


def test_who_waits_when_we_stop_is_told_to_send_it_again(served: Served) -> None:
    key = f"Authorization: Bearer {served.site.keys['creator']}"
    with (
        running(served.site.app, timeout_graceful_shutdown=1) as here,
        socket.create_connection(here.address, timeout=20) as waiting,
    ):
        waiting.sendall(head("/v1/videos", key, "Content-Length: 1000") + b"{")
        while not here.server.server_state.tasks:
            time.sleep(0.01)

        here.server.should_exit = True
        here.thread.join()
        told = waiting.recv(5000)

    assert told.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in told
    assert b'"code":"stopping"' in told


def test_a_header_line_cannot_be_split(served: Served) -> None:
    with connected(served) as sender:
        sender.sendall(head("/v1/videos", "Authorization: Bearer x\nX-Evil: 1"))

        assert b"evil" not in sender.recv(2000).lower()
