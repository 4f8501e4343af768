from pathlib import Path

import pytest

from filters.finding import ModelUnavailable
from filters.pinned import pinned, wheel_file


def test_a_package_that_is_not_installed_is_named_with_a_remedy() -> None:
    with pytest.raises(ModelUnavailable, match="no_such_package"):
        wheel_file("no_such_package", "x.onnx", remedy="Install it.")


@pytest.mark.parametrize("content", [b"", b"other"])
def test_a_file_with_another_hash_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)

    with pytest.raises(ModelUnavailable, match="not the one we pinned"):
        pinned(tmp_path / "model", "00" * 32, remedy="Mend it.")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="missing"):
        pinned(tmp_path / "model", "00" * 32, remedy="Mend it.")
