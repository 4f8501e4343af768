import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from service import accounts, jobs, notices
from service.audit.errors import NoEntry
from service.audit.reading import EntryFilter
from service.jobs import State as JobState
from service.records.erasures import Films, State
from service.records.retention import sweep_erased
from service.records.words import (
    BelongsElsewhere,
    CaseMissing,
    LedgerUnwritable,
    NoSuchErasure,
    NoSuchSubject,
    NotYours,
    Reach,
)
from service.request import GenerationRequest, Requester
from service.worker import Worker
from tests.builders import a_request
from tests.service.records.house import Office, an_office

SECRET = "xylophonic quokkas"


def types(office: Office) -> list[str]:
    found = office.house.rooms.log.entries(EntryFilter(limit=1000))
    return [entry.type for entry in reversed(found)]


def own(office: Office, name: str = "mara") -> GenerationRequest:
    made = a_request(f"a red ball, {SECRET}", actor=office.people[name])
    return replace(made, requester=Requester(office.people[name], office.project))


def erase(office: Office, name: str = "mara", films: Films = Films.KEEP) -> State:
    keeper = office.keeper(name, officer=False)
    return office.erasing.ask(keeper, office.people[name], case="", films=films).erasure.state


def test_what_a_person_said_is_gone_and_every_proof_is_as_it_was(office: Office) -> None:
    log, mara = office.house.rooms.log, office.people["mara"]
    index = office.log(mara)
    size, root = log.verify().size, log.verify().root
    leaf, proof = log.entry(index).leaf, log.inclusion_proof(index, size)

    assert erase(office) is State.DONE

    after = log.verify()
    assert not office.is_readable(index)
    assert log.entry(index).leaf == leaf
    assert log.inclusion_proof(index, size) == proof
    assert after.sound
    assert after.erased == 1
    assert log.verify(seen=log.checkpoint()).sound
    assert root != after.root  # two entries more, and only that
    assert types(office)[-2:] == ["erasure.requested", "erasure.done"]


def test_the_wish_is_logged_before_the_key_is_destroyed(office: Office) -> None:
    office.log(office.people["mara"])
    office.ledger.path.mkdir()  # nothing can be written there

    with pytest.raises(LedgerUnwritable):
        erase(office)

    assert office.has_key(office.people["mara"])
    assert types(office)[-1] == "erasure.requested"
    office.ledger.path.rmdir()
    (done,) = office.erasing.go_on()
    assert done.erasure.state is State.DONE
    assert not office.has_key(office.people["mara"])
    assert office.erasing.go_on() == ()


def test_requests_notices_and_words_of_the_account_go_and_ids_stay(office: Office) -> None:
    made = office.house.pipeline().submit(own(office))
    worker = Worker(office.house.pipeline("worker:1"))
    while worker.once():
        pass

    erase(office)

    mara = office.people["mara"]
    with office.house.rooms.database.reading() as conn:
        job = jobs.get(conn, made.id)
        assert job.state is JobState.RELEASED
        with pytest.raises(jobs.UnknownJob):
            jobs.sealed_request(conn, made.id)
        assert all(step.result == {} for step in jobs.steps(conn, made.id))
        assert notices.list_for(conn, mara) == ()
        assert accounts.actor(conn, mara).display == ""
        assert {key.label for key in accounts.keys_of(conn, office.project) if key.actor == mara} \
            == {""}  # fmt: skip
    with office.house.rooms.vault.open(job.blob_sha256 or "") as film:
        assert film.read(4)
    assert office.house.rooms.log.verify().sound


def test_films_go_where_that_was_asked_for(office: Office) -> None:
    made = office.house.pipeline().submit(own(office))
    worker = Worker(office.house.pipeline("worker:1"))
    while worker.once():
        pass
    with office.house.rooms.database.reading() as conn:
        blob = jobs.get(conn, made.id).blob_sha256 or ""

    erase(office, films=Films.REMOVE)

    from service.vault import NoSuchBlob

    with pytest.raises(NoSuchBlob):
        office.house.rooms.vault.open(blob)
    with office.house.rooms.database.reading() as conn:
        assert jobs.get(conn, made.id).deleted_at is not None


def test_a_job_that_waits_is_cancelled_and_a_running_one_is_told_to_stop(office: Office) -> None:
    waits = office.house.pipeline().submit(own(office))
    runs = office.house.pipeline().submit(own(office))
    worker = office.house.pipeline("worker:1")
    lease = worker.claim()
    assert lease is not None
    running, waiting = (runs, waits) if lease.job == runs.id else (waits, runs)

    erase(office)

    Worker(worker).carry_on(lease)
    assert sweep_erased(office.house.rooms) == 1
    with office.house.rooms.database.reading() as conn:
        assert jobs.get(conn, waiting.id).state is JobState.CANCELLED
        assert jobs.get(conn, running.id).state in {JobState.CANCELLED, JobState.FAILED}
        for job in (waits, runs):
            with pytest.raises(jobs.UnknownJob):
                jobs.sealed_request(conn, job.id)
    assert sweep_erased(office.house.rooms) == 0


def test_erasing_an_actor_revokes_their_likeness_and_nobody_elses(office: Office) -> None:
    office.person("noor")
    mara, noor = office.enrol("mara"), office.enrol("noor")

    erase(office)

    registry = office.house.rooms.gates.registry
    with office.house.rooms.database.reading() as conn:
        left = conn.execute(text("SELECT likeness FROM likeness_keys")).scalars().all()
        assert registry.require_owner(conn, mara, office.people["mara"]).state.value == "revoked"
        assert registry.require_owner(conn, noor, office.people["noor"]).state.value == "active"
    assert set(left) == {noor}


def test_a_likeness_is_erased_by_its_owner_and_the_owner_stays(office: Office) -> None:
    likeness = office.enrol("mara")
    said = office.log(likeness)
    keeper = office.keeper("mara", officer=False)

    done = office.erasing.ask(keeper, likeness, case="", films=Films.KEEP).erasure

    assert done.counts.likenesses == 1
    assert not office.is_readable(said)
    assert office.has_key(office.people["mara"])


def test_what_comes_after_an_erasure_is_new_and_can_be_read(office: Office) -> None:
    before = office.log(office.people["mara"])
    erase(office)

    after = office.log(office.people["mara"])

    assert not office.is_readable(before)
    assert office.is_readable(after)
    assert office.house.rooms.log.verify().sound


def test_nobody_asks_for_somebody_else_but_an_operator_who_names_a_case(office: Office) -> None:
    office.person("noor")
    mara = office.people["mara"]

    with pytest.raises(NotYours):
        office.erasing.ask(office.keeper("noor", officer=False), mara, case="", films=Films.KEEP)
    with pytest.raises(CaseMissing):
        office.erasing.ask(office.keeper("olga"), mara, case="", films=Films.KEEP)
    done = office.erasing.ask(office.keeper("olga"), mara, case="case-7", films=Films.KEEP)

    assert done.erasure.state is State.DONE
    assert office.house.rooms.log.entry(done.receipt.index).facts["case"] == "case-7"


def test_an_operator_reaches_no_further_than_the_project(office: Office) -> None:
    with office.house.rooms.database.transaction() as conn:
        theirs = accounts.create_project(conn, "theirs", office.house.clock()).id
    office.person("noor", theirs)
    office.log(office.people["noor"])
    olga = office.keeper("olga")

    for nobody in (office.people["noor"], "act_00000000000000000000000000"):
        with pytest.raises(NoSuchSubject):
            office.erasing.ask(olga, nobody, case="case-1", films=Films.KEEP)
    with office.house.rooms.database.transaction() as conn:
        key = accounts.NewKey(office.people["mara"], theirs, frozenset())
        accounts.create_key(conn, key, office.house.clock())
    with pytest.raises(BelongsElsewhere):
        office.erasing.ask(olga, office.people["mara"], case="case-1", films=Films.KEEP)
    house = replace(olga, reach=Reach.HOUSE)
    done = office.erasing.ask(house, office.people["noor"], case="case-1", films=Films.KEEP)
    assert done.erasure.state is State.DONE


def test_an_erasure_is_shown_to_those_whom_it_concerns(office: Office) -> None:
    office.person("noor")
    keeper = office.keeper("mara", officer=False)
    made = office.erasing.ask(keeper, keeper.actor, case="", films=Films.KEEP).erasure

    assert office.erasing.known(keeper, made.id) == made
    assert office.erasing.known(office.keeper("olga"), made.id) == made
    stranger = replace(office.keeper("olga"), project="proj_other")
    for other in (office.keeper("noor", officer=False), stranger):
        with pytest.raises(NoSuchErasure):
            office.erasing.known(other, made.id)


def test_a_restored_backup_is_erased_again_before_anybody_is_served(tmp_path: Path) -> None:
    with an_office(tmp_path) as office:
        index, mara = office.log(office.people["mara"]), office.people["mara"]
    shutil.copy(tmp_path / "house.sqlite3", tmp_path / "backup.sqlite3")
    with an_office(tmp_path) as office:
        keeper = replace(office.keeper("olga"), reach=Reach.HOUSE)
        office.erasing.ask(keeper, mara, case="case-1", films=Films.KEEP)
        assert not office.is_readable(index)
    for left in tmp_path.glob("house.sqlite3*"):
        left.unlink()
    shutil.copy(tmp_path / "backup.sqlite3", tmp_path / "house.sqlite3")

    with an_office(tmp_path) as office:
        assert office.is_readable(index)
        (again,) = office.erasing.go_on()

        assert not office.is_readable(index)
        assert again.erasure.state is State.DONE
        assert "erasure.replayed" in types(office)
        assert office.house.rooms.log.verify().sound
        assert office.erasing.go_on() == ()


def test_nothing_private_is_in_the_leaves_or_in_the_list(office: Office) -> None:
    office.house.pipeline().submit(own(office))
    office.enrol("mara")
    erase(office)

    leaves = [one.leaf for one in office.house.rooms.log.entries(EntryFilter(limit=1000))]
    listed = office.ledger.path.read_bytes()

    for secret in (b"quokka", b"by name", b"laptop", b'"mara"'):
        assert not [leaf for leaf in leaves if secret in leaf]
        assert secret not in listed
    assert office.ledger.path.stat().st_mode & 0o077 == 0


def test_after_an_erasure_the_database_file_has_no_copy_of_the_key(tmp_path: Path) -> None:
    with an_office(tmp_path) as office:
        mara = office.people["mara"]
        office.log(mara)
        with office.house.rooms.database.reading() as conn:
            query = text("SELECT wrapped FROM subject_key WHERE subject = :subject")
            wrapped = bytes(conn.execute(query, {"subject": mara}).scalar_one())
        files = list(tmp_path.glob("house.sqlite3*"))
        assert [one for one in files if wrapped in one.read_bytes()]

        erase(office)

        assert not [one for one in files if one.exists() and wrapped in one.read_bytes()]


def test_an_unknown_erasure_is_none(office: Office) -> None:
    with pytest.raises(NoSuchErasure):
        office.erasing.finish("ers_00000000000000000000000000")
    with pytest.raises(NoEntry):
        office.house.rooms.log.entry(10_000)
