from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from service import jobs
from service.audit.errors import ValueRetired
from service.audit.reading import EntryFilter
from service.jobs import State as JobState
from service.records.holds import Kind
from service.records.retention import Schedule, Swept, sweep
from service.request import Requester
from service.worker import Worker
from tests.builders import a_request
from tests.service.records.house import Office

SCHEDULE = Schedule()


def swept(office: Office) -> Swept:
    return sweep(office.house.rooms, SCHEDULE)


def sweeps(office: Office) -> list[dict[str, object]]:
    found = office.house.rooms.log.entries(EntryFilter(type="retention.swept"))
    return [dict(entry.facts) for entry in found]


def test_a_value_is_dropped_when_its_term_is_over_and_the_log_says_so(office: Office) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    old = office.log(mara)
    office.house.clock.forward(days=181)
    young = office.log(mara)

    assert swept(office) == Swept(values=1)

    after = log.verify()
    assert after.sound, after.problems
    assert (after.retired, after.erased) == (1, 0)
    with office.house.rooms.database.reading() as conn, pytest.raises(ValueRetired):
        log.disclose(conn, old, "said")
    assert office.is_readable(young)
    which = {"below": young, "dropped": 1, "held": 0, "values": [[old, "said"]]}
    assert sweeps(office) == [which]
    assert swept(office) == Swept()
    assert len(sweeps(office)) == 1


def test_a_value_that_nobody_swept_is_missed_and_so_is_one_too_many(office: Office) -> None:
    mara = office.people["mara"]
    office.log(mara), office.log(mara)
    office.house.clock.forward(days=181)
    office.hold(mara)
    swept(office)
    kept = office.log(mara)
    with office.house.rooms.database.transaction() as conn:
        conn.execute(text("DELETE FROM log_value"))

    # A row of sweeps that no entry bears out helps nobody.
    with office.house.rooms.database.transaction() as conn:
        conn.execute(
            text("INSERT INTO log_retention VALUES ('forged', :below, :below, 4)"),
            {"below": kept + 1},
        )

    said = [problem.said for problem in office.house.rooms.log.verify().problems]
    assert len(said) == 4  # three of Mara's, and why the hold was asked for
    assert set(said) == {"said was deleted, not erased", "why was deleted, not erased"}


def test_another_value_than_the_log_names_is_a_problem(office: Office) -> None:
    mara = office.people["mara"]
    held = office.log(mara, case="case-7")
    office.log(mara)
    hold = office.hold("case-7", Kind.CASE).hold.id
    office.house.clock.forward(days=181)
    assert swept(office).values == 1
    assert office.house.rooms.log.verify().sound
    with office.house.rooms.database.transaction() as conn:
        key = office.house.rooms.log.entry(held).key
        conn.execute(text("DELETE FROM log_value WHERE key = :key"), {"key": key})

    (problem,) = office.house.rooms.log.verify().problems

    assert problem.said == "said was deleted, not erased"
    office.release(hold)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_hold_keeps_values_until_it_ends(office: Office, kind: Kind) -> None:
    mara = office.people["mara"]
    index = office.log(mara, case="case-7")
    other = office.log(office.people["olga"])
    target = {Kind.SUBJECT: mara, Kind.CASE: "case-7", Kind.PROJECT: office.project}[kind]
    hold = office.hold(target, kind).hold.id
    office.house.clock.forward(days=181)

    during = swept(office)

    assert during.held >= 1
    assert office.is_readable(index)
    assert office.house.rooms.log.verify().sound
    office.release(hold)
    swept(office)
    for one in (index, other):
        with office.house.rooms.database.reading() as conn, pytest.raises(ValueRetired):
            office.house.rooms.log.disclose(conn, one, "said")
    assert office.house.rooms.log.verify().sound


def test_many_values_go_in_batches_and_none_is_left(office: Office) -> None:
    from service.audit.entries import Entry, Private

    now = office.house.clock()
    mara = office.people["mara"]
    entries = [
        Entry(
            f"many:{number}", "test.said", now, project=office.project,
            values=tuple(Private(f"said/{one}", mara, "quokka") for one in range(3)),
        )
        for number in range(400)
    ]  # fmt: skip
    office.house.rooms.log.append_many(entries)
    office.house.clock.forward(days=181)

    assert swept(office).values == 1200
    after = office.house.rooms.log.verify()
    assert after.sound, after.problems[:3]
    assert after.retired == 1200
    assert len(sweeps(office)) == 3


def test_requests_of_ended_jobs_go_and_those_that_wait_stay(office: Office) -> None:
    office.house.filters.scores.clear()
    made = office.house.pipeline().submit(a_request("a red ball bounces"))
    worker = Worker(office.house.pipeline("worker:1"))
    while worker.once():
        pass
    waits = office.house.pipeline().submit(a_request("a blue ball bounces"))
    office.house.clock.forward(days=31)

    assert swept(office).requests == 1

    with office.house.rooms.database.reading() as conn:
        assert jobs.get(conn, made.id).state is JobState.RELEASED
        with pytest.raises(jobs.UnknownJob):
            jobs.sealed_request(conn, made.id)
        assert jobs.sealed_request(conn, waits.id)
    (entry,) = office.house.rooms.log.entries(EntryFilter(type="retention.requests_dropped"))
    assert entry.facts == {"dropped": 1, "held": 0}


def test_a_hold_keeps_the_requests_of_its_case(office: Office) -> None:
    mara = Requester(office.people["mara"], office.project)
    request = replace(a_request("a red ball bounces"), requester=mara)
    made = office.house.pipeline().submit(request)
    with office.house.rooms.database.transaction() as conn:
        jobs.cancel(conn, made.id, office.house.clock())
    hold = office.hold(request.id, Kind.CASE).hold.id
    office.house.clock.forward(days=31)

    assert swept(office) == Swept(held=1)
    office.release(hold)
    assert swept(office).requests == 1


def test_what_is_younger_than_its_term_stays(office: Office) -> None:
    index = office.log(office.people["mara"])
    office.house.clock.forward(days=179)

    assert swept(office) == Swept()
    assert office.is_readable(index)


def test_an_erased_value_may_be_swept_too(office: Office) -> None:
    from service.records.erasures import Films

    mara = office.keeper("mara", officer=False)
    office.log(mara.actor)
    office.erasing.ask(mara, mara.actor, case="", films=Films.KEEP)
    office.house.clock.forward(days=181)

    swept(office)

    after = office.house.rooms.log.verify()
    assert after.sound
    assert (after.erased, after.retired) == (0, 1)


def test_the_schedule_can_be_shortened(office: Office) -> None:
    index = office.log(office.people["mara"])
    office.house.clock.forward(days=2)

    sweep(office.house.rooms, Schedule(values=timedelta(days=1)))

    assert not office.is_readable(index)
