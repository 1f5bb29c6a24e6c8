"""Many scripted calls at once on one stack, as in a hall full of callers, and the faults that are made among them.

async with Hall(stack, patience=4) as hall:
    calls = hall.place(scores, count=50, over_s=15)
    ... hall.suffer(InjectedFault("kill", "bot_manager")) ...
    reports = await calls
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import CallReport, ScriptPlayer
from callers.rtp_audio import Samples
from callers.script import Caller, Script, SpokenLine
from devstack.processes import wait_for
from devstack.stack import REDIS, SERVICES, Stack
from pronto.call_cli import FIRST_NUMBER, place
from protocol.bus import connect

READY_DEADLINE_S = 60.0
FaultKind: TypeAlias = Literal["kill", "restart", "freeze"]


@dataclass(frozen=True)
class InjectedFault:
    """What happens to a process: killed (its supervisor starts it again), replaced, or frozen for `seconds` (less where
    a watchdog ends it before)."""

    kind: FaultKind
    process: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Suffered:
    """A fault that was made: when (epoch seconds), and how long until the process was ready again."""

    fault: InjectedFault
    at: float
    ready_after_s: float


class Hall:
    """The callers of one stack. They say again what they are asked again, up to `patience` times a call."""

    def __init__(self, stack: Stack, patience: int = 0) -> None:
        self.stack = stack
        self._redis = connect(stack.redis_url)
        self.monitor = Monitor(self._redis, stack.cell)
        self._player = ScriptPlayer(self.monitor, _voice, patience=patience)
        self._placed = 0

    async def __aenter__(self) -> Hall:
        await self.monitor.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.monitor.stop()
        await self._redis.aclose()

    def place(self, scores: Sequence[Script], count: int, over_s: float = 0.0) -> asyncio.Task[list[CallReport]]:
        """Places `count` calls with the scripts in turn, spread over `over_s`; the task gives a report of each."""
        return asyncio.create_task(self._place(scores, count, over_s))

    async def _place(self, scores: Sequence[Script], count: int, over_s: float) -> list[CallReport]:
        async def one(index: int) -> CallReport:
            await asyncio.sleep(over_s * index / count)
            self._placed += 1
            number = f"+{FIRST_NUMBER + self._placed}"
            return await place(self._player, scores[index % len(scores)], number, self.stack.sip_port)

        return await asyncio.gather(*(one(index) for index in range(count)))

    async def all_up(self, count: int, deadline_s: float = 60.0) -> bool:
        """Waits until `count` calls were answered."""
        return await self.monitor.wait_for(lambda: self.monitor.placed >= count, deadline_s)

    async def suffer(self, fault: InjectedFault) -> Suffered:
        """Makes the fault; returns when the process does its work again."""
        at = time.time()
        await asyncio.to_thread(self._make, fault)
        return Suffered(fault, at, time.time() - at)

    def _make(self, fault: InjectedFault) -> None:
        stack, name = self.stack, fault.process
        if fault.kind == "restart":
            stack.restart(name)
            return
        pid, restarts = stack.processes[name].pid, stack.restarts[name]
        os.kill(pid, signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)
        longest_s = fault.seconds if fault.kind == "freeze" else READY_DEADLINE_S
        replaced = wait_for(lambda: stack.restarts[name] > restarts, longest_s)
        if fault.kind == "freeze" and not replaced:
            os.kill(pid, signal.SIGCONT)
        watched = (name,) if name in SERVICES else ("ari_controller", "bot_manager", "rtp_receiver")
        if name == REDIS:
            wait_for(stack.redis.answers, READY_DEADLINE_S)
        wait_for(lambda: all(stack.is_ready(service) for service in watched), READY_DEADLINE_S)


async def in_turn(
    hall: Hall, faults: Sequence[InjectedFault], dice: random.Random, pause_s: tuple[float, float]
) -> list[Suffered]:
    """Makes the faults one after the other, each at a random moment after the one before it was over."""
    suffered = []
    for fault in faults:
        await asyncio.sleep(dice.uniform(*pause_s))
        suffered.append(await hall.suffer(fault))
    return suffered


@functools.lru_cache(maxsize=256)
def _voice(line: SpokenLine, caller: Caller) -> Samples:
    return speak(line, caller)
