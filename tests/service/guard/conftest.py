"""A guard in a small real house; the films are eight small frames."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service import accounts
from service.acts import Acts
from service.audit.reading import EntryFilter
from service.guard import Guard, guard
from service.guard.inside import Premises
from tests.builders import SmallHouse, a_house
from tests.service.api.site import WordFilter, a_picture

MARA = (200, 10, 10)
PROMPT = "a red ball bounces on a green floor"


@dataclass(slots=True)
class Studio:
    """A house, a filter that knows words, and a folder for films."""

    house: SmallHouse
    words: WordFilter
    folder: Path

    @property
    def to(self) -> Path:
        return self.folder / "film.mp4"

    @property
    def left(self) -> list[str]:
        """What lies in the folder of films."""
        return sorted(path.name for path in self.folder.iterdir())

    def guard(self, prompt: str = PROMPT, **more: object) -> Guard:
        wanted: dict[str, object] = {"seconds": 1, "fps": 8, "size": "256x256", **more}
        house = Premises(self.house.rooms, lambda: self.house.workshop)
        return partial(guard, prompt, house=house)(**wanted)  # type: ignore[arg-type]

    def an_actor(self, name: str) -> str:
        """Return the id of somebody new."""
        with self.house.rooms.database.transaction() as conn:
            return accounts.create_actor(conn, name, self.house.clock()).id

    def grant(self) -> tuple[Acts, str, str]:
        """Enrol Mara; return what she can do, a maker whom she permits to show her, the grant."""
        vector = np.random.default_rng(0).normal(size=128).astype(np.float32)
        self.house.faces.people[MARA] = vector / np.linalg.norm(vector)
        mara, maker = Acts(self.house.rooms, self.an_actor("Mara")), self.an_actor("maker")
        likeness = mara.enrol("mara", [a_picture(MARA)]).made.id
        now = self.house.clock()
        until = now + timedelta(days=1)
        return mara, maker, mara.grant(likeness, maker, from_at=now, until_at=until).made.id

    def logged(self, kind: str = "") -> list[str]:
        """Return the verdicts and releases in the log, in order."""
        found = self.house.rooms.log.entries(EntryFilter(type=kind, limit=100))
        wanted = ("decision.", "release.")
        return [
            str(one.facts.get("verdict", one.type))
            for one in reversed(found)
            if one.type.startswith(wanted)
        ]


def a_film(count: int = 8, side: int = 256) -> NDArray[np.uint8]:
    """Return frames as a pipeline would; the colour of the corners names nobody."""
    grain = np.random.default_rng(7).integers(40, 200, (side, side, 3)).astype(np.uint8)
    return np.stack([np.roll(grain, 4 * number, axis=1) for number in range(count)])


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    films = tmp_path / "films"
    films.mkdir()
    with a_house(tmp_path) as house:
        words = WordFilter()
        gates = replace(house.rooms.gates, judge_text=words.read)
        house.rooms = replace(house.rooms, gates=gates)
        yield Studio(house, words, films)
