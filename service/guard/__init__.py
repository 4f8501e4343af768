"""The gate before any generator, in five lines; docs/guard.md.

    from service.guard import guard

    with guard("a red ball bounces on a green floor", seconds=2) as g:
        g.publish(my_pipe(g.prompt), to="ball.mp4")

The block is entered on an enforced allow alone, so nothing is generated otherwise. Nothing appears
at `to` before it was inspected, sealed and logged, and consent was asked a last time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.guard.entered import AsyncGuarded, Guard, Guarded, Published
from service.guard.errors import (
    Closed,
    GuardError,
    NotAFilm,
    NotOffered,
    NotPermitted,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from service.guard.entered import Way
    from service.guard.gateway import Once, TicketDemanded
    from service.guard.inside import Premises
    from service.guard.wanted import Image, Stated

__all__ = [
    "AsyncGuarded",
    "Closed",
    "Guard",
    "GuardError",
    "Guarded",
    "NotAFilm",
    "NotOffered",
    "NotPermitted",
    "Once",
    "Published",
    "Refused",
    "TicketDemanded",
    "Unavailable",
    "guard",
]

_IN_A_GATEWAY = frozenset({"Once", "TicketDemanded"})


def __getattr__(name: str) -> object:
    """Return what only a gateway needs, and only then load how a body is read."""
    if name not in _IN_A_GATEWAY:
        raise AttributeError(name)
    from service.guard import gateway

    return getattr(gateway, name)


def guard(
    prompt: str,
    *,
    images: Sequence[Image] = (),
    handles: Sequence[str] = (),
    seconds: int = 4,
    size: str = "640x360",
    fps: int = 24,
    seed: int = 0,
    model: str = "unnamed",
    actor: str = "",
    house: Premises | None = None,
    url: str = "",
    key: str = "",
    **more: Stated,
) -> Guard:
    """Return a block that is entered only if the policy allows to generate this.

    Entering asks the gates and waits until the decision is in the log.

    Args:
        images: what the film begins with or shows; the bytes or paths of PNG, JPEG or WebP files.
        handles: likenesses that are to be depicted, such as `@mara`.
        model: what the generator is called, in the log and in the manifest.
        actor: who asks, `act_…`; empty for the local operator. Over HTTP the key says who.
        house: None for the house that `IMPRIMATUR_*` describe, opened once for this process.
        url, key: a service elsewhere that decides; it offers no publishing.
        more: further fields of `POST /v1/policy/decisions` by their names.

    Entering raises:
        Refused: held or blocked; `.decision` says why and what to change.
        Unavailable: nobody could decide.
        BadRequest: a field is wrong; the message names it.
    """

    def begin() -> Way:
        from service.guard.wanted import Wanted

        texts = {**more, "likenesses": handles, "seconds": seconds, "fps": fps, "seed": seed}
        wanted = Wanted(prompt, tuple(images), model, size, texts)
        if url:
            from service.guard.remote import Remote

            return Remote(wanted, url, key)
        from service.guard.inside import Inside

        return Inside(wanted, house, actor)

    return Guard(begin, model)
