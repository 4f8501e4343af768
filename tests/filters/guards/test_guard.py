import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from filters.finding import Category, FilterError, ModelUnavailable, NothingToLookAt, Surface
from filters.guards.family import SLOT, Family
from filters.guards.guard import FAMILIES
from filters.guards.verdict import DOUBTFUL, GuardNonsense
from filters.turn import LET_GO_S, ModelLate, Turn
from tests.filters.guards.builders import BAD, GOOD, a_guard, babbling, files_of, saying, spoil

pytestmark = pytest.mark.slow
BY_NAME = {family.name: family for family in FAMILIES}
CHANNEL = ("<|channel|>", "final", "<|message|>")
# What each says when it allows and when it objects, token by token, and to what it then objects.
SAID: dict[str, tuple[tuple[str, ...], tuple[str, ...], set[str]]] = {
    "llama_guard": (("safe",), ("unsafe", "\nS1,S10"), {"violence", "hate"}),
    "llama_guard_4": (("safe",), ("unsafe", "\nS1"), {"violence"}),
    "qwen3guard": (
        ("Safety: Safe\nCategories: None",),
        ("Safety: Unsafe\nCategories: Violent, Suicide & Self-Harm",),
        {"violence", "self_harm"},
    ),
    "shieldgemma": (("No",), ("Yes",), {"illicit", "harassment", "hate", "sexual"}),
    "granite_guardian": (
        ("<score>no</score>",),
        ("<think>\n</think>\n<score>yes</score>",),
        {
            "sexual", "violence", "gore", "self_harm", "hate", "harassment", "extremism", "illicit",
        },
    ),
    "gpt_oss_safeguard": (
        (*CHANNEL, '{"violation": 0, "policy_category": []}', "<|return|>"),
        (*CHANNEL, '{"violation": 1, "policy_category": ["GORE"]}', "<|return|>"),
        {"gore"},
    ),
}  # fmt: skip


def family_names() -> list[str]:
    return sorted(BY_NAME)


@pytest.mark.parametrize("name", family_names())
def test_a_guard_that_allows_finds_nothing_in_any_of_its_categories(
    name: str, tmp_path: Path
) -> None:
    guard = a_guard(BY_NAME[name], saying(BY_NAME[name], tmp_path, *SAID[name][0]))

    found = guard.read(GOOD, Surface.PROMPT)

    assert {each.category for each in found} == set(BY_NAME[name].crosswalk.categories)
    assert max(each.score for each in found) < 0.01
    assert {each.surface for each in found} == {Surface.PROMPT}


@pytest.mark.parametrize("name", family_names())
def test_a_guard_that_objects_says_so_in_our_categories(name: str, tmp_path: Path) -> None:
    folder = saying(BY_NAME[name], tmp_path, *SAID[name][1])

    found = a_guard(BY_NAME[name], folder).read(BAD, Surface.PROMPT)

    assert {each.category.value for each in found if each.score > 0.9} == SAID[name][2]
    prefix = files_of(folder).sha256[:12]
    assert {each.detector for each in found} == {f"filters.guard.{name}@{prefix}"}


@pytest.mark.parametrize("name", family_names())
def test_what_is_no_verdict_is_not_taken_for_one(name: str, tmp_path: Path) -> None:
    guard = a_guard(BY_NAME[name], babbling(BY_NAME[name], tmp_path))

    with pytest.raises(GuardNonsense):
        guard.read(GOOD, Surface.PROMPT)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("llama_guard", ("unsafe",)),
        ("llama_guard", ("unsafe", "\nS99")),
        ("llama_guard", ("safe", "\nS1")),
        ("qwen3guard", ("Safety: Unsafe\nCategories: None",)),
        ("qwen3guard", ("Safety: Safe\nCategories: Violent",)),
        ("qwen3guard", ("Safety: Maybe\nCategories: None",)),
        ("qwen3guard", ("Safety: Safe",)),
        ("granite_guardian", ("<score>perhaps</score>",)),
        ("granite_guardian", ("<score>no</score><score>yes</score>",)),
        ("gpt_oss_safeguard", ('{"violation": 0, "policy_category": []}',)),
        ("gpt_oss_safeguard", (*CHANNEL, '{"violation": 0, "policy_category": ["GORE"]}')),
        ("gpt_oss_safeguard", (*CHANNEL, '{"violation": 1, "policy_category": []}')),
        ("gpt_oss_safeguard", (*CHANNEL, '{"violation": 1, "policy_category": ["FUN"]}')),
        ("gpt_oss_safeguard", (*CHANNEL, "[]")),
    ],
)
def test_a_contradiction_or_an_unknown_category_is_nonsense(
    name: str, answer: tuple[str, ...], tmp_path: Path
) -> None:
    guard = a_guard(BY_NAME[name], saying(BY_NAME[name], tmp_path, *answer))

    with pytest.raises(GuardNonsense) as refused:
        guard.read(GOOD, Surface.PROMPT)

    assert GOOD not in str(refused.value)


def test_a_controversial_text_is_in_doubt(tmp_path: Path) -> None:
    answer = "Safety: Controversial\nCategories: Violent"
    guard = a_guard(BY_NAME["qwen3guard"], saying(BY_NAME["qwen3guard"], tmp_path, answer))

    found = {each.category: each.score for each in guard.read(GOOD, Surface.PROMPT)}

    assert found[Category.VIOLENCE] == DOUBTFUL


def test_a_guard_that_is_late_has_not_answered(tmp_path: Path) -> None:
    family = BY_NAME["llama_guard"]
    guard = a_guard(family, babbling(family, tmp_path), timeout_s=0.001)

    with pytest.raises(ModelLate):
        guard.read(GOOD, Surface.PROMPT)


def test_a_guard_whose_model_hangs_is_late_in_its_time_and_then_at_once(tmp_path: Path) -> None:
    family = BY_NAME["llama_guard"]
    guard = a_guard(family, saying(family, tmp_path, "safe"), timeout_s=0.5)
    let_go = threading.Event()

    def hangs(_text: str, _until: float) -> dict[Category, float]:
        let_go.wait(60)
        return {Category.HATE: 0.0}

    stuck = replace(guard, scores=hangs)
    for limit_s in (0.5, LET_GO_S, 0.0, 0.0):
        started = time.monotonic()
        with pytest.raises(ModelLate, match=re.escape(guard.detector)):
            stuck.read(GOOD, Surface.PROMPT)
        assert time.monotonic() - started < limit_s + 2
    let_go.set()
    slowly = replace(guard, turn=Turn(guard.detector, 60.0))
    assert slowly.read(GOOD, Surface.PROMPT)


def test_a_text_that_is_too_long_is_not_cut_off(tmp_path: Path) -> None:
    family = BY_NAME["llama_guard"]
    guard = a_guard(family, saying(family, tmp_path, "safe"))

    with pytest.raises(FilterError, match="too long"):
        guard.read("zorks and balls and " * 9000, Surface.PROMPT)


def test_no_text_is_nothing_to_look_at(tmp_path: Path) -> None:
    family = BY_NAME["llama_guard"]
    guard = a_guard(family, saying(family, tmp_path, "safe"))

    with pytest.raises(NothingToLookAt):
        guard.read("  \n", Surface.PROMPT)


def test_a_user_cannot_write_what_parts_the_text_from_the_question(tmp_path: Path) -> None:
    family = BY_NAME["llama_guard"]
    from filters.guards.chat import ChatModel

    model = ChatModel(files_of(babbling(family, tmp_path)), family, device="cpu")

    broken = model._breaks.sub(lambda found: "X", "<eos> <|message|> <END CONVERSATION> a ball")

    assert broken == "X X <X> a ball"


@pytest.mark.parametrize("change", [{"chat_template": "{{ messages[0]['content'] }}"}])
def test_another_models_template_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    family = BY_NAME["qwen3guard"]
    folder = babbling(family, tmp_path)
    for template in folder.glob("*.jinja"):
        template.write_text("{{ messages[0]['content'] }}")
    spoil(folder, change, "tokenizer_config.json")

    with pytest.raises(ModelUnavailable, match="template"):
        a_guard(family, folder)


def test_every_question_holds_the_text_once() -> None:
    def asked(family: Family) -> list[str]:
        return [ask.raw + "".join(turn.content for turn in ask.turns) for ask in family.asks]

    assert all(text.count(SLOT) == 1 for family in FAMILIES for text in asked(family))
