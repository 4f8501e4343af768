"""`/v1/audit/requests/{id}`: everything about one request, from end to end."""

from typing import Annotated

from fastapi import APIRouter, Path

from service import story
from service.api.searching import project_asked
from service.api.state import Asker, RoomsDep
from service.api.words import PRINTABLE, Word
from service.story import Event
from service.wire import JSON

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Wanted = Annotated[
    str,
    Path(
        max_length=80,
        pattern=PRINTABLE,
        description="A request, decision, video, review or appeal, or the SHA-256 of a release.",
    ),
]


@router.get("/requests/{wanted}")
def get_story(asker: Asker, rooms: RoomsDep, wanted: Wanted, project: Word = "") -> JSON:
    """Return what happened to a request, in the order of the log, each with its proof.

    An operator asks about another project by its id, or about `all`.
    """
    within = project_asked(project, asker)
    told = story.told(rooms.log, rooms.database, wanted, project=within)
    return {
        "object": "audit.story",
        "request_id": told.request or None,
        "project": told.project,
        "actor": told.actor or None,
        "video": told.job or None,
        "state": told.outcome.state,
        "said": told.outcome.said,
        "missing": list(told.outcome.missing),
        "events": [_event(one) for one in told.events],
        "log": told.log,
        "tree_size": told.tree_size,
    }


def _event(event: Event) -> JSON:
    return {
        "index": event.entry.index,
        "at": event.entry.at,
        "logged_at": event.entry.logged_at,
        "type": event.entry.type,
        "actor": event.entry.actor,
        "title": event.title,
        "lines": list(event.lines),
        "facts": event.entry.facts,
        "proof_url": event.proof_url,
    }
