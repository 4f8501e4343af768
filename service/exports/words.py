"""The words of an export: what is asked for, in which format, and how it can fail. Pure values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from service.audit.reading import LoggedEntry
from service.audit.search.query import EVERYTHING, Query


class ExportError(Exception):
    """Base of everything this package raises."""


class FormatMissing(ExportError):
    """This format needs a library that is not installed here; the message names it."""


class ExportBroken(ExportError):
    """What was announced cannot be written to its end; what was written is no export."""


class Format(StrEnum):
    """What comes out."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    SQLITE = "sqlite"
    OCSF = "ocsf"
    DSA_SOR = "dsa-sor"

    @property
    def is_text(self) -> bool:
        """Whether it is written line by line, and so can be sent while it is made."""
        return self not in {Format.PARQUET, Format.SQLITE}

    @property
    def suffix(self) -> str:
        """What a file of it ends with."""
        match self:
            case Format.JSONL | Format.OCSF | Format.DSA_SOR:
                return "jsonl"
            case Format.CSV | Format.PARQUET | Format.SQLITE:
                return self.value
            case _:
                assert_never(self)

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        match self:
            case Format.JSONL | Format.OCSF | Format.DSA_SOR:
                return "application/x-ndjson"
            case Format.CSV:
                return "text/csv; charset=utf-8"
            case Format.PARQUET:
                return "application/vnd.apache.parquet"
            case Format.SQLITE:
                return "application/vnd.sqlite3"
            case _:
                assert_never(self)


class Proofs(StrEnum):
    """`each` entry leads to the checkpoint by itself; `none` leaves it to the export's own."""

    EACH = "each"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported.

    Attributes:
        project: whose entries, with those that concern everybody; empty for all.
        proofs: of `jsonl`; no other format has room for them.
    """

    format: Format
    query: Query = EVERYTHING
    project: str = ""
    proofs: Proofs = Proofs.EACH


@dataclass(frozen=True, slots=True)
class Exporter:
    """Who asks, and when."""

    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One entry on its way out, with the hashes that lead from it to the checkpoint."""

    entry: LoggedEntry
    path: Sequence[bytes] = field(repr=False)
