"""How many whole conversations this machine carries: scripted callers, a real Asterisk, every service, at once.

    python -m benchmarks.stack_load 10 25 50 75 100 --seconds 60 --json .pronto/stack.json
    python -m benchmarks.stack_load 50 --busy 10 --json .pronto/busy.json   # ten callers more than the limit
    python -m benchmarks.stack_load 10 25 50 75 100 --stand-in --json .pronto/stand-in.json
    python -m benchmarks.stack_load --draw benchmarks/stack.svg .pronto/stack.json .pronto/stand-in.json

Per step N callers talk all the time for `--seconds`: when a script is over, the same caller dials again with the next
one. Callers are those of `pronto call` (SIP, PCMU, RFC 4733), the scripts those of tests/calls; a conversation is right
when everything that its script expects came. Answer times are taken from the packets at the caller. The callers run in
this process and share the machine with what is measured; the table names their share.

`--stand-in`: instead of the recogniser a server that answers after a fixed time with what the caller did say, to find
the limit of everything else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from pathlib import Path

import numpy as np
from aiohttp import web

from benchmarks.receiver_load import cpu_s, series
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import ScriptPlayer
from callers.rtp_audio import Samples
from callers.rtp_phone import RtpPhone
from callers.script import Caller, Script, SpokenLine, read_script
from callers.sip_caller import SipCaller
from config import ROOT, STATE
from devstack.processes import free_tcp_port
from devstack.stack import SERVICES, Stack, StackPlan
from protocol.bus import connect

SCRIPTS = (
    "happy_path",
    "refused_not_owner",
    "zip_code_corrected",
    "faq_and_back",
    "objection_busy",
    "refused_no_callback",
    "zip_code_by_keypad",
    "human_please",
)
DIALS_PER_S = 4.0
STAND_IN_S = 0.15
LONGEST_CALL_S = 150.0


@dataclass
class Conversation:
    """One call of one caller."""

    script: str
    faults: list[str]
    delays_ms: list[float]
    lost_packets: int
    stalls: int


@dataclass
class Step:
    """What was measured with `calls` callers."""

    calls: int
    stand_in: bool
    seconds: float
    conversations: int
    right: int
    answers: int
    p50_ms: float
    p95_ms: float
    busy_heard: int
    cpu_percent: dict[str, float]
    machine_percent: float
    lost_to_bot: float
    late_chunks: float
    lost_to_caller: int
    stalls: int
    faults: list[str] = field(default_factory=list)


class StandIn:
    """Answers POST /whisper after `STAND_IN_S` with what the caller of that call said last."""

    def __init__(self) -> None:
        self.port = free_tcp_port()
        self.said: dict[str, str] = {}
        """By caller's number."""
        self.number_of: Callable[[str], str] = lambda call_id: ""

    async def start(self) -> web.AppRunner:
        """Serves until the runner is cleaned up."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/whisper", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        fields = json.loads(b"{" + body[body.index(b'",') + 2 :])  # the audio comes first
        await asyncio.sleep(STAND_IN_S)
        text = self.said.get(self.number_of(fields["connection_id"]), "")
        return web.json_response({"transcription": text, "confidence": 0.95})


class Voices:
    """What callers say, made before the first call."""

    def __init__(self, scores: list[Script]) -> None:
        self._samples = {
            (step, score.caller): speak(step, score.caller)
            for score in scores
            for step in score.steps
            if isinstance(step, SpokenLine)
        }

    def __call__(self, line: SpokenLine, caller: Caller) -> Samples:
        return self._samples[line, caller]


def lost_packets(phone: RtpPhone) -> int:
    """Packets missing in what the caller received, by sequence numbers; a new SSRC begins anew."""
    pairs = zip(phone.frames, phone.frames[1:], strict=False)
    gaps = ((b.sequence - a.sequence - 1) & 0xFFFF for a, b in pairs if a.ssrc == b.ssrc)
    return sum(gap for gap in gaps if gap < 1_000)


class Load:
    """Callers against one stack."""

    def __init__(self, stack: Stack, monitor: Monitor, scores: list[Script], stand_in: StandIn | None) -> None:
        self._stack, self._monitor, self._stand_in = stack, monitor, stand_in
        self._scores = scores
        self._voices = Voices(scores)
        self._numbers = count(33_600_000_001)
        self.busy_heard = 0

    def _voice(self, number: str) -> Callable[[SpokenLine, Caller], Samples]:
        def voice(line: SpokenLine, caller: Caller) -> Samples:
            if self._stand_in is not None:
                self._stand_in.said[number] = line.text
            return self._voices(line, caller)

        return voice

    async def _converse(self, score: Script) -> Conversation:
        number = f"+{next(self._numbers)}"
        async with SipCaller(("127.0.0.1", self._stack.sip_port), name=number) as caller:
            try:
                async with asyncio.timeout(LONGEST_CALL_S):
                    status = await caller.dial("pronto")
                    if status != 200:
                        return Conversation(score.name, [f"SIP status {status}"], [], 0, 0)
                    player = ScriptPlayer(self._monitor, self._voice(number))
                    report = await player.play(score, number, caller)
            except TimeoutError:
                return Conversation(score.name, ["the call took too long"], [], 0, 0)
            delays = [round(answer.delay_ms, 1) for answer in report.answers]
            return Conversation(score.name, report.faults, delays, lost_packets(caller.phone), report.stalls)

    async def _turned_away(self) -> None:
        """One caller too many: they must hear a prompt and be hung up on."""
        number = f"+{next(self._numbers)}"
        async with SipCaller(("127.0.0.1", self._stack.sip_port), name=number) as caller:
            if await caller.dial("pronto") == 200:
                await caller.phone.prompt_ended(deadline_s=20.0)
                self.busy_heard += await caller.ended(20.0) == "them"

    async def step(self, calls: int, seconds: float, busy: int) -> Step:
        """`calls` callers for `seconds` once all of them talk."""
        found: list[Conversation] = []
        self.busy_heard = 0
        ends_at = time.monotonic() + calls / DIALS_PER_S + seconds

        async def slot(number: int, scores: Iterator[Script]) -> None:
            await asyncio.sleep(number / DIALS_PER_S)
            while time.monotonic() < ends_at:
                found.append(await self._converse(next(scores)))

        slots = [
            asyncio.create_task(slot(number, cycle(self._scores[number % len(self._scores) :] + self._scores)))
            for number in range(calls)
        ]
        await asyncio.sleep(calls / DIALS_PER_S)
        before, idle_before, at = self._cpu(), _idle_s(), time.monotonic()
        heard_before = series(self._stack.url("rtp_receiver"))
        window_s = seconds
        if busy:
            await asyncio.gather(*(self._turned_away() for _ in range(busy)), return_exceptions=True)
        await asyncio.sleep(max(0.0, at + window_s - time.monotonic()))
        after, idle_after, took = self._cpu(), _idle_s(), time.monotonic() - at
        heard_after = series(self._stack.url("rtp_receiver"))
        await asyncio.gather(*slots)
        delays = [delay for conversation in found for delay in conversation.delays_ms]
        p50, p95 = np.quantile(delays, [0.5, 0.95]) if delays else (0.0, 0.0)
        cores = os.cpu_count() or 1

        def grown(name: str) -> float:
            return heard_after.get(name, 0.0) - heard_before.get(name, 0.0)

        return Step(
            calls=calls,
            stand_in=self._stand_in is not None,
            seconds=round(took, 1),
            conversations=len(found),
            right=sum(not conversation.faults for conversation in found),
            answers=len(delays),
            p50_ms=round(float(p50)),
            p95_ms=round(float(p95)),
            busy_heard=self.busy_heard,
            cpu_percent={name: round((after[name] - before[name]) / took * 100, 1) for name in after},
            machine_percent=round(100 - (idle_after - idle_before) / took / cores * 100, 1),
            lost_to_bot=grown("pronto_rtp_lost_total") + grown('pronto_rtp_dropped_total{reason="kernel_buffer_full"}'),
            late_chunks=grown("pronto_vad_late_chunks_total"),
            lost_to_caller=sum(conversation.lost_packets for conversation in found),
            stalls=sum(conversation.stalls for conversation in found),
            faults=[f"{conversation.script}: {fault}" for conversation in found for fault in conversation.faults],
        )

    def _cpu(self) -> dict[str, float]:
        """CPU seconds of every process."""
        pids = {name: self._stack.services[name].pid for name in SERVICES}
        pids |= {"asterisk": self._stack.asterisk.process.pid, "redis": self._stack.redis.process.pid}
        return {name: cpu_s(pid) for name, pid in pids.items()} | {"(callers)": time.process_time()}


def _idle_s() -> float:
    """Idle seconds of all cores together."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


async def measure(stack: Stack, stand_in: StandIn | None, chosen: argparse.Namespace, keep: list[Step]) -> None:
    """All steps against a running stack; each is printed and kept as soon as it is done."""
    scores = [
        read_script((ROOT / "tests/calls" / f"{name}.yaml").read_text(encoding="utf-8"), name) for name in SCRIPTS
    ]
    redis = connect(stack.redis_url)
    monitor = Monitor(redis, stack.cell)
    await monitor.start()
    runner = await stand_in.start() if stand_in else None
    if stand_in:
        stand_in.number_of = lambda call_id: _number(monitor, call_id)
    try:
        load = Load(stack, monitor, scores, stand_in)  # one for all steps: it never gives a number twice
        for calls in chosen.calls:
            step = await load.step(calls, chosen.seconds, chosen.busy)
            keep.append(step)
            print(row(step), flush=True)
            if chosen.busy:
                print(f"    {step.busy_heard} of {chosen.busy} callers too many heard the busy prompt", flush=True)
            for fault in step.faults[:5]:
                print(f"    {fault}", flush=True)
            if chosen.json:
                chosen.json.write_text(json.dumps([asdict(item) for item in keep], indent=1), encoding="utf-8")
    finally:
        await monitor.stop()
        await redis.aclose()
        if runner:
            await runner.cleanup()


def _number(monitor: Monitor, call_id: str) -> str:
    view = monitor.calls.get(call_id)
    return next((m.caller_number for m in view.seen if hasattr(m, "caller_number")), "") if view else ""


def row(step: Step) -> str:
    """One line of the table."""
    shares = step.cpu_percent
    parts = " / ".join(f"{shares[name]:.0f}" for name in ("asterisk", *SERVICES, "redis", "(callers)"))
    return (
        f"| {step.calls} | {step.right} of {step.conversations} "
        f"| {step.p50_ms:.0f} / {step.p95_ms:.0f} ({step.answers}) | {step.machine_percent:.0f} % | {parts} "
        f"| {step.lost_to_bot:.0f} / {step.lost_to_caller} | {step.late_chunks:.0f} |"
    )


def draw(path: Path, runs: list[list[Step]]) -> None:
    """CPU and answer time against the number of calls."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    names = ("asterisk", *SERVICES, "redis", "(callers)")
    calls = [step.calls for step in runs[0]]
    left.stackplot(calls, *[[step.cpu_percent[name] for step in runs[0]] for name in names], labels=names)
    left.set(title="CPU, demo speech model", xlabel="calls at once", ylabel="% of one core", ylim=(0, None))
    left.legend(fontsize=7, loc="upper left")
    for run in runs:
        name = "stand-in recogniser" if run[0].stand_in else "demo speech model"
        (line,) = right.plot([s.calls for s in run], [s.p50_ms for s in run], "--", label=f"{name}, p50")
        right.plot([s.calls for s in run], [s.p95_ms for s in run], color=line.get_color(), label=f"{name}, p95")
    right.axhline(1_200, color="grey", linewidth=0.8)
    right.set(title="Answer time at the caller's ear", xlabel="calls at once", ylabel="ms", yscale="log")
    right.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measures every step and prints a table, or draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", type=int, nargs="*")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--stand-in", action="store_true", help=f"a recogniser that answers after {STAND_IN_S} s")
    parser.add_argument("--busy", type=int, default=0, help="this many callers beyond a limit of the step's calls")
    parser.add_argument("--json", type=Path, help="write the steps to this file")
    parser.add_argument("--draw", type=Path, nargs="+", metavar="FILE", help="picture, then files of --json")
    chosen = parser.parse_args()
    if chosen.draw:
        runs = [[Step(**item) for item in json.loads(path.read_text(encoding="utf-8"))] for path in chosen.draw[1:]]
        draw(chosen.draw[0], runs)
        return
    stand_in = StandIn() if chosen.stand_in else None
    settings = {"LOG_LEVEL": "WARNING", "MAX_CALLS": str(chosen.calls[0] if chosen.busy else 500)}
    if stand_in:
        settings["WHISPER_URL"] = f"http://127.0.0.1:{stand_in.port}/whisper"
    plan = StackPlan(run_dir=STATE / "stack-load", state_dir=STATE / "stack-load", settings=settings)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, " + ("stand-in" if stand_in else "demo speech model")
    )
    names = " / ".join(("asterisk", *SERVICES, "redis", "(callers)"))
    print(f"| calls | right | answer p50 / p95 ms | machine | % of a core: {names} | RTP lost to bot / caller | late |")
    print("|---|---|---|---|---|---|---|")
    with Stack(plan) as stack:
        asyncio.run(measure(stack, stand_in, chosen, []))


if __name__ == "__main__":
    main()
