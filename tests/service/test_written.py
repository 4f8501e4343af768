"""What is written in pictures, films and what came out, from the picture to the decision."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.written.clips import Look, Picture, drawn
from filters.captions.captions import Captions
from filters.captions.reader import Page, ReadingFailed, TextReader
from filters.finding import Category, FilterError, Finding, Surface
from filters.frames import sampled
from generator.clip import Clip
from service.decision import Gate, Mode, Observation, Region, Verdict
from service.desk import Answer, answer
from service.media.looking import Looks
from service.media.stills import encoded
from service.request import Reference, ReferenceKind
from service.steps.run import asked
from tests.builders import SmallHouse, a_house, a_request

LOOK = Look(24, ((240, 240, 240), (30, 60, 90)), (20, 150))


def judge(text: str, surface: Surface) -> list[Finding]:
    score = 0.9 if "rotten fish" in text else 0.001
    return [Finding(Category.HATE, score, surface, "filters.text@test")]


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture
def house(tmp_path: Path, reader: TextReader) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        yield reading(made, Captions(judge, reader.read))


def reading(made: SmallHouse, captions: Captions) -> SmallHouse:
    gates = replace(made.rooms.gates, read_captions=captions.look)
    made.rooms = replace(made.rooms, gates=gates)
    inspection = replace(made.workshop.inspection, read_captions=captions.look)
    made.workshop = replace(made.workshop, inspection=inspection)
    return made


def ask(house: SmallHouse, *references: Reference) -> Answer:
    return answer(house.rooms, a_request(references=references), mode=Mode.ENFORCE)


def a_picture(text: str) -> Reference:
    return Reference("input_reference", encoded(drawn(text, LOOK)))


def a_film(house: SmallHouse, frames: Sequence[Picture]) -> Reference:
    looks = Looks(tuple(range(0, 12 * len(frames), 12)), np.stack(frames), None)
    house.rooms = replace(house.rooms, read_film=lambda _content: looks)
    return Reference("input_video", b"film", ReferenceKind.FILM)


def inspected(
    house: SmallHouse, frames: Sequence[Picture], beats: list[int] | None = None
) -> dict[str, list[Observation]]:
    clip = Clip(np.stack(frames), Fraction(2), np.zeros((48_000, 2), np.float32))
    seen = house.workshop.inspection.look(
        clip,
        actor="act_maker",
        allowed=(),
        now=house.clock(),
        beat=lambda: beats.append(1) if beats is not None else None,
    )
    found: dict[str, list[Observation]] = {}
    for one in seen:
        found.setdefault(one.category, []).append(one)
    return found


@pytest.mark.slow
def test_text_in_a_picture_is_refused_with_its_place(house: SmallHouse) -> None:
    given = ask(house, a_picture("rotten fish"))

    (reason,) = given.decision.reasons
    assert given.decision.verdict is Verdict.BLOCK
    assert (reason.code, reason.param) == ("filters.hate", "input_reference")
    assert isinstance(reason.place, Region)
    assert abs(reason.place.x - LOOK.at[0]) < 12
    assert abs(reason.place.y - LOOK.at[1]) < 12


@pytest.mark.slow
@pytest.mark.parametrize("text", ["tea at four", "", "42"])
def test_a_picture_with_other_text_or_none_is_allowed(house: SmallHouse, text: str) -> None:
    given = ask(house, a_picture(text))

    assert given.decision.verdict is Verdict.ALLOW
    assert "filters.unreadable" in {one.category for one in given.decision.observations}


@pytest.mark.slow
def test_halves_in_the_frames_of_a_film_are_read_together(house: SmallHouse) -> None:
    apart = ask(house, a_film(house, [drawn("rotten", LOOK), drawn("tea", LOOK)]))
    together = ask(house, a_film(house, [drawn("rotten", LOOK), drawn("fish", LOOK)]))

    assert apart.decision.verdict is Verdict.ALLOW
    assert together.decision.verdict is Verdict.BLOCK
    frames = [one.place.frame for one in together.decision.reasons if one.place is not None]  # type: ignore[union-attr]
    assert frames == [0, 12] or frames == [0]


@pytest.mark.slow
def test_what_came_out_is_read_and_the_lease_is_kept_meanwhile(house: SmallHouse) -> None:
    beats: list[int] = []
    frames = [drawn("rotten", LOOK), drawn("fish", LOOK), drawn("", LOOK)]

    found = inspected(house, frames, beats)

    assert {one.param for one in found["filters.hate"]} == {"output"}
    assert {one.place.frame for one in found["filters.hate"]} == {0, 1}  # type: ignore[union-attr]
    assert max(one.score for one in found["filters.hate"]) == 0.9
    assert len(beats) >= 3 * len(sampled(3, Fraction(2)))


@pytest.mark.parametrize("fault", ["reader", "judge", "silent"])
def test_a_reader_that_fails_holds_everything_it_was_shown(
    tmp_path: Path, fault: str, reader: TextReader
) -> None:
    def broken(_frame: Picture, _number: int) -> Page:
        raise ReadingFailed("x")

    def gone(_text: str, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    captions = {
        "reader": Captions(judge, broken),
        "judge": Captions(gone, reader.read),
        "silent": Captions(lambda _text, _surface: [], reader.read),
    }[fault]
    with a_house(tmp_path) as made:
        house = reading(made, captions)
        frames = [drawn("tea at four", LOOK)] * 2

        for given in (ask(house, a_picture("tea")), ask(house, a_film(house, frames))):
            assert given.decision.verdict is Verdict.HOLD
            assert {one.code for one in given.decision.reasons} == {"policy.unavailable"}
        assert "policy.unavailable" in inspected(house, frames)


def test_one_that_says_nothing_at_all_has_not_looked(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        gates = replace(house.rooms.gates, read_captions=lambda _frames, _surface: [])
        house.rooms = replace(house.rooms, gates=gates)
        inspection = replace(house.workshop.inspection, read_captions=lambda _frames, _surface: [])
        house.workshop = replace(house.workshop, inspection=inspection)

        given = ask(house, a_picture("tea"))

        assert given.decision.verdict is Verdict.HOLD
        assert "policy.unavailable" in inspected(house, [drawn("", LOOK)] * 2)


def test_writing_that_nobody_could_read_waits_for_a_person(tmp_path: Path) -> None:
    def unread(_frames: object, surface: Surface) -> list[Finding]:
        return [Finding(Category.UNREADABLE, 0.6, surface, "filters.captions@test")]

    with a_house(tmp_path) as house:
        gates = replace(house.rooms.gates, read_captions=unread)
        house.rooms = replace(house.rooms, gates=gates)

        given = ask(house, a_picture("tea"))

        assert given.decision.verdict is Verdict.HOLD
        assert {one.code for one in given.decision.reasons} == {"filters.unreadable"}


def test_a_batch_of_pictures_has_the_time_that_its_pictures_take(tmp_path: Path) -> None:
    def slow(_frames: object, surface: Surface) -> list[Finding]:
        time.sleep(0.1)
        return [Finding(Category.UNREADABLE, 0.0, surface, "filters.captions@test")]

    with a_house(tmp_path) as house:
        gates = replace(house.rooms.gates, read_captions=slow, timeout_s=0.5)
        many = [asked(house.rooms, a_request(references=[a_picture("")])) for _ in range(8)]

        seen = gates.look_at_all(many, now=house.clock(), gates=[Gate.FILTERS])

    assert not [one for some in seen for one in some if one.category == "policy.unavailable"]
