"""The database is locked, read-only or full while we serve: 503; afterwards all is well again."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.service.api.site import PROMPT, SMALL, Site, a_site

LONG = f"{PROMPT} {'softly ' * 4000}"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # What breaks here is not shared with other tests.
    with a_site(tmp_path_factory.mktemp("outage")) as opened:
        opened.film()
        yield opened


@contextmanager
def every_connection(site: Site, *pragmas: str) -> Iterator[None]:
    """Run `pragmas` on each connection when it is taken, as a disk or a mount would do to all."""
    engine = site.house.rooms.database.engine

    def taken(raw: sqlite3.Connection, _record: object, _proxy: object) -> None:
        for pragma in pragmas:
            raw.execute(f"PRAGMA {pragma}").close()

    event.listen(engine, "checkout", taken)
    try:
        yield
    finally:
        event.remove(engine, "checkout", taken)


def database_file(site: Site) -> Path:
    name = site.house.rooms.database.engine.url.database
    assert name
    return Path(name)


def decide(site: Site, prompt: str = PROMPT) -> int:
    sent = {"prompt": prompt, **SMALL}
    return site.call("POST", "/v1/policy/decisions", json=sent).status_code


def make(site: Site, prompt: str = PROMPT) -> int:
    return site.call("POST", "/v1/videos", json={"prompt": prompt, **SMALL}).status_code


def works(site: Site) -> bool:
    ready = site.client.get("/readyz").status_code
    return (ready, decide(site), make(site)) == (200, 200, 200)


def test_a_locked_database_stops_writers_and_no_reader(own: Site) -> None:
    before = own.call("GET", "/v1/videos").json()
    other = sqlite3.connect(database_file(own), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with every_connection(own, "busy_timeout=50"):
        video, ready = make(own), own.client.get("/readyz")
        listed = own.call("GET", "/v1/videos")
        alive = own.client.get("/healthz").status_code
    other.rollback()
    other.close()

    with every_connection(own, "busy_timeout=10000"):
        assert works(own)
    assert (video, ready.status_code, alive) == (503, 503, 200)
    assert ready.json()["missing"] == ["database"]
    assert (listed.status_code, listed.json()) == (200, before)


def test_a_read_only_database_decides_nothing(own: Site) -> None:
    with every_connection(own, "query_only=ON"):
        statuses = decide(own), make(own), own.client.get("/readyz").status_code
        listed = own.call("GET", "/v1/videos").status_code

    with every_connection(own, "query_only=OFF"):
        assert works(own)
    assert statuses == (503, 503, 503)
    assert listed == 200


def test_a_full_disk_decides_nothing(own: Site) -> None:
    with every_connection(own, "max_page_count=1"):
        # What is free inside of the file is used up first.
        filled = [make(own, LONG)]
        while filled[-1] == 200 and len(filled) < 100:
            filled.append(make(own, LONG))
        decided = decide(own, LONG)

    with every_connection(own, "max_page_count=1073741823"):
        assert works(own)
    assert (filled[-1], decided) == (503, 503)
    assert set(filled[:-1]) <= {200}


def test_a_key_is_not_lost_in_an_outage(own: Site) -> None:
    with every_connection(own, "query_only=ON"):
        # Never used in this process: noting its use is a write.
        during = own.call("GET", "/v1/reviews", "moderator").status_code

    with every_connection(own, "query_only=OFF"):
        after = own.call("GET", "/v1/reviews", "moderator").status_code
    assert (during, after) == (503, 200)
