"""Reading once for everybody who asks at the same time: a read shared like a commit of the log.

Whoever asks while a read runs waits for the next one, so that an answer is never older than its
question.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Arrivals(Generic[Asked, Answer]):
    """Gathers questions on one event loop, and answers them in a thread, many at once.

    Args:
        read: returns an answer for each question, in order; an exception among them is that one
            question's.
        patience_s: how long a read keeps those waiting who came after it began; then another one
            begins beside it, in another thread of `executor`.
        everybodys: what `read` may raise because of no single question. After anything else each
            is read alone, so that none pays for another.
    """

    def __init__(
        self,
        read: Callable[[Sequence[Asked]], Sequence[Answer | Exception]],
        executor: Executor,
        *,
        patience_s: float | None = None,
        everybodys: type[Exception] = Exception,
    ) -> None:
        self._read = read
        self._executor = executor
        self._patience_s = patience_s
        self._everybodys = everybodys
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None
        self._slow: set[asyncio.Task[None]] = set()

    async def ask(self, question: Asked) -> Answer:
        """Return the answer of a read that began after this question.

        Raises:
            Exception: what `read` raised or returned for it.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        self._begin(loop)
        return await answer

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._running is None and self._waiting:
            self._running = loop.create_task(self._run(loop))

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        task = self._running
        # Only now: whoever came in the same turn of the loop is in it.
        batch, self._waiting = self._waiting, []
        try:
            read = loop.run_in_executor(self._executor, self._read, [one for one, _ in batch])
            await asyncio.wait([read], timeout=self._patience_s)
            if not read.done() and task is not None:
                self._slow.add(task)
                self._running = None
                self._begin(loop)
                await asyncio.wait([read])
            failed = read.exception()
            answers: Sequence[Answer | BaseException]
            if failed is None:
                answers = read.result()
            elif len(batch) == 1 or isinstance(failed, self._everybodys):
                answers = [failed] * len(batch)
            else:
                answers = [await self._alone(loop, question) for question, _ in batch]
            for (_, waiting), answer in zip(batch, answers, strict=True):
                _settle(waiting, answer)
        finally:
            if task is not None:
                self._slow.discard(task)
            if self._running is task:
                self._running = None
                self._begin(loop)

    async def _alone(
        self, loop: asyncio.AbstractEventLoop, question: Asked
    ) -> Answer | BaseException:
        read = loop.run_in_executor(self._executor, self._read, [question])
        await asyncio.wait([read])
        return read.exception() or read.result()[0]


def _settle(waiting: "asyncio.Future[Answer]", answer: Answer | BaseException) -> None:
    if waiting.done():
        return  # whoever asked has gone away
    if isinstance(answer, BaseException):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
