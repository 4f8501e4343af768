import shutil
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filters import minilm
from service import doctor, wiring
from service.audit.entries import Entry
from service.audit.witness import WitnessClient
from service.certificates import development_identity
from service.cli import opening
from service.doctor import Finding, Level
from service.keys import KeyRing, Purpose
from service.settings import Settings
from tests.service.audit.witness_server import Witness, serving

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with keys, a certificate, a database and two entries."""
    home = tmp_path_factory.mktemp("doctor") / "home"
    with opening.first_books(Settings(home=home)) as books:
        for number in range(2):
            books.log.append(Entry(key=f"k{number}", type="test.entry", at=NOW, facts={}))
    ring = KeyRing(home / "keys", wiring.now)
    development_identity(ring, wiring.now)
    ring.signing(Purpose.TICKET)
    return home


@pytest.fixture
def home(lived_in: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived_in, tmp_path / "home"))


@pytest.fixture
def free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


def looked(name: str, settings: Settings, now: datetime | None = None) -> Finding:
    """Run the one check called `name`."""
    (check,) = [one for one in doctor._checks(now or datetime.now(UTC)) if one[0] == name]
    return doctor._finding(*check[:2], settings, check[2])


def test_a_new_installation_is_warned_about_and_nothing_is_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache", port=65_001)

    found = doctor.of_settings(settings, NOW)

    assert max(one.level for one in found) is Level.WARN
    assert {one.name for one in found if one.level is Level.OK} >= {
        "prompt filter", "faces", "pictures", "speech", "words", "policy", "generator", "codecs",
    }  # fmt: skip
    assert all(one.fix for one in found if one.level is not Level.OK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["home", "disk", "keys", "database", "log", "clock"])
def test_a_home_that_is_lived_in_is_fine(name: str, home: Path) -> None:
    found = looked(name, Settings(home=home))

    assert found.level is Level.OK, found.said


def test_an_unknown_setting_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRIMATUR_TRESHOLD", "1")

    python, settings = doctor.examined()

    assert python.level is Level.OK
    assert settings.level is Level.FAIL
    assert "IMPRIMATUR_TRESHOLD" in settings.said


def test_a_home_that_others_can_open(home: Path) -> None:
    home.chmod(0o755)

    found = looked("home", Settings(home=home))

    assert found.level is Level.FAIL
    assert found.fix == f"chmod 700 {home}"


def test_a_key_that_others_can_read(home: Path) -> None:
    key = home / "keys" / "ticket-0001.key"
    key.chmod(0o640)

    found = looked("keys", Settings(home=home))

    assert found.level is Level.FAIL
    assert found.fix == f"chmod 600 {key}"


def test_a_key_that_was_damaged(home: Path) -> None:
    (home / "keys" / "ticket-0001.key").write_bytes(b"{}")

    assert looked("keys", Settings(home=home)).level is Level.FAIL


def test_a_lost_log_key_is_not_made_again(home: Path) -> None:
    key = home / "keys" / "log-0001.key"
    key.unlink()

    found = looked("log", Settings(home=home))

    assert found.level is Level.FAIL
    assert "restore it from a backup" in found.said
    assert not key.exists()


def test_a_log_entry_that_was_changed(home: Path) -> None:
    database = sqlite3.connect(home / "imprimatur.sqlite3")
    database.execute("UPDATE log_entry SET leaf = leaf || ' ' WHERE place = 1")
    database.commit()
    database.close()

    found = looked("log", Settings(home=home))

    assert found.level is Level.FAIL
    assert found.fix == "imprimatur audit verify"


def test_a_log_under_another_name(home: Path) -> None:
    assert looked("log", Settings(home=home, origin="other.example/log")).level is Level.FAIL


def test_a_database_that_somebody_holds(home: Path) -> None:
    other = sqlite3.connect(home / "imprimatur.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    found = looked("database", Settings(home=home))
    other.close()

    assert found.level is Level.FAIL
    assert "locked" in found.said


def test_a_database_of_another_version(home: Path) -> None:
    database = sqlite3.connect(home / "imprimatur.sqlite3")
    database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.commit()
    database.close()

    assert looked("database", Settings(home=home)).level is Level.WARN


def test_a_clock_that_is_behind_the_log(home: Path) -> None:
    found = looked("clock", Settings(home=home), NOW - timedelta(hours=1))

    assert found.level is Level.FAIL
    assert found.fix == "timedatectl set-ntp true"


@pytest.mark.parametrize(("days", "level"), [(1, Level.WARN), (400, Level.FAIL)])
def test_a_development_certificate_is_never_fine(days: int, level: Level, home: Path) -> None:
    found = looked("certificate", Settings(home=home), NOW + timedelta(days=days))

    assert found.level is level
    assert "untrusted everywhere" in found.said


def test_a_certificate_that_is_not_there(home: Path, tmp_path: Path) -> None:
    settings = Settings(
        home=home, signer="files", signer_chain=tmp_path / "no.pem", signer_key=tmp_path / "no.key"
    )

    assert looked("certificate", settings).level is Level.FAIL


def test_a_text_encoder_that_was_changed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / minilm.GRAPH).write_bytes(b"another graph")

    found = looked("text encoder", Settings(home=home, cache=tmp_path))

    assert found.level is Level.FAIL
    assert found.fix == "imprimatur models prepare"


def test_a_policy_that_is_not_whole(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("id: mine\n")

    found = looked("policy", Settings(home=tmp_path / "home", policy=policy))

    assert found.level is Level.FAIL
    assert found.fix == "unset IMPRIMATUR_POLICY"


def test_a_generator_whose_weights_are_not_here(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    by_id = Settings(generator="ltx2", ltx2_model="somebody/some-model")
    by_folder = Settings(generator="ltx2", ltx2_model=str(tmp_path / "empty"))

    assert looked("generator", by_id).level is Level.WARN
    assert looked("generator", by_folder).level is Level.FAIL


def test_a_port_that_is_taken(free_port: int) -> None:
    found = looked("port", Settings(port=free_port))

    assert found.level is Level.WARN
    assert "serve --port" in found.fix


@pytest.fixture
def begun(home: Path) -> Path:
    """A home whose policy book has been begun."""
    settings = Settings(home=home)
    with opening.first_books(settings) as books:
        wiring.seeding(settings, books.database, books.log).begin()
    return home


def test_the_live_policy_is_named(begun: Path) -> None:
    found = looked("policy", Settings(home=begun))

    assert found.level is Level.OK
    assert "is live" in found.said


def test_a_policy_of_the_settings_that_is_not_live_is_said_with_how_to_promote_it(
    begun: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(wiring.DEFAULT_POLICY.read_bytes() + b"\n")

    found = looked("policy", Settings(home=begun, policy=file))

    assert found.level is Level.WARN
    assert found.fix.startswith(f"imprimatur policy draft {file}")


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE policy_document SET text = x'00'",
        "UPDATE policy_document SET state = 'retired'",
        "DELETE FROM policy_head",
    ],
)
def test_a_book_that_cannot_decide_is_a_failure(begun: Path, harm: str) -> None:
    with sqlite3.connect(begun / "imprimatur.sqlite3") as raw:
        raw.execute(harm)

    found = looked("policy", Settings(home=begun))

    assert found.level is Level.FAIL
    assert found.fix == "imprimatur policy list"


def test_a_witness_that_saw_less_is_a_warning_and_another_history_a_failure(home: Path) -> None:
    with serving(Witness()) as witness:
        settings = Settings(home=home, witnesses=witness.setting)
        unasked = looked("witnesses", settings)
        with opening.books(settings) as books:
            witness.know(books.log.verifier_keys()[0])
            client = WitnessClient(books.database, books.log, wiring.now)
            client.push()
            fine = looked("witnesses", settings)
            books.log.append(Entry(key="k9", type="test.entry", at=NOW, facts={}))
            witness.status = 422
            client.push()
            contradicted = looked("witnesses", settings)

    assert looked("witnesses", Settings(home=home)).level is Level.OK
    assert unasked.level is Level.WARN
    assert fine.level is Level.OK
    assert contradicted.level is Level.FAIL


def test_a_cosigning_key_that_was_damaged(home: Path) -> None:
    KeyRing(home / "keys", wiring.now).rotate(Purpose.LOG_COSIGN)
    assert looked("keys", Settings(home=home)).level is Level.OK
    (home / "keys" / "log_cosign-0001.key").write_text("{}")

    assert looked("keys", Settings(home=home)).level is Level.FAIL
