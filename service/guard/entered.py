"""The two ways into a guarded block, `with` and `async with`, and what one holds inside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from generator.model import DigitalSource, Origin
from service.guard.errors import Closed
from service.wire import JSON, receipt_json

if TYPE_CHECKING:
    from service.guard.film import Frames, Samples
    from service.guard.wanted import Allowed
    from service.publishing import Made
    from service.publishing import Published as Out

_UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Published:
    """A film that is out.

    Attributes:
        sha256: of the whole file, hex.
        manifest: label of its manifest, `urn:c2pa:…`.
        decision: about what came out, as the API shows it.
        receipt: that the release is in the log.
    """

    path: Path
    sha256: str
    manifest: str
    decision: JSON
    receipt: JSON


class Way(Protocol):
    """Where the decision is made: in this process, or by a service elsewhere."""

    def ask(self) -> Allowed:
        """Return what may be generated, or raise."""
        ...

    def publish(self, made: Made, beat: Callable[[int], None], /) -> Out:
        """Return the film once it is out, or raise."""
        ...


class _Block:
    """One guarded block, from its decision to its end. Publishes one film at most."""

    def __init__(self, way: Way, allowed: Allowed, model: str) -> None:
        self._way = way
        self._allowed = allowed
        self._model = model
        self._mine = threading.Lock()
        self._over = threading.Event()

    def publish(
        self, frames: Frames, samples: Samples | None, to: Path, made_by: Origin | None
    ) -> Published:
        """Return the film once it is out; after a failure the block may try again."""
        from service.guard.film import clip_of
        from service.publishing import Made
        from service.wire import decision_json

        if self._over.is_set() or not self._mine.acquire(blocking=False):
            raise Closed("this block is over, or has published or is publishing its film")
        try:
            clip = clip_of(frames, samples, self._allowed.fps)
            origin = made_by or Origin(self._model, _UNSTATED, DigitalSource.TRAINED)
            out = self._way.publish(Made(clip, origin, to.absolute()), self._require_open)
            self._over.set()
        finally:
            self._mine.release()
        decision = decision_json(out.decision)
        return Published(out.path, out.sha256, out.manifest, decision, receipt_json(out.receipt))

    def close(self) -> None:
        """End the block: what is being published stops before it is out."""
        self._over.set()

    def _require_open(self, _percent: int) -> None:
        if self._over.is_set():
            raise Closed("this block is over")


class Guarded:
    """What a `with` block holds: what may be generated, and the only way out for it.

    Attributes:
        allowed: the size, seconds, fps and seed that were permitted.
    """

    def __init__(self, allowed: Allowed, block: _Block) -> None:
        self.allowed = allowed
        self._block = block

    @property
    def prompt(self) -> str:
        """What to generate; another text than was asked for where the policy steers."""
        return self.allowed.prompt

    @property
    def negative(self) -> str:
        """What not to generate."""
        return self.allowed.negative

    @property
    def ticket(self) -> str:
        """The permission, for a gateway to check."""
        return self.allowed.ticket

    @property
    def decision(self) -> JSON:
        """The decision that allows it, as the API shows it."""
        return self.allowed.decision

    def publish(
        self,
        frames: Frames,
        *,
        to: str | PathLike[str],
        samples: Samples | None = None,
        made_by: Origin | None = None,
    ) -> Published:
        """Return the film once it is inspected, sealed, logged and at `to`.

        Args:
            frames, samples: see `service.guard.film.clip_of`.
            to: nothing is there yet.
            made_by: what the manifest and the log call the generator.

        Raises:
            Refused: by what came out, or by whoever withdrew consent meanwhile.
            Unavailable, NotPermitted, NotAFilm, NotOffered, Closed, OSError: it was not published.
        """
        return self._block.publish(frames, samples, Path(to), made_by)


class AsyncGuarded:
    """What an `async with` block holds; as `Guarded`, and the event loop goes on meanwhile."""

    def __init__(self, allowed: Allowed, block: _Block) -> None:
        self.allowed = allowed
        self._block = block

    @property
    def prompt(self) -> str:
        """What to generate; another text than was asked for where the policy steers."""
        return self.allowed.prompt

    @property
    def negative(self) -> str:
        """What not to generate."""
        return self.allowed.negative

    @property
    def ticket(self) -> str:
        """The permission, for a gateway to check."""
        return self.allowed.ticket

    @property
    def decision(self) -> JSON:
        """The decision that allows it, as the API shows it."""
        return self.allowed.decision

    async def publish(
        self,
        frames: Frames,
        *,
        to: str | PathLike[str],
        samples: Samples | None = None,
        made_by: Origin | None = None,
    ) -> Published:
        """Return the film once it is out; see `Guarded.publish`. Cancelling stops it before."""
        work = asyncio.ensure_future(
            asyncio.to_thread(self._block.publish, frames, samples, Path(to), made_by)
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._block.close()
            # The thread looks up between two frames; what it raises then is our cancelling.
            with suppress(Closed):
                await work
            raise


class Guard:
    """Enter it once, with `with` or `async with`; nothing is asked before.

    Args:
        begin: makes the way to the decision.
        model: what the generator is called where `publish` is not told.
    """

    def __init__(self, begin: Callable[[], Way], model: str) -> None:
        self._begin = begin
        self._model = model
        self._entered = threading.Lock()
        self._block: _Block | None = None

    def __enter__(self) -> Guarded:
        return Guarded(*self._enter())

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._close()

    async def __aenter__(self) -> AsyncGuarded:
        return AsyncGuarded(*await asyncio.to_thread(self._enter))

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._close()

    def _enter(self) -> tuple[Allowed, _Block]:
        if not self._entered.acquire(blocking=False):
            raise Closed("a guard is entered once; ask again with another one")
        way = self._begin()
        allowed = way.ask()
        self._block = _Block(way, allowed, self._model)
        return allowed, self._block

    def _close(self) -> None:
        if self._block is not None:
            self._block.close()
