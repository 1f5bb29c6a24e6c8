"""Many callers at once against one cell, as many as one likes; each dials again when a call is over.

What becomes of their calls is counted, not expected: a crowd finds out what a cell carries.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import ScriptPlayer
from callers.rtp_audio import Samples
from callers.script import Caller, Script, SpokenLine
from callers.sip_caller import SipCaller
from callers.sip_message import Address
from observability.lifecycle import cancel_all

EXTENSION = "pronto"
FIRST_NUMBER = 33_610_000_001
AGAIN_S = 0.5
"""Who was turned away does not dial again at once."""

HANGS_UP_S = 5.0


@dataclass
class Tally:
    """Calls that are over."""

    right: int = 0
    wrong: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    delays_ms: list[float] = field(default_factory=list)
    """What callers waited for answers."""


class Crowd:
    """`resize` to so many callers; `tally` is what became of their calls and may be replaced by a new one."""

    def __init__(self, server: Address, monitor: Monitor, scripts: Sequence[Script]) -> None:
        """`server`: where SIP is sent. Every line of the scripts is made into sound here, once."""
        self.tally = Tally()
        self._server, self._monitor, self._scripts = server, monitor, scripts
        self._numbers = count(FIRST_NUMBER)
        self._callers: list[asyncio.Task[None]] = []
        self._said = {
            (step, script.caller): speak(step, script.caller)
            for script in scripts
            for step in script.steps
            if isinstance(step, SpokenLine)
        }

    def __len__(self) -> int:
        """Callers who talk, or dial."""
        return len(self._callers)

    async def resize(self, calls: int, over_s: float) -> None:
        """More callers, who dial one after the other within `over_s`, or fewer, who hang up at once."""
        gone, self._callers = self._callers[calls:], self._callers[:calls]
        for task in gone:
            task.cancel()
        if gone:  # asked once: a condition that is left twice at once says that it is not held
            await asyncio.wait(gone, timeout=HANGS_UP_S)
        await cancel_all(*gone)
        more = calls - len(self._callers)
        for _ in range(more):
            number = len(self._callers)
            self._callers.append(asyncio.create_task(self._caller(number)))
            await asyncio.sleep(over_s / more)

    async def _caller(self, number: int) -> None:
        for turn in count(number):
            try:
                await self._call(self._scripts[turn % len(self._scripts)])
            except Exception:  # a line that was cut, an answer that did not come: one call of many
                self.tally.wrong += 1
                await asyncio.sleep(AGAIN_S)

    async def _call(self, script: Script) -> None:
        number = f"+{next(self._numbers)}"
        tally = self.tally
        async with SipCaller(self._server, name=number) as caller:
            if await caller.dial(EXTENSION) != 200:
                tally.refused += 1
                await asyncio.sleep(AGAIN_S)
                return
            report = await ScriptPlayer(self._monitor, self._voice).play(script, number, caller)
        if report.view is None:  # answered by the busy prompt, or by nobody
            tally.refused += 1
            return
        tally.right += report.passed
        tally.wrong += not report.passed
        tally.faults.update(report.faults)
        tally.delays_ms += [answer.delay_ms for answer in report.answers]

    def _voice(self, line: SpokenLine, caller: Caller) -> Samples:
        return self._said[line, caller]
