"""What stands in an address: ids, words and moments, of a shape that no database stumbles over."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime

MAX_INDEX = 2**53
"""No log grows that long; beyond 2**63 a database cannot even be asked."""

# The last part is a ULID, or 24 hexadecimal digits.
_ID = re.compile(r"[a-z]{2,12}_[0-9a-z]{24,26}")
# PostgreSQL takes no NUL in a text.
PRINTABLE = r"^[!-~]*$"
# A zone moves a moment by up to a day, and Python's calendar ends at the years 1 and 9999.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _named(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("this is no id")
    return text


def _in_calendar(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError(f"this lies outside of {_EARLIEST.year} to {_LATEST.year}")
    return moment


Id = Annotated[str, Path(max_length=80), AfterValidator(_named)]
"""An id in a path. What has not the shape of one is a 404, as if it were one of nothing."""

Index = Annotated[int, Path(ge=0, le=MAX_INDEX)]
"""The index of an entry in the log, in a path."""

After = Annotated[int | None, Query(ge=0, le=MAX_INDEX)]
"""The index of the last entry of the page before."""

Word = Annotated[str, Query(max_length=80, pattern=PRINTABLE)]
"""An id or another word to filter by, or nothing."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
"""A time with a zone."""
