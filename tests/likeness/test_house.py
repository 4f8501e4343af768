"""What this room promises in a running service: keys turn over, writers are not kept waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import event

from service.acts import Acts
from service.keys import KeyRing, Purpose
from service.media.stills import encoded
from tests.builders import SmallHouse, a_house
from tests.likeness.builders import person

MARA, NOBODY = (200, 10, 10), (10, 200, 10)


@contextmanager
def opened(home: Path) -> Iterator[SmallHouse]:
    with a_house(home) as house:
        house.faces.people.update({MARA: person(1), NOBODY: person(2)})
        yield house


def a_photograph(colour: tuple[int, int, int] = MARA) -> bytes:
    frame = np.random.default_rng(5).integers(60, 200, (96, 96, 3)).astype(np.uint8)
    frame[0, 0] = colour
    return encoded(frame)


def a_frame(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((96, 96, 3), colour, np.uint8)


def test_people_are_still_recognised_after_the_vault_key_was_rotated(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        before = Acts(house.rooms, "act_mara").enrol("mara", [a_photograph()]).made
        KeyRing(tmp_path / "keys", house.clock).rotate(Purpose.VAULT)

    with opened(tmp_path) as house:
        after = Acts(house.rooms, "act_other").enrol("other", [a_photograph(NOBODY)]).made
        registry = house.rooms.gates.registry
        faces = [*registry.look(a_frame(MARA)), *registry.look(a_frame(NOBODY))]
        with house.rooms.database.reading() as conn:
            seen = registry.recognise(conn, faces, actor="x", handles=(), now=house.clock())

    assert [sighting.likeness for sighting in seen] == [before.id, after.id]


def test_an_enrolment_opens_no_template_while_it_holds_the_database(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        Acts(house.rooms, "act_other").enrol("other", [a_photograph(NOBODY)])

    with opened(tmp_path) as house:
        statements: list[str] = []

        @event.listens_for(house.rooms.database.engine, "before_cursor_execute")
        def note(*call: object) -> None:
            statements.append(str(call[2]))

        Acts(house.rooms, "act_mara").enrol("mara", [a_photograph()])

    # The registry's first write waits for other writers: from there on it holds the database.
    began = next(at for at, each in enumerate(statements) if "INTO likeness_counter" in each)
    assert any("FROM likeness_templates" in each for each in statements[:began])
    assert not any("FROM likeness_templates" in each for each in statements[began:])
