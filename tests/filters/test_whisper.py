"""A Whisper is loaded as it was pinned or not at all, and believed only where it is sure."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from filters.finding import Category, FilterError, ModelUnavailable
from filters.listening import Listener
from filters.transcript import Word
from filters.turn import LET_GO_S, ModelLate
from filters.whisper import Whisper, passage
from filters.whisper_files import NEEDED, digest, is_whisper, pinned
from tests.filters.spoken import FakeJudge, LoudIsSpeech, said
from tests.filters.tiny_whisper import tiny_whisper


def loaded(folder: Path, sha256: str = "") -> Whisper:
    return Whisper(
        pinned(folder, sha256 or digest(folder)),
        threads=1,
        compute_type="int8",
        device="cpu",
        seconds_per_minute=60.0,
    )


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path) -> Whisper:
    return loaded(whisper_folder)


@pytest.fixture
def own_folder(whisper_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whisper_folder, tmp_path / "own"))


def noise(seconds: float) -> np.ndarray:
    steps = np.random.default_rng(5).standard_normal(round(seconds * 16_000))
    return (steps * 0.1).astype(np.float32)


@dataclass
class Segment:
    """What faster-whisper says about a sentence."""

    avg_logprob: float = -0.3
    compression_ratio: float = 1.4
    no_speech_prob: float = 0.05
    words: list["Spoken"] | None = field(default_factory=list)


@dataclass
class Spoken:
    """What it says about a word."""

    word: str
    start: float
    end: float


@pytest.mark.parametrize("name", [*NEEDED, "vocabulary.json"])
def test_a_folder_that_lacks_a_file_is_refused_by_name(own_folder: Path, name: str) -> None:
    sha256 = digest(own_folder)
    (own_folder / name).unlink()

    with pytest.raises(ModelUnavailable, match=r"vocabulary|" + name):
        loaded(own_folder, sha256)


@pytest.mark.parametrize("name", [*NEEDED, "vocabulary.json"])
@pytest.mark.parametrize("how", ["cut short", "swapped"])
def test_a_file_that_is_not_the_pinned_one_is_refused(
    own_folder: Path, name: str, how: str
) -> None:
    sha256 = digest(own_folder)
    content = (own_folder / name).read_bytes()
    (own_folder / name).write_bytes(content[:-1] if how == "cut short" else content + b" ")

    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        loaded(own_folder, sha256)


def test_a_vocabulary_that_was_put_beside_the_other_is_refused(own_folder: Path) -> None:
    sha256 = digest(own_folder)
    (own_folder / "vocabulary.txt").write_text("a\n")

    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        loaded(own_folder, sha256)


def test_an_id_of_the_hub_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no folder"):
        digest(tmp_path / "small")


def test_files_that_change_while_they_are_loaded_are_noticed(own_folder: Path) -> None:
    files = pinned(own_folder, digest(own_folder))
    (own_folder / "config.json").write_text("{}")

    with pytest.raises(ModelUnavailable, match="changed"):
        files.check()


def test_weights_that_are_no_weights_are_refused(own_folder: Path) -> None:
    (own_folder / "model.bin").write_bytes(b"nothing")

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        loaded(own_folder)


def test_a_whisper_that_only_reads_english_is_refused(tmp_path: Path) -> None:
    folder = tiny_whisper(tmp_path, multilingual=False)

    with pytest.raises(ModelUnavailable, match="English only"):
        loaded(folder)


def test_its_version_is_the_hash_of_its_files(whisper: Whisper, whisper_folder: Path) -> None:
    assert is_whisper(whisper_folder)
    assert whisper.detector == f"filters.whisper@{digest(whisper_folder)[:12]}"


@pytest.mark.parametrize("seconds", [0.01, 1.0, 29.952])
def test_a_window_of_any_length_is_read(whisper: Whisper, seconds: float) -> None:
    heard = whisper.read(noise(seconds), until=time.monotonic() + 60)

    assert 0.5 < heard.foreign <= 1.0
    assert not any(one.is_sure for one in heard.passages)


def test_it_reads_the_same_twice(whisper: Whisper) -> None:
    first = whisper.read(noise(2), until=time.monotonic() + 60)

    assert whisper.read(noise(2), until=time.monotonic() + 60) == first


def test_who_is_late_or_busy_has_not_read(whisper: Whisper) -> None:
    with pytest.raises(ModelLate):
        whisper.read(noise(1), until=time.monotonic() - 1)


def test_while_a_window_is_read_the_next_one_waits_no_longer_than_it_may(whisper: Whisper) -> None:
    begun, go = threading.Event(), threading.Event()

    def busy(_until: float) -> bool:
        begun.set()
        return go.wait(60)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(whisper._turn.ask, busy, time.monotonic() + 60)
        assert begun.wait(60)
        with pytest.raises(ModelLate, match="busy"):
            whisper.read(noise(1), until=time.monotonic() + 0.05)
        go.set()

    assert first.result()


def test_a_whisper_that_hangs_is_left_to_itself_and_the_next_window_is_late_at_once(
    whisper: Whisper,
) -> None:
    go = threading.Event()
    with pytest.raises(ModelLate):
        whisper._turn.ask(lambda _: go.wait(60), time.monotonic() + 0.05)
    time.sleep(LET_GO_S)

    with pytest.raises(ModelLate, match="hangs"):
        whisper.read(noise(1), until=time.monotonic() + 60)
    go.set()

    with whisper._turn._free:
        assert whisper._turn._free.wait_for(lambda: whisper._turn._due is None, 60)
    assert whisper.read(noise(1), until=time.monotonic() + 60).foreign > 0


def test_a_breakdown_is_our_error_and_the_next_window_is_read(whisper: Whisper) -> None:
    with pytest.raises(FilterError, match="failed"):
        whisper.read(np.zeros((2, 3, 4), np.float32), until=time.monotonic() + 60)

    assert whisper.read(noise(1), until=time.monotonic() + 60).foreign > 0


def test_what_random_weights_say_clears_and_blocks_nothing(whisper: Whisper) -> None:
    sound = said(("one", 1), ("two", 1.5), seconds=3)

    found = Listener(LoudIsSpeech(), whisper, FakeJudge(phrase=""), print).listen(sound)

    assert {one.category for one in found} == {Category.SPEECH}
    assert {one.detector for one in found} == {"filters.voice_activity@2"}
    assert max(one.score for one in found) == 1.0


def test_a_sure_sentence_gives_its_words_in_milliseconds() -> None:
    told = passage(Segment(words=[Spoken(" Hello", 1.25, 1.5), Spoken(" you.", 1.5, 1.75)]))

    assert told.is_sure
    assert told.words == (Word("Hello", 1250, 1500), Word("you.", 1500, 1750))


@pytest.mark.parametrize(
    "segment",
    [
        Segment(avg_logprob=-1.01),
        Segment(avg_logprob=float("nan")),
        Segment(compression_ratio=2.41),
        Segment(compression_ratio=float("nan")),
        Segment(no_speech_prob=0.61),
        Segment(no_speech_prob=float("nan")),
    ],
    ids=["unlikely", "no number", "repeats itself", "no ratio", "no speech", "no chance"],
)
def test_a_sentence_that_whisper_doubts_is_not_believed(segment: Segment) -> None:
    assert not passage(segment).is_sure


def test_a_sentence_without_words_gives_none() -> None:
    assert passage(Segment(words=None)).words == ()
