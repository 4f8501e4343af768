"""The pre-generation question on its own: a decision and its receipt, and no job."""

from dataclasses import dataclass, field

from service import ticket
from service.decision import Decision, Mode, Receipt, Stage, Verdict
from service.keys import Purpose
from service.request import GenerationRequest
from service.rooms import Rooms
from service.steps.run import asked
from service.steps.verdicts import decided, decision_entry


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
    observations = rooms.gates.look(asked(rooms, request), now=rooms.clock())
    decision = decided(rooms, request, observations, stage=Stage.REQUEST, mode=mode)
    receipt = rooms.log.append(decision_entry(decision, request))
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
