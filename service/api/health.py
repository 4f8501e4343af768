"""`/healthz`, `/readyz` and `/metrics`: whether the process lives, can decide, and what it did."""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select

from filters.finding import FilterError, Surface
from likeness.faces import LikenessError
from rightsholders.claims import RightsError
from service.api.state import Asker, RoomsDep, StateDep
from service.audit.errors import AuditError, NotDurable
from service.database import DatabaseUnavailable
from service.rooms import Rooms
from service.wire import JSON

router = APIRouter(tags=["health"])


@router.get("/healthz")
def get_health() -> JSON:
    """Return that the process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def get_readiness(rooms: RoomsDep) -> JSONResponse:
    """Return whether a decision could be made now, and if not, the names of what is missing."""
    missing = [name for name, check in CHECKS.items() if not _holds(check, rooms)]
    return JSONResponse(
        {"status": "not ready" if missing else "ready", "missing": missing},
        status_code=503 if missing else 200,
        headers={"retry-after": "5"} if missing else None,
    )


@router.get("/metrics")
def get_metrics(_asker: Asker, state: StateDep) -> Response:
    """Return the counters in Prometheus's text format."""
    return Response(state.metrics.text(), media_type="text/plain; version=0.0.4")


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
