"""LiteLLM's generic guardrail: NONE lets a call through, so no doubt may end in it."""

import base64
from typing import Any

import pytest

from filters.finding import FilterError
from service.audit.reading import EntryFilter
from tests.service.api.site import PROMPT, Site, a_picture

PATH = "/beta/litellm_basic_guardrail_api"


def ask(site: Site, **sent: Any) -> dict[str, Any]:  # noqa: ANN401 - LiteLLM's own
    whole = {
        "input_type": "request",
        "texts": [PROMPT],
        "request_data": {"user_api_key_alias": "somebody"},
        "litellm_call_id": "call-1",
        "litellm_version": "1.99",
        "additional_provider_specific_params": {},
        **sent,
    }
    reply = site.call("POST", PATH, json=whole)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def data_url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def test_what_is_allowed_goes_on_unchanged_and_is_in_the_log(site: Site) -> None:
    answer = ask(site)

    entry = site.house.rooms.log.entry(answer["receipt"]["index"])
    assert answer["action"] == "NONE"
    assert "texts" not in answer
    assert entry.facts["decision"] == answer["decision_id"]


@pytest.mark.parametrize(("text", "word"), [("a nude model", "refused"), ("a fight", "held")])
def test_a_hold_is_blocked_like_a_block_and_says_why(site: Site, text: str, word: str) -> None:
    answer = ask(site, texts=[text])

    assert answer["action"] == "BLOCKED"
    assert answer["blocked_reason"].startswith(word)
    assert answer["decision_id"] in answer["blocked_reason"]
    assert text not in answer["blocked_reason"]


@pytest.mark.parametrize(
    "sent",
    [
        {"texts": [PROMPT, "a nude model"]},
        {"structured_messages": [{"role": "user", "content": "a nude model"}]},
        {
            "structured_messages": [
                {"role": "user", "content": [{"type": "text", "text": "a nude model"}]}
            ]
        },
        {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "nude"}}]},
        {"texts": None, "structured_messages": [{"role": "user", "content": "nude"}]},
        {"input_type": "response", "texts": ["a nude model"]},
        {"structured_messages": [{"content": {"type": "text", "text": "a nude model"}}]},
        {"structured_messages": [{"content": [{"type": "text", "text": ["nude"]}]}]},
        {"structured_messages": [{"content": [{"type": "tool_use", "input": {"q": "nude"}}]}]},
        {"structured_messages": [{"content": [{"type": "tool_result", "content": "nude"}]}]},
        {"structured_messages": [{"function_call": {"name": "f", "arguments": "nude"}}]},
        {"tool_calls": [{"type": "custom", "custom": {"name": "f", "input": "nude"}}]},
    ],
    ids=range(12),
)
def test_words_are_found_wherever_they_are_said(site: Site, sent: dict[str, Any]) -> None:
    assert ask(site, **sent)["action"] == "BLOCKED"


def test_pictures_are_looked_at_as_data_urls_and_as_bare_base64(site: Site) -> None:
    for image in (data_url(a_picture()), base64.b64encode(a_picture()).decode()):
        answer = ask(site, images=[image])

        entry = site.house.rooms.log.entry(answer["receipt"]["index"])
        seen = entry.facts["observations"]
        assert answer["action"] == "NONE"
        assert "input_reference" in str(seen)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"images": ["https://example.org/a.png"]}, "not fetched"),
        ({"images": ["file:///etc/passwd"]}, "not fetched"),
        ({"images": ["data:image/png;base64,?"]}, "not base64"),
        ({"images": [base64.b64encode(b"no picture").decode()]}, "PNG, JPEG or WebP"),
        ({"images": [data_url(a_picture()[:80])]}, "truncated"),
        (
            {"images": [data_url(a_picture()[:500] + bytes(900) + a_picture()[1400:])]},
            "input_reference",
        ),
        ({"images": [data_url(a_picture())] * 5}, "at most 4"),
        ({"texts": []}, "no words"),
        ({"texts": ["  "]}, "no words"),
        ({"texts": ["a" * 40_000]}, "too_long"),
        ({"texts": ["a\x00b"]}, "control_character"),
        (
            {
                "structured_messages": [
                    {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}
                ]
            },
            "neither text nor picture",
        ),
        ({"structured_messages": [{"content": [{"type": ["text"], "text": "a"}]}]}, "neither"),
        ({"structured_messages": [{"content": [{"type": "image_url"}]}]}, "not here"),
        (
            {
                "structured_messages": [
                    {"content": [{"type": "tool_result", "content": [{"type": "image"}]}]}
                ]
            },
            "not here",
        ),
    ],
    ids=range(15),
)
def test_what_cannot_be_looked_at_is_blocked_and_not_an_error(
    site: Site, sent: dict[str, Any], said: str
) -> None:
    answer = ask(site, **sent)

    assert answer["action"] == "BLOCKED"
    assert said in answer["blocked_reason"]


def test_a_filter_that_breaks_is_blocked(site: Site) -> None:
    site.words.broken = FilterError("the model is gone")
    try:
        assert ask(site)["action"] == "BLOCKED"
    finally:
        site.words.broken = None


def test_tools_may_be_nested_as_deep_as_schemas_are(site: Site) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(8):
        schema = {"type": "object", "properties": {"a": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}

    assert ask(site, tools=[tool])["action"] == "NONE"


def test_the_key_may_come_as_litellm_sends_it(site: Site) -> None:
    headers = {"x-api-key": site.keys["creator"]}

    reply = site.client.post(PATH, json={"texts": [PROMPT]}, headers=headers)
    other = site.client.post(PATH, json={"texts": [PROMPT]}, headers={"x-api-key": "no"})

    assert reply.json()["action"] == "NONE"
    assert other.status_code == 401


def test_a_body_that_is_none_is_an_error_and_no_answer(site: Site) -> None:
    for body in (b"", b"[]", b'{"texts": "one"}', b'{"texts": [1]}'):
        reply = site.call("POST", PATH, content=body, headers={"content-type": "application/json"})

        assert reply.status_code == 400
        assert "action" not in reply.json()


def test_nothing_that_was_said_is_in_the_log(site: Site) -> None:
    ask(site, texts=["the zeppelin of Aunt Agatha"], images=[data_url(a_picture())])

    entries = site.house.rooms.log.entries(EntryFilter(limit=5))
    assert "zeppelin" not in str([one.leaf for one in entries])
