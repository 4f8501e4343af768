import pytest

from filters.dialogue import NotJudged, judged, lines
from filters.finding import Category, FilterError, Finding, Span, Surface

SPEECH, CAPTIONS = Surface.SPEECH, Surface.CAPTIONS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('A man in a park says "good night" softly', [(SPEECH, "good night")]),
        ("She turns: “it is late”", [(SPEECH, "it is late")]),
        ("«Bonjour», 「おはよう」", [(SPEECH, "Bonjour"), (SPEECH, "おはよう")]),
        ("he says 'don't go' to her", [(SPEECH, "don't go")]),
        ("An old man says: the tide is rising. Gulls.", [(SPEECH, "the tide is rising")]),
        ("Voice-over (a woman): we are home\nA harbour", [(SPEECH, "we are home")]),
        ("she sings we are the rain. Night.", [(SPEECH, "we are the rain")]),
        ('A shop with a sign that reads "FRESH BREAD"', [(CAPTIONS, "FRESH BREAD")]),
        ("The caption reads open all day", [(CAPTIONS, "open all day")]),
        ("A harbour. Subtitles: the boats leave", [(CAPTIONS, "the boats leave")]),
        ('a sign reads "STOP" and a man says "go on now, please, before it gets dark here"',
         [(CAPTIONS, "STOP"), (SPEECH, "go on now, please, before it gets dark here")]),
        ('it ends with "and then he', [(SPEECH, "and then he")]),
        ("a quiet lake at dawn, the dog's bowl", []),
        ('"…" “ ” «» "99"', []),
    ],
)  # fmt: skip
def test_what_is_said_or_shown_is_found(text: str, said: list[tuple[Surface, str]]) -> None:
    found = lines(text)

    assert [(line.surface, line.text) for line in found] == said
    for line in found:
        place = line.span(0, len(line.text))
        assert text[place.start : place.end] == line.text


def finds(word: str) -> object:
    def judge(text: str, surface: Surface) -> list[Finding]:
        at = text.find(word)
        score, place = (0.9, Span(at, at + len(word))) if at >= 0 else (0.1, None)
        return [Finding(Category.HATE, score, surface, "filters.text@test", place)]

    return judge


def test_a_finding_points_at_the_characters_of_the_prompt() -> None:
    prompt = 'Two men at a bar. One shouts "you are vermin" at the other.'

    (finding,) = judged(prompt, finds("vermin"))  # type: ignore[arg-type]

    assert isinstance(finding.place, Span)
    assert prompt[finding.place.start : finding.place.end] == "vermin"
    assert (finding.surface, finding.score) == (SPEECH, 0.9)


def test_two_speakers_cannot_share_a_sentence() -> None:
    prompt = 'Ann says "they are", and Bob says "all vermin" on a stage.'

    found = judged(prompt, finds("are\nall vermin"))  # type: ignore[arg-type]

    (met,) = [one for one in found if one.score > 0.5]
    assert isinstance(met.place, Span)
    assert prompt[met.place.start : met.place.end] == 'are", and Bob says "all vermin'


def test_a_judge_that_fails_or_is_silent_is_no_all_clear() -> None:
    def broken(_text: str, _surface: Surface) -> list[Finding]:
        raise FilterError("x")

    with pytest.raises(FilterError):
        judged('he says "hello there"', broken)
    with pytest.raises(NotJudged):
        judged('he says "hello there"', lambda _text, _surface: [])


@pytest.mark.parametrize("part", ['"', "“", "'a ", "says: ", '"a" ', "sign: ", "sings a ", "„a"])
def test_a_prompt_of_nothing_but_marks_costs_few_passes(part: str) -> None:
    asked: list[str] = []

    def judge(text: str, surface: Surface) -> list[Finding]:
        asked.append(text)
        return [Finding(Category.HATE, 0.0, surface, "filters.text@test")]

    judged((part * 32_000)[:32_000], judge)

    assert len(asked) <= 14
