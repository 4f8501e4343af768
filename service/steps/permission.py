"""The ticket of a job: sealed beside it under its requester's key, verified before each use.

A ticket names handles and carries hashes that can be guessed, so it is erased with its requester.
"""

import base64

from generator.model import NotPermitted
from generator.shots import Shot, same_shot
from service import ticket
from service.jobs import Fields, Step
from service.keys import Purpose
from service.steps.left import text_of
from service.steps.run import Run, shot_of
from service.ticket import Allowance

_CONTEXT = "ticket"


def issued(run: Run, allowed: Allowance) -> str:
    """Return a new ticket for exactly this request, sealed, as text."""
    rooms = run.rooms
    token = ticket.issue(
        run.request,
        allowed,
        rooms.keys.signing(Purpose.TICKET),
        now=rooms.clock(),
        lifetime=rooms.terms.ticket,
    )
    with rooms.database.transaction() as conn:
        sealed = rooms.subjects.seal(
            conn, run.job.actor, token.encode(), f"{_CONTEXT}:{run.job.id}"
        )
    return base64.b64encode(sealed).decode()


def verified(run: Run) -> ticket.Ticket:
    """Return the job's ticket if it permits exactly this request now.

    Raises:
        TicketInvalid: it does not.
    """
    return ticket.verify(
        _token(run),
        run.request,
        run.rooms.keys.verifying(Purpose.TICKET),
        now=run.rooms.clock(),
    )


def permit(run: Run, shot: Shot) -> None:
    """Let the model begin, or raise. The picture is compared too, to the last pixel.

    Raises:
        NotPermitted: another shot than the approved one, or no valid ticket.
    """
    if not same_shot(shot, shot_of(run.request, run.asked.pictures)):
        raise NotPermitted("the model was handed another shot than the one that was approved")
    try:
        verified(run)
    except ticket.TicketInvalid as invalid:
        raise NotPermitted(str(invalid)) from invalid


def _token(run: Run) -> str:
    # Renewed at the claim where the first one ran out in line.
    left: Fields = {**run.results[Step.TICKET], **run.results.get(Step.CLAIM, {})}
    with run.rooms.database.reading() as conn:
        opened = run.rooms.subjects.open(
            conn,
            run.job.actor,
            base64.b64decode(text_of(left, "ticket")),
            f"{_CONTEXT}:{run.job.id}",
        )
    return opened.decode()
