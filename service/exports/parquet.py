"""A Parquet file with the columns of `flat`. This module alone knows pyarrow."""

from pathlib import Path
from typing import Any

from service.exports.flat import COLUMNS, Flat, compact, flat
from service.exports.opening import Opened
from service.exports.words import ExportBroken, FormatMissing

_ROWS_IN_GROUP = 10_000


def require_installed() -> None:
    """Return if this format can be written here.

    Raises:
        FormatMissing: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401 - asked before anything is logged
    except ImportError:
        raise FormatMissing("parquet needs pyarrow: pip install 'imprimatur[exports]'") from None


def write(opened: Opened, path: Path) -> None:
    """Write a new file at `path`; one that is cut off has no footer and cannot be read.

    Raises:
        FormatMissing: pyarrow is not installed.
        FileExistsError: there is something already.
        ExportBroken: pyarrow cannot write it.
    """
    require_installed()
    import pyarrow
    from pyarrow import parquet

    if path.exists():
        raise FileExistsError(f"{path.name} exists")
    kinds = {"index": pyarrow.int64()} | dict.fromkeys(
        ("codes", "categories"), pyarrow.list_(pyarrow.string())
    )
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    described = schema.with_metadata({"imprimatur.export": compact(opened.envelope())})
    try:
        with parquet.ParquetWriter(path, described, compression="zstd") as file:
            waiting: list[Flat] = []
            for row in opened.rows():
                waiting.append(flat(row.entry))
                if len(waiting) == _ROWS_IN_GROUP:
                    file.write_table(_table(waiting, described))
                    waiting = []
            file.write_table(_table(waiting, described))
    except pyarrow.ArrowException as broken:
        raise ExportBroken(f"pyarrow: {type(broken).__name__}") from None


def _table(rows: list[Flat], schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow

    columns = [[getattr(row, name) for row in rows] for name in COLUMNS]
    return pyarrow.table(columns, schema=schema)
