"""`imprimatur keys`: API keys. A secret is shown once, when it is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.accounts import Key, Role

app = typer.Typer(help="API keys of the local project: create, list, revoke.")


@app.command("create")
def create(
    *,
    role: Annotated[list[str], typer.Option(help="What it may do; several times for several.")],
    label: Annotated[str, typer.Option(help="Your word for it.")] = "",
    person: Annotated[
        str, typer.Option(help="Make a new person of this name, and the key for them.")
    ] = "",
    actor: Annotated[
        str, typer.Option("--for", metavar="ACTOR", help="Whose it is, act_…; else yours.")
    ] = "",
    days: Annotated[int, typer.Option(min=0, help="Until it expires; 0 is never.")] = 0,
    json: Json = False,
) -> int:
    """Make a key and show its secret, this once."""
    from service import accounts, wiring
    from service.accounts import NewKey, logged

    roles = _roles(role)
    if person and actor:
        raise Refused("--person makes somebody new and --for names somebody known: give one")
    now = wiring.now()
    with opening.first_books(opening.settings()) as books:
        database = books.database
        owner = opening.person(database, actor)
        whose = owner.actor
        if person:
            with database.transaction() as conn:
                whose = accounts.create_actor(conn, person, now).id
        until = now + timedelta(days=days) if days else None
        new = NewKey(whose, owner.project, roles, label, until)
        issued = logged.issued(database, books.log, new, by=owner.actor, now=now)
    if json:
        emit({**_object(issued.key), "secret": issued.secret})
    else:
        out().print(
            f"{issued.key.id} for {issued.key.actor}. Its secret is shown this once:\n\n"
            f"  {issued.secret}\n"
        )
    return 0


@app.command("list")
def list_(*, json: Json = False) -> int:
    """Show the keys of the local project, the revoked ones too."""
    from service import accounts

    with opening.books(opening.settings()) as books:
        project = opening.person(books.database, "").project
        with books.database.reading() as conn:
            found = accounts.keys_of(conn, project)
    if json:
        emit({"object": "list", "data": [_object(one) for one in found]})
    elif not found:
        out().print("There is no key yet.")
    else:
        for one in found:
            state = "revoked" if one.revoked_at else "open"
            roles = ", ".join(sorted(one.roles))
            out().print(f"{one.id}  {one.actor}  {state}  {roles}  {plain(one.label)}".rstrip())
    return 0


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="key_…")], *, json: Json = False
) -> int:
    """Close a key from the next request on."""
    from service import wiring
    from service.accounts import logged

    with opening.books(opening.settings()) as books:
        owner = opening.person(books.database, "")
        closed = logged.closed(
            books.database, books.log, owner.project, key, by=owner.actor, now=wiring.now()
        )
    if json:
        emit(_object(closed))
    else:
        out().print(f"{closed.id} is revoked.")
    return 0


def _roles(given: list[str]) -> frozenset[Role]:
    from service.accounts import Role

    try:
        return frozenset(Role(one) for one in given)
    except ValueError:
        raise Refused(f"--role is one of {', '.join(Role)}") from None


def _object(key: Key) -> JSON:
    return {
        "object": "key",
        "id": key.id,
        "actor": key.actor,
        "project": key.project,
        "roles": sorted(key.roles),
        "label": key.label,
        "created_at": int(key.created_at.timestamp()),
        "expires_at": _seconds(key.expires_at),
        "last_used_at": _seconds(key.last_used_at),
        "revoked_at": _seconds(key.revoked_at),
    }


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
