"""docs/guard.md does what it says: its programs run here."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from service import guard as guards
from service.ticket_keys import keys_json
from tests.service.guard.conftest import PROMPT, Studio, a_film
from tests.service.guard.test_gateway import ASKED, KEY, NOW, a_ticket

PAGE = (Path(__file__).parents[3] / "docs/guard.md").read_text()


def program(language: str, word: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if word in block]
    return str(found)


class Theirs(BaseHTTPRequestHandler):
    """Somebody's generator: it makes what it is told."""

    made: list[bytes]

    def do_POST(self) -> None:
        self.made.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "video/mp4")
        self.end_headers()
        self.wfile.write(b"film")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def a_generator(made: list[bytes]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Theirs,), {"made": made}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_gateway_of_the_page_is_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ticket_keys.json").write_text(json.dumps(keys_json([KEY.verifying])))
    made: list[bytes] = []

    async def ask(app: Any) -> list[httpx2.Response]:  # noqa: ANN401 - ASGI
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            headers = {"imprimatur-ticket": a_ticket()}
            other = {**ASKED, "prompt": "another one"}
            return [
                await client.post("/v1/make", json=body, headers=headers)
                for body in (other, ASKED, ASKED)
            ]

    with a_generator(made) as address:
        scope: dict[str, Any] = {}
        code = program("python", "TicketDemanded").replace("http://127.0.0.1:9000", address)
        exec(compile(code, "gateway.py", "exec"), scope)  # noqa: S102 - our own page
        scope["app"]._clock = lambda: NOW
        refused, passed, again = asyncio.run(ask(scope["app"]))

    assert (refused.status_code, passed.status_code, again.status_code) == (403, 200, 403)
    assert (passed.content, passed.headers["content-type"]) == (b"film", "video/mp4")
    assert [json.loads(body) for body in made] == [ASKED]


def test_the_five_lines_of_the_page_publish(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studio.folder)
    monkeypatch.setattr(guards, "guard", lambda _prompt, **_more: studio.guard())
    code = program("python", "my_pipe")

    scope: dict[str, Any] = {"my_pipe": lambda _prompt, num_frames: a_film()}
    exec(compile(code, "guard.md", "exec"), scope)  # noqa: S102 - our own page

    assert PROMPT in code
    assert studio.left == ["ball.mp4"]


def test_the_configurations_of_the_page_are_what_they_seem() -> None:
    guardrail = yaml.safe_load(program("yaml", "guardrail_name"))["guardrails"][0]
    question = json.loads(program("json", "subject"))

    assert guardrail["litellm_params"]["unreachable_fallback"] == "fail_closed"
    assert guardrail["litellm_params"]["fail_on_error"] is True
    assert set(question) == {"subject", "action", "resource"}
