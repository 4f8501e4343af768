"""Who asks, and what their answer stands on: read once for all who arrive at the same time.

A thread and a transaction for each request cost more than deciding about it. What is read is
never older than the request, so that a revoked key, a claim or a promotion counts at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from service import accounts
from service.accounts import Principal
from service.policy_book.book import Standing
from service.policy_book.states import BookBroken
from service.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that has just come in. `decides` asks for what a decision stands on as well."""

    key: str = field(repr=False)
    decides: bool


@dataclass(frozen=True, slots=True)
class Stands:
    """What decisions stand on at one moment.

    Attributes:
        registers: how far those of likenesses and claims are.
        broken: why no policy can be said to be live.
    """

    registers: tuple[object, object]
    standing: Standing | None
    plan: str = ""
    broken: BookBroken | None = None

    @property
    def policies(self) -> Standing:
        """The policies that decide.

        Raises:
            BookBroken: there are none.
        """
        if self.standing is None:
            raise self.broken or BookBroken("no policy is live")
        return self.standing


@dataclass(frozen=True, slots=True)
class Arrived:
    """Whose key it is, and what a decision stands on where one was asked for."""

    principal: Principal
    stands: Stands | None

    @property
    def ground(self) -> Stands:
        """What a decision stands on.

        Raises:
            BookBroken: nobody asked for it, so there is none.
        """
        if self.stands is None:
            raise BookBroken("the policy was not read")
        return self.stands


Read = Callable[[Sequence[Arrival]], Sequence[Arrived | Exception]]


def reading(rooms: Rooms) -> Read:
    """Return what reads for many arrivals at once."""

    def read(arrivals: Sequence[Arrival]) -> list[Arrived | Exception]:
        with rooms.database.reading() as conn:
            found = accounts.authenticate_all(
                conn, [arrival.key for arrival in arrivals], rooms.clock()
            )
            stands: dict[str, Stands] = {}
            answers: list[Arrived | Exception] = []
            for arrival, one in zip(arrivals, found, strict=True):
                if isinstance(one, Exception):
                    answers.append(one)
                    continue
                if arrival.decides and one.project not in stands:
                    stands[one.project] = _stands(rooms, conn, one.project)
                needs = stands[one.project] if arrival.decides else None
                answers.append(Arrived(one, needs))
        return answers

    return read


def _stands(rooms: Rooms, conn: Connection, project: str) -> Stands:
    registers = rooms.gates.registers(conn)
    try:
        return Stands(registers, rooms.book.standing(conn), rooms.book.plan(conn, project))
    except BookBroken as broken:
        return Stands(registers, None, broken=broken)
