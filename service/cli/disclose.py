"""`imprimatur audit disclose`: one private value with its salt; the reading is logged first."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import opening
from service.cli.options import As, Json
from service.cli.terminal import emit, out, plain


def disclose(
    index: Annotated[int, typer.Argument(min=0, help="The entry's number.")],
    field: Annotated[str, typer.Argument(help="One of its commitments, such as prompt.")],
    *,
    actor: As = "",
    json: Json = False,
) -> int:
    """Show one private value of an entry, and how anybody can check it."""
    from service.records import disclosing
    from service.records.words import Keeper, Reach

    # The whole house, so that nobody reads what a restored backup has brought back.
    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        keeper = Keeper(who.actor, who.project, is_officer=True, reach=Reach.HOUSE)
        shown = disclosing.disclosed(house.rooms, keeper, index, field)
    value = shown.value
    if json:
        emit(
            {
                "object": "audit.disclosure",
                "index": value.index,
                "field": value.field,
                "subject": value.subject,
                "text": value.text,
                "salt": value.salt,
                "commitment": value.commitment,
                "check": disclosing.CHECK,
                "logged_at_index": shown.receipt.index,
            }
        )
        return 0
    out().print(
        f"{plain(value.text, 100_000)}\n\nsalt {value.salt}\ncommitment {value.commitment}\n"
        f"{disclosing.CHECK}\nThis reading is entry {shown.receipt.index} of the log."
    )
    return 0
