"""Background tasks of tests: one that dies fails its test with its own error, instead of leaving it to wait in vain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from observability.lifecycle import cancel_all


@contextlib.asynccontextmanager
async def running(*jobs: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Runs `jobs` for the length of a block. One that raises ends the block at once, with its error.

    A fixture may hold its yield in it: the block is another task's then, which goes on, and the error comes at its end.
    """
    owner = asyncio.current_task()
    assert owner is not None
    tasks = [asyncio.create_task(job) for job in jobs]
    interrupted = False

    def look(task: asyncio.Task[object]) -> None:
        nonlocal interrupted
        if not task.cancelled() and task.exception() is not None and not interrupted:
            interrupted = owner.cancel()  # False: it is over, as that of a fixture is

    for task in tasks:
        task.add_done_callback(look)
    try:
        yield
    finally:
        failed = [error for task in tasks if (error := _error_of(task)) is not None]
        await cancel_all(*tasks)
        if interrupted:
            owner.uncancel()
        if failed:
            raise failed[0]


def _error_of(task: asyncio.Task[object]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
