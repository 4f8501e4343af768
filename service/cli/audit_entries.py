"""`imprimatur audit entries`: ask the log by a query, count, and see what there is most of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import As, Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from datetime import datetime

    from service.audit.reading import LoggedEntry
    from service.audit.search.query import Query
    from service.cli.opening import Books
    from service.inquiries import Answer, Inquiry, Reader

NOT_HELD = "search index: `imprimatur audit verify --index` holds it against the entries"


def entries(
    *,
    query: Annotated[
        str, typer.Option("--query", "-q", help="Such as: verdict:block AND t>=-7d.")
    ] = "",
    type_: Annotated[str, typer.Option("--type", help="Such as decision.made or review.*.")] = "",
    request: Annotated[str, typer.Option(help="Of one request, req_….")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    after: Annotated[int, typer.Option(help="Go on behind this entry.")] = -1,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Say how many there are.")] = False,
    facets: Annotated[str, typer.Option(help="Names to count by, such as verdict,reason.")] = "",
    actor: As = "",
    json: Json = False,
) -> int:
    """Show entries, newest first."""
    from service import wiring
    from service.inquiries import Inquiry, answered

    with opening.books(opening.settings()) as books:
        asked = Inquiry(
            query=_query(query, type_, request),
            newest=not oldest,
            limit=limit,
            after=after if after >= 0 else None,
            wants_count=count,
            facets=_facets(facets),
        )
        reader = _reader(books, actor, wiring.now()) if asked.about_people else None
        found = answered(books.log, asked, reader)
    if json:
        emit(_object(asked, found))
    else:
        out().print("\n".join(_lines(found)) or "Nothing.")
    return 0


def reindex(*, json: Json = False) -> int:
    """Make the search index anew from the entries."""
    with opening.books(opening.settings()) as books:
        books.log.forget_index()
        checked = books.log.check_index()
    if json:
        emit({"object": "audit.index", "size": checked.size, "sound": checked.sound})
    else:
        out().print(f"{checked.size} entries are indexed anew.")
    return 0


def index_lines(books: Books) -> list[str]:
    """Return every difference between the search index and the entries, one a line."""
    return [
        f"entry {one.place} is {one.fault.value} under {one.name}:{plain(one.value)}"
        for one in books.log.check_index().differences
    ]


def _query(text: str, type_: str, request: str) -> Query:
    from service import wiring
    from service.audit.search.language import parsed, term
    from service.audit.search.query import EVERYTHING, All

    parts = [parsed(text, wiring.now())]
    parts += [term(name, value) for name, value in (("type", type_), ("request", request)) if value]
    asked = tuple(part for part in parts if part != EVERYTHING)
    return asked[0] if len(asked) == 1 else All(asked)


def _facets(text: str) -> tuple[str, ...]:
    from service.inquiries import FACETS

    names = tuple(dict.fromkeys(one for one in text.split(",") if one))
    for name in names:
        if name not in FACETS:
            known = ", ".join(FACETS)
            raise Refused(f"--facets: {plain(name, 40)} has none; known are {known}")
    return names


def _reader(books: Books, actor: str, now: datetime) -> Reader:
    from service.inquiries import Reader

    who = opening.person(books.database, actor)
    return Reader(who.actor, who.project, now)


def _lines(found: Answer) -> list[str]:
    lines = [
        f"{one.index:>6}  {one.at}  {one.type}  {one.request}  "
        f"{plain(str(one.facts.get('verdict', '')))}".rstrip()
        for one in found.entries
    ]
    if found.has_more:
        lines.append(f"There are more: --after {found.entries[-1].index}")
    if found.count is not None:
        lines.append(f"{found.count} of {found.tree_size} entries.")
    for name, facet in found.facets.items():
        lines.append(f"\n{name}")
        lines += [f"{many:>8}  {plain(value)}" for value, many in facet.values]
        if facet.others:
            lines.append(f"          and {facet.others} further values")
    return lines


def _object(asked: Inquiry, found: Answer) -> JSON:
    from service.audit.search.language import printed

    return {
        "object": "list",
        "query": printed(asked.query),
        "data": [entry_json(one) for one in found.entries],
        "has_more": found.has_more,
        "tree_size": found.tree_size,
        "count": found.count,
        "facets": {
            name: {
                "values": [{"value": value, "count": many} for value, many in facet.values],
                "other_values": facet.others,
            }
            for name, facet in found.facets.items()
        },
    }


def entry_json(entry: LoggedEntry) -> JSON:
    """Return an entry for `--json`."""
    return {
        "index": entry.index,
        "type": entry.type,
        "at": entry.at,
        "logged_at": entry.logged_at,
        "request": entry.request,
        "actor": entry.actor,
        "project": entry.project,
        "facts": dict(entry.facts),
        "commitments": dict(entry.commitments),
    }
