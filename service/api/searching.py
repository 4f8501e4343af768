"""What an address asks of the log: a query, single filters, a page, a count, facets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import Request
from starlette.datastructures import QueryParams

from service.accounts import Principal, Role
from service.api.cursors import Cursor, require_own, shaped, written
from service.api.errors import Forbidden
from service.audit.search import moments
from service.audit.search.language import QueryError, parsed, printed, term
from service.audit.search.query import EVERYTHING, All, AnyOf, Before, Query, Since, Term
from service.audit.search.terms import NAMES
from service.inquiries import FACETS, MAX_FACETS, Answer, Inquiry
from service.keys import KeyRing, Purpose
from service.request import BadRequest
from service.wire import JSON

ALL_PROJECTS = "all"
MAX_LIMIT, USUAL_LIMIT = 500, 100
# A query has at most so many conditions, and the filters beside it no more.
_MAX_FILTERS = 50
_TIMES: Mapping[str, Callable[[moments.Stretch], Query]] = {
    "t[gte]": lambda named: Since(named.first),
    "t[gt]": lambda named: Since(named.until),
    "t[lt]": lambda named: Before(named.first),
    "t[lte]": lambda named: Before(named.until),
}
_SINGLE = ("q", "after", "limit", "order", "count", "facets")
_KNOWN = (*_SINGLE, *_TIMES, *NAMES)


@dataclass(frozen=True, slots=True)
class Search:
    """A question, and what its next page is given out for.

    Attributes:
        at: when the first page was asked for; `-7d` counts from there.
        is_continued: this is a later page, and the reading is in the log.
    """

    inquiry: Inquiry
    at: datetime
    is_continued: bool
    about: str

    def next(self, answer: Answer, keys: KeyRing) -> str | None:
        """Return the cursor of the page behind this one."""
        if not answer.has_more:
            return None
        cursor = Cursor(answer.entries[-1].index, answer.tree_size, self.at)
        return written(cursor, self.about, keys.secrets(Purpose.CURSOR)[0])


def searched(request: Request, asker: Principal, keys: KeyRing, now: datetime) -> Search:
    """Return what the address asks for, within what the asker may see.

    Raises:
        BadRequest, QueryError: which parameter is wrong, and where.
        Forbidden: it is about another project.
    """
    given = _Given(request.query_params)
    after = given.one("after")
    is_index = after.isascii() and after.isdigit() and len(after) < 17
    cursor = shaped(after) if after and not is_index else None
    at = cursor.at if cursor else now
    inquiry = Inquiry(
        query=_query(given, at),
        project=project_asked(given.one("project"), asker),
        newest=given.choice("order", ("newest", "oldest")) == "newest",
        limit=given.number("limit", USUAL_LIMIT, 1, MAX_LIMIT),
        after=int(after) if is_index else None,
        wants_count=given.choice("count", ("false", "true")) == "true",
        facets=given.facets(),
    )
    # Another's cursor would show its reader's pages without naming who reads them now.
    whose = (asker.actor, inquiry.project, str(inquiry.newest), ",".join(inquiry.facets))
    about = "\n".join((*whose, printed(inquiry.query)))
    if cursor is not None:
        require_own(after, about, keys.secrets(Purpose.CURSOR))
        inquiry = replace(inquiry, after=cursor.after, size=cursor.size)
    return Search(inquiry, at, cursor is not None, about)


def project_asked(wanted: str, asker: Principal) -> str:
    """Return whose entries are asked for: the asker's own project's unless it says so; empty: all.

    Raises:
        Forbidden: another's, and the asker is no operator.
        QueryError: no project has such an id.
    """
    if not wanted or wanted == asker.project:
        return asker.project
    if not asker.roles & {Role.OPERATOR, Role.ADMIN}:
        raise Forbidden("Only an operator asks about another project than their own.")
    return "" if wanted == ALL_PROJECTS else _term("project", wanted).value


def documented() -> JSON:
    """Return what OpenAPI says about the parameters."""
    word: JSON = {"type": "string", "maxLength": 200}
    several: JSON = {"type": "array", "items": word, "maxItems": _MAX_FILTERS}
    shapes: Mapping[str, JSON] = {
        "q": {"type": "string", "maxLength": 2000},
        "after": {"type": "string"},
        "limit": {
            "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": USUAL_LIMIT,
        },
        "order": {"enum": ["newest", "oldest"], "default": "newest"},
        "count": {"type": "boolean", "default": False},
        "facets": {"type": "string", "description": f"Some of {', '.join(FACETS)}; commas."},
    }  # fmt: skip
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": shapes.get(name, word if name in _TIMES else several),
            }
            for name in _KNOWN
        ]
    }


class _Given:
    """The parameters of one address, each known, and in OpenAI's spelling of lists too."""

    def __init__(self, params: QueryParams) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in params.multi_items():
            bare = name.removesuffix("[]")
            if bare not in _KNOWN or (bare != name and bare not in NAMES):
                raise BadRequest(
                    name[:64],
                    "unknown_parameter",
                    "there is no such parameter.",
                    f"Known are {', '.join(_KNOWN)}.",
                )
            self._given.setdefault(bare, []).append(value)

    def one(self, name: str, usual: str = "") -> str:
        values = self._given.get(name, [usual])
        if len(values) > 1:
            raise _wrong(name, "it is there twice", "Send it once.")
        return values[0]

    def several(self, name: str) -> list[str]:
        return self._given.get(name, [])

    def choice(self, name: str, choices: tuple[str, str]) -> str:
        value = self.one(name, choices[0])
        if value not in choices:
            raise _wrong(name, "this is none of its values", f"Send {' or '.join(choices)}.")
        return value

    def number(self, name: str, usual: int, least: int, most: int) -> int:
        text = self.one(name, str(usual))
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if not is_number or not least <= int(text) <= most:
            raise _wrong(name, "this is out of range", f"Send {least} to {most}.")
        return int(text)

    def facets(self) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(one for one in self.one("facets").split(",") if one))
        for name in names:
            if name not in FACETS:
                raise _wrong("facets", f"{name[:40]} has none", f"Known are {', '.join(FACETS)}.")
        if len(names) > MAX_FACETS:
            raise _wrong("facets", "these are too many", f"Ask for {MAX_FACETS} at once.")
        return names


def _query(given: _Given, at: datetime) -> Query:
    count = sum(len(given.several(name)) for name in NAMES)
    if count > _MAX_FILTERS:
        raise BadRequest("q", "invalid", f"{count} filters are too many.", "Ask in several.")
    parts = [parsed(given.one("q"), at)]
    parts += [_any_of(name, given.several(name)) for name in NAMES if name != "project"]
    parts += [_time(name, text, at) for name in _TIMES if (text := given.one(name))]
    asked = tuple(part for part in parts if part != EVERYTHING)
    return asked[0] if len(asked) == 1 else All(asked)


def _any_of(name: str, values: list[str]) -> Query:
    parts = tuple(_term(name, value) for value in values if value)
    if len(parts) > 1:
        return AnyOf(parts)
    return parts[0] if parts else EVERYTHING


def _term(name: str, value: str) -> Term:
    try:
        return term(name, _ascii(value))
    except QueryError as wrong:
        wrong.param = name
        raise


def _ascii(value: str) -> str:
    # Bytes that were no text have become signs of that by now.
    if value.isascii():
        return value
    said = "a value has printable ASCII characters only"
    raise QueryError(said, value, (0, len(value)), "ask for others in q")


def _time(name: str, text: str, at: datetime) -> Query:
    try:
        return _TIMES[name](moments.read(text, at))
    except moments.NoMoment as wrong:
        raise _wrong(name, str(wrong), f"{moments.REMEDY}.") from None


def _wrong(name: str, said: str, remedy: str) -> BadRequest:
    return BadRequest(name, "invalid", f"{said}.", remedy)
