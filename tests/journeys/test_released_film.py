"""What a released film carries, read from the file alone by an independent decoder."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance import manifest
from provenance.report import State as Signature
from provenance.visible import PRESENT_FROM, TEXT_BY_RULE, VisibleMark
from service import jobs
from service.certificates import development_identity
from service.jobs import State
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

SECONDS, FPS = 2, 8


@dataclass(frozen=True)
class Film:
    path: Path
    root_pem: bytes
    job: jobs.Job


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Film]:
    home = tmp_path_factory.mktemp("home")
    with a_house(home) as house:
        job = house.pipeline().submit(a_request(seconds=SECONDS))
        Worker(house.pipeline("worker:1")).once()
        yield downloaded(house, job.id, home / "film.mp4")


def downloaded(house: SmallHouse, job_id: str, path: Path) -> Film:
    with house.rooms.database.reading() as conn:
        job = jobs.get(conn, job_id)
    assert job.state is State.RELEASED
    assert job.blob_sha256 is not None
    with house.rooms.vault.open(job.blob_sha256) as blob:
        path.write_bytes(blob.read())
    root = development_identity(house.rooms.keys, house.clock).root_pem
    return Film(path, root, job)


def lumas(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def the_mark() -> VisibleMark:
    return VisibleMark(
        256, 256, fps=Fraction(FPS), frame_count=SECONDS * FPS, seed=7, text=TEXT_BY_RULE
    )


def unmarked(frames: list[NDArray[np.uint8]]) -> list[int]:
    mark = the_mark()
    return [
        number for number, luma in enumerate(frames) if mark.presence(luma, number) < PRESENT_FROM
    ]


def test_every_frame_has_the_mark_where_it_should_be(film: Film) -> None:
    frames = lumas(film.path)

    assert len(frames) == SECONDS * FPS
    assert unmarked(frames) == []


def test_one_blanked_mark_is_noticed(film: Film) -> None:
    frames = lumas(film.path)
    box = the_mark().box(5)

    frames[5][box.y : box.y + box.height, box.x : box.x + box.width] = 128

    assert unmarked(frames) == [5]


def test_the_mark_moves(film: Film) -> None:
    mark = the_mark()

    places = {(mark.box(frame).x, mark.box(frame).y) for frame in range(SECONDS * FPS)}

    assert len(places) > 3


def test_the_manifest_is_valid_under_the_development_root_and_only_there(film: Film) -> None:
    ours = manifest.read(film.path, film.root_pem)
    publicly = manifest.read(film.path, b"")

    assert ours is not None
    assert ours.state is Signature.TRUSTED
    assert publicly is not None
    assert publicly.state is Signature.VALID


def test_the_manifest_names_neither_prompt_nor_person(film: Film) -> None:
    said = film.path.read_bytes()

    assert b"bounces" not in said
    assert film.job.actor.encode() not in said


def test_the_sound_is_as_long_as_the_film_and_is_heard(film: Film) -> None:
    with av.open(str(film.path)) as container:
        sound = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)

    # AAC fills its last frame of 1,024 samples.
    assert 0 <= sound.shape[1] - SECONDS * 48_000 < 2 * 1024
    assert float(np.sqrt(np.mean(np.square(sound)))) > 0.001
