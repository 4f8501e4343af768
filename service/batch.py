"""Many questions at once: each is a decision of its own, and all share a commit of the log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service import desk
from service.decision import Decision, Mode
from service.desk import Answer
from service.request import BadRequest, GenerationRequest
from service.rooms import Rooms
from service.steps.verdicts import entry_of
from service.steps.waiting import appeals_at

MAX_QUESTIONS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and whether the answer counts."""

    request: GenerationRequest
    mode: Mode


def answers(rooms: Rooms, questions: Sequence[Question]) -> list[Answer | BadRequest]:
    """Return an answer to each, in order, once all are in the log; one that is wrong spoils none.

    Raises:
        BookBroken, DatabaseUnavailable, AuditError: nobody is told of any of them.
    """
    found = desk.judged_together(rooms, [(one.request, one.mode) for one in questions])
    logged: dict[int, Answer] = {}
    alone = [
        (place, one)
        for place, one in enumerate(found)
        if isinstance(one, Decision) and desk.stands_alone(one)
    ]
    entries = [entry_of(rooms, one, questions[place].request) for place, one in alone]
    receipts = rooms.log.append_many(entries) if entries else []
    for (place, decision), receipt in zip(alone, receipts, strict=True):
        given = desk.permitted(rooms, questions[place].request, decision, receipt)
        logged[place] = replace(given, appeals=appeals_at(rooms, decision, None))
    return [
        one
        if isinstance(one, BadRequest)
        else logged.get(place) or desk.told(rooms, questions[place].request, one)
        for place, one in enumerate(found)
    ]
