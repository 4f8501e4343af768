"""Queries as people write them: `verdict:block AND reason:likeness.* AND t>=2026-11-01`.

NOT binds before AND, AND before OR; parentheses bind first. What is wrong is told with its place
in the text. This module alone knows lark.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from lark import Lark, Token, Tree
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedToken

from service.audit.entries import stamp
from service.audit.search import moments
from service.audit.search.query import (
    EVERYTHING,
    All,
    AnyOf,
    Before,
    Not,
    Places,
    Query,
    Since,
    Term,
)
from service.audit.search.terms import DOTTED, MAX_VALUE_CHARACTERS, NAMES

MAX_CHARACTERS = 2000
MAX_CONDITIONS = 50
MAX_DEPTH = 20
END = 2**53
"""No log grows that long."""

TIME, INDEX = "t", "index"
_ALIASES: Final[Mapping[str, str]] = {"time": TIME, "video": "job"}
KNOWN = tuple(sorted({*NAMES, *_ALIASES, TIME, INDEX}))
"""Every name that a query may use."""

_GRAMMAR = r"""
?start: any
?any: all (_OR all)*
?all: one (_AND one)*
?one: _NOT one -> negated
    | "(" any ")"
    | NAME OPERATOR (WORD | QUOTED) -> condition

_OR.2: /or\b/i
_AND.2: /and\b/i
_NOT.2: /not\b/i
NAME: /[A-Za-z_][A-Za-z0-9_]*/
OPERATOR: /:|>=|<=|>|<|=/
QUOTED: /"(?:[^"\\]|\\.)*"/
WORD: /[^\s()":<>=][^\s()"]*/

%ignore /\s+/
"""
_WORD = re.compile(r'[^\s()":<>=][^\s()"]*')
_parser = Lark(_GRAMMAR, parser="lalr")


class QueryError(Exception):
    """The query cannot be understood.

    Attributes:
        start, end: which characters are at fault; equal where something is missing.
        line, column: of `start`, from 1.
        remedy: what to write instead, or empty.
        param: in which field the text stood, `q` where it is a whole query.
    """

    param = "q"

    def __init__(self, message: str, text: str, place: tuple[int, int], remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.start, self.end = place
        self.line = text.count("\n", 0, self.start) + 1
        self.column = self.start - text.rfind("\n", 0, self.start)
        self.remedy = remedy


class _Star(QueryError):
    """A `*` where none can stand."""


def parsed(text: str, now: datetime) -> Query:
    """Return the query that a text stands for; every entry for an empty one.

    Args:
        now: what `-7d` counts from.

    Raises:
        QueryError: it cannot be understood.
    """
    if len(text) > MAX_CHARACTERS:
        said = f"a query has at most {MAX_CHARACTERS} characters, this one {len(text)}"
        raise QueryError(said, text, (MAX_CHARACTERS, len(text)), "ask in two queries")
    if not text.strip():
        return EVERYTHING
    try:
        tree = _parser.parse(text)
    except (UnexpectedToken, UnexpectedCharacters) as wrong:
        raise _misread(text, wrong) from None
    except LarkError as wrong:
        raise QueryError("this is no query", text, (0, len(text))) from wrong
    _require_bounded(text, tree)
    return _Reader(text, now).query(tree)


def term(name: str, value: str) -> Term:
    """Return the condition that an entry has `value` under one of `NAMES`.

    Raises:
        QueryError: no entry could; its place counts in `value`.
    """
    everywhere = (0, len(value))
    if not value:
        raise QueryError("the value is empty", value, everywhere, "leave it out")
    if len(value) > MAX_VALUE_CHARACTERS:
        said = f"no value has over {MAX_VALUE_CHARACTERS} characters"
        raise QueryError(said, value, everywhere)
    if not value.isprintable():
        raise QueryError("a value has printable characters only", value, everywhere)
    star = value.find("*")
    is_beginning = name in DOTTED and star == len(value) - 1 and value.endswith(".*")
    if star >= 0 and not (is_beginning and len(value) > 2):
        said = f"* stands for what follows a dot, at the end of {' or '.join(sorted(DOTTED))}"
        remedy = f"as in {name}:likeness.*" if name in DOTTED else "write the value in full"
        raise _Star(said, value, (star, star + 1), remedy)
    return Term(name, value)


def printed(query: Query) -> str:
    """Return the text that stands for a query."""
    return "" if query == EVERYTHING else _printed(query)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns what lark saw in one text into values."""

    text: str
    now: datetime

    def query(self, tree: "Tree[Token]") -> Query:
        match tree.data:
            case "any":
                return AnyOf(self._parts(tree))
            case "all":
                return All(self._parts(tree))
            case "negated":
                return Not(self._parts(tree)[0])
            case _:
                return self._condition(tree)

    def _parts(self, tree: "Tree[Token]") -> tuple[Query, ...]:
        return tuple(self.query(part) for part in _trees(tree))

    def _condition(self, tree: "Tree[Token]") -> Query:
        name, operator, value = (one for one in tree.children if isinstance(one, Token))
        wanted = _ALIASES.get(name.lower(), name.lower())
        if wanted == TIME:
            return self._time(operator, value)
        if wanted == INDEX:
            return self._index(operator, value)
        if wanted not in NAMES:
            raise self._unknown(name)
        if operator not in {":", "="}:
            remedy = f"only t and index can; write {name}:{value}"
            raise self._error(f"{name} has no order to compare", operator, remedy)
        return self._term(wanted, value)

    def _time(self, operator: Token, value: Token) -> Query:
        try:
            named = moments.read(_unquoted(value), self.now)
        except moments.NoMoment as wrong:
            raise self._error(str(wrong), value, moments.REMEDY) from None
        match str(operator):
            case ">=":
                return Since(named.first)
            case "<":
                return Before(named.first)
            case ">":
                return Since(named.until)
            case "<=":
                return Before(named.until)
            case _:
                return All((Since(named.first), Before(named.until)))

    def _index(self, operator: Token, value: Token) -> Query:
        text = _unquoted(value)
        if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= END):
            raise self._error("an index is a whole number", value, "as in index>=100")
        at = int(text)
        until = min(at + 1, END)
        match str(operator):
            case ">=":
                return Places(at, END)
            case "<":
                return Places(0, at)
            case ">":
                return Places(until, END)
            case "<=":
                return Places(0, until)
            case _:
                return Places(at, until)

    def _term(self, name: str, value: Token) -> Term:
        try:
            return term(name, _unquoted(value))
        except QueryError as wrong:
            place = _place(value)
            if isinstance(wrong, _Star):
                start = place[0] + value.index("*")
                place = (start, start + 1)
            raise QueryError(wrong.message, self.text, place, wrong.remedy) from None

    def _unknown(self, name: Token) -> QueryError:
        near = difflib.get_close_matches(name.lower(), KNOWN, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        known = f"{meant}known are {', '.join(KNOWN)}"
        return self._error(f"there is no name {name[:40]}", name, known)

    def _error(self, message: str, at: Token, remedy: str) -> QueryError:
        return QueryError(message, self.text, _place(at), remedy)


def _require_bounded(text: str, tree: "Tree[Token]") -> None:
    """Refuse what is nested too deep to go into, or has too many conditions."""
    waiting, conditions = [(tree, 1)], 0
    while waiting:
        part, depth = waiting.pop()
        conditions += part.data == "condition"
        if depth > MAX_DEPTH:
            raise QueryError(f"the query is nested over {MAX_DEPTH} deep", text, (0, len(text)))
        waiting += [(child, depth + 1) for child in _trees(part)]
    if conditions > MAX_CONDITIONS:
        said = f"a query has at most {MAX_CONDITIONS} conditions, this one {conditions}"
        raise QueryError(said, text, (0, len(text)), "ask in two queries")


def _misread(text: str, wrong: UnexpectedToken | UnexpectedCharacters) -> QueryError:
    if isinstance(wrong, UnexpectedToken):
        expected: Set[str] = set(wrong.expected) | set(wrong.accepts)
        if wrong.token.type == "$END":
            place = (len(text), len(text))
            return QueryError(f"the query ends before {_wanted(expected)}", text, place)
        start = _place(wrong.token)[0]
    else:
        before = text.split("\n")[: wrong.line - 1]
        start = sum(len(line) + 1 for line in before) + wrong.column - 1
        expected = set(wrong.allowed)
    found = _WORD.match(text, start)
    end = found.end() if found else start + 1
    said, remedy = _put(text[start], expected)
    return QueryError(said, text, (start, len(text) if text[start] == '"' else end), remedy)


def _put(character: str, expected: Set[str]) -> tuple[str, str]:
    """Return what to say of a character that cannot stand where it does, and the remedy."""
    if character == '"' and "WORD" in expected:
        return "the quotation is not closed", 'end it with "'
    if character == "!" and "OPERATOR" in expected:
        return "there is no !=", "write NOT before the condition"
    if "RPAR" not in expected and "$END" in expected and character == ")":
        return "there is no ( for this )", "leave it out"
    if "_AND" in expected:
        said = "two conditions need AND or OR between them"
        return said, "write the word, and quote a value with spaces"
    return f"{_wanted(expected)} belongs here", ""


def _wanted(expected: Set[str]) -> str:
    if "RPAR" in expected:
        return "the closing )"
    if "$END" in expected:
        return "AND, OR or the end"
    if "WORD" in expected:
        return "a value"
    if "OPERATOR" in expected:
        return ": or a comparison such as >="
    return "a condition such as verdict:block"


def _printed(query: Query) -> str:
    match query:
        case Term(name, value):
            return f"{name}:{_quoted(value)}"
        case All(parts):
            # Every entry has an index, and none a negative one.
            return " AND ".join(map(_inner, parts)) or f"{INDEX}>=0"
        case AnyOf(parts):
            return " OR ".join(map(_inner, parts)) or f"{INDEX}<0"
        case Not(part):
            return f"NOT {_inner(part)}"
        case Since(at):
            return f"{TIME}>={stamp(at)}"
        case Before(at):
            return f"{TIME}<{stamp(at)}"
        case Places(first, end):
            return _printed_places(first, end)
        case _:
            assert_never(query)


def _inner(query: Query) -> str:
    text = _printed(query)
    is_joined = isinstance(query, All | AnyOf) and len(query.parts) > 1
    return f"({text})" if is_joined else text


def _printed_places(first: int, end: int) -> str:
    if end >= END:
        return f"{INDEX}>={first}"
    if not first:
        return f"{INDEX}<{end}"
    if end == first + 1:
        return f"{INDEX}:{first}"
    return f"({INDEX}>={first} AND {INDEX}<{end})"


def _quoted(value: str) -> str:
    if _WORD.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.type == "QUOTED" else str(token)


def _trees(tree: "Tree[Token]") -> Iterator["Tree[Token]"]:
    return (child for child in tree.children if isinstance(child, Tree))


def _place(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, start + len(token)
