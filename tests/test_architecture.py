"""Sizes and habits that no linter holds."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("generator", "provenance", "likeness", "filters", "rightsholders", "service")
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "managers"}
MAY_READ_ENVIRONMENT = {Path("service/settings.py")}
MAY_CATCH_ALL = re.compile(r"service/(worker|app)\.py|service/audit/")
MAY_COMMIT = re.compile(r"service/database\.py|service/audit/")


def python_files(*folders: str) -> list[Path]:
    return [
        path.relative_to(ROOT)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("path", python_files(*ROOMS, "tests", "benchmarks"), ids=str)
def test_no_file_and_no_function_runs_away(path: Path) -> None:
    text = (ROOT / path).read_text()

    assert len(text.splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=str)
def test_nothing_is_kept_in_a_drawer(path: Path) -> None:
    assert not DRAWERS & {part.removesuffix(".py") for part in path.parts}


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=str)
def test_only_settings_reads_the_environment_and_only_the_database_commits(path: Path) -> None:
    text = (ROOT / path).read_text()

    if path not in MAY_READ_ENVIRONMENT:
        assert "os.environ[" not in text
        assert "getenv" not in text
    if not MAY_COMMIT.match(path.as_posix()):
        assert ".commit()" not in text


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=str)
def test_broad_except_stands_only_at_the_edges(path: Path) -> None:
    broad = [
        node.lineno
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]

    assert not broad or MAY_CATCH_ALL.match(path.as_posix()), f"lines {broad}"


def test_only_media_imports_the_codec_and_only_manifest_imports_c2pa() -> None:
    homes = {
        "av": re.compile(r"service/media/"),
        "c2pa": re.compile(r"provenance/manifest\w*\.py"),
        "dlib": re.compile(r"likeness/dlib_faces\.py"),
        "faiss": re.compile(r"likeness/index\.py"),
        "ctranslate2": re.compile(r"filters/whisper\.py"),
        "faster_whisper": re.compile(r"filters/whisper\.py"),
        "pocketsphinx": re.compile(r"filters/sphinx\.py"),
        "lark": re.compile(r"service/audit/search/language\.py"),
        "pyarrow": re.compile(r"service/exports/parquet\.py"),
        "rapidocr": re.compile(r"filters/captions/reader\.py"),
        "marisa_trie": re.compile(r"rightsholders/names\.py"),
        "diffusers": re.compile(r"generator/(ltx2\w*\.py|train/)"),
    }
    for path in python_files(*ROOMS):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                home = homes.get(name.split(".")[0])
                assert home is None or home.match(path.as_posix()), f"{path} imports {name}"


def test_the_table_of_contents_fits_on_two_screens() -> None:
    assert len((ROOT / "service/pipeline.py").read_text().splitlines()) <= 120


def test_the_top_level_is_the_planned_one() -> None:
    tracked = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    planned = {
        "README.md", "pyproject.toml", "Makefile", "constraints.txt", "LICENSE", "CHANGELOG.md",
        "Dockerfile", "compose.yaml", "docs", "benchmarks", "tests", *ROOMS,
    }  # fmt: skip

    assert {name for name in tracked if not name.startswith(".")} <= planned
