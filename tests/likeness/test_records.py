import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from likeness.records import VERDICTS, NoSuchVerdict, RecordedUse
from likeness.registry import Registry
from tests.likeness.builders import DAY, NOW, admitted


def test_every_use_is_recorded_for_the_person_refused_or_not(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        for number, verdict in enumerate(("allow", "block", "hold")):
            registry.record_use(conn, likeness.id, f"req_{number}", verdict, now=NOW + number * DAY)

        listed = registry.uses_of(conn, likeness.id, before=NOW + 9 * DAY, limit=2)
        earlier = registry.uses_of(conn, likeness.id, before=listed[-1].at)

    assert [use.verdict for use in listed] == ["hold", "block"]
    assert [(use.verdict, use.at) for use in earlier] == [("allow", NOW)]


def test_a_request_that_was_decided_twice_is_one_use(registry: Registry, engine: Engine) -> None:
    with engine.begin() as conn:
        first = registry.record_use(conn, "lik_1", "req_1", "hold", now=NOW)
    with engine.begin() as conn:
        again = registry.record_use(conn, "lik_1", "req_1", "hold", now=NOW + DAY)

        assert registry.uses_of(conn, "lik_1", before=NOW + 9 * DAY) == [first]
    assert again == first == RecordedUse(first.id, "lik_1", "req_1", "hold", NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(VERDICTS), st.integers(0, 5)), min_size=1, max_size=6))
def test_the_strictest_verdict_and_the_first_moment_of_a_request_stay(
    registry: Registry, sqlite: Engine, recorded: list[tuple[str, int]]
) -> None:
    with sqlite.connect() as conn:
        for verdict, hour in recorded:
            at = NOW + timedelta(hours=hour)
            registry.record_use(conn, "lik_1", "req_1", verdict, now=at)

        (use,) = registry.uses_of(conn, "lik_1", before=NOW + DAY)
        conn.rollback()

    assert use.verdict == max((verdict for verdict, _ in recorded), key=VERDICTS.index)
    assert use.at == NOW + timedelta(hours=min(hour for _, hour in recorded))


def test_a_later_and_stricter_verdict_stands_on_both_databases(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        for hour, verdict in enumerate(("allow", "block", "hold")):
            at = NOW + timedelta(hours=hour)
            registry.record_use(conn, "lik_1", "req_1", verdict, now=at)

        (use,) = registry.uses_of(conn, "lik_1", before=NOW + DAY)

    assert (use.verdict, use.at) == ("block", NOW)


def test_two_likenesses_of_one_request_are_two_uses(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        registry.record_use(conn, "lik_1", "req_1", "block", now=NOW)
        registry.record_use(conn, "lik_2", "req_1", "allow", now=NOW)

        listed = [registry.uses_of(conn, each, before=NOW + DAY) for each in ("lik_1", "lik_2")]

    assert [[use.verdict for use in uses] for uses in listed] == [["block"], ["allow"]]


def test_a_word_that_is_no_verdict_is_not_recorded(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        with pytest.raises(NoSuchVerdict):
            registry.record_use(conn, "lik_1", "req_1", "granted", now=NOW)

        assert registry.uses_of(conn, "lik_1", before=NOW + DAY) == []


@pytest.mark.postgres
def test_of_two_who_record_one_request_at_once_the_stricter_stands(
    registry: Registry, postgres: Engine
) -> None:
    both_ready = threading.Barrier(2)

    def record(verdict: str) -> None:
        with postgres.begin() as conn:
            both_ready.wait()
            registry.record_use(conn, "lik_1", "req_1", verdict, now=NOW)

    threads = [threading.Thread(target=record, args=(word,)) for word in ("block", "allow")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with postgres.connect() as conn:
        assert [use.verdict for use in registry.uses_of(conn, "lik_1", before=NOW + DAY)] == [
            "block"
        ]
