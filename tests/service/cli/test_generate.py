from pathlib import Path

import pytest

from service import jobs
from service.cli import opening
from service.settings import Settings
from tests.service.cli.conftest import Command, child

# The frames of one second are 1.5 MiB, the database is smaller.
SMALL_FILES = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))"
SMALL = ("--size", "256x256", "--seconds", "1", "--fps", "8")


def test_a_film_says_where_it_comes_from_and_is_in_the_log(command: Command, film: Path) -> None:
    ran = command("verify", film, "--json")

    assert ran.code == 10
    assert ran.answer["origin"] == "valid_unknown_signer"
    assert "development installation" in ran.answer["headline"]
    assert ran.answer["log"]["released"] is True
    assert ran.answer["log"]["proof"]["checked"] is True


@pytest.mark.parametrize(("least", "code"), [("trusted", 10), ("valid", 0), ("any", 0)])
def test_require_says_what_is_enough(least: str, code: int, command: Command, film: Path) -> None:
    assert command("verify", film, "--require", least).code == code


def test_one_changed_byte_is_altered_and_not_the_release(
    command: Command, film: Path, tmp_path: Path
) -> None:
    content = bytearray(film.read_bytes())
    content[content.index(b"mdat") + 200] ^= 1
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(content)

    ran = command("verify", changed, "--require", "any", "--json")

    assert ran.code == 20
    assert ran.answer["origin"] == "altered"
    assert ran.answer["log"]["released"] is False


def test_a_picture_without_a_mark_is_11_and_claims_nothing(
    command: Command, tmp_path: Path
) -> None:
    import numpy as np

    from service.media.stills import encoded

    bare = tmp_path / "bare.png"
    bare.write_bytes(encoded(np.zeros((32, 32, 3), np.uint8)))

    ran = command("verify", bare)

    assert ran.code == 11
    assert "tells you nothing about how it was made" in ran.out


def test_another_kind_of_file_is_30_and_a_missing_one_1(command: Command, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir")

    assert command("verify", letter).code == 30
    assert command("verify", tmp_path / "none.mp4").code == 1


def test_without_a_home_a_file_is_checked_and_nothing_is_made(
    command: Command, film: Path, tmp_path: Path
) -> None:
    command.move(tmp_path / "nobody" / "home")

    ran = command("verify", film)

    assert ran.code == 10
    assert "There is no log here to ask." in ran.out
    assert not (tmp_path / "nobody").exists()


def test_a_blocked_prompt_leaves_no_file(command: Command, tmp_path: Path) -> None:
    target = tmp_path / "none.mp4"

    ran = command(
        "generate", "two naked people having sex beside a red ball", "-o", target, *SMALL, "--json"
    )

    assert ran.code == 4
    assert ran.answer["state"] == "refused"
    assert ran.answer["error"]["code"] == "filters.sexual"
    assert ran.answer["proof"]["checked"] is True
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_said_before_anything_is_made(command: Command, tmp_path: Path) -> None:
    ran = command("generate", "a red ball", "-o", tmp_path / "no" / "film.mp4")

    assert ran.code == 1
    assert "make the folder first" in ran.err


def test_what_is_held_waits_for_somebody_else_and_can_be_refused(
    command: Command, film: Path, tmp_path: Path
) -> None:
    prompt, target = "a red ball bounces near @nobody_here", tmp_path / "a.mp4"
    held = command("generate", prompt, "-o", target, *SMALL, "--json")
    review = held.answer["review"]

    listed = command("reviews", "list", "--json").answer["data"]
    shown = command("reviews", "show", review)
    own = command("reviews", "clear", review)
    other = command("keys", "create", "--role", "moderator", "--person", "Mo", "--json").answer
    ruled = command("reviews", "refuse", review, "--as", other["actor"], "--note", "no", "--json")
    again = command("reviews", "clear", review, "--as", other["actor"])

    assert held.code == 3
    assert review in {one["id"] for one in listed}
    assert "likeness.handle_unknown" in shown.out
    assert own.code == 1
    assert "nobody reviews their own request" in own.err
    assert ruled.answer["state"] == "refused"
    assert ruled.answer["proof"]["type"] == "review.refused"
    assert again.code == 1
    assert "somebody was first" in again.err


def test_a_disk_that_is_full_ends_the_job_and_leaves_nothing(
    own_home: Path, cache: Path, tmp_path: Path
) -> None:
    target = tmp_path / "film.mp4"

    ran = child(
        own_home, cache, "generate", "a green cube spins", "-o", str(target), *SMALL,
        before=SMALL_FILES,
    )  # fmt: skip

    assert ran.code == 1
    assert "File too large" in ran.err
    assert ran.err.count("\n") == 1
    assert not target.exists()
    assert list((own_home / "vault" / "quarantine").iterdir()) == []
    with opening.books(Settings(home=own_home)) as books:
        assert books.log.verify().sound
        with books.database.reading() as conn:
            assert jobs.alive(conn) == frozenset()
