import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.ids import is_id, new_id
from service.vault import (
    BadName,
    BlobDamaged,
    NoSuchBlob,
    NotWhatWasSealed,
    Shown,
    Unmarked,
    Vault,
    VaultError,
    VaultFull,
    VaultUnavailable,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOB = new_id("video", NOON)
FILM = b"a sealed film" * 1000
DIGEST = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", reserve_bytes=0)


def a_sealed_file(vault: Vault, content: bytes = FILM) -> Path:
    path = vault.workbench(JOB) / "sealed.mp4"
    path.write_bytes(content)
    return path


def _touch(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("shared"))


def released(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "vault" / "released").rglob("*") if path.is_file()]


def test_a_published_file_is_read_back_under_its_digest(vault: Vault) -> None:
    blob = vault.publish(a_sealed_file(vault), DIGEST)

    with vault.open(DIGEST) as film:
        assert film.read() == FILM
    assert (blob.sha256, blob.size) == (DIGEST, len(FILM))


def test_publishing_twice_leaves_one_file_and_no_copy(vault: Vault, tmp_path: Path) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)
    vault.publish(a_sealed_file(vault), DIGEST)

    assert [path.name for path in released(tmp_path)] == [DIGEST]
    assert released(tmp_path)[0].parent.parts[-2:] == (DIGEST[:2], DIGEST[2:4])


def test_other_content_than_was_sealed_is_not_published(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(NotWhatWasSealed):
        vault.publish(a_sealed_file(vault, FILM + b"!"), DIGEST)

    assert released(tmp_path) == []


def test_nothing_in_quarantine_is_published(vault: Vault, tmp_path: Path) -> None:
    raw = vault.quarantine(JOB) / "raw.mp4"
    raw.write_bytes(FILM)
    link = tmp_path / "innocent.mp4"
    link.symlink_to(raw)

    for path in (raw, link, vault.workbench(JOB) / ".." / ".." / "quarantine" / JOB / "raw.mp4"):
        with pytest.raises(Unmarked):
            vault.publish(path, DIGEST)

    assert released(tmp_path) == []


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_only_a_plain_file_is_published(
    vault: Vault, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "odd")

    with pytest.raises(NotWhatWasSealed):
        vault.publish(tmp_path / "odd", DIGEST)


def test_a_link_is_not_followed_out_of_the_workbench(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(FILM)
    link = vault.workbench(JOB) / "sealed.mp4"
    link.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(VaultUnavailable):
        vault.publish(link, DIGEST)


def test_a_file_that_is_missing_is_not_published(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(VaultUnavailable):
        vault.publish(tmp_path / "nowhere.mp4", DIGEST)


def test_a_film_changed_on_the_disk_is_given_to_nobody(vault: Vault, tmp_path: Path) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)
    (blob,) = released(tmp_path)
    blob.chmod(0o600)
    blob.write_bytes(b"A" + FILM[1:])

    with pytest.raises(BlobDamaged):
        vault.open(DIGEST)
    with pytest.raises(BlobDamaged):
        vault.publish(a_sealed_file(vault), DIGEST)


def test_a_deleted_film_is_gone_and_deleting_again_is_no_error(vault: Vault) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)

    vault.delete(DIGEST)
    vault.delete(DIGEST)

    with pytest.raises(NoSuchBlob):
        vault.open(DIGEST)


def test_only_the_service_may_look_into_quarantine_whatever_the_umask(vault: Vault) -> None:
    before = os.umask(0)
    try:
        folder = vault.quarantine(JOB)
    finally:
        os.umask(before)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_released_film_cannot_be_written_to_by_mistake(vault: Vault, tmp_path: Path) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)

    assert released(tmp_path)[0].stat().st_mode & 0o777 == 0o400


def test_dropping_a_job_removes_its_frames_and_not_its_film(vault: Vault) -> None:
    (vault.quarantine(JOB) / "frames.npy").write_bytes(b"raw")
    vault.publish(a_sealed_file(vault), DIGEST)

    vault.drop(JOB)
    vault.drop(JOB)

    assert list(vault.quarantine(JOB).iterdir()) == []
    vault.open(DIGEST).close()


def test_dropping_never_follows_a_link(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_bytes(b"x")
    (tmp_path / "vault" / "quarantine" / JOB).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(VaultUnavailable):
        vault.quarantine(JOB)
    vault.drop(JOB)

    assert (tmp_path / "elsewhere" / "precious").exists()


def test_sweeping_spares_the_living_and_the_young(vault: Vault, tmp_path: Path) -> None:
    dead, alive, young = (new_id("video", NOON) for _ in range(3))
    for job in (dead, alive, young):
        (vault.quarantine(job) / "frames.npy").write_bytes(b"raw")
    leftover = tmp_path / "vault" / "released" / "incoming" / "half"
    leftover.write_bytes(b"half")
    for path in (vault.quarantine(dead), vault.quarantine(alive), leftover):
        _touch(path, NOON - timedelta(hours=2))
    _touch(vault.quarantine(young), NOON)

    swept = vault.sweep({alive}, NOON, timedelta(hours=1))

    assert swept == (dead,)
    assert not leftover.exists()
    assert (vault.quarantine(young) / "frames.npy").exists()
    assert (vault.quarantine(alive) / "frames.npy").exists()


def shows_nothing(_digests: Collection[str]) -> frozenset[str]:
    return frozenset()


def shows_all(digests: Collection[str]) -> frozenset[str]:
    return frozenset(digests)


@pytest.mark.parametrize(
    ("shown", "age", "stays"),
    [
        (shows_nothing, timedelta(hours=2), False),
        (shows_nothing, timedelta(minutes=59), True),
        (shows_all, timedelta(hours=2), True),
    ],
    ids=["shown by nobody", "young", "shown"],
)
def test_a_film_goes_when_no_job_has_shown_it_for_long(
    vault: Vault, tmp_path: Path, shown: Shown, age: timedelta, *, stays: bool
) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)
    (film,) = released(tmp_path)
    _touch(film, NOON - age)

    swept = vault.sweep_released(shown, NOON, timedelta(hours=1))

    assert swept == (() if stays else (DIGEST,))
    assert released(tmp_path) == ([film] if stays else [])


def test_no_film_goes_while_nobody_can_say_whether_it_is_shown(
    vault: Vault, tmp_path: Path
) -> None:
    def out_of_order(_digests: Collection[str]) -> frozenset[str]:
        raise LookupError

    vault.publish(a_sealed_file(vault), DIGEST)
    (film,) = released(tmp_path)
    _touch(film, NOON - timedelta(hours=2))

    with pytest.raises(LookupError):
        vault.sweep_released(out_of_order, NOON, timedelta(hours=1))

    assert film.exists()


def test_a_film_published_again_while_it_is_swept_stays(vault: Vault, tmp_path: Path) -> None:
    vault.publish(a_sealed_file(vault), DIGEST)
    (film,) = released(tmp_path)
    _touch(film, NOON - timedelta(hours=2))

    def publishing(_digests: Collection[str]) -> frozenset[str]:
        """Nobody shows it yet; its release commits right after this answer."""
        vault.publish(a_sealed_file(vault), DIGEST)
        return frozenset()

    swept = vault.sweep_released(publishing, datetime.now(UTC), timedelta(hours=1))

    assert swept == ()
    with vault.open(DIGEST) as blob:
        assert blob.read() == FILM


def test_what_is_no_film_of_ours_is_never_swept(vault: Vault, tmp_path: Path) -> None:
    stray = tmp_path / "vault" / "released" / "sha256" / "ab" / "cd" / "README"
    stray.parent.mkdir(parents=True)
    stray.write_text("put here by the operator")
    _touch(stray, NOON - timedelta(hours=2))

    assert vault.sweep_released(shows_nothing, NOON, timedelta(hours=1)) == ()
    assert stray.exists()


@example("../../etc")
@example("video_/../x")
@example("")
@example("video_" + "0" * 26 + "\n")
@given(st.text(max_size=40))
def test_no_text_but_an_id_names_a_folder(shared: Vault, name: str) -> None:
    if is_id(name):
        return

    for ask in (shared.quarantine, shared.workbench, shared.drop):
        with pytest.raises(BadName):
            ask(name)


@example("..")
@example("a" * 63 + "/")
@example("A" * 64)
@example("0" * 64 + "\n")
@given(st.text(alphabet="0123456789abcdef/.\nA", max_size=70))
def test_no_text_but_a_digest_names_a_blob(shared: Vault, name: str) -> None:

    for ask in (shared.open, shared.delete):
        if len(name) == 64 and set(name) <= set("0123456789abcdef"):
            continue
        with pytest.raises(BadName):
            ask(name)


def test_a_disk_without_the_reserve_takes_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", reserve_bytes=1 << 62)

    with pytest.raises(VaultFull) as full:
        vault.publish(a_sealed_file(vault), DIGEST)

    assert "free space" in full.value.remedy
    assert released(tmp_path) == []


# Runs in a process of its own: writes a film of 1 MiB where there is no room for it.
_NO_ROOM = """
import hashlib, resource, sys
from pathlib import Path
from service.vault import Vault, VaultFull
root, how = Path(sys.argv[1]), sys.argv[2]
film = b"x" * (1 << 20)
source = Path(sys.argv[3])
source.write_bytes(film)
vault = Vault(root, reserve_bytes=-(1 << 40))
if how == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
try:
    vault.publish(source, hashlib.sha256(film).hexdigest())
except VaultFull as full:
    left = [path for path in (root / "released").rglob("*") if path.is_file()]
    print("full", len(left), full.remedy.split()[0])
"""


def test_a_write_that_stops_half_way_publishes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _NO_ROOM]
    command += [str(tmp_path / "vault"), "limit", str(tmp_path / "film")]

    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["full", "0", "raise"]


def test_a_full_disk_publishes_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=256k none {disk}"
    allowed = subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False)
    if allowed.returncode:
        pytest.skip("no right to mount a small disk in a namespace of its own")
    command = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    command += [sys.executable, "-c", _NO_ROOM, str(disk / "vault"), "disk", str(tmp_path / "film")]

    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["full", "0", "free"]


def test_every_error_of_the_vault_has_one_base(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(VaultError):
        Vault(tmp_path / "file")


def test_a_second_name_of_an_unmarked_film_is_not_published(vault: Vault) -> None:
    unmarked = vault.quarantine(JOB) / "frames"
    unmarked.write_bytes(FILM)
    os.link(unmarked, vault.workbench(JOB) / "sealed.mp4")

    with pytest.raises(Unmarked):
        vault.publish(vault.workbench(JOB) / "sealed.mp4", DIGEST)

    with pytest.raises(NoSuchBlob):
        vault.open(DIGEST)
