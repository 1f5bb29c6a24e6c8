"""How a service stops: SIGTERM and SIGINT end `until_stopped`; a background task that dies takes the service along."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


async def cancel_all(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks until they end. Once is not enough: a redis client that is connecting swallows a cancellation."""
    pending: set[asyncio.Task[Any]] = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)


async def run_together(*jobs: Coroutine[Any, Any, None]) -> None:
    """Runs `jobs` until all have ended or one raises; that error comes out, and none of them is left behind.

    `asyncio.TaskGroup` cancels its tasks once, however often it is cancelled: one that swallowed it stays for ever.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        while not all(task.done() for task in tasks):
            with contextlib.suppress(asyncio.CancelledError):  # asked again meanwhile: it is being done
                await cancel_all(*tasks)
    for task in done:
        task.result()


async def until_stopped(
    *background: Coroutine[Any, Any, None], before_end: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Runs `background` until a signal comes, goes on with it while `before_end` takes its time, then cancels it.

    A background task that raises ends the service with that error: a supervisor restarts it, instead of a service that
    looks alive and does nothing.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(job) for job in background]
    waiter = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if before_end is not None and done == {waiter}:
        finishing = asyncio.ensure_future(before_end())
        await asyncio.wait([finishing, *tasks], return_when=asyncio.FIRST_COMPLETED)
        done |= {task for task in tasks if task.done()}
        await cancel_all(finishing)
    await cancel_all(waiter, *tasks)
    for task in done:
        if task is not waiter:
            task.result()
            raise RuntimeError("a background task ended although nobody asked it to")
