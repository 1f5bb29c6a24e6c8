"""A standby behind every service: each is killed, each is stopped, under calls. Nobody is stranded or left in silence.

`benchmarks/faults.py --kill` and `--stop` do the same with fifty calls and tell the times.
"""

import asyncio
import random
from pathlib import Path

import pytest

from callers.many_calls import Hall, InjectedFault, in_turn
from callers.play_script import CallReport
from callers.script import read_script
from devstack.processes import wait_for
from devstack.remains import remains
from devstack.stack import SERVICES, Stack, StackPlan

pytestmark = pytest.mark.timeout(400)

CALLS = 3
NAMES = ("zip_code_by_keypad", "happy_path")


async def suffer(stack: Stack) -> list[CallReport]:
    folder = Path(__file__).parent / "calls"
    scores = [read_script((folder / f"{name}.yaml").read_text(encoding="utf-8"), name) for name in NAMES]
    dice = random.Random(20_261_129)
    async with Hall(stack, patience=6) as hall:
        calls = hall.place(scores, CALLS)
        assert await hall.all_up(CALLS)
        await in_turn(hall, [InjectedFault("freeze", name, 60.0) for name in SERVICES], dice, (0.0, 2.0))
        await in_turn(hall, [InjectedFault("kill", name) for name in SERVICES], dice, (0.0, 0.5))
        return await calls


def test_who_hangs_or_dies_is_replaced_by_who_waits(tmp_path: Path) -> None:
    plan = StackPlan(tmp_path / "logs", tmp_path / "state", standby=True, settings={"STRAIN_LIMIT": "0"})
    with Stack(plan) as stack:
        assert stack.all_stand_by(120.0)
        at_first = {name: stack.services[name].pid for name in SERVICES}
        reports = asyncio.run(suffer(stack))
        assert [f"{report.score.name}: {fault}" for report in reports for fault in report.faults] == []
        assert [report.view.end_reason for report in reports if report.view] == ["bot_hung_up"] * CALLS
        assert all(stack.restarts[name] >= 2 for name in SERVICES)
        assert all(stack.services[name].pid != pid for name, pid in at_first.items())
        found = remains(stack, 10.0)
        assert (found.channels, found.bridges, found.endless_keys) == ([], [], [])
        assert stack.all_stand_by(120.0)  # the next ones wait again
        new = stack.services["rtp_receiver"].pid
        stack.restart("rtp_receiver")  # replaced by new code, not by the old one that waited
        assert stack.services["rtp_receiver"].pid != new
        assert stack.restarts["rtp_receiver"] == 2
        assert wait_for(lambda: stack.is_ready("rtp_receiver"), 10.0)
