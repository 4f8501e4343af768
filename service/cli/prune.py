"""`imprimatur audit prune`: old entries go into an archive, and then out of the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.cli import opening
from service.cli.options import As, Json
from service.cli.terminal import emit, out


def prune(
    *,
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Logged before this day, UTC.")
    ],
    archive: Annotated[Path, typer.Option(metavar="FILE", help="A new file for them.")],
    actor: As = "",
    json: Json = False,
) -> int:
    """Archive old entries, hold the file against the log, then drop them; proofs still hold."""
    from service.keys import Purpose
    from service.records.pruning import Cut
    from service.records.pruning import prune as pruned
    from service.records.words import Keeper, Reach

    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        keeper = Keeper(who.actor, who.project, is_officer=True, reach=Reach.HOUSE)
        keys = house.rooms.keys.verifying(Purpose.LOG)
        cut = Cut(before.replace(tzinfo=UTC), archive, keys)
        gone = pruned(house.rooms, house.schedule(), keeper, cut)
    if json:
        emit(
            {
                "object": "audit.pruning",
                "below": gone.below,
                "dropped": gone.dropped,
                "kept": gone.kept,
                "archive_sha256": gone.sha256,
                "index": gone.receipt.index,
            }
        )
        return 0
    out().print(
        f"{gone.dropped} entries before {gone.below} are in {archive} and no longer in the log; "
        f"{gone.kept} stay. Entry {gone.receipt.index} of the log says so."
    )
    return 0
