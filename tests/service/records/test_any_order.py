"""Whatever is done in whatever order: no key under hold is destroyed, and no erasure is lost."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from service.audit.errors import ValueRetired
from service.records.erasures import Films, State
from service.records.holds import State as HoldState
from service.records.retention import Schedule, sweep
from service.subjects import SubjectErased
from tests.service.records.house import Office, an_office

NAMES = st.sampled_from(["mara", "noor"])


class Orders(RuleBasedStateMachine):
    """One house; what the machine remembers is what must be true of it."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        home = self.closing.enter_context(TemporaryDirectory())
        self.office: Office = self.closing.enter_context(an_office(Path(home)))
        self.office.person("noor")
        self.holds: dict[str, str] = {}
        self.wishes: dict[str, list[str]] = {"mara": [], "noor": []}
        # Entries of each person that nothing may have taken: kept since a hold began.
        self.kept: dict[str, list[int]] = {"mara": [], "noor": []}
        self.said: dict[str, list[int]] = {"mara": [], "noor": []}

    def teardown(self) -> None:
        self.closing.close()

    @rule(name=NAMES)
    def say(self, name: str) -> None:
        index = self.office.log(self.office.people[name])
        self.said[name].append(index)
        if name in self.holds:
            self.kept[name].append(index)

    @rule(name=NAMES)
    def hold(self, name: str) -> None:
        if name in self.holds:
            return
        self.holds[name] = self.office.hold(self.office.people[name]).hold.id
        self.kept[name] = [one for one in self.said[name] if self.is_there(one)]

    @rule(name=NAMES)
    def release(self, name: str) -> None:
        if name not in self.holds:
            return
        ended = self.office.release(self.holds.pop(name)).hold
        assert ended.state is HoldState.RELEASED
        self.kept[name] = []

    @rule(name=NAMES)
    def erase(self, name: str) -> None:
        keeper = self.office.keeper(name, officer=False)
        made = self.office.erasing.ask(keeper, keeper.actor, case="", films=Films.KEEP).erasure
        self.wishes[name].append(made.id)
        assert made.state is (State.QUEUED if name in self.holds else State.DONE)
        if made.state is State.DONE:
            assert not any(self.is_there(one) for one in self.said[name])

    @rule(days=st.integers(1, 200))
    def time_goes_by(self, days: int) -> None:
        self.office.house.clock.forward(days=days)
        sweep(self.office.house.rooms, Schedule())

    @rule()
    def start_again(self) -> None:
        self.office.erasing.go_on()

    @invariant()
    def nothing_under_hold_is_gone(self) -> None:
        for indexes in self.kept.values():
            assert all(self.is_there(one) for one in indexes)

    @invariant()
    def every_wish_is_done_unless_a_hold_is_in_the_way(self) -> None:
        for name, wishes in self.wishes.items():
            for wish in wishes:
                state = self.office.erasing.known(self.office.keeper(name), wish).state
                assert state is State.DONE or name in self.holds

    @invariant()
    def the_log_is_sound(self) -> None:
        found = self.office.house.rooms.log.verify()
        assert found.sound, found.problems

    def is_there(self, index: int) -> bool:
        with self.office.house.rooms.database.reading() as conn:
            try:
                self.office.house.rooms.log.disclose(conn, index, "said")
            except (SubjectErased, ValueRetired):
                return False
        return True


@pytest.mark.slow
@pytest.mark.usefixtures("unfiltered_log")
def test_no_key_under_hold_is_destroyed_and_no_erasure_is_lost_in_any_order() -> None:
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=20, stateful_step_count=14, deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip
