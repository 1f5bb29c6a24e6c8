"""Tasks that run together end together, whatever they do with a cancellation."""

import asyncio

import pytest

from observability.lifecycle import cancel_all, run_together


async def deaf(times: int, ended: list[str]) -> None:
    """Swallows as many cancellations, as a redis client that is connecting does."""
    swallowed = 0
    try:
        while swallowed <= times:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
    finally:
        ended.append("deaf")
    raise asyncio.CancelledError


async def waits(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("waits")


async def fails() -> None:
    await asyncio.sleep(0)
    raise OSError("disk")


async def short() -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_all_have_ended_when_they_were_cancelled(times: int) -> None:
    ended: list[str] = []
    together = asyncio.create_task(run_together(deaf(times, ended), waits(ended)))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await cancel_all(together)
    assert sorted(ended) == ["deaf", "waits"]
    assert together.cancelled()


async def test_one_that_fails_ends_the_others_and_its_error_comes_out() -> None:
    ended: list[str] = []
    with pytest.raises(OSError, match="disk"):
        await run_together(waits(ended), fails(), deaf(2, ended))
    assert sorted(ended) == ["deaf", "waits"]


async def test_one_that_ends_ends_nobody_else() -> None:
    ended: list[str] = []
    together = asyncio.create_task(run_together(short(), waits(ended)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not together.done()
    await cancel_all(together)
    assert ended == ["waits"]
