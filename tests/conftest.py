"""What every test may ask for, and the table of what was skipped and why."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog

REQUIRABLE = ("postgres", "chromium", "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require", default="", help="comma list of what may not be skipped")
    parser.addoption("--fuzz", type=int, default=20, help="requests to each route in test_fuzz")


def pytest_configure(config: pytest.Config) -> None:
    unknown = set(_required(config)) - set(REQUIRABLE)
    if unknown:
        raise pytest.UsageError(
            f"--require knows {', '.join(REQUIRABLE)}, not {', '.join(unknown)}"
        )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy gives a Result here
    missing = [name for name in _required(item.config) if item.get_closest_marker(name)]
    if report.skipped and missing and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although required ({', '.join(missing)}): {report.longrepr}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons: dict[str, int] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    terminalreporter.section("not run, and why")
    if not reasons:
        terminalreporter.write_line("nothing was skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:4}  {reason.removeprefix('Skipped: ')}")


def _required(config: pytest.Config) -> list[str]:
    return [name for name in config.getoption("--require").split(",") if name]


@pytest.fixture(scope="session")
def fuzz(request: pytest.FixtureRequest) -> int:
    """How many requests `test_fuzz` makes to each route."""
    return int(request.config.getoption("--fuzz"))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of evaluation data (`make test DATA=DIR`); the test is skipped without it."""
    folder = os.environ.get("TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no evaluation data: run `make test DATA=DIR`")
    return Path(folder)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL database of this test's own; skipped where no server answers."""
    server = os.environ.get("TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
    name = f"imprimatur_{uuid.uuid4().hex[:16]}"
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server: start one, or set TEST_POSTGRES to its URL")
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield (
            server.replace("postgresql://", "postgresql+psycopg://").rpartition("/")[0] + f"/{name}"
        )
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def unfiltered_log() -> Iterator[None]:
    """Log as structlog does by itself, whatever level an earlier test set, and put that back."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
