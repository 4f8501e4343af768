"""A hold that comes into force while somebody is being erased: one is first, and both say so."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.records.erasures import Films, State
from service.records.holds import Kind, Target
from tests.service.records.house import Office


@pytest.mark.slow
def test_no_key_is_destroyed_after_its_hold_is_in_force(office: Office) -> None:
    for number in range(12):
        name = f"person{number}"
        actor = office.person(name)
        index = office.log(actor)
        target = Target(Kind.SUBJECT, actor)
        hold = office.holding.ask(office.keeper("olga"), target, "a court asked").hold.id
        keeper = office.keeper(name, officer=False)

        with ThreadPoolExecutor(2) as both:
            confirming = both.submit(office.holding.confirm, office.keeper("pavel"), hold)
            erasing = both.submit(office.erasing.ask, keeper, actor, case="", films=Films.KEEP)
            held, wished = confirming.result(), erasing.result()

        if wished.erasure.state is State.DONE:
            assert not office.is_readable(index)
            destroyed = office.house.rooms.log.entry(wished.receipt.index)
            begun = office.house.rooms.log.entry(held.receipt.index)
            assert (destroyed.type, begun.type) == ("erasure.done", "hold.in_force")
            assert destroyed.index < begun.index
        else:
            assert office.is_readable(index)
    assert office.house.rooms.log.verify().sound
