"""`pronto doctor --capacity`: simulated callers find in about two minutes how many calls this machine carries.

The whole of Pronto is started on this machine, the callers beside it: what they take (about half a core at fifty calls)
a cell has for itself in production. What ends it is what ends admission: the strain that the services tell.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from callers.crowd import Crowd, Tally
from callers.monitor import Monitor
from callers.script import Script, read_script
from config import ROOT, ControllerSettings, load
from devstack.processes import ProcessFailed
from devstack.stack import Stack, StackPlan
from pronto.capacity import Rung, max_calls, most_carried, next_calls, rung_of
from protocol.bus import connect
from protocol.strain import read_strain

SCRIPTS = ("refused_not_owner", "happy_path", "faq_and_back", "objection_busy")
CLIMB_S = 75.0
"""So long the ladder may take; then what was found counts."""
DIALS_PER_S = 8.0
SETTLE_S = 3.0
"""What a call costs shows only after it was taken."""
HOLD_S = 4.0
LOOK_EVERY_S = 0.5
PROOF_S = 40.0
"""So long the number that was found has to hold."""

Told = Callable[[str], None]


def find(told: Told) -> int:
    """Starts everything, finds the number and says it; an exit status."""
    limit = load(ControllerSettings, {**os.environ, "ARI_PASSWORD": "x"}).strain_limit or 0.8
    scripts = [read_script((ROOT / "tests/calls" / f"{name}.yaml").read_text("utf-8"), name) for name in SCRIPTS]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill cleans up like Ctrl-C
    folder = Path(tempfile.mkdtemp(prefix="pronto-capacity-"))
    settings = {"LOG_LEVEL": "WARNING", "MAX_CALLS": "5000", "STRAIN_LIMIT": "0", "RECORD_CALLS": "true"}
    stack = Stack(StackPlan(run_dir=folder, state_dir=folder, settings=settings))
    try:
        told("starting everything")
        stack.start(lambda line: None)
        found = asyncio.run(measure(stack, scripts, limit, told))
    except ProcessFailed as error:
        told(str(error))
        return 1
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
    told(f"MAX_CALLS={found}" if found else "not even one call is carried here")
    return 0 if found else 1


async def measure(stack: Stack, scripts: list[Script], limit: float, told: Told, climb_s: float = CLIMB_S) -> int:
    """What MAX_CALLS should be for a running stack; 0: nothing is carried."""
    redis = connect(stack.redis_url)
    monitor = Monitor(redis, stack.cell)
    await monitor.start()
    crowd = Crowd(("127.0.0.1", stack.sip_port), monitor, scripts)

    async def hold(calls: int, seconds: float) -> Rung:
        await crowd.resize(calls, max(0, calls - len(crowd)) / DIALS_PER_S)
        await asyncio.sleep(SETTLE_S)
        looks = []
        for _ in range(max(1, int(seconds / LOOK_EVERY_S))):
            await asyncio.sleep(LOOK_EVERY_S)
            looks.append(await read_strain(redis, stack.cell))
        return rung_of(calls, looks)

    try:
        rungs: list[Rung] = []
        ends_at = time.monotonic() + climb_s
        while (calls := next_calls(rungs, limit)) and time.monotonic() < ends_at:
            rung = await hold(calls, HOLD_S)
            rungs.append(rung)
            verdict = "carried" if rung.carried(limit) else "too many"
            told(f"{calls:4} callers: {verdict}, strain {rung.strain:.2f} ({rung.what})")
        found = max_calls(rungs, limit)
        if found:
            told(f"{most_carried(rungs, limit)} are carried; {found} for {PROOF_S:g} s, to be sure")
            await crowd.resize(0, 0.0)
            crowd.tally = tally = Tally()
            proof = await hold(found, min(PROOF_S, climb_s))
            told(_proof(proof, tally, limit))
        return found
    finally:
        await crowd.resize(0, 0.0)
        await monitor.stop()
        await redis.aclose()


def _proof(proof: Rung, tally: Tally, limit: float) -> str:
    became = f"{tally.right} calls right, {tally.wrong} not"
    text = f"{proof.calls:4} callers: strain {proof.strain:.2f} ({proof.what}), {became}"
    if tally.delays_ms:
        text += f", answers after {np.quantile(tally.delays_ms, 0.95):.0f} ms at most, 19 times in 20"
    return text if proof.carried(limit) else f"{text}: that is near the edge, take a tenth less"
