"""`imprimatur claims`: what a rights holder asks us not to make."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import As, Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from rightsholders.claims import Claim

app = typer.Typer(help="Rights holders' claims: file, withdraw.")


class Kind(StrEnum):
    """What is claimed; the words of `rightsholders.claims.Kind`, which a test compares."""

    CHARACTER = "character"
    TITLE = "title"
    MARK = "mark"
    LOGO = "logo"
    STYLE = "style"
    PERSON = "person"


class Action(StrEnum):
    """What a match leads to; those of `rightsholders.claims.Action`."""

    HOLD = "hold"
    BLOCK = "block"


class Basis(StrEnum):
    """The right; those of `rightsholders.claims.Basis`."""

    COPYRIGHT = "copyright"
    TRADE_MARK = "trade_mark"
    CONTRACT = "contract"
    PUBLICITY = "publicity"


@app.command("file")
def file(
    work: Annotated[str, typer.Argument(help="What is protected.")],
    *,
    alias: Annotated[
        list[str] | None, typer.Option(help="A name of it; the work's is one.")
    ] = None,
    kind: Annotated[Kind, typer.Option()] = Kind.CHARACTER,
    action: Annotated[Action, typer.Option()] = Action.BLOCK,
    basis: Annotated[Basis, typer.Option()] = Basis.COPYRIGHT,
    territory: Annotated[list[str] | None, typer.Option(metavar="CC", help="Else all.")] = None,
    days: Annotated[int, typer.Option(min=0, help="How long; 0 is without end.")] = 0,
    actor: As = "",
    json: Json = False,
) -> int:
    """File a claim; it is in force when this returns."""
    from rightsholders import claims as words
    from service.acts import Acts
    from service.cli.proof import checked

    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        now = house.rooms.clock()
        draft = words.Draft(
            holder=who.actor,
            work=work,
            kind=words.Kind(kind.value),
            action=words.Action(action.value),
            basis=words.Basis(basis.value),
            aliases=tuple(alias or (work,)),
            valid_from_at=now,
            valid_until_at=now + timedelta(days=days) if days else None,
            territories=frozenset(territory) if territory else words.WORLDWIDE,
        )
        done = Acts(house.rooms, who.actor, who.project).claim(draft)
        proof = checked(house.rooms.log, done.receipt.index, claim=done.made.id)
    if json:
        emit({**_object(done.made), "proof": proof.as_json()})
    else:
        out().print(f"{done.made.id} is in force for “{plain(work)}”. {proof.words()}")
    return 0


@app.command("withdraw")
def withdraw(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="clm_…")],
    *,
    actor: As = "",
    json: Json = False,
) -> int:
    """Withdraw a claim; it matches nothing from then on."""
    from service.acts import Acts
    from service.cli.proof import checked

    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        done = Acts(house.rooms, who.actor, who.project).withdraw(claim)
        proof = checked(house.rooms.log, done.receipt.index, claim=claim)
    if json:
        emit({**_object(done.made), "proof": proof.as_json()})
    else:
        out().print(f"{done.made.id} is withdrawn. {proof.words()}")
    return 0


def _object(claim: Claim) -> JSON:
    return {
        "object": "claim",
        "id": claim.id,
        "holder": claim.holder,
        "work": claim.work,
        "kind": claim.kind.value,
        "action": claim.action.value,
        "basis": claim.basis.value,
        "territories": sorted(claim.territories),
        "state": claim.state.value,
        "aliases": [one.text for one in claim.aliases],
    }
