"""Keys: one per purpose, created once, readable by one user, never shown."""

import json
import os
import stat
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from service.keys import (
    SECRETS,
    SIGNING,
    KeyDamaged,
    KeyExposed,
    KeyMissing,
    KeyRing,
    Purpose,
    WrongPurpose,
    secret_key,
    signing_key,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PEM = b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def ring(folder: Path) -> KeyRing:
    return KeyRing(folder, lambda: NOW)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@pytest.mark.parametrize("purpose", sorted(SIGNING))
def test_a_signing_key_is_made_once_and_stays(
    ring: KeyRing, folder: Path, purpose: Purpose
) -> None:
    key = ring.signing(purpose)

    again = KeyRing(folder, lambda: NOW).signing(purpose)

    assert again.id == key.id
    assert again.verifying.verifies(key.sign(b"message"), b"message")
    assert not again.verifying.verifies(key.sign(b"message"), b"massage")


@pytest.mark.parametrize("purpose", sorted(SECRETS))
def test_a_secret_is_32_bytes_and_stays(ring: KeyRing, folder: Path, purpose: Purpose) -> None:
    (key,) = ring.secrets(purpose)

    assert len(key.secret) == 32
    assert KeyRing(folder, lambda: NOW).secrets(purpose) == (key,)


def test_the_cosigning_key_is_there_once_somebody_made_it(ring: KeyRing, folder: Path) -> None:
    assert ring.cosigning() is None

    made = ring.rotate(Purpose.LOG_COSIGN)

    key = KeyRing(folder, lambda: NOW).cosigning()
    assert key is not None
    assert key.id == made
    assert only_file(folder).name == "log_cosign-0001.key"
    MLDSA44PublicKey.from_public_bytes(key.public).verify(key.sign(b"message"), b"message")
    assert ring.rotate(Purpose.LOG_COSIGN) != made
    assert "private" not in repr(key)


def test_every_purpose_has_its_own_key(ring: KeyRing) -> None:
    ids = [ring.signing(purpose).id for purpose in SIGNING]
    ids += [ring.secrets(purpose)[0].id for purpose in SECRETS]

    assert len(set(ids)) == len(SIGNING) + len(SECRETS)


def test_files_are_for_one_user(ring: KeyRing, folder: Path) -> None:
    before = os.umask(0)
    try:
        ring.signing(Purpose.LOG)
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(folder).stat().st_mode) == 0o600


def test_rotation_signs_anew_and_still_verifies_the_old(ring: KeyRing) -> None:
    old = ring.signing(Purpose.TICKET)

    newer = ring.rotate(Purpose.TICKET)

    assert ring.signing(Purpose.TICKET).id == newer != old.id
    assert [key.id for key in ring.verifying(Purpose.TICKET)] == [newer, old.id]


def test_rotating_a_secret_keeps_the_old_one_for_opening(ring: KeyRing) -> None:
    (old,) = ring.secrets(Purpose.VAULT)

    newer = ring.rotate(Purpose.VAULT)

    assert [key.id for key in ring.secrets(Purpose.VAULT)] == [newer, old.id]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_open_is_refused(ring: KeyRing, folder: Path, mode: int) -> None:
    ring.signing(Purpose.LOG)
    only_file(folder).chmod(mode)

    with pytest.raises(KeyExposed, match="chmod 600"):
        ring.signing(Purpose.LOG)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_can_open_is_refused(ring: KeyRing, folder: Path, mode: int) -> None:
    ring.signing(Purpose.LOG)
    folder.chmod(mode)

    with pytest.raises(KeyExposed, match="chmod 700"):
        ring.signing(Purpose.LOG)


def test_a_link_in_place_of_a_key_is_refused(ring: KeyRing, folder: Path) -> None:
    ring.signing(Purpose.LOG)
    file = only_file(folder)
    elsewhere = folder.parent / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)

    with pytest.raises(KeyExposed):
        ring.signing(Purpose.LOG)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'{"seed": 1}', b"\xff\xfe",
        b'{"purpose": "log", "id": "x", "seed": "AAAA"}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_and_not_replaced(
    ring: KeyRing, folder: Path, content: bytes
) -> None:
    ring.signing(Purpose.LOG)
    only_file(folder).write_bytes(content)

    with pytest.raises(KeyDamaged, match="backup"):
        ring.signing(Purpose.LOG)
    assert only_file(folder).read_bytes() == content


def test_a_key_of_another_purpose_is_refused(ring: KeyRing, folder: Path) -> None:
    ring.signing(Purpose.LOG)
    only_file(folder).rename(folder / "ticket-0001.key")

    with pytest.raises(KeyDamaged):
        ring.signing(Purpose.TICKET)


def test_a_changed_seed_does_not_pass_under_the_old_id(ring: KeyRing, folder: Path) -> None:
    ring.signing(Purpose.LOG)
    fields = json.loads(only_file(folder).read_bytes())
    fields["seed"] = "A" * 43 + "="
    only_file(folder).write_text(json.dumps(fields))

    with pytest.raises(KeyDamaged):
        ring.signing(Purpose.LOG)


def test_a_purpose_gives_only_its_own_kind_of_key(ring: KeyRing) -> None:
    for ask in (
        lambda: ring.signing(Purpose.VAULT),
        lambda: ring.verifying(Purpose.MANIFEST),
        lambda: ring.secrets(Purpose.LOG),
        lambda: ring.rotate(Purpose.MANIFEST),
    ):
        with pytest.raises(WrongPurpose):
            ask()


def test_the_newest_bundle_is_the_one_that_is_loaded(ring: KeyRing) -> None:
    with pytest.raises(KeyMissing, match="no signing bundle"):
        ring.load_bundle()
    ring.store_bundle(PEM)
    second = ring.store_bundle(PEM.replace(b"c2Vj", b"Y2Vj"))

    assert ring.load_bundle() == second
    with pytest.raises(KeyDamaged):
        ring.store_bundle(b"not PEM")


def test_no_key_is_ever_shown(ring: KeyRing, folder: Path) -> None:
    signing, (secret,) = ring.signing(Purpose.LOG), ring.secrets(Purpose.VAULT)
    bundle = ring.store_bundle(PEM)
    seed = json.loads((folder / "log-0001.key").read_bytes())["seed"]

    shown = repr(signing) + repr(secret) + repr(bundle) + repr(ring) + str(signing) + str(secret)

    assert seed not in shown
    assert secret.secret.hex() not in shown
    assert repr(secret.secret) not in shown
    assert "c2VjcmV0" not in shown


def test_no_error_shows_a_key(ring: KeyRing, folder: Path) -> None:
    ring.signing(Purpose.LOG)
    file = only_file(folder)
    content = file.read_bytes()
    seed = json.loads(content)["seed"]
    for broken in (content[:-3], content.replace(b'"log"', b'"vault"'), content + b"}"):
        file.write_bytes(broken)

        with pytest.raises(KeyDamaged) as refused:
            ring.signing(Purpose.LOG)

        said = "".join(
            traceback.TracebackException.from_exception(
                refused.value, capture_locals=False
            ).format()
        )
        assert seed not in said
        assert refused.value.__context__ is None
        assert refused.value.__cause__ is None


def test_processes_that_start_together_agree_on_one_key(folder: Path) -> None:
    script = (
        "import sys, datetime, pathlib\n"
        "from service.keys import KeyRing, Purpose\n"
        "sys.stdin.read(1)\n"
        "ring = KeyRing(pathlib.Path(sys.argv[1]), lambda: datetime.datetime.now(datetime.UTC))\n"
        "print(ring.signing(Purpose.LOG).id, ring.secrets(Purpose.VAULT)[0].id)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    children = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(4)]  # type: ignore[call-overload]

    for child in children:
        child.stdin.write(b"x")
        child.stdin.flush()
    said = {child.communicate(timeout=60)[0] for child in children}

    assert [child.returncode for child in children] == [0] * 4
    assert len(said) == 1
    assert sorted(file.name for file in folder.iterdir()) == ["log-0001.key", "vault-0001.key"]


def test_ids_are_fingerprints() -> None:
    assert signing_key(b"\x01" * 32).id != signing_key(b"\x02" * 32).id
    assert secret_key(b"\x01" * 32).id != signing_key(b"\x01" * 32).id
    assert len(secret_key(b"\x01" * 32).id) == 16
