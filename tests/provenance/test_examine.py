import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance import examine as room
from provenance.examine import Anchors, Origin, examine, exit_code
from provenance.failures import NotReadable
from provenance.manifest import sign
from provenance.signing import BACKDATED, LEAF_DAYS, create_authority
from tests.provenance.builders import Signed, an_authority, credentials_of, facts_by_rule

NEVER = ("real", "fake", "authentic", "tamper", "human-made", "not ai", "stolen")


@pytest.fixture
def path(signed: Signed, tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(signed.content)
    return path


def test_a_film_of_a_development_installation_is_recognised_and_not_trusted(
    path: Path, signed: Signed
) -> None:
    examined = examine(path, Anchors(development_pem=signed.authority.root_pem))

    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
    assert "development installation" in examined.headline
    assert examined.report is not None
    assert examined.report.facts is not None


def test_a_development_root_among_the_public_ones_is_still_not_trusted(
    path: Path, signed: Signed
) -> None:
    examined = examine(path, Anchors(public_pem=signed.authority.root_pem))

    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER


def test_a_film_signed_by_a_stranger_is_unchanged_but_unknown(path: Path) -> None:
    for anchors in (Anchors(), Anchors(development_pem=an_authority().root_pem)):
        examined = examine(path, anchors)
        assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
        assert examined.headline == "Signed and unchanged, but we don't know this signer."


def test_a_signer_with_a_public_root_is_trusted(
    path: Path, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No public authority signs for us here: the word that marks ours as none is taken away.
    monkeypatch.setattr(room, "DEVELOPMENT", "ANOTHER WORD")

    examined = examine(path, Anchors(public_pem=signed.authority.root_pem))

    assert examined.origin is Origin.TRUSTED
    assert examined.headline.startswith("Made with AI by Imprimatur UNTRUSTED DEVELOPMENT")
    assert examined.headline.endswith("The file has not changed since it was signed.")


def test_a_changed_film_is_altered_and_what_it_says_is_not_repeated(
    path: Path, signed: Signed
) -> None:
    content = bytearray(signed.content)
    content[-50] ^= 4
    path.write_bytes(content)

    examined = examine(path, Anchors(development_pem=signed.authority.root_pem))

    assert examined.origin is Origin.ALTERED
    assert "assertion.bmffHash.mismatch" in examined.headline
    assert "req_1" not in examined.headline + " ".join(examined.details)


def test_a_film_whose_signer_has_expired_is_not_called_changed(film: Path, tmp_path: Path) -> None:
    # The library signs and checks by the machine's clock: the leaf has two seconds to live.
    now = datetime.now(UTC)
    dying = create_authority(now - timedelta(days=LEAF_DAYS, seconds=-2) + BACKDATED)
    path = tmp_path / "film.mp4"
    sign(film, path, facts_by_rule(), credentials_of(dying), now=now)
    assert examine(path, Anchors()).headline.endswith("we don't know this signer.")

    time.sleep(3.1)

    examined = examine(path, Anchors(public_pem=dying.root_pem))
    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
    assert examined.headline.endswith("the signer's certificate has expired since.")


def test_no_credentials_prove_nothing(film: Path) -> None:
    examined = examine(film, Anchors())

    assert examined.origin is Origin.NO_CREDENTIALS
    assert examined.headline == "We found no mark. That tells you nothing about how it was made."


def test_a_kind_that_we_cannot_check_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")

    assert examine(path, Anchors()).origin is Origin.UNSUPPORTED


def test_a_file_that_cannot_be_read_is_an_error_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        examine(tmp_path / "nowhere.mp4", Anchors())


def test_no_answer_speaks_of_truth(path: Path, film: Path, signed: Signed, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(signed.content[:-9])
    text = tmp_path / "notes.txt"
    text.write_text("hello")

    for file in (path, film, broken, text):
        examined = examine(file, Anchors(development_pem=signed.authority.root_pem))
        said = " ".join((examined.headline, *examined.details)).lower()
        assert not [word for word in NEVER if word in said]
        assert examined.validator.startswith("c2pa-rs 0.")


def test_every_answer_has_its_own_exit_status() -> None:
    codes = {origin: exit_code(origin) for origin in Origin}

    assert codes == {
        Origin.TRUSTED: 0,
        Origin.VALID_UNKNOWN_SIGNER: 10,
        Origin.NO_CREDENTIALS: 11,
        Origin.ALTERED: 20,
        Origin.UNSUPPORTED: 30,
    }
