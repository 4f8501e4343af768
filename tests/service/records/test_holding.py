from collections.abc import Callable
from dataclasses import replace

import pytest

from service import accounts
from service.audit.reading import EntryFilter
from service.records.erasures import Films, State
from service.records.holding import Held
from service.records.holds import Kind, Target
from service.records.holds import State as HoldState
from service.records.words import HoldNotPossible, NoSuchHold, NoSuchSubject, SamePerson
from tests.builders import a_request
from tests.service.records.house import Office


def asked(office: Office) -> str:
    target = Target(Kind.SUBJECT, office.people["mara"])
    return office.holding.ask(office.keeper("olga"), target, "a court asked").hold.id


def disabled(office: Office, name: str) -> None:
    with office.house.rooms.database.transaction() as conn:
        accounts.disable_actor(conn, office.people[name], office.house.clock())


def test_a_hold_is_in_force_when_two_people_say_so_and_ends_when_two_do(office: Office) -> None:
    hold = asked(office)
    steps: list[Callable[[], Held]] = [
        lambda: office.holding.confirm(office.keeper("pavel"), hold),
        lambda: office.holding.release(office.keeper("pavel"), hold),
        lambda: office.holding.release(office.keeper("olga"), hold),
    ]

    states = [step().hold.state for step in steps]

    assert states == [HoldState.IN_FORCE, HoldState.RELEASE_ASKED, HoldState.RELEASED]
    found = office.house.rooms.log.entries(EntryFilter(limit=4))
    assert [entry.type for entry in reversed(found)] == [
        "hold.asked", "hold.in_force", "hold.release_asked", "hold.released",
    ]  # fmt: skip
    assert {entry.facts["target"] for entry in found} == {office.people["mara"]}


def test_nobody_is_two_people(office: Office) -> None:
    hold = asked(office)

    with pytest.raises(SamePerson, match="another person"):
        office.holding.confirm(office.keeper("olga"), hold)
    office.holding.confirm(office.keeper("pavel"), hold)
    office.holding.release(office.keeper("olga"), hold)
    with pytest.raises(SamePerson, match="another person"):
        office.holding.release(office.keeper("olga"), hold)
    assert office.holding.known(office.keeper("olga"), hold).state is HoldState.RELEASE_ASKED


@pytest.mark.parametrize("closed", ["olga", "pavel"])
def test_a_closed_account_is_nobody(office: Office, closed: str) -> None:
    hold = asked(office)
    disabled(office, closed)

    with pytest.raises(SamePerson, match="closed"):
        office.holding.confirm(office.keeper("pavel"), hold)

    assert office.holding.known(office.keeper("olga"), hold).state is HoldState.ASKED


def test_one_that_was_never_confirmed_keeps_nothing_and_is_withdrawn_by_one(office: Office) -> None:
    hold = asked(office)
    mara = office.keeper("mara", officer=False)

    done = office.erasing.ask(mara, mara.actor, case="", films=Films.KEEP).erasure
    gone = office.holding.release(office.keeper("olga"), hold).hold

    assert done.state is State.DONE
    assert gone.state is HoldState.WITHDRAWN
    with pytest.raises(HoldNotPossible):
        office.holding.confirm(office.keeper("pavel"), hold)


def test_a_hold_is_confirmed_once_and_ended_once(office: Office) -> None:
    hold = office.hold(office.people["mara"]).hold.id

    with pytest.raises(HoldNotPossible, match="in_force"):
        office.holding.confirm(office.keeper("pavel"), hold)
    office.release(hold)
    with pytest.raises(HoldNotPossible, match="released"):
        office.holding.release(office.keeper("olga"), hold)


def test_another_projects_hold_is_none(office: Office) -> None:
    hold = asked(office)
    stranger = replace(office.keeper("pavel"), project="proj_other")

    for act in (office.holding.confirm, office.holding.release, office.holding.known):
        with pytest.raises(NoSuchHold):
            act(stranger, hold)
    with pytest.raises(NoSuchSubject):
        office.holding.ask(stranger, Target(Kind.SUBJECT, office.people["mara"]), "mine")
    with pytest.raises(NoSuchSubject):
        office.holding.ask(stranger, Target(Kind.PROJECT, office.project), "theirs")


@pytest.mark.parametrize("what", ["person", "likeness", "project", "case", "request"])
def test_an_erasure_waits_for_whatever_hold_covers_something_of_theirs(
    office: Office, what: str
) -> None:
    mara = office.people["mara"]
    likeness = office.enrol("mara")
    index = office.log(mara, case="case-7")
    request = replace(a_request(actor=mara), requester=replace(a_request().requester, actor=mara))
    office.house.pipeline().submit(request)
    kind, target = {
        "person": (Kind.SUBJECT, mara),
        "likeness": (Kind.SUBJECT, likeness),
        "project": (Kind.PROJECT, office.project),
        "case": (Kind.CASE, "case-7"),
        "request": (Kind.CASE, request.id),
    }[what]
    keeper = office.keeper("olga")
    hold = _house_hold(office, Target(kind, target))
    asker = replace(keeper, actor=mara, is_officer=False)

    waits = office.erasing.ask(asker, mara, case="", films=Films.KEEP).erasure

    assert waits.state is State.QUEUED
    assert office.is_readable(index)
    assert office.erasing.go_on() == ()
    ended = _house_release(office, hold)
    assert [one.erasure.id for one in ended.erased] == [waits.id]
    assert not office.is_readable(index)


def test_a_hold_on_somebody_else_is_in_nobodys_way(office: Office) -> None:
    office.hold(office.people["pavel"])
    office.log(office.people["mara"])
    mara = office.keeper("mara", officer=False)

    assert office.erasing.ask(mara, mara.actor, case="", films=Films.KEEP).erasure.done_at


def test_the_reason_goes_with_the_person_who_gave_it(office: Office) -> None:
    held = office.hold(office.people["mara"])
    assert office.holding.why(office.keeper("pavel"), held.hold) == "a court asked"
    olga = office.keeper("olga", officer=False)

    office.erasing.ask(olga, olga.actor, case="", films=Films.KEEP)

    kept = office.holding.why(office.keeper("pavel"), held.hold)
    assert kept == "a court asked"  # the hold covers the entry that asks for it
    ended = office.release(held.hold.id)
    assert len(ended.erased) == 1
    assert office.holding.why(office.keeper("pavel"), held.hold) is None


def _house_hold(office: Office, target: Target) -> str:
    from service.records.words import Reach

    olga, pavel = (replace(office.keeper(name), reach=Reach.HOUSE) for name in ("olga", "pavel"))
    hold = office.holding.ask(olga, target, "a court asked").hold.id
    office.holding.confirm(pavel, hold)
    return hold


def _house_release(office: Office, hold: str) -> Held:
    from service.records.words import Reach

    olga, pavel = (replace(office.keeper(name), reach=Reach.HOUSE) for name in ("olga", "pavel"))
    office.holding.release(olga, hold)
    return office.holding.release(pavel, hold)


def test_who_reads_why_a_hold_was_asked_for_is_in_the_log(office: Office) -> None:
    held = office.hold(office.people["mara"])

    office.holding.why(office.keeper("pavel"), held.hold)

    (read,) = office.house.rooms.log.entries(EntryFilter(type="hold.read"))
    assert (read.actor, read.facts["hold"]) == (office.people["pavel"], held.hold.id)
