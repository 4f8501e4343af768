"""What an upheld appeal lifts: one code, for one request of one project, for a while."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filters.finding import Category, FilterError
from service.decision import Mode, Stage, Verdict
from service.keys import Purpose
from service.policy_book.overrides import (
    CodeFixed,
    Override,
    grant_override,
    overrides_for,
    sign_of,
)
from service.request import GenerationRequest
from service.steps.run import asked
from service.steps.verdicts import decided
from tests.builders import SmallHouse, a_house, a_request


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url) as opened:
        yield opened


def key(house: SmallHouse) -> bytes:
    return house.rooms.keys.secrets(Purpose.VAULT)[-1].secret


def granted(
    house: SmallHouse,
    request: GenerationRequest,
    code: str = "filters.violence",
    stage: Stage = Stage.REQUEST,
    days: float = 30,
) -> None:
    now = house.clock()
    asker = request.requester
    override = Override(
        asker.project, asker.actor, stage, code, sign_of(request, stage, key(house)),
        now + timedelta(days=days),
    )  # fmt: skip
    with house.rooms.database.transaction() as conn:
        grant_override(conn, override, now)


def verdict(house: SmallHouse, request: GenerationRequest) -> Verdict:
    seen = house.rooms.gates.look(asked(house.rooms, request), now=house.clock())
    return decided(house.rooms, request, seen, stage=Stage.REQUEST, mode=Mode.DRY_RUN).verdict


def test_a_lifted_hold_holds_no_more_whatever_the_seed(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.3
    request = a_request()
    assert verdict(house, request) is Verdict.HOLD

    granted(house, request)

    other_seed = replace(request, parameters=replace(request.parameters, seed=99))
    assert verdict(house, request) is Verdict.ALLOW
    assert verdict(house, other_seed) is Verdict.ALLOW


def test_nothing_else_is_lifted(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.3
    request = a_request()
    granted(house, request)

    other_words = a_request("a red ball bounces on a green floor.")
    other_project = replace(request, requester=replace(request.requester, project="prj_other"))
    assert verdict(house, other_words) is Verdict.HOLD
    assert verdict(house, other_project) is Verdict.HOLD
    house.filters.scores[Category.SEXUAL] = 0.3
    assert verdict(house, request) is Verdict.HOLD


def test_an_override_lapses(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.3
    request = a_request()
    granted(house, request, days=1)
    assert verdict(house, request) is Verdict.ALLOW

    house.clock.forward(days=1)

    assert verdict(house, request) is Verdict.HOLD


def test_an_override_of_another_stage_lifts_nothing_here(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.3
    request = a_request()

    granted(house, request, stage=Stage.OUTPUT)

    assert verdict(house, request) is Verdict.HOLD


def test_after_generation_another_seed_is_another_film(house: SmallHouse) -> None:
    request = a_request()
    other_seed = replace(request, parameters=replace(request.parameters, seed=99))

    signs = [sign_of(one, Stage.OUTPUT, key(house)) for one in (request, other_seed)]

    assert signs[0] != signs[1]


def test_a_check_that_could_not_be_made_is_never_lifted(house: SmallHouse) -> None:
    house.filters.broken = FilterError("broken")
    request = a_request()
    granted(house, request)

    assert verdict(house, request) is Verdict.HOLD
    for code in ("policy.unavailable", "filters.minors"):
        with pytest.raises(CodeFixed):
            granted(house, request, code)


def test_the_table_holds_no_words_of_the_request(house: SmallHouse) -> None:
    request = a_request("Quandrix the Tideling")
    granted(house, request)

    with house.rooms.database.reading() as conn:
        stored = conn.exec_driver_sql("SELECT * FROM policy_override").fetchall()
        sign = sign_of(request, Stage.REQUEST, key(house))
        found = overrides_for(conn, "prj_test", Stage.REQUEST, sign, house.clock())
    assert "Quandrix" not in str(stored)
    assert found == {"filters.violence"}
