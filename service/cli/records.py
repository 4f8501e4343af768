"""`imprimatur records`: erase somebody, keep what must be kept, drop what is over.

Whoever sits at the machine reaches the whole house; over HTTP an operator reaches one project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import As, Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.records.erasures import Erasure
    from service.records.holding import Held
    from service.records.holds import Hold, Target
    from service.records.words import Keeper
    from service.wiring import House

app = typer.Typer(help="Erasure, legal holds and terms: erase, hold, confirm, release, sweep.")

HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="hld_…")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]


@app.command("erase")
def erase(
    subject: Annotated[str, typer.Argument(help="An actor, act_…, or a likeness, lik_….")],
    *,
    case: Annotated[str, typer.Option(help="On whose behalf: your number of the case.")] = "",
    films: Annotated[bool, typer.Option("--films", help="Their released films too.")] = False,
    actor: As = "",
    json: Json = False,
) -> int:
    """Destroy everything private about somebody; ids, decisions and proofs stay."""
    from service.cli.proof import checked
    from service.records.erasures import Films

    chosen = Films.REMOVE if films else Films.KEEP
    with opening.house(opening.settings()) as house:
        wished = house.erasing().ask(_keeper(house, actor), subject, case=case, films=chosen)
        proof = checked(house.rooms.log, wished.receipt.index, erasure=wished.erasure.id)
    if json:
        emit({**_erasure(wished.erasure), "proof": proof.as_json()})
        return 0
    out().print(f"{_told(wished.erasure)} {proof.words()}")
    return 0


@app.command("erasures")
def list_erasures(*, limit: Limit = 50, json: Json = False) -> int:
    """Show the erasures of every project, oldest first."""
    from service.records import erasures

    with opening.books(opening.settings()) as books, books.database.reading() as conn:
        found = erasures.list_of(conn, limit=limit)
    if json:
        emit({"object": "list", "data": [_erasure(one) for one in found]})
        return 0
    for one in found:
        out().print(_told(one))
    return 0


@app.command("hold")
def hold(
    *,
    why: Annotated[str, typer.Option(help="Kept out of the log but for a commitment.")],
    subject: Annotated[str, typer.Option(help="Keep everything of an actor or likeness.")] = "",
    case: Annotated[str, typer.Option(help="Keep whatever names this id.")] = "",
    project: Annotated[str, typer.Option(help="Keep a whole project.")] = "",
    actor: As = "",
    json: Json = False,
) -> int:
    """Ask for a legal hold; another person has to confirm it."""
    target = _target(subject, case, project)
    with opening.house(opening.settings()) as house:
        held = house.holding().ask(_keeper(house, actor), target, _why(why))
    return _shown(held, json=json)


@app.command("confirm")
def confirm(hold: HoldId, *, actor: As = "", json: Json = False) -> int:
    """Put a hold in force that somebody else has asked for."""
    with opening.house(opening.settings()) as house:
        held = house.holding().confirm(_keeper(house, actor), hold)
    return _shown(held, json=json)


@app.command("release")
def release(hold: HoldId, *, actor: As = "", json: Json = False) -> int:
    """Ask for the end of a hold, or end it where somebody else has asked for that."""
    with opening.house(opening.settings()) as house:
        held = house.holding().release(_keeper(house, actor), hold)
    return _shown(held, json=json)


@app.command("holds")
def list_holds(*, limit: Limit = 50, json: Json = False) -> int:
    """Show the holds of every project, oldest first."""
    from service.records import holds

    with opening.books(opening.settings()) as books, books.database.reading() as conn:
        found = holds.list_of(conn, limit=limit)
    if json:
        emit({"object": "list", "data": [_hold(one) for one in found]})
        return 0
    for one in found:
        out().print(_line(one))
    return 0


@app.command("sweep")
def sweep(*, json: Json = False) -> int:
    """Drop what is over its term now; a worker does it every day."""
    from service.records import retention

    with opening.house(opening.settings()) as house:
        swept = retention.sweep(house.rooms, house.schedule())
    if json:
        emit(
            {
                "object": "records.sweep",
                "values": swept.values,
                "requests": swept.requests,
                "held": swept.held,
            }
        )
        return 0
    out().print(
        f"Dropped {swept.values} private values and {swept.requests} requests; a hold keeps "
        f"{swept.held} more."
    )
    return 0


def _keeper(house: House, actor: str) -> Keeper:
    from service.records.words import Keeper, Reach

    who = opening.person(house.rooms.database, actor)
    return Keeper(who.actor, who.project, is_officer=True, reach=Reach.HOUSE)


def _target(subject: str, case: str, project: str) -> Target:
    from service.records.holds import Kind, Target

    given = {Kind.SUBJECT: subject, Kind.CASE: case, Kind.PROJECT: project}
    targets = [Target(kind, one) for kind, one in given.items() if one]
    if len(targets) != 1 or not targets[0].id.isascii() or len(targets[0].id) > 200:
        raise Refused("name one id with --subject, --case or --project")
    return targets[0]


def _why(typed: str) -> str:
    from service.request import checked_prompt

    return checked_prompt(typed, param="why")


def _shown(held: Held, *, json: bool) -> int:
    erased = [one.erasure.id for one in held.erased]
    if json:
        emit({**_hold(held.hold), "erasures": erased, "index": held.receipt.index})
        return 0
    more = f" {len(erased)} erasures that waited went on." if erased else ""
    out().print(f"{_line(held.hold)} Entry {held.receipt.index} of the log.{more}")
    return 0


def _told(one: Erasure) -> str:
    waits = "; a legal hold is in the way" if one.state.value == "queued" else ""
    return f"{one.id} of {plain(one.subject)} is {one.state.value}{waits}."


def _line(one: Hold) -> str:
    return f"{one.id} on {one.target.kind.value} {plain(one.target.id)} is {one.state.value}."


def _erasure(one: Erasure) -> JSON:
    from dataclasses import asdict

    return {
        "object": "erasure",
        "id": one.id,
        "subject": one.subject,
        "status": one.state.value,
        "case": one.case or None,
        "project": one.project,
        "asked_by": one.asked_by,
        "asked_at": int(one.asked_at.timestamp()),
        "done_at": int(one.done_at.timestamp()) if one.done_at else None,
        "destroyed": asdict(one.counts),
    }


def _hold(one: Hold) -> JSON:
    return {
        "object": "hold",
        "id": one.id,
        "kind": one.target.kind.value,
        "target": one.target.id,
        "project": one.project or None,
        "status": one.state.value,
        "asked_by": one.asked_by,
        "confirmed_by": one.confirmed_by or None,
        "release_asked_by": one.release_by or None,
        "released_by": one.released_by or None,
    }
