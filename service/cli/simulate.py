"""`imprimatur policy simulate`: what a policy would have decided about the traffic there was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.policy import named
from service.cli.terminal import emit, out, plain

if TYPE_CHECKING:
    from service.backtests.flips import Flip
    from service.backtests.running import Asked, Backtest


def simulate(
    candidate: Annotated[str, typer.Argument(metavar="POLICY", help="A file, or a SHA-256.")],
    *,
    since: Annotated[str, typer.Option(help="Logged then or later: 2026-11-01, -7d.")] = "",
    until: Annotated[str, typer.Option(help="Logged before then.")] = "",
    query: Annotated[str, typer.Option("--query", "-q", help="Such as: project:proj_….")] = "",
    against: Annotated[str, typer.Option(help="logged (what was decided) or live.")] = "logged",
    sample: Annotated[float, typer.Option(min=0.000001, max=1, help="A share of them.")] = 1.0,
    seed: Annotated[str, typer.Option(help="Which share.")] = "",
    examples: Annotated[int, typer.Option(min=0, max=50, help="Of each kind.")] = 3,
    json: Json = False,
) -> int:
    """Judge logged observations again by POLICY; no model is loaded and nothing is decided."""
    from service import wiring
    from service.audit.search.asking import query_of
    from service.backtests.running import Asked, run
    from service.backtests.telling import backtest_json
    from service.cli.errors import Refused
    from service.policy_book.book import Book
    from service.policy_book.difference import difference

    if against not in {"live", "logged"}:
        raise Refused(f"--against {plain(against)}: live or logged")
    wanted = query_of(query, since, until, wiring.now())
    policy = named(candidate)
    with opening.books(opening.settings()) as books:
        live = Book(books.database, wiring.policy).standing().live
        asked = Asked(wanted, policy, live if against == "live" else None, sample, seed, examples)
        found = run(books.log, asked)
    if json:
        emit(backtest_json(asked, found))
    else:
        changes = [f"  {one.sentence} ({one.direction.value})" for one in difference(live, policy)]
        lines = [*_lines(asked, found), "", "Against the live policy:", *changes]
        out().print(
            "\n".join(plain(line, 1000) for line in lines[: len(lines) - (not changes) * 2])
        )
    return 0


def _lines(asked: Asked, found: Backtest) -> list[str]:
    flips = found.flips
    of = f"{flips.judged} of {found.matched}" if asked.sample < 1 else f"{flips.judged}"
    total = sum(flips.by_verdict.values())
    lines = [f"Of {of} decisions, {total} would have been another."]
    lines += [_flip(one) for one in flips.flips()]
    for code in sorted(flips.appearing.keys() | flips.disappearing.keys()):
        lines.append(
            f"  {code}: comes in {flips.appearing[code]}, goes in {flips.disappearing[code]}"
        )
    if found.exact.checked:
        same = found.exact.checked - len(found.exact.differing)
        lines.append(f"It took {found.exact.checked} of them itself; {same} came out the same.")
    lines += [
        f"Not judged: {many} entries, the first #{first}: {why}."
        for why, (many, first) in found.skipped.items()
    ]
    return lines


def _flip(one: Flip) -> str:
    named = ", ".join(f"#{each.index} {each.decision}" for each in one.examples)
    share = one.share
    return (
        f"  {one.before.word} to {one.after.word}: {share.many} "
        f"({share.many / share.of:.2%}, 95 %: {share.low:.2%} to {share.high:.2%}) {named}"
    ).rstrip()
