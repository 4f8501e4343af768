"""From the settings to what reads speech, and what becomes of a clip in which somebody speaks."""

import io
import json
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import structlog
from numpy.typing import NDArray

from filters.finding import FilterError, Finding, ModelUnavailable
from filters.listening import Listener
from filters.speech import VoiceActivity
from filters.turn import ModelLate
from filters.whisper_files import digest
from service import hearing, wiring
from service.decision import Mode, Verdict
from service.desk import Answer, answer
from service.doctor import models
from service.doctor.said import Level
from service.media.errors import Code, MediaError
from service.media.looking import Looks, read_sound
from service.request import Reference, ReferenceKind
from service.settings import Settings, SettingsRefused, WhisperChoice, from_environment
from service.wiring import DEFAULT_POLICY, policy
from tests.builders import SmallHouse, a_house, a_request
from tests.filters.spoken import FakeJudge, FakeReader, LoudIsSpeech, said
from tests.filters.tiny_whisper import tiny_whisper

PIN = "0" * 64
SENT = Reference("input_audio", b"a sound", ReferenceKind.SOUND)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper"))


def with_whisper(folder: Path, sha256: str = "") -> Settings:
    chosen = WhisperChoice(model=folder, sha256=sha256 or digest(folder), timeout_s=60.0)
    return Settings(whisper=chosen, gate_timeout_s=90.0, lease_s=200.0)


def nothing_said(_text: str, _surface: object) -> list[Finding]:
    raise FilterError("nobody was to be asked")


def asked(house: SmallHouse, samples: NDArray[np.float32], reader: FakeReader) -> Answer:
    """Return what becomes of a request with such a sound."""
    listener = Listener(LoudIsSpeech(), reader, FakeJudge(), lambda _error: None)
    house.rooms = replace(
        house.rooms,
        gates=replace(house.rooms.gates, listen=listener.listen),
        read_sound=lambda _content: Looks(samples=samples),
    )
    return answer(house.rooms, a_request(references=[SENT]), mode=Mode.ENFORCE)


@pytest.mark.parametrize(
    ("reader", "words", "verdict", "codes"),
    [
        (FakeReader(), ("one", "two"), Verdict.ALLOW, set()),
        (FakeReader(), ("one", "knife"), Verdict.BLOCK, {"filters.violence"}),
        (FakeReader(foreign=0.6), ("one", "two"), Verdict.HOLD, {"filters.language"}),
        (FakeReader(unsure=frozenset({"two"})), ("one", "two"), Verdict.HOLD, {"filters.speech"}),
        (FakeReader(deaf=frozenset({"one", "two"})), ("one", "two"), Verdict.HOLD,
         {"filters.speech"}),
        (FakeReader(breaks_after=0), ("one", "two"), Verdict.HOLD, {"filters.speech"}),
        (FakeReader(breaks_after=0, broken=ModelLate("x@1", "is late")), ("one",), Verdict.HOLD,
         {"filters.speech"}),
        (FakeReader(detector="filters.stranger@1"), ("one", "two"), Verdict.HOLD,
         {"policy.unavailable"}),
        (FakeReader(clears=False, detector="filters.sphinx@1"), ("one", "knife"), Verdict.HOLD,
         {"filters.speech"}),
    ],
    ids=["read", "read and harmful", "another language", "unsure", "not heard", "broken", "late",
         "not in the policy", "the embedded reader"],
)  # fmt: skip
def test_what_becomes_of_speech(
    tmp_path: Path, reader: FakeReader, words: tuple[str, ...], verdict: Verdict, codes: set[str]
) -> None:
    # Two seconds apart: what was read of one word says nothing about the next.
    sound = said(*((word, 1 + 2.0 * at) for at, word in enumerate(words)), seconds=6)

    with a_house(tmp_path) as house:
        given = asked(house, sound, replace(reader, asked=[]))

    assert given.decision.verdict is verdict
    assert {reason.code for reason in given.decision.reasons} == codes


def test_no_word_of_a_transcript_is_in_a_decision(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        given = asked(house, said(("one", 1), ("knife", 1.5), seconds=4), FakeReader())

    assert "knife" not in repr(given.decision)


def test_without_settings_speech_is_only_noticed() -> None:
    listen = hearing.at_the_gates(Settings(), nothing_said)

    assert isinstance(listen.__self__, VoiceActivity)  # type: ignore[attr-defined]


def test_the_workshop_has_the_embedded_reader_unless_it_is_switched_off() -> None:
    gates = hearing.at_the_gates(Settings(), nothing_said)

    listen = hearing.in_the_workshop(Settings(), nothing_said, gates)

    assert isinstance(listen.__self__, Listener)  # type: ignore[attr-defined]
    assert hearing.in_the_workshop(Settings(sphinx_s=0), nothing_said, gates) is gates


def test_a_whisper_of_the_settings_reads_at_the_gates_and_in_the_workshop(folder: Path) -> None:
    settings = with_whisper(folder)

    listen = hearing.at_the_gates(settings, nothing_said)

    assert isinstance(listen.__self__, Listener)  # type: ignore[attr-defined]
    assert hearing.in_the_workshop(settings, nothing_said, listen) is listen
    (found,) = listen(np.zeros((4800, 2), np.float32))
    assert found.score < 0.1


def test_a_whisper_that_is_not_the_pinned_one_stops_the_start(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        hearing.at_the_gates(with_whisper(folder, PIN), nothing_said)


def test_a_breakdown_is_logged_by_its_kind_alone() -> None:
    with structlog.testing.capture_logs() as logged:
        hearing._failed("ModelLate")

    assert logged == [{"error": "ModelLate", "event": "reader.failed", "log_level": "error"}]


def test_a_policy_that_does_not_trust_the_whisper_stops_the_start(folder: Path) -> None:
    live = policy(DEFAULT_POLICY.read_bytes())
    without = replace(live, detectors=live.detectors - {"filters.whisper"})

    wiring._check_guards(with_whisper(folder), live)
    with pytest.raises(SettingsRefused, match=r"IMPRIMATUR_WHISPER.*filters\.whisper"):
        wiring._check_guards(with_whisper(folder), without)


WHOLE = {"model": "/m", "sha256": PIN}


def test_a_whisper_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRIMATUR_WHISPER", json.dumps(WHOLE))

    chosen = from_environment().whisper

    assert chosen is not None
    assert (chosen.model, chosen.compute_type, chosen.timeout_s) == (Path("/m"), "int8", 8.0)


@pytest.mark.parametrize(
    "written",
    [
        "small",
        "{",
        json.dumps({"model": "/m"}),
        json.dumps({**WHOLE, "sha256": "abc"}),
        json.dumps({**WHOLE, "compute_type": "int3"}),
        json.dumps({**WHOLE, "threads": 0}),
        json.dumps({**WHOLE, "trusted": True}),
        json.dumps({**WHOLE, "timeout_s": 10}),
    ],
)
def test_a_setting_that_is_not_whole_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("IMPRIMATUR_WHISPER", written)

    with pytest.raises(SettingsRefused, match="WHISPER"):
        from_environment()


def test_doctor_says_who_reads(folder: Path) -> None:
    assert "hints" in models.speech(Settings()).said
    assert "nothing reads" in models.speech(Settings(sphinx_s=0)).said
    with_it = models.speech(with_whisper(folder))
    assert (with_it.level, digest(folder)[:12] in with_it.said) == (Level.OK, True)
    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        models.speech(with_whisper(folder, PIN))


def test_nobody_loads_a_reader_who_was_not_told_to() -> None:
    program = (
        "import sys; from service import hearing; from service.settings import Settings;"
        "listen = hearing.at_the_gates(Settings(), lambda text, surface: []);"
        "heavy = {'torch', 'ctranslate2', 'av', 'faster_whisper', 'pocketsphinx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert printed.strip() == "[]"


def a_wave(samples: int, *, rate: int, channels: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"\x10\x10" * samples * channels)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("rate", "channels", "samples"),
    [(48_000, 2, 1), (8000, 1, 100), (8000, 1, 8000), (44_100, 1, 4000), (48_000, 2, 4000)],
)
def test_short_sound_and_sound_of_a_telephone_is_listened_to(
    rate: int, channels: int, samples: int
) -> None:
    looks = read_sound(a_wave(samples, rate=rate, channels=channels))

    assert looks.samples is not None
    assert hearing.at_the_gates(Settings(), nothing_said)(looks.samples)


@pytest.mark.parametrize("samples", [0, 1])
def test_a_file_in_which_nothing_can_be_heard_is_refused_as_empty(samples: int) -> None:
    # One sample at 8 kHz is less than the resampler makes anything of.
    with pytest.raises(MediaError) as refused:
        read_sound(a_wave(samples, rate=8000, channels=1))

    assert refused.value.code is Code.EMPTY


def test_twenty_minutes_are_refused_as_too_long() -> None:
    with pytest.raises(MediaError) as refused:
        read_sound(a_wave(1200 * 8000, rate=8000, channels=1))

    assert refused.value.code is Code.TOO_LONG
