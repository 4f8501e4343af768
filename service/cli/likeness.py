"""`imprimatur likeness`: one's own face: enrol it, grant it, take it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import As, Json
from service.cli.terminal import JSON, emit, out

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.acts import Acts, Logged
    from service.cli.proof import Proof
    from service.wiring import House

Made = TypeVar("Made")

app = typer.Typer(help="A person's own face: enrol, grant, revoke.")


@app.command("enrol")
def enrol(
    handle: Annotated[str, typer.Argument(metavar="@HANDLE", help="What others write.")],
    photographs: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Five are good.")],
    *,
    actor: As = "",
    json: Json = False,
) -> int:
    """Enrol the actor's own face from photographs, which are not kept."""
    from service.cli.asking import picture_of

    contents = [picture_of(path) for path in photographs]
    with opening.house(opening.settings()) as house:
        done, proof = _acted(
            house, actor, lambda acts: acts.enrol(handle.removeprefix("@"), contents)
        )
    made = done.made
    told = {
        "object": "likeness",
        "id": made.id,
        "handle": made.handle,
        "owner": made.owner,
        "state": made.state.value,
        "photographs": made.depth,
    }
    return _tell(told, proof, f"{made.id} is enrolled as @{made.handle}.", json=json)


@app.command("grant")
def grant(
    likeness: Annotated[str, typer.Argument(metavar="LIKENESS", help="lik_…")],
    *,
    to: Annotated[str, typer.Option(metavar="ACTOR", help="act_…, or * for everybody.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long.")] = 30,
    actor: As = "",
    json: Json = False,
) -> int:
    """Permit somebody to depict a likeness of the actor's own."""
    from service import accounts

    with opening.house(opening.settings()) as house:
        if to != "*":
            with house.rooms.database.reading() as conn:
                accounts.actor(conn, to)
        now = house.rooms.clock()
        until = now + timedelta(days=days)
        done, proof = _acted(
            house, actor, lambda acts: acts.grant(likeness, to, from_at=now, until_at=until)
        )
    told = {
        "object": "grant",
        "id": done.made.id,
        "likeness": done.made.likeness,
        "to": done.made.to,
        "until": int(done.made.until_at.timestamp()),
    }
    return _tell(told, proof, f"{done.made.id} holds for {days} days.", json=json)


@app.command("revoke")
def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="grt_…, or lik_… for good.")],
    *,
    actor: As = "",
    json: Json = False,
) -> int:
    """End a grant, or take a whole likeness out of use; it holds when this returns."""
    if not id_.startswith(("grt_", "lik_")):
        raise Refused(f"{id_[:40]!r} is neither a grant (grt_…) nor a likeness (lik_…)")
    is_grant = id_.startswith("grt_")
    told: JSON = {"object": "revocation", "id": id_, "keys_destroyed": None}
    with opening.house(opening.settings()) as house:
        if is_grant:
            _, proof = _acted(house, actor, lambda acts: acts.revoke_grant(id_))
        else:
            done, proof = _acted(house, actor, lambda acts: acts.revoke(id_))
            told["keys_destroyed"] = done.made.keys_destroyed
    return _tell(told, proof, f"{id_} is revoked.", json=json)


def _acted(
    house: House, actor: str, act: Callable[[Acts], Logged[Made]]
) -> tuple[Logged[Made], Proof]:
    from service.acts import Acts
    from service.cli.proof import checked

    who = opening.person(house.rooms.database, actor)
    done = act(Acts(house.rooms, who.actor, who.project))
    return done, checked(house.rooms.log, done.receipt.index)


def _tell(told: JSON, proof: Proof, sentence: str, *, json: bool) -> int:
    if json:
        emit({**told, "proof": proof.as_json()})
    else:
        out().print(f"{sentence} {proof.words()}")
    return 0
