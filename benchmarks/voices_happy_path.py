"""Whole calls by eight voices that nothing was tuned to: how many are qualified with the right lead, and how soon.

    python -m benchmarks.voices_happy_path [--calls 10] [--at-once 1] [--json .pronto/happy_path.jsonl]
    python -m benchmarks.voices_happy_path --report .pronto/happy_path.jsonl

Real SIP and RTP through Asterisk and every service, with the recogniser that people are understood with (Whisper base).
The caller heats with gas, has another zip code in every call, drawn by seed, and answers what they are asked: again in
other words when they are asked again, "non" to a read-back that is wrong. Level and time before they speak are drawn
too. A call is good when it ends as qualified with all five values right. Calls are written down as they end; what is in
the file is not placed again, so a run that was cut goes on. Answer times are those of a machine that does nothing
else; `load` is written down with each call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.happy_voices import VOICES, TestVoice, said
from callers.call_view import CallView
from callers.heard_audio import answer_times
from callers.monitor import Monitor
from callers.rtp_phone import LineClosed
from callers.sip_caller import SipCaller
from config import STATE
from devstack.recogniser import settings_for_people
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from protocol.messages import UtteranceTranscribed
from tests.slots.spoken import FR_SMALL, french

SEED = 1_311
WAIT_S = 25.0
MOST_TURNS = 25
FILLER = "one_moment"
AGAIN = ("not_understood", "trouble")
ENDS = ("goodbye", "transfer", "apology")
FIRST_NUMBER = 33_600_001_000
ZONE = ZoneInfo("Europe/Paris")
LINES: Mapping[str, tuple[str, ...]] = {
    "ask_eligibility": ("oui bonjour", "oui d'accord"),
    "ask_owner_house": ("oui je suis propriétaire", "oui"),
    "ask_which_heating": ("au gaz", "le gaz"),
    "ask_be_called_back": ("oui", "oui je veux bien"),
    "ask_slot_call_back": ("demain à quatorze heures",),
    "right": ("oui c'est ça", "oui"),
    "wrong": ("non",),
}
"""What is said to a prompt whose name begins so, first and when asked again."""


@dataclass
class CallResult:
    """One call. `reads`: the zip codes that were read back, in order; `asked`: how often each question was asked."""

    voice: str
    number: int
    zip_code: str
    said_as: str
    level_dbfs: float
    outcome: str = ""
    lead: dict[str, str] = field(default_factory=dict)
    good: bool = False
    reads: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    answers_ms: list[float] = field(default_factory=list)
    stalls: int = 0
    took_s: float = 0.0
    load: float = 0.0
    heard: list[str] = field(default_factory=list)
    """Who said what, in order, for those who look for the reason."""


class HappyCaller:
    """Answers what they are asked, whatever comes, until the call is over."""

    def __init__(self, monitor: Monitor, phone: SipCaller, voice: TestVoice, result: CallResult, seed: int) -> None:
        self._monitor, self._phone, self._voice, self._result = monitor, phone, voice, result
        self._draw = random.Random(seed)
        self._said: Counter[str] = Counter()
        self._last = "ask_eligibility"

    async def talk(self, view: CallView) -> None:
        """Until the bot hangs up or hands over, or has nothing to say for a long time."""
        mark = 0
        for _ in range(MOST_TURNS):
            names = await self._listen(view, mark)
            if not names:
                return
            mark = len(view.begun)
            text = self._answer(view, names)
            if not text:
                return
            self._result.heard.append(f"caller: {text}")
            try:
                await self._phone.phone.say(said(text, self._voice, self._result.level_dbfs), text)
            except LineClosed:
                return

    async def _listen(self, view: CallView, mark: int) -> list[str]:
        """The prompts that were begun since, when the bot has finished with one that asks something; [] at the end."""
        until = time.monotonic() + WAIT_S
        while (left_s := until - time.monotonic()) > 0:
            await self._monitor.wait_for(
                lambda: view.ended or (view.bot_silent and view.prompts_since(mark) not in ([], [FILLER])), left_s
            )
            names = view.prompts_since(mark)
            if view.ended or any(name.startswith(ENDS) for name in names):
                return []
            await asyncio.sleep(self._draw.uniform(0.25, 0.9))
            if view.bot_silent and not view.ended and names == view.prompts_since(mark) not in ([], [FILLER]):
                return names
        return []

    def _answer(self, view: CallView, names: Sequence[str]) -> str:
        self._result.heard.append(f"bot: {' '.join(names)}")
        key = next((key for name in reversed(names) if (key := _key(name))), self._last)
        self._result.asked[key] = self._result.asked.get(key, 0) + 1
        if key == "is_that_right":
            if not any(name.startswith(AGAIN) for name in names):
                self._said["right"] = self._said["wrong"] = 0  # another value is read back
            right = self._is_right(names)
            return self._line("right" if right else "wrong")
        self._last = key
        return self._result.said_as if key == "ask_zip_code" else self._line(key)

    def _is_right(self, names: Sequence[str]) -> bool:
        if "slot_noted" in names:
            day = datetime.now(ZONE) + timedelta(days=1)
            return {f"day_{day.day}", f"month_{day.month}", "hour_14"} <= set(names)
        digits = "".join(name[-1] for name in names if re.fullmatch(r"digit_\d", name))
        if "zip_code_noted" in names:
            self._result.reads.append(digits)
        return digits == self._result.zip_code

    def _line(self, key: str) -> str:
        lines = LINES[key]
        line = lines[min(self._said[key], len(lines) - 1)]
        self._said[key] += 1
        return line


def _key(name: str) -> str:
    if name == "is_that_right":
        return name
    return next((key for key in (*LINES, "ask_zip_code") if name.startswith(key)), "")


async def place(monitor: Monitor, sip_port: int, voice: TestVoice, result: CallResult) -> None:
    """One call; what comes of it is written into `result`."""
    number = f"+{FIRST_NUMBER + VOICES.index(voice) * 100 + result.number}"
    began = time.monotonic()
    result.load = round(os.getloadavg()[0], 1)
    async with SipCaller(("127.0.0.1", sip_port), name=number) as phone:
        status = await phone.dial("pronto")
        if status != 200:
            result.outcome = f"refused with {status}"
            return
        await monitor.wait_for(lambda: monitor.call_of(number) is not None, WAIT_S)
        view = monitor.call_of(number)
        if view is None:
            result.outcome = "not announced"
            return
        await HappyCaller(monitor, phone, voice, result, VOICES.index(voice) * 1_000 + result.number).talk(view)
        await monitor.wait_for(lambda: view.ended, 8.0)
        await phone.hang_up()
        await monitor.wait_for(lambda: bool(view.outcome), 5.0)
        result.outcome, result.lead = view.outcome, dict(view.lead)
        result.good = view.outcome == "qualified" and _is_right_lead(view.lead, result.zip_code)
        result.answers_ms = [round(a.delay_ms, 1) for a in answer_times(phone.phone.said, phone.phone.frames)]
        result.stalls = phone.phone.stalls
        result.heard += [
            f"recognised: {message.text!r} {message.confidence:.2f} {message.reason}".rstrip()
            for message in view.seen
            if isinstance(message, UtteranceTranscribed)
        ]
    result.took_s = round(time.monotonic() - began, 1)


def _is_right_lead(lead: Mapping[str, str], zip_code: str) -> bool:
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).date().isoformat()
    fixed = {"zip_code": zip_code, "owner": "yes", "heating": "gas", "callback": "yes"}
    return fixed.items() <= lead.items() and lead.get("callback_slot", "").startswith(f"{tomorrow}T14:00")


def zip_codes(count: int) -> list[tuple[str, str]]:
    """Zip codes, each another one, and how they are said: "soixante-quinze mille onze" by six in ten, the department
    and the rest by two, digit by digit by two."""
    draw = random.Random(SEED)
    found: dict[str, str] = {}
    while len(found) < count:
        department, rest = (
            draw.randrange(1, 96),
            draw.randrange(10) * 100 + draw.choice((0, 0, 0, draw.randrange(1, 100))),
        )
        code, way = f"{department:02}{rest:03}", draw.random()
        if way < 0.2 or (department < 10 and rest < 100):
            words = " ".join(FR_SMALL[int(digit)] for digit in code)
        elif way < 0.4 or department < 10:
            words = f"{_spoken(f'{department:02}')} {_spoken(f'{rest:03}')}"
        else:
            words = french(department * 1_000 + rest)
        found[code] = words
    return list(found.items())


def _spoken(digits: str) -> str:
    """A group of digits: its zeros at the front one by one, then the number."""
    rest = digits.lstrip("0")
    return " ".join(["zéro"] * (len(digits) - len(rest)) + ([french(int(rest))] if rest else []))


def planned(calls: int) -> list[tuple[TestVoice, CallResult]]:
    """Every call, the voices taking turns, so that a run that is cut is fair to each."""
    cases, draw = zip_codes(calls * len(VOICES)), random.Random(SEED)
    found = []
    for index, (code, words) in enumerate(cases):
        voice = VOICES[index % len(VOICES)]
        level = round(draw.uniform(-30, -18), 1)
        found.append((voice, CallResult(voice.name, index // len(VOICES), code, words, level)))
    return found


def speak_all(plan: Iterable[tuple[TestVoice, CallResult]]) -> None:
    """Has every line spoken before the first call."""
    lines = [text for texts in LINES.values() for text in texts]
    for voice in VOICES:
        for text in lines:
            said(text, voice)
        print(f"[voices] {voice.name} has spoken its lines", flush=True)
    for number, (voice, result) in enumerate(plan, 1):
        said(result.said_as, voice)
        if number % 10 == 0:
            print(f"[voices] {number} zip codes spoken", flush=True)


async def run(stack: Stack, plan: Sequence[tuple[TestVoice, CallResult]], at_once: int, file: Path) -> None:
    """Places the calls that are not in the file yet."""
    connection = connect(stack.redis_url)
    monitor = Monitor(connection, stack.cell)
    await monitor.start()
    places = asyncio.Semaphore(at_once)
    began, done = time.monotonic(), 0

    async def one(voice: TestVoice, result: CallResult) -> None:
        nonlocal done
        async with places:
            await place(monitor, stack.sip_port, voice, result)
        _write_down(result, file)
        done += 1
        mark = "good" if result.good else "    "
        print(
            f"[{done}/{len(plan)} {time.monotonic() - began:5.0f} s] {mark} {voice.name:22} {result.outcome:18}"
            f" {result.zip_code} read {','.join(result.reads) or '-'} load {result.load}",
            flush=True,
        )

    try:
        await asyncio.gather(*(one(voice, result) for voice, result in plan))
    finally:
        await monitor.stop()
        await connection.aclose()


def _write_down(result: CallResult, file: Path) -> None:
    with open(file, "a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


def read_results(file: Path) -> list[dict[str, Any]]:
    """What was written down so far."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def report(results: Sequence[dict[str, Any]]) -> str:
    """A row per voice and one for all, as Markdown."""
    lines = [
        "| voice | calls | qualified, lead right | zip right at once | after one read-back | p50, p95 | ended as |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in (*(voice.name for voice in VOICES), "all"):
        part = [one for one in results if name in (one["voice"], "all")]
        if not part:
            continue
        reads = [one["reads"] for one in part]
        codes = [one["zip_code"] for one in part]
        first = sum(read[:1] == [code] for read, code in zip(reads, codes, strict=True))
        second = sum(code in read[:2] for read, code in zip(reads, codes, strict=True))
        delays = [ms for one in part for ms in one["answers_ms"]]
        p50, p95 = np.quantile(delays, [0.5, 0.95]) if delays else (0.0, 0.0)
        ends = ", ".join(
            f"{count} {end or 'nothing'}" for end, count in Counter(o["outcome"] for o in part).most_common()
        )
        good = sum(one["good"] for one in part)
        lines.append(
            f"| {name} | {len(part)} | {good} ({good / len(part):.0%}) | {first} | {second} |"
            f" {p50:.0f}, {p95:.0f} ms | {ends} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10, help="by each voice")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--json", type=Path, default=STATE / "happy_path.jsonl", help="a line per call, as they end")
    parser.add_argument("--report", type=Path, help="only print the table of such a file")
    parser.add_argument("--speak", action="store_true", help="only have the voices speak")
    arguments = parser.parse_args()
    if arguments.report:
        print(report(read_results(arguments.report)))
        return
    plan = planned(arguments.calls)
    speak_all(plan)
    if arguments.speak:
        return
    there = {(one["voice"], one["number"]) for one in read_results(arguments.json)}
    left = [one for one in plan if (one[1].voice, one[1].number) not in there]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = settings_for_people(os.environ)
        if not settings and "WHISPER_MODEL" not in os.environ:
            parser.error("Whisper base is not here: scripts/fetch_whisper.sh")
        with Stack(StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings=settings)) as stack:
            asyncio.run(run(stack, left, arguments.at_once, arguments.json))
    print(report(read_results(arguments.json)))


if __name__ == "__main__":
    main()
