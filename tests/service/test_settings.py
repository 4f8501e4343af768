from pathlib import Path

import pytest

from service.settings import SettingsRefused, from_environment


def test_an_unknown_name_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRIMATUR_TRESHOLD", "0.5")

    with pytest.raises(SettingsRefused, match="IMPRIMATUR_TRESHOLD"):
        from_environment()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PORT", "http"), ("GENERATOR", "sora"), ("LEASE_S", "0"),
        ("ORIGIN", "has spaces"), ("ENVIRONMENT", "staging"), ("GATE_TIMEOUT_S", "-1"),
    ],
)  # fmt: skip
def test_a_wrong_value_stops_the_start_and_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"IMPRIMATUR_{name}", value)

    with pytest.raises(SettingsRefused, match=f"IMPRIMATUR_{name}"):
        from_environment()


def test_production_refuses_the_development_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRIMATUR_ENVIRONMENT", "production")

    with pytest.raises(SettingsRefused, match="development certificate"):
        from_environment()


def test_a_generator_that_needs_a_folder_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRIMATUR_GENERATOR", "ltx2")

    with pytest.raises(SettingsRefused, match="LTX2_MODEL"):
        from_environment()


def test_a_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMPRIMATUR_HOME", str(tmp_path))
    monkeypatch.setenv("IMPRIMATUR_DATABASE_URL", "postgresql+psycopg://me:secret@localhost/x")

    settings = from_environment()

    assert settings.url.endswith("/x")
    assert "secret" not in repr(settings)
