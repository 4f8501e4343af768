"""A whole site on a small house: every role in two projects, and a filter with every category."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import structlog
from fastapi import FastAPI
from httpx2 import Response
from starlette.routing import compile_path
from starlette.testclient import TestClient

from filters.finding import Category, Finding, Surface
from service import accounts
from service.accounts import NewKey, Role
from service.app import create_app
from service.media.stills import encoded
from service.settings import Settings
from service.wiring import House
from service.worker import Worker
from tests.builders import SmallHouse, a_house

PROMPT = "a red ball bounces on a green floor"
SMALL = {"size": "256x256", "seconds": "1", "fps": "8"}


@dataclass(slots=True)
class WordFilter:
    """Scores by a word in the text, so that tests of one house do not disturb each other."""

    words: Mapping[str, tuple[Category, float]] = field(
        default_factory=lambda: {
            "nude": (Category.SEXUAL, 0.97),
            "fight": (Category.VIOLENCE, 0.4),
        }
    )
    broken: Exception | None = None

    def read(self, text: str, surface: Surface) -> list[Finding]:
        if self.broken is not None:
            raise self.broken
        found = dict.fromkeys(Category, 0.001)
        for word, (category, score) in self.words.items():
            if word in text:
                found[category] = score
        return [Finding(one, score, surface, "filters.text@test") for one, score in found.items()]


@dataclass(slots=True)
class Site:
    house: SmallHouse
    words: WordFilter
    app: FastAPI
    client: TestClient
    said: StringIO
    actors: dict[str, str]
    keys: dict[str, str]
    projects: dict[str, str]

    def call(
        self,
        method: str,
        path: str,
        who: str = "creator",
        **sent: Any,  # noqa: ANN401 - httpx's own
    ) -> Response:
        headers = {"authorization": f"Bearer {self.keys[who]}", **sent.pop("headers", {})}
        reply = self.client.request(method, path, headers=headers, **sent)
        self._require_documented(method, path, reply)
        return reply

    def _require_documented(self, method: str, path: str, reply: Response) -> None:
        """Hold every reply to the OpenAPI document, whatever a test asked for."""
        bare = path.partition("?")[0]
        for known, operations in self.app.openapi()["paths"].items():
            operation = operations.get(method.lower())
            if operation is None or not compile_path(known)[0].fullmatch(unquote(bare)):
                continue
            status = str(reply.status_code)
            assert status in operation["responses"] or status == "500", (method, known, status)
            return

    def work(self) -> None:
        worker = Worker(self.house.pipeline("worker:1"))
        while worker.once():
            pass

    def film(self, prompt: str = PROMPT, **sent: str) -> str:
        made = self.call("POST", "/v1/videos", json={"prompt": prompt, **SMALL, **sent})
        assert made.status_code == 200, made.text
        return str(made.json()["id"])


@contextmanager
def a_site(folder: Path) -> Iterator[Site]:
    """Yield a site; its keys are named by role, and `other` is a stranger with every role."""
    said = StringIO()
    # Of another site in this process, which has to go on saying what it does where it did.
    before = structlog.get_config()
    words = WordFilter()
    with a_house(folder) as small:
        gates = dataclasses.replace(small.rooms.gates, judge_text=words.read)
        small.rooms = dataclasses.replace(small.rooms, gates=gates)
        settings = Settings(home=folder)

        @contextmanager
        def opened(_settings: Settings) -> Iterator[House]:
            yield House(settings, small.rooms, "front:1")

        app = create_app(settings, open_house=opened, log_to=said)
        site = Site(small, words, app, TestClient(app), said, {}, {}, {})
        _people(site)
        with site.client:
            # Each test sees what it broke at once.
            app.state.state.readiness.keep_s = 0.0
            yield site
    structlog.configure(**before)


def _people(site: Site) -> None:
    now = site.house.clock()
    with site.house.rooms.database.transaction() as conn:
        for name in ("ours", "theirs"):
            site.projects[name] = accounts.create_project(conn, name, now).id
        named = {role.value: frozenset({role}) for role in Role}
        for name, roles in {**named, "everything": frozenset(Role)}.items():
            _person(site, conn, name, roles, "ours")
        _person(site, conn, "other", frozenset(Role), "theirs")


def _person(site: Site, conn: Any, name: str, roles: frozenset[Role], project: str) -> None:  # noqa: ANN401 - an open connection
    now = site.house.clock()
    site.actors[name] = accounts.create_actor(conn, name, now).id
    issued = accounts.create_key(
        conn, NewKey(site.actors[name], site.projects[project], roles), now
    )
    site.keys[name] = issued.secret


def a_picture(corner: tuple[int, int, int] = (10, 20, 30)) -> bytes:
    """Return a picture sharp enough to enrol from; the fake faces know people by its corner."""
    grain = np.random.default_rng(sum(corner)).integers(60, 200, (128, 128, 3))
    grain[0, 0] = corner
    return encoded(grain.astype(np.uint8))
