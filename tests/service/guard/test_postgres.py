"""The same on PostgreSQL, where writers wait for the registers in another way."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.guard import Refused
from tests.builders import a_house
from tests.service.api.site import WordFilter
from tests.service.guard.conftest import Studio, a_film
from tests.service.guard.test_inside import watch


@pytest.mark.postgres
def test_a_film_is_out_and_another_is_kept_in_by_a_revocation(
    tmp_path: Path, postgres_url: str
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    with a_house(tmp_path, url=postgres_url) as house:
        words = WordFilter()
        gates = replace(house.rooms.gates, judge_text=words.read)
        house.rooms = replace(house.rooms, gates=gates)
        studio = Studio(house, words, films)
        mara, actor, grant = studio.grant()

        with studio.guard("a red ball with @mara", actor=actor) as g:
            g.publish(a_film(), to=films / "first.mp4")
        watch(studio, after=lambda: mara.revoke_grant(grant))
        with (
            pytest.raises(Refused) as refused,
            studio.guard("a red ball with @mara", actor=actor) as g,
        ):
            g.publish(a_film(), to=films / "second.mp4")

    assert refused.value.decision["stage"] == "release"
    assert studio.left == ["first.mp4"]
