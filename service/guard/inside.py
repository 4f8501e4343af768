"""Deciding and publishing in this very process, with a house of our own."""

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

from filters.finding import FilterError
from likeness.faces import LikenessError
from provenance.failures import ProvenanceError
from rightsholders.claims import RightsError
from service import desk, wiring
from service.accounts import AccountError, local
from service.audit.errors import AuditError
from service.certificates import CertificatesUnusable
from service.database import DatabaseUnavailable
from service.decision import Decision, MaxSeconds, Mode, Steer, Verdict, VisibleMark
from service.guard.errors import NotPermitted, Refused, Unavailable
from service.guard.wanted import Allowed, Wanted
from service.ids import new_id
from service.keys import KeyRingError
from service.media.errors import MediaError
from service.migrations import DatabaseTooNew
from service.policy_book import PolicyRefused
from service.policy_book.states import BookError
from service.publishing import Judged, Made, NotAsPermitted, Permit, Published, publish
from service.rooms import Rooms, Workshop
from service.settings import SettingsRefused, from_environment
from service.steps.ending import RegistersMoving
from service.steps.sealing import Percent
from service.steps.waiting import appeals_at
from service.subjects import SubjectError
from service.ticket import TicketInvalid
from service.wire import decision_json
from service.wiring import House

_NO_ANSWER = (
    AccountError, AuditError, BookError, CertificatesUnusable, DatabaseTooNew,
    DatabaseUnavailable, FilterError, KeyRingError, LikenessError, MediaError, PolicyRefused,
    ProvenanceError, RegistersMoving, RightsError, SettingsRefused, SubjectError, TicketInvalid,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Premises:
    """The parts of a house that a guard needs.

    Attributes:
        workshop: what looks at films and seals them; asked for when there is one.
    """

    rooms: Rooms
    workshop: Callable[[], Workshop]


def premises(house: House) -> Premises:
    """Return the premises of an open house."""

    @cache
    def workshop() -> Workshop:
        found = house.workshop().workshop
        if found is None:
            raise TypeError("a workshop's pipeline has a workshop")
        return found

    return Premises(house.rooms, workshop)


class Own:
    """The house of this process, opened when it is first needed and closed at its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, Premises] = {}

    def premises(self) -> Premises:
        """Return its premises; those of `IMPRIMATUR_*` as they were at the first call."""
        with self._lock:
            # A fork has none of the threads that write the log.
            process = os.getpid()
            if process not in self._open:
                closing = ExitStack()
                house = closing.enter_context(wiring.opened(from_environment()))
                atexit.register(closing.close)
                self._open[process] = premises(house)
            return self._open[process]


OWN = Own()


class Inside:
    """One request, decided and published in this process.

    Args:
        house: None for the process's own.
        actor: who asks, `act_…`; empty for the local operator.
    """

    def __init__(self, wanted: Wanted, house: Premises | None, actor: str) -> None:
        self._wanted = wanted
        self._house = house
        self._actor = actor
        self._permit: Permit | None = None

    def ask(self) -> Allowed:
        """Return what may be generated, once the decision is in the log.

        Raises:
            Refused, Unavailable, BadRequest: nothing may.
        """
        with _answering():
            rooms = self._premises().rooms
            who = local.requester(rooms.database, self._actor, rooms.clock())
            request = self._wanted.request(who, new_id("req", rooms.clock()))
            answer = desk.answer(rooms, request, mode=Mode.ENFORCE)
        decision = answer.decision
        shown = decision_json(
            decision, receipt=answer.receipt, ticket=answer.ticket, appeals=answer.appeals
        )
        if decision.verdict is not Verdict.ALLOW:
            raise Refused(shown)
        if answer.ticket is None:
            raise Unavailable("there is no ticket for this decision")
        self._permit = Permit(request, decision, answer.ticket)
        steer, most = _conditions(decision, Steer(request.prompt, ""), request.parameters.seconds)
        made = request.parameters
        return Allowed(
            steer.prompt, steer.negative, made.size, most, made.fps, made.seed,
            answer.ticket, shown,
        )  # fmt: skip

    def publish(self, made: Made, beat: Percent) -> Published:
        """Return the film once it is out.

        Raises:
            Refused, Unavailable, NotPermitted, FileExistsError, OSError: it is not.
        """
        if self._permit is None:
            raise NotPermitted("nothing was allowed")
        with _answering():
            house = self._premises()
            found = publish(house.rooms, house.workshop(), self._permit, made, beat=beat)
        if isinstance(found, Judged):
            at = appeals_at(house.rooms, found.decision, None)
            raise Refused(decision_json(found.decision, receipt=found.receipt, appeals=at))
        return found

    def _premises(self) -> Premises:
        return self._house or OWN.premises()


def _conditions(decision: Decision, asked: Steer, seconds: int) -> tuple[Steer, int]:
    steer, most = asked, seconds
    for condition in decision.conditions:
        match condition:
            case Steer():
                steer = condition
            case MaxSeconds(value):
                most = min(most, value)
            case VisibleMark():
                pass  # whatever is published here carries it
    return steer, most


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what kept us from an answer into `Unavailable`; it is never an allow."""
    try:
        yield
    except NotAsPermitted as other:
        raise NotPermitted(str(other)) from other
    except _NO_ANSWER as broken:
        raise Unavailable(f"no answer: {broken}") from broken
