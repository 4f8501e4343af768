"""No prompt, name, handle, vector or key where it does not belong, after a whole journey."""

import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from filters.finding import Category
from service.acts import Acts
from service.audit.reading import EntryFilter, Order
from service.database import DatabaseUnavailable
from service.keys import Purpose
from service.media.stills import encoded
from service.request import Reference
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

pytestmark = pytest.mark.usefixtures("unfiltered_log")

PROMPT = "a red ball bounces past xylophonic quokkas for @marabou"
SECRETS = (b"xylophonic", b"quokka", b"marabou")
MARA = (200, 10, 10)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lived_in(home: Path) -> Iterator[SmallHouse]:
    """A house in which somebody enrolled, something was refused and something released."""
    with a_house(home) as house:
        vector = np.random.default_rng(1).normal(size=128).astype(np.float32)
        house.faces.people[MARA] = vector / np.linalg.norm(vector)
        frame = np.random.default_rng(5).integers(60, 200, (96, 96, 3)).astype(np.uint8)
        frame[0, 0] = MARA
        picture = encoded(frame)
        Acts(house.rooms, "act_maker").enrol("marabou", [picture])
        house.filters.scores[Category.SEXUAL] = 0.99
        house.pipeline().submit(a_request(PROMPT))
        house.filters.scores.clear()
        asked = a_request(PROMPT, references=[Reference("input_reference", picture)])
        house.pipeline().submit(asked)
        while Worker(house.pipeline("worker:1")).once():
            pass
        yield house


def everything(house: SmallHouse) -> list[bytes]:
    entries = house.rooms.log.entries(EntryFilter(order=Order.OLDEST, limit=1000))
    return [entry.leaf for entry in entries]


def test_no_leaf_holds_a_prompt_or_a_handle(lived_in: SmallHouse) -> None:
    leaves = everything(lived_in)

    assert len(leaves) > 6
    for leaf in leaves:
        assert not any(secret in leaf for secret in SECRETS)


def test_no_manifest_holds_a_prompt_a_handle_or_an_account(
    lived_in: SmallHouse, home: Path
) -> None:
    films = [path for path in (home / "vault" / "released").rglob("*") if path.is_file()]

    assert films
    for film in films:
        assert not any(secret in film.read_bytes() for secret in (*SECRETS, b"act_maker"))


def test_no_vector_and_no_key_stands_in_the_database(lived_in: SmallHouse, home: Path) -> None:
    stored = b"".join(path.read_bytes() for path in home.glob("house.sqlite3*"))
    vector = lived_in.faces.people[MARA].astype("<f4").tobytes()

    assert vector[:16] not in stored
    assert lived_in.rooms.keys.secrets(Purpose.VAULT)[0].secret not in stored
    assert b"xylophonic" not in stored


def test_no_line_of_the_operational_log_holds_a_prompt_or_a_handle(lived_in: SmallHouse) -> None:
    with capture_logs() as said:
        job = lived_in.pipeline().submit(a_request(PROMPT, key="logged"))
        Worker(lived_in.pipeline("worker:2")).once()

    assert job.id in str(said)
    assert not any(secret.decode() in str(said) for secret in SECRETS)


def test_an_error_of_the_database_quotes_no_value(lived_in: SmallHouse) -> None:
    with (
        pytest.raises(DatabaseUnavailable) as refused,
        lived_in.rooms.database.transaction() as conn,
    ):
        conn.execute(text("INSERT INTO nowhere VALUES (:who)"), {"who": "marabou"})

    shown = "".join(traceback.format_exception(refused.value))
    assert "marabou" not in shown.replace('{"who": "marabou"}', "")


def test_what_holds_a_request_does_not_show_it(lived_in: SmallHouse) -> None:
    request = a_request(PROMPT, handles=["marabou"])

    assert "quokka" not in repr(request)
    assert "marabou" not in repr(request)
