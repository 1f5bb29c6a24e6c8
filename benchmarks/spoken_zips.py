"""A hundred spoken French zip codes through whole calls: what is read at once, and after one read-back.

    python -m benchmarks.spoken_zips --calls 5 --codes 20

Several synthesised voices (some that the demo model never heard) at telephone quality, over SIP and RTP through a real
Asterisk and every service. A call goes through a flow made for this: one question per zip code, read back as in the
shipped flow. The caller confirms what is right; else they say "non" and the code again, once. No one is asked again
after that: what is still wrong counts as wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks import spoken
from callers.call_view import CallView
from callers.monitor import Monitor
from callers.sip_caller import SipCaller
from config import ROOT
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from tests.slots.spoken import Case, french_zip_codes

SEED = 700
WAIT_S = 20.0
ASIDE = re.compile(r"\b(non|pardon|euh|oui|plutôt)\b")
"""The set has corrections and hesitations too; here a code is said once and plainly."""
REACTION_S = 0.3


@dataclass(frozen=True)
class Reading:
    """One zip code: what was meant and said, what was read back at first and after the correction."""

    meant: str
    said: str
    held_out_voice: bool
    first: str
    second: str


def flow_of(questions: int) -> str:
    """A flow with one slot and one question for each zip code."""
    states = "".join(
        f"""
  ask_{number}:
    say: hello
    slot: zip_{number}
    read_back: ["{{zip_{number}}}"]
    filled: {{say: very_well, goto: {f"ask_{number + 1}" if number + 1 < questions else "done"}}}
    listen: {{end_silence_ms: 900}}
"""
        for number in range(questions)
    )
    slots = "".join(f"  zip_{number}: zip_code\n" for number in range(questions))
    return f"""flow: zips
language: fr
start: ask_0
max_turns: {questions * 5}
too_long: done
trouble: {{say: trouble_again, retries: 1, then: done}}
transfer_failed: transfer_failed
slots:
{slots}
defaults:
  listen: {{eager_silence_ms: 200, end_silence_ms: 700, barge_in: false, no_input_ms: 6000, commit_confidence: 0.8}}
  no_input: {{say: [hello], retries: 3, then: done}}
  no_match: {{say: [not_understood], retries: 3, then: done}}
states:{states}
  done: {{say: goodbye, hangup: true, outcome: done}}
"""


class Caller:
    """Says their zip codes, one after the other, on one call."""

    def __init__(self, monitor: Monitor, sip_port: int, number: str) -> None:
        self._monitor, self._port, self._number = monitor, sip_port, number
        self.readings: list[Reading] = []

    async def call(self, cases: list[Case], seed: int) -> None:
        """Places the call; the readings are there when it is over, fewer when it broke off."""
        async with SipCaller(("127.0.0.1", self._port), name=self._number) as phone:
            if await phone.dial("bot") != 200:
                return
            await self._monitor.wait_for(lambda: self._monitor.call_of(self._number) is not None, WAIT_S)
            view = self._monitor.call_of(self._number)
            for index, case in enumerate(cases if view else []):
                assert view is not None
                reading = await self._one(phone, view, case, seed * 1_000 + index * 2)
                if reading is None:
                    break
                self.readings.append(reading)
            await phone.hang_up()

    async def _one(self, phone: SipCaller, view: CallView, case: Case, seed: int) -> Reading | None:
        held_out = seed % 8 == 0  # every fourth voice is one that the model never heard
        voices = spoken.HELD_OUT_VOICES if held_out else spoken.VOICES
        first = await self._say(phone, view, case.said, seed, voices)
        if first == case.meant:
            await self._say(phone, view, "oui c'est ça", seed, voices)
            return Reading(case.meant, case.said, held_out, first, first)
        again = case.said if not first else f"non, {case.said}"
        second = await self._say(phone, view, again, seed + 1, voices)
        if view.ended:
            return None
        await self._say(phone, view, "oui c'est ça", seed, voices)
        return Reading(case.meant, case.said, held_out, first, second)

    async def _say(self, phone: SipCaller, view: CallView, text: str, seed: int, voices: tuple[str, ...]) -> str:
        """Speaks when the bot is silent; the digits that the bot says next (empty: it says something else)."""
        await self._monitor.wait_for(lambda: view.ended or (view.bot_silent and bool(view.begun)), WAIT_S)
        await asyncio.sleep(REACTION_S)
        mark = len(view.begun)
        if view.ended:
            return ""
        await phone.phone.say(_at_8_khz(spoken.say(text, seed, voices)), text)
        await self._monitor.wait_for(lambda: view.ended or len(view.begun) > mark, WAIT_S)
        names = view.prompts_since(mark)
        return "".join(name[-1] for name in names if name.startswith("digit_"))


def _at_8_khz(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    narrow = soxr.resample(samples, 16_000, 8_000)
    whole: NDArray[np.int16] = (np.clip(narrow, -1, 1) * 32_767).astype(np.int16)
    return whole


async def all_calls(stack: Stack, calls: int, codes: int) -> list[Reading]:
    """Places the calls side by side."""
    drawn = french_zip_codes(calls * codes * 10, SEED)
    cases = [
        case for case in drawn if re.fullmatch(r"[^\W\d]+([ -][^\W\d]+)*", case.said) and not ASIDE.search(case.said)
    ]
    connection = connect(stack.redis_url)
    monitor = Monitor(connection, stack.cell)
    await monitor.start()
    callers = [Caller(monitor, stack.sip_port, f"+3360000{100 + index}") for index in range(calls)]
    try:
        await asyncio.gather(
            *(one.call(cases[i * codes : (i + 1) * codes], i + 1) for i, one in enumerate(callers)),
        )
    finally:
        await monitor.stop()
        await connection.aclose()
    return [reading for one in callers for reading in one.readings]


def main() -> None:
    """Prints the shares, and every code that stayed wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5, help="at once")
    parser.add_argument("--codes", type=int, default=20, help="zip codes in each call")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "flows", folder / "flows")
        (folder / "flows" / "fr" / "zips.yaml").write_text(flow_of(args.codes), encoding="utf-8")
        settings = {"FLOWS_DIR": str(folder / "flows"), "DEFAULT_FLOW": "fr/zips"}
        with Stack(StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings=settings)) as stack:
            began = time.monotonic()
            readings = asyncio.run(all_calls(stack, args.calls, args.codes))
            took = time.monotonic() - began
    for name, part in (
        ("all", readings),
        ("voices the model knows", [one for one in readings if not one.held_out_voice]),
        ("voices it never heard", [one for one in readings if one.held_out_voice]),
    ):
        first = sum(one.first == one.meant for one in part)
        second = sum(one.second == one.meant for one in part)
        print(f"{name:24} {len(part):4} codes: {first} read at once, {second} after one read-back")
    for one in readings:
        if one.second != one.meant:
            print(f"  {one.said!r}: meant {one.meant}, read {one.first or 'nothing'}, then {one.second or 'nothing'}")
    print(f"{args.calls * args.codes - len(readings)} not asked (call over); {took:.0f} s")


if __name__ == "__main__":
    main()
