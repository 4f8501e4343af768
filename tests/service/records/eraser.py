"""A process that erases somebody and dies where it is told to: `python -m … HOME POINT ACTOR`."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from service.records.erasing import Erasing
from service.records.erasures import Films
from service.records.ledger import Ledger, Line
from service.records.words import Keeper, Reach
from tests.builders import a_house


def die(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


class DyingLedger(Ledger):
    """Dies before or after the line is on the disk."""

    def __init__(self, home: Path, point: str) -> None:
        super().__init__(home)
        self._point = point

    def append(self, line: Line) -> None:
        if self._point == "before_line":
            die()
        super().append(line)
        if self._point == "after_line":
            die()


def main(home: Path, point: str, actor: str) -> None:
    with a_house(home) as house:
        rooms = house.rooms
        if point == "after_commit":
            # What comes after the transaction: the answer, the journal, the files.
            rooms = replace(rooms, log=_Dying(rooms.log))  # type: ignore[arg-type]  # stands in
        keeper = Keeper(actor, "proj_1", is_officer=True, reach=Reach.HOUSE)
        erasing = Erasing(rooms, DyingLedger(home, point))
        erasing.ask(keeper, actor, case="case-1", films=Films.KEEP)


class _Dying:
    """A log whose second answer never comes."""

    def __init__(self, log: object) -> None:
        self._log = log
        self._answers = 0

    def __getattr__(self, name: str) -> object:
        if name == "settle":
            self._answers += 1
            if self._answers == 2:
                die()
        return getattr(self._log, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
