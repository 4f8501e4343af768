"""Times in a query: days, moments with their zone, Unix seconds, and times ago."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

REMEDY = (
    "write a day (2026-11-01), a moment with its zone (2026-11-01T08:00:00Z) or a time ago (-7d)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_UNIX = re.compile(r"\d{8,11}", re.ASCII)
_AGO = re.compile(r"-(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_INSTANT = timedelta(microseconds=1)
# A zone moves a moment by up to a day, and Python's calendar ends at the years 1 and 9999.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class NoMoment(Exception):
    """The text names no time; the message says why."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time from `first` up to `until`: a day, or the microsecond of a moment."""

    first: datetime
    until: datetime


def read(text: str, now: datetime) -> Stretch:
    """Return the time that a text names.

    Raises:
        NoMoment: it names none.
    """
    try:
        return _within_calendar(_read(text, now))
    except (ValueError, OverflowError):
        raise NoMoment("the calendar has no such time") from None


def _read(text: str, now: datetime) -> Stretch:
    if ago := _AGO.fullmatch(text):
        return _instant(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    if _UNIX.fullmatch(text):
        return _instant(datetime.fromtimestamp(int(text), UTC))
    if _DAY.fullmatch(text):
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return Stretch(day, day + timedelta(days=1))
    moment = _MOMENT.fullmatch(text)
    if moment is None:
        raise NoMoment("this is no time")
    if moment[1] is None:
        raise NoMoment("the time has no zone")
    return _instant(datetime.fromisoformat(text.upper()))


def _instant(at: datetime) -> Stretch:
    at = at.astimezone(UTC)
    return Stretch(at, at + _INSTANT)


def _within_calendar(stretch: Stretch) -> Stretch:
    if not _EARLIEST <= stretch.first < _LATEST:
        raise NoMoment(f"this lies outside of {_EARLIEST.year} to {_LATEST.year}")
    return stretch
