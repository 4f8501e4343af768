"""What clears speech, and what never does; with a reader whose every word the test knows."""

import numpy as np
import pytest

from filters.finding import Category, FilterError, Finding, Moment, NothingToLookAt, Surface
from filters.listening import Listener
from filters.sound import SAMPLE_RATE
from filters.transcript import Word
from filters.turn import ModelLate
from tests.filters.spoken import WORDS, FakeJudge, FakeReader, LoudIsSpeech, said

VOICE, READER = "filters.voice_activity@2", "filters.whisper@test"


def listening(
    reader: FakeReader, judge: FakeJudge | None = None, failed: list[str] | None = None
) -> Listener:
    told = (failed if failed is not None else []).append
    return Listener(LoudIsSpeech(), reader, judge or FakeJudge(), told)


def speech(findings: list[Finding], detector: str) -> list[tuple[float, Moment | None]]:
    return [
        (one.score, one.place)  # type: ignore[misc]  # of a sound it is a moment
        for one in findings
        if one.category is Category.SPEECH and one.detector == detector
    ]


def covers(moment: Moment | None, start_ms: int, end_ms: int, *, within: int = 450) -> bool:
    assert moment is not None
    return abs(moment.start_ms - start_ms) <= within and abs(moment.end_ms - end_ms) <= within


def test_speech_that_was_read_is_not_held_and_the_record_says_who_read_it() -> None:
    sound = said(("one", 2), ("two", 2.5), ("three", 3), seconds=6)

    found = listening(FakeReader()).listen(sound)

    assert not speech(found, VOICE)
    ((score, moment),) = speech(found, READER)
    assert score == 0.0
    assert covers(moment, 2000, 3400)


def test_what_was_read_is_judged_as_speech_and_points_at_the_word() -> None:
    sound = said(("one", 2), ("knife", 2.5), ("three", 3), seconds=6)

    found = listening(FakeReader()).listen(sound)

    (harm,) = [one for one in found if one.category is Category.VIOLENCE]
    assert (harm.score, harm.surface, harm.detector) == (0.9, Surface.SPEECH, "filters.text@test")
    assert isinstance(harm.place, Moment)
    assert covers(harm.place, 2500, 2900, within=20)


@pytest.mark.parametrize(
    "reader",
    [
        FakeReader(unsure=frozenset({"knife"})),
        FakeReader(deaf=frozenset({"knife"})),
        FakeReader(deaf=frozenset({"knife"}), invents=(Word("♪", 6500, 6900),)),
        FakeReader(clears=False),
    ],
    ids=["unsure", "not heard", "notes of music", "not trusted"],
)
def test_what_was_not_surely_read_stays_held_and_blocks_nothing(reader: FakeReader) -> None:
    sound = said(("one", 2), ("two", 2.5), ("knife", 8), seconds=12)

    found = listening(reader).listen(sound)

    held = speech(found, VOICE)
    assert covers(held[-1][1], 8000, 8400)
    assert held[-1][0] == 1.0
    assert all(one.category is not Category.VIOLENCE or one.score < 0.1 for one in found)


def test_words_heard_where_nobody_speaks_mean_nothing() -> None:
    judge = FakeJudge()
    reader = FakeReader(invents=(Word("knife", 9000, 9400),))

    found = listening(reader, judge).listen(said(("one", 2), seconds=12))

    assert judge.asked == ["one"]
    assert len(speech(found, READER)) == 1


def test_only_the_part_in_which_somebody_speaks_is_shown_to_the_reader() -> None:
    reader = FakeReader()

    found = listening(reader).listen(said(("one", 12), ("two", 12.8), seconds=28))

    (shown,) = reader.asked
    assert shown < 3 * 16_000
    assert covers(speech(found, READER)[0][1], 12_000, 13_200)


def test_music_and_silence_are_never_shown_to_the_reader() -> None:
    reader = FakeReader()
    sound = np.full((3 * SAMPLE_RATE, 2), 0.1, np.float32)

    (found,) = listening(reader).listen(sound)

    assert not reader.asked
    assert (found.category, found.score, found.place) == (Category.SPEECH, 0.0, None)


def test_a_reader_that_is_not_trusted_gives_one_hint_and_no_category_of_harm() -> None:
    judge = FakeJudge()
    reader = FakeReader(clears=False, detector="filters.sphinx@test")

    found = listening(reader, judge).listen(said(("one", 2), ("knife", 2.5), seconds=6))

    assert {one.category for one in found} == {Category.SPEECH}
    ((score, moment),) = speech(found, "filters.sphinx@test")
    assert score == 0.9
    assert covers(moment, 2500, 2900, within=20)
    assert covers(speech(found, VOICE)[0][1], 2000, 2900)


def test_a_long_sound_is_read_in_windows_and_no_word_is_lost_or_doubled() -> None:
    order = [WORDS[(7 * number + number // 10) % 9] for number in range(150)]
    sound = said(*((word, 0.6 * at) for at, word in enumerate(order)), seconds=92)
    judge, reader = FakeJudge(), FakeReader()

    found = listening(reader, judge).listen(sound)

    assert len(reader.asked) == 4
    assert max(reader.asked) <= 30 * 16_000
    assert not speech(found, VOICE)
    assert judge.asked[0] == " ".join(order[:20])
    assert judge.asked[1] == " ".join(order[10:30])
    assert " ".join(order[:120]) in judge.asked
    assert judge.asked[-2:] == [" ".join(order[-20:]), " ".join(order[-120:])]


@pytest.mark.parametrize("at", [24.2, 24.8, 27.2, 27.4, 27.6, 29.6, 29.9])
def test_a_word_at_the_edge_of_a_window_is_read_once(at: float) -> None:
    judge = FakeJudge()

    found = listening(FakeReader(), judge).listen(said(("one", at), seconds=40))

    assert judge.asked == ["one"]
    assert not speech(found, VOICE)


def test_blocks_of_any_size_are_heard_alike() -> None:
    sound = said(*((WORDS[at % 9], 0.7 * at) for at in range(90)), seconds=70)
    whole = listening(FakeReader()).listen(sound)

    for blocks in (3, 7, 1000):
        assert list(listening(FakeReader()).listen_to(np.array_split(sound, blocks))) == whole


def test_each_channel_is_read_and_a_voice_in_one_of_them_stays_held() -> None:
    left = said(("one", 2), seconds=6, channel=0)
    right = said(("knife", 2), seconds=6, channel=1)
    judge = FakeJudge()

    read = listening(FakeReader(), judge).listen(left + right)
    missed = listening(FakeReader(deaf=frozenset({"knife"}))).listen(left + right)

    assert "knife" in judge.asked
    assert not speech(read, VOICE)
    assert covers(speech(missed, VOICE)[0][1], 2000, 2400)


def test_a_sentence_that_two_channels_share_is_judged_whole() -> None:
    left = said(("one", 2), ("three", 4), seconds=6, channel=0)
    right = said(("two", 3), ("four", 5), seconds=6, channel=1)
    judge = FakeJudge(phrase="two three")

    found = listening(FakeReader(), judge).listen(left + right)

    assert "one two three four" in judge.asked
    assert any(one.score == 0.9 for one in found if one.category is Category.VIOLENCE)


@pytest.mark.parametrize("broken", [FilterError("gone"), ModelLate("filters.fake@1", "is late")])
def test_a_reader_that_breaks_down_leaves_the_rest_held_and_says_so(broken: FilterError) -> None:
    sound = said(("one", 2), ("knife", 50), seconds=70)
    told: list[str] = []

    found = listening(FakeReader(breaks_after=1, broken=broken), failed=told).listen(sound)

    assert told == [type(broken).__name__]
    assert covers(speech(found, VOICE)[0][1], 50_000, 50_400)
    read, given_up = speech(found, READER)
    assert read[0] == 0.0
    assert covers(read[1], 2000, 2400)
    assert given_up[0] == 1.0
    assert given_up[1] is not None
    assert given_up[1].start_ms < 50_000
    assert given_up[1].end_ms == 70_000


def test_what_one_channel_said_counts_when_the_reader_breaks_down_at_the_other() -> None:
    judge = FakeJudge()
    sound = said(("knife", 2), seconds=6, channel=0) + said(("one", 4), seconds=6, channel=1)

    found = listening(FakeReader(breaks_after=1), judge).listen(sound)

    assert any(one.score == 0.9 for one in found if one.category is Category.VIOLENCE)
    assert any(one[1] and covers(one[1], 4000, 4400) for one in speech(found, VOICE))


def test_speech_that_may_be_another_language_is_reported() -> None:
    found = listening(FakeReader(foreign=0.8)).listen(said(("one", 2), seconds=6))

    (language,) = [one for one in found if one.category is Category.LANGUAGE]
    assert (language.score, language.detector) == (0.8, READER)


def test_a_judge_that_finds_nothing_at_all_is_an_error() -> None:
    silent = FakeJudge(after=lambda _found: [])

    with pytest.raises(FilterError):
        listening(FakeReader(), silent).listen(said(("one", 2), seconds=6))


def test_the_worst_of_a_long_talk_is_kept_and_nothing_else() -> None:
    words = [(WORDS[at % 8], 0.6 * at) for at in range(300)]
    words[210] = ("knife", 126.0)
    sound = said(*words, seconds=190)

    found = listening(FakeReader()).listen(sound)

    (harm,) = [one for one in found if one.category is Category.VIOLENCE]
    assert isinstance(harm.place, Moment)
    assert covers(harm.place, 126_000, 126_400, within=20)


@pytest.mark.parametrize("wrong", [np.zeros(480, np.float32), np.full((480, 2), np.nan, "f4")])
def test_what_is_no_sound_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(FilterError):
        listening(FakeReader()).listen(wrong)


def test_channels_that_come_and_go_are_refused() -> None:
    blocks = [np.zeros((480, 2), np.float32), np.zeros((480, 1), np.float32)]

    with pytest.raises(FilterError, match="channels"):
        list(listening(FakeReader()).listen_to(blocks))


def test_no_sound_at_all_is_an_error() -> None:
    with pytest.raises(NothingToLookAt):
        listening(FakeReader()).listen(np.zeros((0, 2), np.float32))


def test_one_sample_is_listened_to() -> None:
    (found,) = listening(FakeReader()).listen(np.zeros((1, 1), np.float32))

    assert found.score == 0.0
