"""How late a loop is, measured on a loop that is held up."""

from __future__ import annotations

import asyncio
import time

from observability.lag import KEPT, LoopLag


async def test_a_loop_that_is_held_up_is_late() -> None:
    lag = LoopLag()
    watching = asyncio.create_task(lag.watch())
    try:
        for _ in range(KEPT // 4):
            await asyncio.sleep(0)
            time.sleep(0.12)  # noqa: ASYNC251  what is measured
    finally:
        watching.cancel()
    assert lag.recent_s > 0.03


def test_nothing_measured_is_no_lag() -> None:
    assert LoopLag().recent_s == 0.0
