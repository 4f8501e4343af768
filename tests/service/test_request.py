import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.request import (
    MAX_PROMPT_CHARACTERS,
    BadRequest,
    GenerationRequest,
    Parameters,
    Requester,
    checked_fps,
    checked_prompt,
    checked_seconds,
    checked_size,
)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("a" * (MAX_PROMPT_CHARACTERS + 1), "too_long"),
        ("a ball\x00", "control_character"),
        ("a ball\x1b[2J", "control_character"),
        ("a ball\x85", "control_character"),
        (b"a ball \xff", "invalid_utf8"),
        ("half \ud800", "invalid_utf8"),
    ],
)
def test_a_prompt_nobody_could_have_typed_is_refused(prompt: str | bytes, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_prompt(prompt)

    assert (refused.value.param, refused.value.code) == ("prompt", code)
    assert refused.value.remedy


@pytest.mark.parametrize(
    "prompt", ["a ball", "line one\nline two\tend", "ein Ball 🎈 弾む", "a" * MAX_PROMPT_CHARACTERS]
)
def test_what_people_write_passes_unchanged(prompt: str) -> None:
    assert checked_prompt(prompt) == prompt
    assert checked_prompt(prompt.encode()) == prompt


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_a_clear_refusal(content: bytes) -> None:
    try:
        assert checked_prompt(content).encode() == content
    except BadRequest as refused:
        assert refused.param == "prompt"


@given(st.text(max_size=6))
def test_only_listed_lengths_and_rates_pass(text: str) -> None:
    for check, low, high in ((checked_seconds, 1, 20), (checked_fps, 8, 30)):
        try:
            assert low <= check(text) <= high
        except BadRequest as refused:
            assert refused.remedy


@pytest.mark.parametrize("seconds", ["0", "21", "-4", "4.0", "٤", "²", "", "1e1", " 4"])
def test_an_unknown_length_is_refused(seconds: str) -> None:
    with pytest.raises(BadRequest, match="seconds"):
        checked_seconds(seconds)


@pytest.mark.parametrize("size", ["", "1x1", "720p", "1280×720", "99999x99999"])
def test_an_unknown_size_is_refused_with_the_list(size: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_size(size)

    assert "1280x720" in refused.value.remedy


def test_a_request_does_not_show_its_prompt() -> None:
    request = GenerationRequest(
        "req_1", Requester("act_1", "prj_1"), "a very private sentence",
        Parameters("scenes", checked_size("256x256"), 4, checked_fps("16"), 7),
    )  # fmt: skip

    assert "private" not in repr(request)
