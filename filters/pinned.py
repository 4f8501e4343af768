"""Models that we know by their hash: found, checked and opened in one place."""

import hashlib
import importlib.util
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from filters.finding import ModelUnavailable

# What a session raises when it runs. ONNX Runtime's own derive from nothing but `Exception`.
FAULTS = (
    ort.Fail, ort.InvalidArgument, ort.RuntimeException, ort.NotImplemented, ort.EngineError,
    ort.EPFail, RuntimeError, ValueError, TypeError, IndexError, AttributeError, MemoryError,
)  # fmt: skip


def wheel_file(package: str, name: str, *, remedy: str) -> Path:
    """Return where `name` lies in an installed package, without importing the package.

    Raises:
        ModelUnavailable: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable("a package is not installed", package, remedy)
    return Path(spec.submodule_search_locations[0]) / name


def pinned(path: Path, sha256: str, *, remedy: str) -> bytes:
    """Return what is in `path`: read once, so that what was checked is what is used.

    Raises:
        ModelUnavailable: the file is missing or not the one we pinned.
    """
    try:
        content = path.read_bytes()
    except OSError as broken:
        raise ModelUnavailable("a model is missing", str(path), remedy) from broken
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelUnavailable("a model is not the one we pinned", str(path), remedy)
    return content


def opened(graph: bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session on the CPU that gives the same numbers every time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
