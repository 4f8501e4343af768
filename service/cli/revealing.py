"""What was asked in a case, for whoever rules on it at this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.cli import opening
from service.cli.terminal import JSON, plain

if TYPE_CHECKING:
    from service.casework import Case, Seen

_SHOWN = 100_000


def seen(case: Case, actor: str, project: str) -> Seen:
    """Return the words of a case, once the log says that `actor` has looked."""
    from service import casework

    # The whole house, so that nobody reads what a restored backup has brought back.
    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        return casework.seen(house.rooms, who.actor, project, case)


def as_json(found: Seen) -> JSON:
    """Return it for `--json`."""
    return {
        "prompt": found.asked.prompt,
        "shots": list(found.asked.shots),
        "pictures": found.asked.pictures,
        "erased": found.asked.prompt is None,
        "logged_at_index": found.receipt.index,
    }


def as_text(found: Seen) -> str:
    """Return it as people read it."""
    asked = found.asked
    if asked.prompt is None:
        lines = ["What was asked is not kept any more."]
    else:
        lines = ["What was asked:", *(plain(one, _SHOWN) for one in (asked.prompt, *asked.shots))]
    if asked.pictures:
        lines.append(f"With {asked.pictures} pictures.")
    lines.append(f"This reading is entry {found.receipt.index} of the log.")
    return "\n".join(lines)
