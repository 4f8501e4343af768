import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.music import pieces
from filters.finding import Category, FilterError, Moment, NothingToLookAt
from filters.sound import SAMPLE_RATE, slowed
from filters.speech import SPEECH_FROM, VoiceActivity

Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def voice_activity() -> VoiceActivity:
    return VoiceActivity()


def a_voice(folder: Path) -> Samples:
    """Return one utterance as stereo at 48 kHz; decoded here because filters never decode."""
    av = pytest.importorskip("av")
    path = min((folder / "voices").glob("*/*.flac"))
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    with av.open(str(path)) as file:
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    joined: Samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
    return np.ascontiguousarray(joined)


def noise(seconds: float, level: float) -> Samples:
    steps = np.random.default_rng(7).standard_normal((int(seconds * SAMPLE_RATE), 2))
    return (steps * level).clip(-1, 1).astype(np.float32)


@pytest.mark.data
def test_a_voice_is_found_where_it_speaks(data_folder: Path, voice_activity: VoiceActivity) -> None:
    voice = a_voice(data_folder)
    quiet = np.zeros((2 * SAMPLE_RATE, 2), np.float32)

    found = voice_activity.listen(np.concatenate([quiet, voice, quiet]))

    assert found[0].category is Category.SPEECH
    assert found[0].score > 0.9
    first, last = found[0].place, found[-1].place
    assert isinstance(first, Moment)
    assert isinstance(last, Moment)
    assert 1900 < first.start_ms < 3200
    assert last.end_ms < 2000 + len(voice) * 1000 // SAMPLE_RATE + 400


@pytest.mark.data
@pytest.mark.parametrize("trick", ["whispered", "in one channel", "mirrored", "under noise"])
def test_a_voice_is_found_however_it_is_hidden(
    data_folder: Path, voice_activity: VoiceActivity, trick: str
) -> None:
    voice = a_voice(data_folder)
    match trick:
        case "whispered":
            voice = voice * np.float32(0.003)
        case "in one channel":
            voice = voice * np.array([1, 0], np.float32)
        case "mirrored":
            voice = voice * np.array([1, -1], np.float32)
        case _:
            voice = voice + 0.01 * noise(len(voice) / SAMPLE_RATE, 1.0)[: len(voice)]

    assert max(found.score for found in voice_activity.listen(voice)) > SPEECH_FROM


@pytest.mark.parametrize("level", [0.001, 0.05, 0.3])
def test_noise_is_not_speech_but_the_listening_is_recorded(
    voice_activity: VoiceActivity, level: float
) -> None:
    (found,) = voice_activity.listen(noise(3, level))

    assert found.score < 0.3
    assert found.place is None


@pytest.mark.parametrize("count", [1, 100, 511, 512, 513, 48_000])
def test_silence_of_any_length_is_not_speech(voice_activity: VoiceActivity, count: int) -> None:
    (found,) = voice_activity.listen(np.zeros((count, 2), np.float32))

    assert found.score < 0.1


def test_no_sound_at_all_is_an_error_and_never_fine(voice_activity: VoiceActivity) -> None:
    with pytest.raises(NothingToLookAt):
        voice_activity.listen(np.zeros((0, 2), np.float32))


@pytest.mark.parametrize(
    "wrong", [np.zeros(480, np.float32), np.full((480, 2), np.nan, np.float32)]
)
def test_what_is_no_sound_is_refused(voice_activity: VoiceActivity, wrong: Samples) -> None:
    with pytest.raises(FilterError):
        voice_activity.listen(wrong)


@pytest.mark.parametrize(
    ("hertz", "least", "most"),
    [(200, 0.99, 1.01), (3400, 0.99, 1.01), (9000, 0, 0.002), (15_000, 0, 0.002)],
)
def test_slowing_down_keeps_the_voice_band_and_folds_nothing_into_it(
    hertz: int, least: float, most: float
) -> None:
    at = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * hertz * at).astype(np.float32)

    slow = np.concatenate(list(slowed([tone[:, None]])), axis=1)

    assert slow.shape == (1, SAMPLE_RATE // 3)
    slow = slow[:, 100:-100]
    assert least <= np.sqrt(2 * np.mean(slow**2)) <= most


def test_listening_loads_neither_ctranslate2_nor_a_decoder() -> None:
    program = (
        "import sys; from filters.speech import VoiceActivity; VoiceActivity();"
        "print(sorted({'torch', 'ctranslate2', 'av', 'faster_whisper'} & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert printed.strip() == "[]"


@pytest.mark.parametrize("name", pieces())
def test_music_and_noise_cause_nothing(voice_activity: VoiceActivity, name: str) -> None:
    # How often others of the kind do: benchmarks/speech.py.
    (found,) = voice_activity.listen(pieces()[name](0, 6.0))

    assert found.score < SPEECH_FROM
    assert found.place is None


def test_a_sound_is_heard_alike_in_blocks_of_any_size(voice_activity: VoiceActivity) -> None:
    music = np.concatenate([pieces()["band"](0, 35.0), pieces()["plucked strings"](2, 10.0)])
    whole = voice_activity.listen(music)

    for blocks in (2, 9, 400):
        assert list(voice_activity.listen_to(np.array_split(music, blocks))) == whole


@pytest.mark.data
def test_a_voice_in_the_third_window_is_found_where_it_speaks(
    data_folder: Path, voice_activity: VoiceActivity
) -> None:
    voice = a_voice(data_folder)
    quiet = np.zeros((62 * SAMPLE_RATE, 2), np.float32)

    found = list(voice_activity.listen_to([quiet, voice, quiet]))

    first, last = found[0].place, found[-1].place
    assert isinstance(first, Moment)
    assert isinstance(last, Moment)
    assert 61_900 < first.start_ms < 63_200
    assert last.end_ms < 62_000 + len(voice) * 1000 // SAMPLE_RATE + 400


def test_ten_minutes_are_heard_in_the_memory_of_a_window(voice_activity: VoiceActivity) -> None:
    def blocks() -> Iterator[Samples]:
        part = noise(5, 0.05)
        for _ in range(120):
            yield part

    list(voice_activity.listen_to([noise(35, 0.05)]))
    tracemalloc.start()
    list(voice_activity.listen_to(blocks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # As samples they would be 230 MB.
    assert peak < 30 << 20


@pytest.mark.data
@pytest.mark.parametrize("beside", ["offset", "rumble", "far too loud"])
def test_a_voice_is_not_hidden_by_what_nobody_hears(
    data_folder: Path, voice_activity: VoiceActivity, beside: str
) -> None:
    voice = a_voice(data_folder)
    at = np.arange(len(voice), dtype=np.float32)[:, None] / SAMPLE_RATE
    played = {
        "offset": 0.9 + 0.05 * voice,
        "rumble": 0.95 * np.sin(2 * np.pi * 20 * at) + 0.05 * voice,
        "far too loud": voice * np.float32(1e25),
    }[beside]

    found = voice_activity.listen(played.astype(np.float32))

    assert max(finding.score for finding in found) >= SPEECH_FROM
