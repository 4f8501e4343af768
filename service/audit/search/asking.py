"""A query and two times in words, as one query."""

from datetime import datetime

from service.audit.search import moments
from service.audit.search.language import QueryError, parsed
from service.audit.search.query import All, Before, Query, Since


class _NoTime(QueryError):
    """`since` or `until` names no time."""

    def __init__(self, param: str, said: str, text: str) -> None:
        super().__init__(said, text, (0, len(text)), moments.REMEDY)
        self.param = param


def query_of(query: str, since: str, until: str, now: datetime) -> Query:
    """Return what meets `query` and was logged from `since` up to, and without, `until`.

    Raises:
        QueryError: one of them cannot be understood.
    """
    parts = [parsed(query, now)] if query.strip() else []
    if since:
        parts.append(Since(_moment("since", since, now)))
    if until:
        parts.append(Before(_moment("until", until, now)))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _moment(param: str, text: str, now: datetime) -> datetime:
    try:
        return moments.read(text, now).first
    except moments.NoMoment as wrong:
        raise _NoTime(param, str(wrong), text) from None
