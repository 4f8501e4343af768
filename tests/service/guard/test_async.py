"""`async with`: the same block, and the event loop goes on meanwhile."""

import asyncio
import threading

import pytest

from service.guard import Closed, Refused
from tests.service.guard.conftest import Studio, a_film
from tests.service.guard.test_inside import watch


def test_an_async_program_publishes(studio: Studio) -> None:
    async def program() -> str:
        async with studio.guard() as g:
            return (await g.publish(a_film(), to=studio.to)).sha256

    assert len(asyncio.run(program())) == 64
    assert studio.left == ["film.mp4"]
    assert studio.logged() == ["allow", "allow", "release.sealed", "allow"]


def test_an_async_program_is_refused_before_it_generates(studio: Studio) -> None:
    async def program() -> None:
        async with studio.guard("a nude model"):
            pytest.fail("generated")

    with pytest.raises(Refused):
        asyncio.run(program())


def test_the_loop_goes_on_while_a_film_is_sealed(studio: Studio) -> None:
    sealing, answered = threading.Event(), threading.Event()

    def wait_for_the_loop() -> None:
        sealing.set()
        assert answered.wait(10)

    watch(studio, before=wait_for_the_loop)

    async def program() -> None:
        async with studio.guard() as g:
            work = asyncio.create_task(g.publish(a_film(), to=studio.to))
            assert await asyncio.to_thread(sealing.wait, 10)
            answered.set()
            await work

    asyncio.run(program())
    assert studio.left == ["film.mp4"]


def test_a_task_that_is_cancelled_publishes_nothing(studio: Studio) -> None:
    sealed, cancelled = threading.Event(), threading.Event()

    def wait_for_the_end() -> None:
        sealed.set()
        assert cancelled.wait(10)

    watch(studio, after=wait_for_the_end)

    async def program() -> None:
        async with studio.guard() as g:
            work = asyncio.create_task(g.publish(a_film(), to=studio.to))
            assert await asyncio.to_thread(sealed.wait, 10)
            work.cancel()
            # The task hears of it first, then the thread goes on.
            await asyncio.sleep(0.05)
            cancelled.set()
            with pytest.raises(asyncio.CancelledError):
                await work
            with pytest.raises(Closed):
                await g.publish(a_film(), to=studio.to)

    asyncio.run(program())
    assert studio.left == []


def test_two_films_at_once_are_one(studio: Studio) -> None:
    async def program() -> list[object]:
        async with studio.guard() as g:
            films = [studio.folder / f"{number}.mp4" for number in range(3)]
            return await asyncio.gather(
                *(g.publish(a_film(), to=film) for film in films), return_exceptions=True
            )

    found = asyncio.run(program())

    assert len([one for one in found if isinstance(one, Closed)]) == 2
    assert len(studio.left) == 1
