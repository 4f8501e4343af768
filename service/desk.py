"""The pre-generation question on its own: a decision and its receipt, and no job."""

from dataclasses import dataclass, field

from service import ticket
from service.decision import Decision, Mode, Receipt, Stage, Verdict
from service.gates import Asked
from service.keys import Purpose
from service.media.errors import Code, MediaError
from service.request import BadRequest, GenerationRequest
from service.rooms import Rooms
from service.steps.run import asked
from service.steps.verdicts import decided, decision_entry, likenesses_in, record_uses


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision that is in the log, and what it permits.

    Attributes:
        ticket: a permission for a gateway to present, on an enforced `allow` only.
    """

    decision: Decision
    receipt: Receipt
    ticket: str | None = field(default=None, repr=False)


def answer(rooms: Rooms, request: GenerationRequest, *, mode: Mode) -> Answer:
    """Ask the three gates about `request`, and return once the decision is in the log.

    Raises:
        BadRequest: a reference cannot be opened.
        DatabaseUnavailable, AuditError: there is no decision.
    """
    observations = rooms.gates.look(_opened(rooms, request), now=rooms.clock())
    decision = decided(rooms, request, observations, stage=Stage.REQUEST, mode=mode)
    receipt = _logged(rooms, request, decision)
    if decision.verdict is not Verdict.ALLOW or mode is not Mode.ENFORCE:
        return Answer(decision, receipt)
    token = ticket.issue(
        request,
        ticket.allowance(decision),
        rooms.keys.signing(Purpose.TICKET),
        now=rooms.clock(),
        lifetime=rooms.terms.ticket,
    )
    return Answer(decision, receipt, token)


def _opened(rooms: Rooms, request: GenerationRequest) -> Asked:
    try:
        return asked(rooms, request)
    except MediaError as refused:
        if refused.code is Code.NOT_WRITTEN:
            raise  # our disk or our processes, not the picture
        param = request.references[0].param
        raise BadRequest(param, refused.code, refused.message, refused.remedy) from refused


def _logged(rooms: Rooms, request: GenerationRequest, decision: Decision) -> Receipt:
    entry = decision_entry(decision, request)
    if decision.mode is not Mode.ENFORCE or not likenesses_in(decision):
        return rooms.log.append(entry)
    # Who is depicted sees every attempt, so the attempt and its entry are one transaction.
    with rooms.database.transaction() as conn:
        rooms.log.stage(conn, entry)
        record_uses(rooms, conn, decision)
    return rooms.log.settle(entry.key)
