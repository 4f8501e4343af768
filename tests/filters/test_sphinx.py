"""The embedded reader makes out words, and nothing more follows from them than a hint."""

import time
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from filters.finding import Category, ModelUnavailable, Surface
from filters.listening import Listener
from filters.sound import slowed
from filters.speech import VoiceActivity
from filters.sphinx import _FILES, _FOLDER, SHA256, Sphinx, digest
from tests.filters.spoken import FakeJudge, LoudIsSpeech, said
from tests.filters.test_speech import a_voice


@pytest.fixture(scope="module")
def sphinx() -> Sphinx:
    return Sphinx(seconds=30.0)


def noise(seconds: float) -> np.ndarray:
    steps = np.random.default_rng(5).standard_normal(round(seconds * 16_000))
    return (steps * 0.1).astype(np.float32)


def test_the_model_in_the_wheel_is_the_pinned_one() -> None:
    assert digest(Path(str(pocketsphinx.__file__)).parent / _FOLDER) == SHA256


@pytest.mark.parametrize("name", _FILES)
def test_another_model_has_another_digest_and_a_missing_file_has_none(
    tmp_path: Path, name: str
) -> None:
    for each in _FILES:
        (tmp_path / each).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / each).write_bytes(b"x")
    before = digest(tmp_path)

    (tmp_path / name).write_bytes(b"y")

    assert digest(tmp_path) != before
    (tmp_path / name).unlink()
    with pytest.raises(ModelUnavailable, match="missing"):
        digest(tmp_path)


@pytest.mark.parametrize("seconds", [0.0001, 0.5, 2.0])
def test_a_window_of_any_length_is_read_and_never_for_certain(
    sphinx: Sphinx, seconds: float
) -> None:
    heard = sphinx.read(noise(seconds), until=time.monotonic() + 60)

    assert not any(one.is_sure for one in heard.passages)


def test_it_reads_the_same_whatever_it_read_before(sphinx: Sphinx) -> None:
    first = sphinx.read(noise(2), until=time.monotonic() + 60)

    sphinx.read(noise(3) * np.float32(0.01), until=time.monotonic() + 60)

    assert sphinx.read(noise(2), until=time.monotonic() + 60) == first


def test_it_ends_in_time_and_says_what_it_has(sphinx: Sphinx) -> None:
    started = time.monotonic()

    sphinx.read(noise(29), until=started + 0.2)

    assert time.monotonic() - started < 5
    late = sphinx.read(noise(1), until=started - 1)
    assert not any(one.words for one in late.passages)


def test_of_a_long_talk_it_tries_the_first_seconds() -> None:
    short, long = Sphinx(seconds=1.0), noise(1) * np.float32(2)
    until = time.monotonic() + 60

    assert short.read(np.concatenate([long, noise(20)]), until=until) == short.read(
        long, until=until
    )


def test_it_clears_nothing_and_blocks_nothing_whatever_it_makes_out(sphinx: Sphinx) -> None:
    sound = said(("one", 1), ("two", 1.5), seconds=3)

    found = Listener(LoudIsSpeech(), sphinx, FakeJudge(phrase=""), print).listen(sound)

    assert {one.category for one in found} == {Category.SPEECH}
    assert {one.surface for one in found} == {Surface.SOUND}
    (held,) = [one for one in found if one.detector == "filters.voice_activity@2"]
    assert held.score == 1.0


@pytest.mark.data
def test_it_makes_out_words_of_a_voice_and_the_voice_stays_held(
    data_folder: Path, sphinx: Sphinx
) -> None:
    voice = a_voice(data_folder)
    slow = np.concatenate(list(slowed([voice])), axis=1)[0]
    judge = FakeJudge()

    heard = sphinx.read(slow, until=time.monotonic() + 60)
    found = Listener(VoiceActivity(), sphinx, judge, print).listen(voice)

    assert sum(len(one.words) for one in heard.passages) >= 5
    assert judge.asked
    assert max(one.score for one in found if "voice_activity" in one.detector) > 0.9
