import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, select

from likeness import store
from likeness.consent import EVERYONE, GrantNotPossible, HandleNotPossible, Use
from likeness.dlib_faces import DlibFaces
from likeness.handles import MentionStatus
from likeness.recognition import Outcome, Sighting
from likeness.registry import (
    AlreadyEnrolled,
    HandleTaken,
    NoSuchGrant,
    NoSuchLikeness,
    Registry,
)
from likeness.thresholds import Calibration, CalibrationUnusable, load_calibration
from tests.likeness.builders import DAY, NOW, a_face, a_vault, admitted, granted, near

Picture = NDArray[np.uint8]


def seen(
    registry: Registry,
    conn: Connection,
    number: int,
    actor: str,
    *,
    handles: Sequence[str] = (),
    after: timedelta = timedelta(0),
) -> Sighting:
    (sighting,) = registry.recognise(
        conn, [a_face(near(number, 0.1))], actor=actor, handles=handles, now=NOW + after
    )
    return sighting


def test_a_person_enrolled_from_a_photograph_is_recognised_and_nobody_else_is(
    registry: Registry, engine: Engine, astronaut: Picture, group: Picture
) -> None:
    with engine.begin() as conn:
        likeness = registry.enrol(conn, "eileen", "act_e", [astronaut], now=NOW)

    with engine.connect() as conn:
        own = registry.recognise(conn, registry.look(astronaut), actor="act_e", handles=(), now=NOW)
        taken = registry.recognise(
            conn, registry.look(astronaut), actor="act_x", handles=(), now=NOW
        )
        others = registry.recognise(conn, registry.look(group), actor="act_e", handles=(), now=NOW)

    assert likeness.depth == 1
    assert [(s.outcome, s.grant) for s in own] == [(Outcome.GRANTED, likeness.id)]
    assert [s.outcome for s in taken] == [Outcome.NOT_GRANTED]
    assert {s.outcome for s in others} == {Outcome.STRANGER}


def test_a_grant_clears_a_face_for_whom_it_names_only(registry: Registry, engine: Engine) -> None:
    with engine.begin() as conn:
        grant = granted(registry, conn, admitted(registry, conn, "ana", 1), "act_ben")

        assert seen(registry, conn, 1, "act_ben").grant == grant.id
        assert seen(registry, conn, 1, "act_cem").outcome is Outcome.NOT_GRANTED


def test_a_grant_to_everyone_clears_a_face_for_anybody(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        granted(registry, conn, admitted(registry, conn, "ana", 1), EVERYONE)

        assert seen(registry, conn, 1, "act_cem").outcome is Outcome.GRANTED


def test_a_grant_of_the_voice_does_not_clear_the_face(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        registry.grant(
            conn, likeness.id, "act_ben", uses={Use.VOICE}, from_at=NOW, until_at=NOW + DAY
        )

        assert seen(registry, conn, 1, "act_ben").outcome is Outcome.NOT_GRANTED


def test_naming_one_person_does_not_clear_another(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        for number, handle in enumerate(("ana", "cem")):
            granted(registry, conn, admitted(registry, conn, handle, number), "act_ben")

        assert seen(registry, conn, 0, "act_ben", handles=["ana"]).outcome is Outcome.GRANTED
        assert seen(registry, conn, 0, "act_ben", handles=["cem"]).outcome is Outcome.UNCERTAIN
        assert seen(registry, conn, 0, "act_ben", handles=["zoe"]).outcome is Outcome.UNCERTAIN


def test_an_expired_grant_clears_nothing(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        grant = granted(registry, conn, admitted(registry, conn, "ana", 1), "act_ben", days=1)

        assert seen(registry, conn, 1, "act_ben", after=DAY).outcome is Outcome.NOT_GRANTED
        assert registry.lost_grants(conn, [grant.id], actor="act_ben", now=NOW + DAY) == (grant.id,)


def test_a_revoked_grant_clears_nothing_at_once(registry: Registry, engine: Engine) -> None:
    with engine.begin() as conn:
        grant = granted(registry, conn, admitted(registry, conn, "ana", 1), "act_ben")
        assert not registry.lost_grants(conn, [grant.id], actor="act_ben", now=NOW)
    with engine.begin() as conn:
        registry.revoke_grant(conn, grant.id, now=NOW)

    with engine.connect() as conn:
        assert seen(registry, conn, 1, "act_ben").outcome is Outcome.NOT_GRANTED
        assert registry.lost_grants(conn, [grant.id], actor="act_ben", now=NOW) == (grant.id,)


def test_revocation_takes_effect_at_once_on_every_connection(
    model: DlibFaces, engine: Engine
) -> None:
    registry, elsewhere = (
        Registry(model, a_vault(), load_calibration()),
        Registry(model, a_vault(), load_calibration()),
    )
    with engine.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        grant = granted(registry, conn, likeness, "act_ben")
    with engine.connect() as conn:
        assert seen(elsewhere, conn, 1, "act_ben").outcome is Outcome.GRANTED

    with engine.begin() as conn:
        proof = registry.revoke(conn, likeness.id, now=NOW)

    with engine.connect() as conn:
        for where in (registry, elsewhere):
            assert seen(where, conn, 1, "act_ben").outcome is Outcome.STRANGER
            assert where.lost_grants(conn, [grant.id], actor="act_ben", now=NOW) == (grant.id,)
            (mention,) = where.handles_in(conn, "@ana", actor="act_ben", now=NOW)
            assert mention.status is MentionStatus.NOT_GRANTED
        assert conn.execute(select(store.keys.c.template)).all() == []
        assert conn.execute(select(store.templates.c.id)).all() == []
    assert proof.keys_destroyed == 1


def test_an_owner_loses_their_own_use_by_revoking(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1, owner="act_ana")
        assert not registry.lost_grants(conn, [likeness.id], actor="act_ana", now=NOW)
        assert registry.lost_grants(conn, [likeness.id], actor="act_ben", now=NOW) == (likeness.id,)

        registry.revoke(conn, likeness.id, now=NOW)

        assert registry.lost_grants(conn, [likeness.id], actor="act_ana", now=NOW) == (likeness.id,)


def test_revoking_twice_is_harmless_and_final(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        first = registry.revoke(conn, likeness.id, now=NOW)

        again = registry.revoke(conn, likeness.id, now=NOW)

        assert (first.keys_destroyed, again.keys_destroyed) == (1, 0)
        with pytest.raises(NoSuchLikeness):
            granted(registry, conn, likeness, "act_ben")


def test_an_unknown_permission_never_holds(registry: Registry, sqlite: Engine) -> None:
    with sqlite.connect() as conn:
        assert registry.lost_grants(conn, ["grt_0"], actor="act_ben", now=NOW) == ("grt_0",)
        assert registry.lost_grants(conn, [""], actor="", now=NOW) == ("",)


def test_a_handle_belongs_to_one_person_until_they_revoke(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        with pytest.raises(HandleTaken):
            admitted(registry, conn, "ana", 2)
        registry.revoke(conn, likeness.id, now=NOW)

        assert admitted(registry, conn, "ana", 2).handle == "ana"


def test_nobody_enrols_a_face_that_another_account_enrolled(
    registry: Registry, sqlite: Engine, astronaut: Picture
) -> None:
    with sqlite.begin() as conn:
        registry.enrol(conn, "eileen", "act_e", [astronaut], now=NOW)

        with pytest.raises(AlreadyEnrolled):
            registry.enrol(conn, "thief", "act_t", [astronaut], now=NOW)


def test_an_impossible_handle_or_grant_writes_nothing(
    registry: Registry, sqlite: Engine, astronaut: Picture
) -> None:
    with sqlite.begin() as conn:
        with pytest.raises(HandleNotPossible):
            registry.enrol(conn, "@ana", "act_a", [astronaut], now=NOW)
        with pytest.raises(GrantNotPossible):
            granted(registry, conn, admitted(registry, conn, "ana", 1), "act_ben", days=400)
        with pytest.raises(NoSuchGrant):
            registry.revoke_grant(conn, "grt_0", now=NOW)
        with pytest.raises(NoSuchLikeness):
            registry.revoke(conn, "lik_0", now=NOW)

        assert store.last_change(conn) == store.change_at(conn, 1)


def test_a_generated_face_like_somebody_not_allowed_for_this_job_is_not_granted(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        ana, cem = (admitted(registry, conn, "ana", 1), admitted(registry, conn, "cem", 2))
        grant = granted(registry, conn, ana, "act_ben")

        faces = [a_face(near(number, 0.1)) for number in (1, 2, 3)]
        sightings = registry.recognise_output(
            conn, faces, actor="act_ben", allowed=[ana.id, cem.id], now=NOW
        )

    assert [s.outcome for s in sightings] == [
        Outcome.GRANTED,
        Outcome.NOT_GRANTED,
        Outcome.UNKNOWN_PERSON,
    ]
    assert [s.grant for s in sightings] == [grant.id, "", ""]
    assert sightings[1].likeness == cem.id


def test_a_sighting_says_what_it_rests_on(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        admitted(registry, conn, "ana", 1)

        sighting = seen(registry, conn, 1, "act_x")

    assert sighting.index == "likeness:1"
    assert sighting.detector == "likeness.dlib@1"
    assert sighting.calibration == load_calibration().id
    assert sighting.similarity == pytest.approx(0.9, abs=1e-4)


def test_a_registry_does_not_start_with_another_models_calibration(model: DlibFaces) -> None:
    with pytest.raises(CalibrationUnusable):
        Registry(model, a_vault(), Calibration("c", "0" * 64, 0.4, 0.5, 300))


@pytest.mark.postgres
def test_of_two_who_take_a_handle_at_once_one_is_refused(
    model: DlibFaces, postgres: Engine
) -> None:
    outcomes: list[str] = []
    both_ready = threading.Barrier(2)

    def take(number: int) -> None:
        registry = Registry(model, a_vault(), load_calibration())
        both_ready.wait()
        try:
            with postgres.begin() as conn:
                admitted(registry, conn, "ana", number, owner=f"act_{number}")
        except HandleTaken:
            outcomes.append("refused")
        else:
            outcomes.append("taken")

    threads = [threading.Thread(target=take, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused", "taken"]


@pytest.mark.postgres
def test_no_call_that_begins_after_a_revocation_clears_a_face(
    registry: Registry, postgres: Engine
) -> None:
    calls: list[tuple[float, Outcome]] = []
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.is_set():
            began = time.monotonic()
            with postgres.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
                calls.append((began, seen(registry, conn, 1, "act_ana").outcome))

    with postgres.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while len(calls) < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    with postgres.begin() as conn:
        registry.revoke(conn, likeness.id, now=NOW)
    revoked = time.monotonic()
    while sum(began > revoked for began, _ in calls) < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    enough.set()
    for thread in threads:
        thread.join()

    assert time.monotonic() < deadline
    assert {outcome for began, outcome in calls if began > revoked} == {Outcome.STRANGER}
    assert calls[0][1] is Outcome.GRANTED
