from pathlib import Path

import pytest
import yaml

from filters.finding import Category, Surface
from filters.taxonomy import OPENAI, TAXONOMY, BadTaxonomy, Decider, taxonomy
from filters.weights import HEADS


def changed(tmp_path: Path, **fields: object) -> Path:
    document = yaml.safe_load(TAXONOMY.read_text("utf-8"))
    document["categories"][0] |= fields
    (tmp_path / "taxonomy.yaml").write_text(yaml.safe_dump(document), "utf-8")
    return tmp_path / "taxonomy.yaml"


def test_every_category_has_one_entry_and_every_head_is_said_to_be_one() -> None:
    entries = taxonomy()

    assert sorted(e.id for e in entries if e.decided_by is not Decider.JOIN) == sorted(Category)
    assert {e.id for e in entries if e.decided_by is Decider.HEAD} == set(HEADS)


def test_every_name_of_openai_is_covered() -> None:
    assert {name for entry in taxonomy() for name in entry.openai} == OPENAI


def test_minors_are_a_rule_and_a_likeness_is_for_the_policy_to_join() -> None:
    by_id = {entry.id: entry for entry in taxonomy()}

    assert by_id["minors"].decided_by is Decider.RULE
    assert by_id["sexual_likeness"].joins == (
        "policy.person_sexual",
        "policy.named_person_sexual",
    )
    assert by_id["speech"].surfaces == (Surface.SOUND,)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "sexuall"},
        {"id": "violence"},
        {"openai": ["sex"]},
        {"llama_guard": ["S15"]},
        {"ailuminate": "sxc"},
        {"dsa": ["NUDITY"]},
        {"surfaces": ["radio"]},
        {"decided_by": "a person"},
        {"more": 1},
    ],
)
def test_a_taxonomy_with_a_fault_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(BadTaxonomy):
        taxonomy(changed(tmp_path, **fields))


@pytest.mark.parametrize("text", ["", "[", "categories: 3", "categories: [a]"])
def test_what_is_no_taxonomy_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "taxonomy.yaml").write_text(text, "utf-8")

    with pytest.raises(BadTaxonomy):
        taxonomy(tmp_path / "taxonomy.yaml")
