import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.prompt_sets.judging import Outcome, judged
from benchmarks.prompt_sets.report import report
from benchmarks.prompt_sets.rows import PromptFile, prompt_files
from benchmarks.prompt_sets.shipped import Jury
from filters.finding import Category, Finding, Surface
from filters.train.split import Trained, remember
from service.policy_book import Policy
from service.wiring import DEFAULT_POLICY, policy


def shipped() -> Policy:
    return policy(DEFAULT_POLICY.read_bytes())


def read(text: str) -> Sequence[Finding]:
    """Score by the word: 0.9 sexual for "bad", 0.3 for "odd", language for "fremd"."""
    sexual = 0.9 if "bad" in text else 0.3 if "odd" in text else 0.001
    foreign = 1.0 if "fremd" in text else 0.0
    scores = {Category.SEXUAL: sexual, Category.LANGUAGE: foreign}
    return [Finding(each, score, Surface.PROMPT, "test@1") for each, score in scores.items()]


def a_folder(tmp_path: Path, *rows: object) -> Path:
    (tmp_path / "data" / "more").mkdir(parents=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (tmp_path / "data" / "more" / "a.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path / "data"


def a_report(tmp_path: Path, *rows: object, trained: Sequence[str] | None = ()) -> dict[str, Any]:
    known = None
    if trained is not None:
        tmp_path.mkdir(exist_ok=True)
        remember(trained, tmp_path / "trained")
        known = Trained(tmp_path / "trained")
    jury = Jury(read, shipped())
    return report(a_folder(tmp_path, *rows), jury, trained=known, at_most=0, disguised=10)


def only_file(folder: Path) -> PromptFile:
    (found,) = prompt_files(folder)
    return found


def test_whatever_is_in_a_line_is_a_row_or_counted(tmp_path: Path) -> None:
    found = only_file(
        a_folder(
            tmp_path,
            {"text": "whole", "unsafe": 1, "labels": {}},
            "",
            "   ",
            "{broken",
            "[1]",
            "7",
            {"text": None, "unsafe": 1},
            {"unsafe": 1},
            {"text": ""},
            {"text": "no labels", "unsafe": None},
            {"text": "odd labels", "unsafe": "safe", "labels": [[1], {"a": 2}, None]},
        )
    )

    assert found.name == "more/a.jsonl"
    assert [row.unsafe for row in found.rows] == [True, None, None, False]
    assert found.unreadable == 5


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"hazard": "cse", "votes": 3}, ("hazard=cse", "votes=3")),
        ({"harm": ["a", "b"], "deep": {"x": 1}}, ("harm=a", "harm=b")),
        (["a", "a"], ("a",)),
        ("a", ("a",)),
        (None, ()),
    ],
)
def test_labels_of_any_shape_become_words(
    tmp_path: Path, labels: object, expected: tuple[str, ...]
) -> None:
    rows = [{"text": f"text {n}", "unsafe": 1, "labels": labels} for n in range(5)]

    found = only_file(a_folder(tmp_path, *rows))

    assert found.rows[0].labels == expected


def test_identifiers_are_no_labels(tmp_path: Path) -> None:
    rows = [{"text": "a", "unsafe": 1, "labels": {"id": n, "kind": "x"}} for n in range(50)]

    assert only_file(a_folder(tmp_path, *rows)).rows[0].labels == ("kind=x",)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("a bad thing", Outcome.BLOCKED),
        ("an odd thing", Outcome.HELD),
        ("a thing", Outcome.ALLOWED),
        ("ein fremd thing", Outcome.UNSUPPORTED_LANGUAGE),
        ("ein bad fremd thing", Outcome.BLOCKED),
        ("", Outcome.NO_PROMPT),
        ("a" * 40_000, Outcome.NO_PROMPT),
        ("\x01", Outcome.NO_PROMPT),
    ],
)
def test_a_text_is_judged_at_the_shipped_thresholds(text: str, outcome: Outcome) -> None:
    assert judged(text, read, shipped()).outcome is outcome


def test_shares_are_by_truth_label_and_category(tmp_path: Path) -> None:
    rows = [
        {"text": f"a bad thing {n}", "unsafe": 1, "labels": {"k": "v"}, "category": "sexual"}
        for n in range(6)
    ]
    rows += [{"text": "an odd thing", "unsafe": 1, "labels": {}, "category": ["hate"]}]
    rows += [{"text": f"a thing {n}", "unsafe": 0, "labels": {}} for n in range(3)]
    rows += [{"text": "fremd", "unsafe": 0, "labels": {}}]

    found = a_report(tmp_path, *rows)

    total, file = found["total"], found["files"]["more/a.jsonl"]
    assert (total["harmful"]["blocked"]["hits"], total["harmful"]["blocked"]["of"]) == (6, 7)
    assert total["harmful"]["blocked_or_held"]["hits"] == 7
    assert total["harmless"]["blocked_or_held"] == {
        "hits": 0, "of": 3, "share": 0.0, "interval": [0.0, 0.5615]
    }  # fmt: skip
    assert total["harmless"]["unsupported_language"] == 1
    assert total["ranking"]["auprc"] == 1.0
    assert file["labels"]["k=v"]["harmful"]["blocked"]["of"] == 6
    assert file["categories"]["hate"]["named"]["hits"] == 0
    assert found["categories"]["sexual"]["named"]["hits"] == 6


def test_rows_that_were_trained_on_are_left_out_unless_they_are_asked_for(tmp_path: Path) -> None:
    rows = [{"text": text, "unsafe": 1} for text in ("A bad  thing", "a new bad thing")]

    refused = a_report(tmp_path / "1", *rows, trained=["a bad thing"])
    allowed = a_report(tmp_path / "2", *rows, trained=None)

    assert (refused["total"]["rows"], allowed["total"]["rows"]) == (1, 2)
    assert refused["files"]["more/a.jsonl"]["trained_on"] == 1


@pytest.mark.parametrize("rows", [(), ({"text": "a", "unsafe": None},), ("nonsense",)])
def test_a_set_without_anything_to_rank_still_has_its_counts(
    tmp_path: Path, rows: tuple[object, ...]
) -> None:
    found = a_report(tmp_path, *rows)

    assert "ranking" not in found["total"]
    json.dumps(found, allow_nan=False)


def test_the_evasion_matrix_disguises_what_is_stopped_plainly_and_what_is_not(
    tmp_path: Path,
) -> None:
    found = a_report(
        tmp_path,
        {"text": "a bad dog", "unsafe": 1},
        {"text": "a missed one", "unsafe": 1},
        {"text": "a calm lake", "unsafe": 0},
        {"text": "an odd lake", "unsafe": 0},
    )["evasion"]

    assert (found["harmful"], found["harmless"], len(found["disguises"])) == (1, 1, 18)
    padded, letters = found["disguises"]["benign_padding"], found["disguises"]["rot13"]
    assert padded["harmful"]["stopped"]["hits"] == padded["harmful"]["by_score"] == 1
    assert letters["harmful"]["stopped"]["hits"] == 0
    assert padded["harmless"]["stopped"] == {
        "hits": 0, "of": 1, "share": 0.0, "interval": [0.0, 0.7935],
    }  # fmt: skip
