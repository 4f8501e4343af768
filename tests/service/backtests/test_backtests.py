"""Logged observations, judged again: the same by the same policy, and otherwise by another."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.finding import Category, Finding
from service import reviews
from service.acts import Acts
from service.audit.entries import Entry
from service.audit.search.query import EVERYTHING, Term
from service.backtests.flips import share
from service.backtests.replaying import NotReplayable, past
from service.backtests.running import Asked, TooMuch, run
from service.decision import Mode, Verdict
from service.desk import answer
from service.policy_book import Policy, Thresholds
from service.wiring import DEFAULT_POLICY, policy
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

ROOT = Path(__file__).parents[3]
DEFAULT = policy(DEFAULT_POLICY.read_bytes())


def stricter() -> Policy:
    """Return a policy of another name that holds violence from 0.1 and has lost two gates."""
    rule = replace(DEFAULT.rules["filters.violence"], thresholds={"default": Thresholds(0.1, 0.9)})
    return replace(
        DEFAULT,
        ref=replace(DEFAULT.ref, version="other", sha256="0" * 64),
        rules={**DEFAULT.rules, "filters.violence": rule},
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url) as opened:
        yield opened


def decide(house: SmallHouse, violence: float, *, mode: Mode = Mode.ENFORCE) -> Verdict:
    house.filters.scores[Category.VIOLENCE] = violence
    return answer(house.rooms, a_request(), mode=mode).decision.verdict


def worked(house: SmallHouse) -> None:
    worker = Worker(house.pipeline())
    while worker.once():
        pass


def traffic(house: SmallHouse) -> None:
    """Leave decisions of every stage and verdict behind, one of them after a person cleared it."""
    assert decide(house, 0.01) is Verdict.ALLOW
    assert decide(house, 0.12) is Verdict.ALLOW
    assert decide(house, 0.3) is Verdict.HOLD
    assert decide(house, 0.9) is Verdict.BLOCK
    decide(house, 0.12, mode=Mode.DRY_RUN)
    house.filters.scores[Category.VIOLENCE] = 0.3
    house.pipeline().submit(a_request(key="held"))
    house.filters.scores[Category.VIOLENCE] = 0.01
    house.pipeline().submit(a_request(key="goes"))
    with house.rooms.database.reading() as conn:
        waiting = [one.id for one in reviews.list_open(conn) if one.job]
    Acts(house.rooms, "act_moderator").clear(waiting[0], "")
    house.filters.scores[Category.VIOLENCE] = 0.3
    worked(house)


def test_the_policy_that_decided_decides_the_same_to_the_bit(house: SmallHouse) -> None:
    traffic(house)

    found = run(house.rooms.log, Asked(EVERYTHING, DEFAULT))

    assert found.exact.checked == found.flips.judged == found.matched >= 10
    assert found.exact.differing == []
    assert not found.flips.by_verdict
    assert found.skipped == {}
    stages = {one[0] for one in _stages(house)}
    assert stages == {"request", "output", "release"}
    assert any(one[1] for one in _stages(house)), "something was cleared"


def _stages(house: SmallHouse) -> list[tuple[str, bool]]:
    with house.rooms.log.finding() as (finder, read):
        wanted = Term("type", "decision.made")
        return [
            (str(one.facts["stage"]), bool(one.facts.get("cleared")))
            for one in read(wanted, finder.every_place(wanted))
        ]


def test_another_policy_flips_what_it_should_and_names_it(house: SmallHouse) -> None:
    for violence in (0.01, 0.12, 0.12, 0.3, 0.8, 0.95):
        decide(house, violence)
    decide(house, 0.12, mode=Mode.DRY_RUN)

    found = run(house.rooms.log, Asked(EVERYTHING, stricter(), examples=1))

    assert found.flips.judged == 6
    flips = {(one.before, one.after): one for one in found.flips.flips()}
    assert {pair: one.share.many for pair, one in flips.items()} == {
        (Verdict.ALLOW, Verdict.HOLD): 2,
        (Verdict.BLOCK, Verdict.HOLD): 1,
    }
    (example,) = flips[Verdict.ALLOW, Verdict.HOLD].examples
    assert house.rooms.log.entry(example.index).facts["decision"] == example.decision
    assert found.flips.appearing["filters.violence"] == 2
    assert found.exact.checked == 0


def test_a_sample_is_the_same_each_time_and_another_by_another_seed(house: SmallHouse) -> None:
    for _ in range(40):
        decide(house, 0.12)

    def sampled(seed: str) -> list[int]:
        test = run(
            house.rooms.log, Asked(EVERYTHING, stricter(), sample=0.5, seed=seed, examples=50)
        )
        return [one.index for flip in test.flips.flips() for one in flip.examples]

    assert sampled("a") == sampled("a")
    assert 5 < len(sampled("a")) < 35
    assert sampled("a") != sampled("b")


def test_too_many_decisions_and_too_long_a_run_are_refused(house: SmallHouse) -> None:
    for _ in range(3):
        decide(house, 0.12)

    with pytest.raises(TooMuch, match="3 decisions"):
        run(house.rooms.log, Asked(EVERYTHING, DEFAULT, most=2))
    with pytest.raises(TooMuch, match="over"):
        run(house.rooms.log, Asked(EVERYTHING, DEFAULT, most_s=-1.0))


def test_what_cannot_be_judged_again_is_counted_and_named(house: SmallHouse) -> None:
    decide(house, 0.12)
    strange = Entry(
        "decision:dec_old",
        "decision.made",
        house.clock(),
        facts={"mode": "enforce", "verdict": "x"},
    )
    house.rooms.log.append(strange)

    found = run(house.rooms.log, Asked(EVERYTHING, DEFAULT))

    assert found.flips.judged == 1
    assert [many for many, _ in found.skipped.values()] == [1]


@pytest.mark.parametrize("leaf", [b"", b"{}", b"[1]", b'{"type":"review.cleared"}', b"\xff"])
def test_what_is_no_decision_is_not_replayed(leaf: bytes) -> None:
    with pytest.raises(NotReplayable):
        past(leaf)


def test_a_leaf_that_was_changed_is_never_replayed(house: SmallHouse) -> None:
    decide(house, 0.9)
    with house.rooms.database.transaction() as conn:
        conn.exec_driver_sql(
            "UPDATE log_entry SET leaf = CAST(CAST(leaf AS TEXT) || ' ' AS BLOB) WHERE place > 0"
            if conn.dialect.name == "sqlite"
            else "UPDATE log_entry SET leaf = leaf || '\\x20'::bytea WHERE place > 0"
        )

    with pytest.raises(Exception, match="not the one that was logged"):
        run(house.rooms.log, Asked(EVERYTHING, DEFAULT))


def test_a_gate_that_said_nothing_is_judged_by_what_the_candidate_requires(
    house: SmallHouse,
) -> None:
    gates = replace(house.rooms.gates, judge_text=_silent)
    decided = answer(replace(house.rooms, gates=gates), a_request(), mode=Mode.ENFORCE).decision
    assert decided.verdict is Verdict.HOLD

    found = run(house.rooms.log, Asked(EVERYTHING, DEFAULT))

    assert found.exact.checked == 1
    assert found.exact.differing == []


def _silent(_text: str, _surface: object) -> list[Finding]:
    return []


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(many: int, of: int) -> None:
    many = min(many, of)

    found = share(many, of)

    assert 0 <= found.low <= many / of + 1e-9
    assert many / of - 1e-9 <= found.high <= 1


def test_wilson_intervals_are_those_of_the_literature() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20.
    assert (round(share(81, 263).low, 4), round(share(81, 263).high, 4)) == (0.2553, 0.3662)
    assert (round(share(0, 20).low, 4), round(share(0, 20).high, 4)) == (0.0, 0.1611)


def test_no_model_is_loaded_for_a_back_test() -> None:
    script = (
        "import sys; import service.cli.simulate, service.backtests.running, service.wiring;"
        "service.wiring.policy(service.wiring.DEFAULT_POLICY.read_bytes());"
        "models = ('torch', 'onnxruntime', 'transformers', 'dlib', 'cv2');"
        "print([one for one in models if one in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
