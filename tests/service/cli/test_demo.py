import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from service.cli import stories
from service.cli.demo import Story, _told
from service.cli.proof import Proof
from service.cli.stories import Beat, Stage
from tests.service.cli.conftest import ROOT, Command, child, environment

NOWHERE = cast("Stage", None)
PROOF = Proof("log", 0, 1, "decision.made")


@pytest.mark.slow
def test_the_demo_comes_out_as_told_and_keeps_a_film_and_a_frame(
    cache: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"

    ran = child(tmp_path / "unused", cache, "demo", "--json", "--keep", str(kept))

    told = ran.answer
    assert ran.code == 0, ran.err
    assert told["as_told"] is True
    assert told["log_sound"] is True
    assert told["seconds"] < 60
    assert [story["as_told"] for story in told["stories"]] == [True] * 4
    assert all(beat["proof"]["checked"] for story in told["stories"] for beat in story["beats"])
    film, file = told["stories"][0]["beats"]
    assert Path(film["path"]).stat().st_size == film["bytes"]
    assert file["state_under_development_root"] == "trusted"
    assert file["sound_rms"] > 0
    assert Path(file["frame"]).read_bytes().startswith(b"\x89PNG")
    assert [beat["came"] for beat in told["stories"][3]["beats"]] == [
        "hold", "likeness.enrolled", "likeness.granted", "allow", "likeness.grant_revoked", "block",
    ]  # fmt: skip
    assert not (tmp_path / "unused").exists()


def test_a_beat_that_came_out_otherwise_fails_its_story() -> None:
    def tell(_stage: Stage) -> Iterator[Beat]:
        yield Beat("first", "block", "block", (), PROOF)
        yield Beat("second", "block", "allow", (), PROOF)

    shown: list[str] = []
    told = _told(1, Story("a story", tell), NOWHERE, lambda line, _style: shown.append(line))

    assert told["as_told"] is False
    assert "     It should have been: block" in shown


def test_a_story_without_a_beat_was_not_told() -> None:
    silence = Story("silence", lambda _stage: iter(()))

    assert _told(1, silence, NOWHERE, lambda _line, _style: None)["as_told"] is False


@pytest.mark.slow
def test_on_a_terminal_answers_go_to_stdout_and_progress_to_stderr(
    cache: Path, tmp_path: Path
) -> None:
    seen, terminal = os.openpty()
    answers = tmp_path / "stdout"
    with answers.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "demo"],
            cwd=ROOT, stdout=out, stderr=terminal,
            env=environment(tmp_path / "none", cache, TERM="xterm", TMPDIR=str(tmp_path)),
        )  # fmt: skip
        os.close(terminal)
        watched = read_all(seen)
        code = process.wait(timeout=60)

    said = answers.read_text()
    kept = Path(said.rpartition(" are in ")[2].strip().removesuffix("."))
    assert code == 0
    assert "Every story came out as told" in said
    assert "\x1b" not in said
    assert b"generate" in watched
    assert b"Every story" not in watched
    assert sorted(path.name for path in kept.iterdir()) == ["film.mp4", "frame.png"]


def read_all(terminal: int) -> bytes:
    """Return what is written to a terminal until nobody has it open any more."""
    content = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side is closed
            return content
        if not chunk:
            return content
        content += chunk


def test_a_folder_with_something_in_it_is_left_alone(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    ran = command("demo", "--keep", tmp_path)

    assert ran.code == 1
    assert "not empty" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_face_story_says_what_it_does_not_show() -> None:
    assert "nothing about how well faces are recognised" in re.sub(
        r"\s+", " ", stories.consented.__doc__ or ""
    )


def test_help_loads_no_model_and_no_database() -> None:
    heavy = "numpy sqlalchemy fastapi onnxruntime torch pydantic cryptography rich av c2pa"
    program = (
        "import sys\nfrom service.cli import run\nassert run(['--help']) == 0\n"
        f"print('loaded', sorted(set({heavy.split()}) & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "loaded []" in done.stdout
