import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save
from threadpoolctl import threadpool_info

from filters.features import buckets
from filters.finding import ModelUnavailable
from filters.minilm import VECTOR
from filters.weights import (
    BLOCK,
    CARD,
    HEADS,
    HOLD,
    OUTPUTS,
    PACKAGED,
    TENSORS,
    load_weights,
    scores,
    told_apart,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (CARD, TENSORS):
        shutil.copy(PACKAGED / name, tmp_path / name)
    return tmp_path


def rewrite(folder: Path, **changed: object) -> None:
    card = json.loads((folder / CARD).read_text("utf-8"))
    (folder / CARD).write_text(json.dumps(card | changed), "utf-8")


def test_the_packaged_weights_are_small_and_those_of_their_card() -> None:
    weights = load_weights()

    assert (PACKAGED / TENSORS).stat().st_size < 10_000_000
    assert weights.version


def test_the_card_proposes_a_hold_for_every_category_and_below_its_block() -> None:
    thresholds = load_weights().thresholds

    assert set(thresholds) == {*HEADS, "minors", "language", "evasion"}
    assert all(0 < levels["hold"] < levels.get("block", 1.0) for levels in thresholds.values())
    # What cannot be read or is hidden is for a person to judge, never refused by itself.
    assert {name for name, levels in thresholds.items() if "block" not in levels} == {
        "language",
        "evasion",
    }


def test_every_head_holds_and_blocks_at_the_same_scores() -> None:
    thresholds = load_weights().thresholds

    assert all(thresholds[head] == {"hold": HOLD, "block": BLOCK} for head in HEADS)


def test_there_is_one_score_for_every_head_and_none_leaves_zero_to_one() -> None:
    weights = load_weights()
    vector = np.ones(VECTOR, np.float32) * 1e6

    found = scores(weights.log_odds(np.stack([vector, -vector]), [buckets("a")] * 2))

    assert found.shape == (2, len(HEADS))
    assert ((found >= 0) & (found <= 1)).all()


def test_judging_at_once_leaves_the_process_its_threads() -> None:
    def threads() -> list[int]:
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    weights, before = load_weights(), threads()
    vectors = np.zeros((4, VECTOR), np.float32)

    with ThreadPoolExecutor(8) as many:
        list(many.map(lambda _: weights.log_odds(vectors, [buckets("a")] * 4), range(400)))

    assert threads() == before


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=13))
def test_telling_heads_apart_leaves_the_worst_and_the_order(found: list[float]) -> None:
    given_odds = np.array(found)

    apart = told_apart(given_odds)

    assert apart.max() == given_odds.max()
    assert (apart <= given_odds).all()
    assert (np.diff(apart[np.argsort(given_odds)]) >= 0).all()


@pytest.mark.parametrize("name", [CARD, TENSORS])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(ModelUnavailable, match="incomplete"):
        load_weights(folder)


def test_one_changed_byte_is_refused(folder: Path) -> None:
    content = bytearray((folder / TENSORS).read_bytes())
    content[-1] ^= 1
    (folder / TENSORS).write_bytes(content)

    with pytest.raises(ModelUnavailable, match="not those of its card"):
        load_weights(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"heads": list(HEADS[:-1])},
        {"heads": [*HEADS[:-1], "weapons"]},
        {"heads": list(reversed(HEADS))},
        {"encoder_sha256": "00" * 32},
    ],
)
def test_other_heads_or_another_encoder_are_refused(
    folder: Path, changed: dict[str, object]
) -> None:
    rewrite(folder, **changed)

    with pytest.raises(ModelUnavailable):
        load_weights(folder)


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"version": 1'])
def test_a_card_that_says_nothing_is_refused(folder: Path, card: str) -> None:
    (folder / CARD).write_text(card, "utf-8")

    with pytest.raises(ModelUnavailable, match="incomplete"):
        load_weights(folder)


@pytest.mark.parametrize("wrong", ["shape", "one hidden less", "not numbers", "no tensors"])
def test_weights_of_another_kind_are_refused_even_with_a_matching_hash(
    folder: Path, wrong: str
) -> None:
    tensors = load((folder / TENSORS).read_bytes())
    match wrong:
        case "shape":
            content = save(tensors | {"bias": np.zeros(3, np.float32)})
        case "one hidden less":
            content = save(tensors | {"outer": tensors["outer"][:, 1:]})
        case "not numbers":
            content = save(tensors | {"bias": np.full(OUTPUTS, np.nan, np.float32)})
        case _:
            content = b"\0" * 64
    (folder / TENSORS).write_bytes(content)
    rewrite(folder, sha256=hashlib.sha256(content).hexdigest())

    with pytest.raises(ModelUnavailable):
        load_weights(folder)
