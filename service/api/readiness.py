"""Whether a decision could be made now, looked up at most once a second, however many ask."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from filters.finding import FilterError, Surface
from likeness.faces import LikenessError
from rightsholders.claims import RightsError
from service.audit.cosigned import Standing
from service.audit.errors import AuditError, NotDurable
from service.database import DatabaseUnavailable
from service.rooms import Rooms


@dataclass(slots=True)
class Readiness:
    """Remembers the last look, because each asks a model and the database's write lock.

    Attributes:
        keep_s: how long a look counts. Who waits for one holds no thread.
    """

    keep_s: float = 1.0
    _missing: list[str] = field(default_factory=list)
    _witnesses: list[Standing] = field(default_factory=list)
    _looked_at: float = float("-inf")
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def missing(self, rooms: Rooms) -> list[str]:
        """Return the names of what is missing; none when ready."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= self.keep_s:
                self._missing = await run_in_threadpool(_missing, rooms)
                self._witnesses = await run_in_threadpool(_witnesses, rooms)
                self._looked_at = time.monotonic()
            return self._missing

    @property
    def witnesses(self) -> list[Standing]:
        """How far each witness was at that look; one that lags makes nobody wait."""
        return self._witnesses


def _missing(rooms: Rooms) -> list[str]:
    return [name for name, check in CHECKS.items() if not _holds(check, rooms)]


def _witnesses(rooms: Rooms) -> list[Standing]:
    try:
        return rooms.log.standings()
    except (DatabaseUnavailable, AuditError):
        return []  # `missing` says so


def _database(rooms: Rooms) -> None:
    # On SQLite this takes the write lock, so a read-only file or disk fails here.
    with rooms.database.transaction() as conn:
        conn.execute(select(1))


def _log(rooms: Rooms) -> None:
    rooms.log.checkpoint()
    with rooms.database.reading() as conn:
        if not rooms.database.durability(conn).holds:
            raise NotDurable("the database may lose what it acknowledged")


def _indexes(rooms: Rooms) -> None:
    now = rooms.clock()
    with rooms.database.reading() as conn:
        rooms.gates.registry.recognise(conn, (), actor="", handles=(), now=now)
        rooms.gates.claims.match(conn, "a blue cube", territory="", now=now)


def _models(rooms: Rooms) -> None:
    if not rooms.gates.judge_text("a blue cube", Surface.PROMPT):
        raise FilterError("the text filter said nothing")


CHECKS: dict[str, Callable[[Rooms], None]] = {
    "database": _database,
    "log": _log,
    "indexes": _indexes,
    "models": _models,
}


def _holds(check: Callable[[Rooms], None], rooms: Rooms) -> bool:
    try:
        check(rooms)
    except (DatabaseUnavailable, AuditError, LikenessError, RightsError, FilterError):
        return False
    return True
