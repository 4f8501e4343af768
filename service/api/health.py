"""`/healthz`, `/readyz` and `/metrics`: whether the process lives, can decide, and what it did."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from service.api.state import Asker, StateDep
from service.audit.cosigned import Standing
from service.wire import JSON

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def get_health() -> JSON:
    """Return that the process answers, also while every thread waits for the database."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not ready; `missing` says what."}})
async def get_readiness(state: StateDep) -> JSONResponse:
    """Return whether a decision could be made now, and if not, the names of what is missing."""
    missing = await state.readiness.missing(state.house.rooms)
    return JSONResponse(
        {
            "status": "not ready" if missing else "ready",
            "missing": missing,
            "witnesses": [_standing(one) for one in state.readiness.witnesses],
        },
        status_code=503 if missing else 200,
        headers={"retry-after": "5"} if missing else None,
    )


@router.get("/metrics", response_class=PlainTextResponse)
def get_metrics(_asker: Asker, state: StateDep) -> Response:
    """Return the counters in Prometheus's text format."""
    rooms = state.house.rooms
    state.metrics.witnessed(rooms.log.standings())
    if rooms.cache is not None:
        state.metrics.cached(rooms.cache.outcomes())
    return Response(state.metrics.text(), media_type="text/plain; version=0.0.4")


def _standing(one: Standing) -> JSON:
    return {
        "witness": one.witness.key.id,
        "size": one.size,
        "lag": one.lag,
        "cosigned_at": one.cosigned_at or None,
        "problem": one.problem or None,
    }
