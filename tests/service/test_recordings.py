"""Films and sounds that are sent along with a question."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from filters.finding import Category, FilterError
from filters.frames import sampled
from service.body import sealed_json
from service.decision import Mode, Region, Verdict
from service.desk import Answer, answer
from service.media.errors import Code, MediaError
from service.media.looking import Looks, read_looks, read_sound
from service.request import BadRequest, GenerationRequest, Reference, ReferenceKind
from service.steps.sealing import _media_type
from tests.builders import SmallHouse, a_house, a_request
from tests.service.media.builders import a_film
from tests.service.media.test_looking import a_sound

HERO = (200, 10, 10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        gates = replace(made.rooms.gates, listen=made.filters.listen)
        made.rooms = replace(
            made.rooms,
            gates=gates,
            read_film=partial(read_looks, sample=sampled),
            read_sound=read_sound,
        )
        yield made


@pytest.fixture
def film(tmp_path: Path) -> Reference:
    path = a_film(tmp_path / "a.mp4", frames=9, fps=Fraction(8))
    return Reference("input_video", path.read_bytes(), ReferenceKind.FILM)


@pytest.fixture(scope="module")
def sound() -> Reference:
    return Reference("input_audio", a_sound("wav", "pcm_s16le"), ReferenceKind.SOUND)


def ask(house: SmallHouse, *references: Reference) -> Answer:
    return answer(house.rooms, a_request(references=references), mode=Mode.ENFORCE)


def codes(given: Answer) -> set[tuple[str, str]]:
    return {(reason.code, reason.param) for reason in given.decision.reasons}


def test_frames_sound_and_faces_are_looked_at(
    house: SmallHouse, film: Reference, sound: Reference
) -> None:
    given = ask(house, film, sound)

    looked = {(one.param, one.surface) for one in given.decision.observations}
    assert given.decision.verdict is Verdict.ALLOW
    assert {("input_video", "frames"), ("input_video", "sound"), ("input_audio", "sound")} <= looked
    assert given.ticket is not None


def test_what_is_seen_in_a_frame_counts(house: SmallHouse, film: Reference) -> None:
    house.filters.scores[Category.GORE] = 0.9

    given = ask(house, film)

    assert given.decision.verdict is Verdict.BLOCK
    assert codes(given) == {("filters.sexual", "input_video")}


@pytest.mark.parametrize("which", ["film", "sound"])
def test_what_is_heard_counts(
    house: SmallHouse, film: Reference, sound: Reference, which: str
) -> None:
    house.filters.scores[Category.SPEECH] = 0.9
    sent = film if which == "film" else sound

    given = ask(house, sent)

    assert given.decision.verdict is Verdict.HOLD
    assert codes(given) == {("filters.speech", sent.param)}


def test_a_face_in_any_frame_that_is_looked_at_counts(house: SmallHouse) -> None:
    pictures = np.full((3, 64, 64, 3), 90, np.uint8)
    pictures[1] = HERO
    house.faces.people[HERO] = np.eye(128, dtype=np.float32)[0]
    house.rooms = replace(house.rooms, read_film=lambda _content: Looks((0, 5, 9), pictures, None))

    given = ask(house, Reference("input_video", b"film", ReferenceKind.FILM))

    (reason,) = given.decision.reasons
    assert given.decision.verdict is not Verdict.ALLOW
    assert (reason.gate.value, reason.param) == ("likeness", "input_video")
    assert reason.place == Region(5, 0, 0, 64, 64)


def test_a_picture_a_film_and_a_sound_are_told_apart(
    house: SmallHouse, film: Reference, sound: Reference
) -> None:
    from tests.service.api.site import a_picture

    given = ask(house, Reference("input_reference", a_picture()), film, sound)

    params = {one.param for one in given.decision.observations}
    assert {"input_reference", "input_video", "input_audio"} <= params


def test_what_this_process_cannot_open_is_held(
    house: SmallHouse, film: Reference, sound: Reference
) -> None:
    house.rooms = replace(house.rooms, read_film=None, read_sound=None)

    for sent in (film, sound):
        given = ask(house, sent)
        assert given.decision.verdict is Verdict.HOLD
        assert {code for code, _ in codes(given)} == {"policy.unavailable"}


def test_what_nobody_can_listen_to_is_held(house: SmallHouse, sound: Reference) -> None:
    house.rooms = replace(house.rooms, gates=replace(house.rooms.gates, listen=None))

    assert ask(house, sound).decision.verdict is Verdict.HOLD


def test_a_detector_that_fails_holds(house: SmallHouse, film: Reference) -> None:
    house.filters.broken = FilterError("gone")

    assert ask(house, film).decision.verdict is Verdict.HOLD


@pytest.mark.parametrize("kind", [ReferenceKind.FILM, ReferenceKind.SOUND])
def test_one_that_is_none_names_its_field(house: SmallHouse, kind: ReferenceKind) -> None:
    with pytest.raises(BadRequest) as refused:
        ask(house, Reference(f"input_{kind.value}", b"Dear Sir", kind))

    assert refused.value.param == f"input_{kind.value}"


def test_a_full_disk_is_no_fault_of_the_file(house: SmallHouse) -> None:
    def full(_content: bytes) -> Looks:
        raise MediaError(Code.NOT_WRITTEN, "The disk is full.")

    house.rooms = replace(house.rooms, read_film=full)

    with pytest.raises(MediaError, match="disk"):
        ask(house, Reference("input_video", b"film", ReferenceKind.FILM))


def test_a_long_film_has_more_time(house: SmallHouse) -> None:
    from service.steps.run import asked

    pictures = np.full((40, 16, 16, 3), 90, np.uint8)
    looks = Looks(tuple(range(40)), pictures, None)
    house.rooms = replace(house.rooms, read_film=lambda _content: looks)
    long = a_request(references=[Reference("input_video", b"film", ReferenceKind.FILM)])
    gates = house.rooms.gates

    assert gates._patience_s(asked(house.rooms, a_request())) == gates.timeout_s
    assert gates._patience_s(asked(house.rooms, long)) == 6 * gates.timeout_s


def test_each_has_its_media_type(film: Reference, sound: Reference) -> None:
    assert [_media_type(one) for one in (film, sound)] == ["video/mp4", "audio/wav"]


def test_a_recording_is_in_no_repr(house: SmallHouse, film: Reference) -> None:
    request: GenerationRequest = a_request(references=[film])

    assert "ftyp" not in repr(request)
    assert b"film" in sealed_json(request)
