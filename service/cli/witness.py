"""`imprimatur witness`: those outside who cosign the log's checkpoints, and what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.audit.cosigned import Standing
    from service.keys import KeyRing

app = typer.Typer(help="Who cosigns the log's checkpoints: ask them, show how far they are.")

REFUSED = 20
_EVIDENCE = {"contradicted", "ahead"}


@app.command("push")
def push(*, json: Json = False) -> int:
    """Ask every witness that lags to cosign; exit 1 one did not, 20 one saw another history."""
    from service import wiring
    from service.audit.witness import WitnessClient

    with opening.books(opening.settings()) as books:
        if not books.log.outside.witnesses:
            raise Refused(
                "no witness is named here; set IMPRIMATUR_WITNESSES to '<https address> <key>'"
            )
        client = WitnessClient(books.database, books.log, wiring.now)
        try:
            found = client.push()
        finally:
            client.close()
    _show(found, json=json)
    if any(one.problem in _EVIDENCE for one in found):
        return REFUSED
    return 1 if any(one.problem for one in found) else 0


@app.command("list")
def list_(*, json: Json = False) -> int:
    """Show how far each witness is, without asking it."""
    with opening.books(opening.settings()) as books:
        found = books.log.standings()
    _show(found, json=json)
    return 0


@app.command("keys")
def keys(
    *,
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="Make an ML-DSA-44 key first, if there is none.")
    ] = False,
    json: Json = False,
) -> int:
    """Show the log's name and public keys, for whoever is to witness or watch it."""
    from service import wiring
    from service.audit import cosign
    from service.keys import KeyRing

    settings = opening.settings()
    with opening.books(settings) as books:
        ring = KeyRing(settings.home / "keys", wiring.now)
        if post_quantum and ring.cosigning() is None:
            _make(books, ring)
        known = list(books.log.verifier_keys())
        own = ring.cosigning()
        if own is not None:
            known.append(cosign.own(books.log.origin, own).verifier_key)
    if json:
        emit({"object": "log", "origin": settings.origin, "keys": known})
    else:
        typer.echo("\n".join(known))
    return 0


def _make(books: opening.Books, ring: KeyRing) -> None:
    from service import wiring
    from service.audit.entries import Entry
    from service.ids import new_id
    from service.keys import Purpose

    made = ring.rotate(Purpose.LOG_COSIGN)
    # The key lies in a file, not in the database: an interruption here leaves one that signs
    # beside the log's own key, which is no weaker, and unlogged.
    books.log.append(
        Entry(
            key=new_id("act", wiring.now()),
            type="key.made",
            at=wiring.now(),
            facts={"purpose": Purpose.LOG_COSIGN.value, "key": made},
        )
    )


def _show(found: list[Standing], *, json: bool) -> None:
    if json:
        emit({"object": "list", "data": [_object(one) for one in found]})
        return
    for one in found:
        said = plain(one.problem) or "cosigned"
        out().print(f"{plain(one.witness.key.id)}  {one.size} entries, {one.lag} behind  {said}")
    if not found:
        out().print("Nobody is asked: see IMPRIMATUR_WITNESSES in docs/operating.md.")


def _object(one: Standing) -> JSON:
    return {
        "object": "witness",
        "id": one.witness.key.id,
        "url": one.witness.url,
        "size": one.size,
        "lag": one.lag,
        "cosigned_at": one.cosigned_at or None,
        "problem": one.problem or None,
    }
