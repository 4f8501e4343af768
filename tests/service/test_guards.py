import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from filters.finding import Category, Finding, ModelUnavailable, Surface
from filters.guards.guard import CLASSIFIER, FAMILIES, Guard
from filters.guards.together import Guarded
from filters.guards.weights import digest
from filters.languages import language
from filters.turn import Turn
from service import filtering, wiring
from service.decision import Gate, Mode, Verdict
from service.desk import answer
from service.doctor import models
from service.doctor.said import Level
from service.reasons import GUARDS
from service.settings import GuardChoice, Settings, SettingsRefused, from_environment
from service.steps.run import asked
from service.wiring import DEFAULT_POLICY, policy
from tests.builders import a_house, a_request
from tests.filters.guards.builders import babbling, saying

GERMAN = "Eine Frau geht durch den Regen nach Hause"
PIN = "0" * 64
QWEN = next(family for family in FAMILIES if family.name == "qwen3guard")


def own(text: str, surface: Surface) -> list[Finding]:
    return [language(text, surface, "filters.text@1")]


def with_guard(folder: Path, sha256: str) -> Settings:
    chosen = GuardChoice(family="qwen3guard", model=str(folder), sha256=sha256, timeout_s=30.0)
    return Settings(guards=(chosen,), gate_timeout_s=40.0, lease_s=100.0)


def from_text(monkeypatch: pytest.MonkeyPatch, text: str) -> Settings:
    monkeypatch.setenv("IMPRIMATUR_GUARDS", text)
    return from_environment()


def test_guards_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    written = [{"family": "qwen3guard", "model": "/m", "sha256": PIN, "languages": ["en", "de"]}]

    (guard,) = from_text(monkeypatch, json.dumps(written)).guards

    assert (guard.model, guard.timeout_s) == ("/m", 5.0)
    assert guard.languages == {"en", "de"}


WHOLE = {"family": "qwen3guard", "model": "/m", "sha256": PIN}


@pytest.mark.parametrize(
    "written",
    [
        "qwen3guard",
        "[",
        json.dumps([{"family": "qwen3guard", "model": "/m"}]),
        json.dumps([{**WHOLE, "family": "qwen4guard"}]),
        json.dumps([{**WHOLE, "sha256": "abc"}]),
        json.dumps([{**WHOLE, "timeout": 5}]),
        json.dumps([{**WHOLE, "timeout_s": 11}]),
        json.dumps([{**WHOLE, "surfaces": []}]),
        json.dumps([{**WHOLE, "languages": ["*"]}]),
    ],
)
def test_a_guard_that_is_not_written_down_whole_refuses_to_start(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsRefused, match="GUARDS"):
        from_text(monkeypatch, written)


def test_the_policy_knows_every_guard_that_the_settings_can_name() -> None:
    names = {f"filters.guard.{name}" for name in (*(one.name for one in FAMILIES), CLASSIFIER)}

    assert names == GUARDS
    assert policy(DEFAULT_POLICY.read_bytes()).detectors >= GUARDS


def test_a_guard_that_the_live_policy_does_not_list_refuses_to_start(tmp_path: Path) -> None:
    live = policy(DEFAULT_POLICY.read_bytes())
    without = replace(live, detectors=live.detectors - GUARDS)

    wiring._check_guards(with_guard(tmp_path, PIN), live)
    with pytest.raises(SettingsRefused, match="qwen3guard"):
        wiring._check_guards(with_guard(tmp_path, PIN), without)


@pytest.mark.slow
def test_a_configured_guard_joins_the_prompts_findings_and_clears_its_language(
    tmp_path: Path,
) -> None:
    saying(QWEN, tmp_path, "Safety: Unsafe\nCategories: Violent")
    judge = filtering.with_guards(with_guard(tmp_path, digest(tmp_path)), own)

    found = {each.category: each for each in judge(GERMAN, Surface.PROMPT)}

    assert found[Category.VIOLENCE].score == 1.0
    assert found[Category.VIOLENCE].detector == f"filters.guard.qwen3guard@{digest(tmp_path)[:12]}"
    assert found[Category.LANGUAGE].score == 0.0


@pytest.mark.slow
def test_a_swapped_weight_file_refuses_to_start_and_the_doctor_says_so(tmp_path: Path) -> None:
    settings = with_guard(
        saying(QWEN, tmp_path, "Safety: Safe\nCategories: None"), digest(tmp_path)
    )
    assert models.guards(settings).level is Level.OK

    with (tmp_path / "model.safetensors").open("r+b") as weights:
        weights.truncate(1000)

    with pytest.raises(ModelUnavailable, match="not those that were pinned"):
        filtering.with_guards(settings, own)
    with pytest.raises(ModelUnavailable):
        models.guards(settings)


def test_requests_behind_a_guard_that_hangs_are_held_and_do_not_pile_up(
    tmp_path: Path, unfiltered_log: None
) -> None:
    let_go = threading.Event()

    def hangs(_text: str, _until: float) -> dict[Category, float]:
        let_go.wait(120)
        return {}

    name = "filters.guard.qwen3guard@000000000000"
    guard = Guard(name, frozenset({"en"}), frozenset({Surface.PROMPT}), hangs, Turn(name, 0.2))
    with a_house(tmp_path) as house, capture_logs() as said:
        judge = Guarded(own, [guard]).read
        gates = replace(house.rooms.gates, judge_text=judge, timeout_s=30.0)
        rooms = replace(house.rooms, gates=gates)
        started = time.monotonic()
        # More than there are threads at the gates.
        given = [answer(rooms, a_request("a red ball"), mode=Mode.ENFORCE) for _ in range(20)]
        took_s = time.monotonic() - started
        let_go.set()

    assert {one.decision.verdict for one in given} == {Verdict.HOLD}
    assert took_s < 20
    late = [line for line in said if line["event"] == "gate.unavailable"]
    assert {(line["error"], line["part"]) for line in late} == {("ModelLate", name)}


def test_without_guards_the_prompt_filter_is_asked_alone() -> None:
    assert filtering.with_guards(Settings(), own) is own
    assert models.guards(Settings()).level is Level.OK


@pytest.mark.slow
@pytest.mark.parametrize("timeout_s", [30.0, 0.001])
def test_a_guard_that_babbles_or_is_late_holds_the_request(
    timeout_s: float, tmp_path: Path
) -> None:
    folder = babbling(QWEN, tmp_path / "guard")
    settings = with_guard(folder, digest(folder))
    (chosen,) = settings.guards
    chosen = chosen.model_copy(update={"timeout_s": timeout_s})
    judge = filtering.with_guards(settings.model_copy(update={"guards": (chosen,)}), own)

    with a_house(tmp_path) as house:
        gates = replace(house.rooms.gates, judge_text=judge, timeout_s=40.0)
        seen = gates.look(asked(house.rooms, a_request("a red ball")), now=house.clock())

    assert [one.category for one in seen if one.gate is Gate.FILTERS] == ["policy.unavailable"]
