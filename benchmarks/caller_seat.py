"""From the caller's seat: calls through a real Asterisk, and how long answers take by the caller's own packets.

    python -m benchmarks.caller_seat play results.jsonl answers:plain:70:1        # 70 turns, one call at a time
    python -m benchmarks.caller_seat play results.jsonl answers:hesitant:60:4 --listen commit_recognition=1.01
    python -m benchmarks.caller_seat play results.jsonl barge-in:plain:40:3 noise:noise:60:10 noise:hum:30:6
    python -m benchmarks.caller_seat report results.jsonl --picture benchmarks/caller_seat.svg

A part is what is done (`answers`: questions are answered; `barge-in`: the caller speaks into every prompt; `noise`: a
sound is heard in a prompt), by which callers or sounds, how many turns, and how many calls at once.
The stack is Pronto's own (Asterisk, Redis, the five services), the caller speaks SIP and RTP. Every turn is one line of
the results file, so runs can be added up. `seat_analysis` judges the packets and knows nothing of our messages;
`seat_stages` tells what our messages say of the same turn.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
import traceback
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.seat_analysis import RATE_HZ, Kind, Samples, Track, Turn, analyse, stop_under
from benchmarks.seat_callers import SETS, Talker
from benchmarks.seat_noises import noises
from benchmarks.seat_report import report
from benchmarks.seat_stages import logged_turn
from callers.call_view import CallView
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.rtp_audio import from_ulaw
from callers.rtp_phone import LineClosed, RtpPhone
from callers.script import SpokenLine
from callers.sip_caller import SipCaller
from config import ROOT
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from protocol.messages import PlaybackFinished, UtteranceGuessed, UtteranceTranscribed

FIRST_NUMBER = 33_200_000_000
EXTENSION = "bot"
REACTION_S = 0.25
TURNS_PER_CALL = 12
DEADLINE_S = 20.0
VOICED_RMS = 200.0


class Seat:
    """One call: the caller's actions, then the rows of what came of them."""

    def __init__(self, caller: SipCaller, monitor: Monitor, number: str) -> None:
        self.caller, self.monitor, self.number = caller, monitor, number
        self.turns: list[Turn] = []
        self.offset_s = time.time() - time.monotonic()

    @property
    def phone(self) -> RtpPhone:
        return self.caller.phone

    async def view(self) -> CallView:
        """The call on the bus."""
        await self.monitor.wait_for(lambda: self.monitor.call_of(self.number) is not None, DEADLINE_S)
        view = self.monitor.call_of(self.number)
        assert view is not None, "the controller announced no call"
        return view

    async def bot_is_silent(self, view: CallView, mark: int) -> bool:
        """Waits until something new was said and heard out; False when the call ended instead.

        A prompt that was stopped because the caller spoke on is followed by another: they wait for that one.
        """

        def is_done() -> bool:
            over = next((m for m in reversed(view.seen) if isinstance(m, PlaybackFinished)), None)
            return view.bot_silent and len(view.begun) > mark and over is not None and over.state != "stopped"

        while True:
            found = await self.monitor.wait_for(lambda: view.ended or is_done(), DEADLINE_S)
            if view.ended or not found:
                return False
            begun = len(view.begun)
            await asyncio.sleep(REACTION_S)
            if view.bot_silent and len(view.begun) == begun:
                return True

    async def say(self, samples: Samples, label: str, kind: Kind) -> None:
        """Speaks; the packets of it are one turn."""
        spoken = await self.phone.say(samples, label)
        self.turns.append(Turn(label, kind, spoken.first_packet_s, spoken.last_packet_s))

    def tracks(self) -> tuple[Track, Track]:
        """What left and what came in."""
        sent, heard = self.phone.sent, self.phone.frames
        return (
            Track(np.array([t for t, _ in sent]), packets([from_ulaw(payload) for _, payload in sent])),
            Track(np.array([frame.arrival_s for frame in heard]), packets([frame.samples for frame in heard])),
        )


def packets(parts: list[Samples]) -> Samples:
    """Packets as rows of 160 samples: the last one of a prompt is shorter than the others."""
    rows = np.zeros((len(parts), 160), dtype=np.int16)
    for row, part in zip(rows, parts, strict=True):
        row[: len(part)] = part[:160]
    return rows


def rows_of(seat: Seat, view: CallView, leads: dict[str, float], more: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per turn: what was heard, and what our messages say of it."""
    sent, heard = seat.tracks()
    end_s = seat.caller.ended_s or time.monotonic()
    rows = []
    for turn in analyse(sent, heard, seat.turns, end_s):
        row: dict[str, Any] = {
            **more,
            "call": view.call_id,
            "said": turn.turn.label,
            "turn_kind": turn.turn.kind,
            "at_s": round(turn.first_voiced_s - (seat.caller.answered_s or 0.0), 3),
            "speech_ms": round((turn.last_voiced_s - turn.first_voiced_s) * 1_000),
            "answer_ms": _rounded(turn.answer_ms),
            "stop_ms": _rounded(turn.stop_ms),
            "cut_off": turn.cut_off_s is not None,
            "dead_air": turn.is_dead_air,
            "stalls": seat.phone.stalls,
            "texts": texts_of(view, turn.first_voiced_s + seat.offset_s, turn.last_voiced_s + seat.offset_s + 3.0),
        }
        if turn.answer_s is not None and turn.turn.kind != "noise":
            wall_s = seat.offset_s
            logged = logged_turn(view.seen, turn.last_voiced_s + wall_s, turn.answer_s + wall_s, leads)
            if logged is not None:
                row |= {
                    "state": logged.state,
                    "text": logged.text,
                    "committed": logged.committed,
                    "stages_ms": [round(ms, 1) for ms in logged.stages_ms],
                    "own_ms": round(logged.own_ms, 1),
                    "logged_ms": round(logged.logged_ms, 1),
                }
        rows.append(row)
    return rows


def texts_of(view: CallView, from_at: float, to_at: float) -> list[str]:
    """What the recogniser made of a turn: guesses with a question mark, the reason where there was no text."""
    texts = []
    for message in view.seen:
        if isinstance(message, UtteranceGuessed | UtteranceTranscribed) and from_at <= message.at <= to_at:
            mark = "?" if isinstance(message, UtteranceGuessed) else ""
            texts.append(f"{message.text or f'({message.reason})'}{mark} {message.confidence:.2f}")
    return texts


# --- the calls ---


async def answering(seat: Seat, talker: Talker) -> CallView:
    """A conversation: every question is answered when the bot has finished."""
    view = await seat.view()
    mark = 0
    for _ in range(TURNS_PER_CALL):
        if not await seat.bot_is_silent(view, mark):
            break
        line = talker.answer([name for _, names in view.begun[mark:] for name in names])
        if line is None:  # good-bye, or nothing that asks for an answer: wait for what follows
            mark = len(view.begun)
            continue
        mark = len(view.begun)
        await seat.say(speak(SpokenLine(line), talker.voice), line, "answer")
    else:
        if await seat.bot_is_silent(view, mark):
            await seat.say(speak(SpokenLine("au revoir"), talker.voice), "au revoir", "answer")
    await seat.monitor.wait_for(lambda: view.ended, 6.0)
    return view


async def interrupting(seat: Seat, talker: Talker, seed: int) -> CallView:
    """The caller knows the line and speaks into every prompt."""
    view = await seat.view()
    draw = np.random.default_rng(seed)
    since_s, mark = 0.0, 0
    for number in range(TURNS_PER_CALL):
        started = await seat.phone.prompt_started(since_s, DEADLINE_S)
        await asyncio.sleep(max(0.0, started.first_voiced_s + draw.uniform(0.7, 1.5) - time.monotonic()))
        if view.ended:
            break
        line = talker.answer([name for _, names in view.begun[mark:] for name in names])
        mark = len(view.begun)
        if line is None or number == TURNS_PER_CALL - 1:
            break
        since_s = time.monotonic()
        await seat.say(speak(SpokenLine(line), talker.voice), line, "barge_in")
    return view


async def noisy(seat: Seat, kind: str, samples: Samples) -> CallView:
    """Something is heard while the bot says its welcome; the caller says nothing."""
    view = await seat.view()
    started = await seat.phone.prompt_started(0.0, DEADLINE_S)
    await asyncio.sleep(max(0.0, started.first_voiced_s + 1.2 - time.monotonic()))
    await seat.say(samples, kind, "noise")
    await asyncio.sleep(4.5)
    return view


async def one_call(
    part: Part, args: argparse.Namespace, stack: Stack, monitor: Monitor, index: int, caller_number: int
) -> list[dict[str, Any]]:
    """Dials, talks, hangs up; the rows of it."""
    leads = lead_ms()
    seed = args.seed * 1_000 + index
    mode = part.mode
    more = {"mode": mode, "kind": part.kind, "condition": args.condition, "at_once": part.at_once, "seed": seed}
    number = f"+{caller_number}"
    async with SipCaller(("127.0.0.1", stack.sip_port), name=number) as caller:
        status = await caller.dial(EXTENSION)
        assert status == 200, f"the call was refused: {status}"
        seat = Seat(caller, monitor, number)
        talker = Talker(seed, part.kind if mode != "noise" else "plain")
        view: CallView | None = None
        try:
            if mode == "answers":
                view = await answering(seat, talker)
            elif mode == "barge-in":
                view = await interrupting(seat, talker, seed)
            else:
                name, samples = noises(part.kind)[index % len(noises(part.kind))]
                view = await noisy(seat, name, samples)
        except (LineClosed, TimeoutError):
            view = await seat.view()  # the call was over before the caller could speak
        await caller.hang_up()
        rows = rows_of(seat, view, leads, more)
        if mode == "noise":
            _, heard = seat.tracks()
            stop = stop_under(heard, seat.turns[0], spoken_first(view)) if seat.turns else None
            for row in rows:
                row["stopped"] = stop is not None
                if stop is not None and stop.resumed_s is not None:
                    row["resumed_after_ms"] = round((stop.resumed_s - seat.turns[0].last_packet_s) * 1_000)
                    row["silent_ms"] = round((stop.resumed_s - stop.stopped_s) * 1_000)
                    row["skip_ms"] = _rounded(stop.skip_ms)
    return rows


def lead_ms() -> dict[str, float]:
    """The silence before the first voice of every prompt."""
    found = {}
    for path in sorted((ROOT / "audio_prompts" / "fr").glob("*.wav")):
        samples = read_prompt(path)
        packets = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
        voiced = np.flatnonzero(np.sqrt(np.mean(packets**2, axis=1)) >= VOICED_RMS)
        found[path.stem] = 20.0 * int(voiced[0]) if len(voiced) else 0.0
    return found


def read_prompt(path: Path) -> Samples:
    """A prompt as int16 at 8 kHz."""
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == RATE_HZ
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def spoken_first(view: CallView) -> Samples:
    """The whole of the call's first prompts."""
    names = view.begun[0][1]
    return np.concatenate([read_prompt(ROOT / "audio_prompts" / "fr" / f"{name}.wav") for name in names])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


# --- the stack ---


@contextmanager
def flows_with(changes: list[str]) -> Iterator[dict[str, str]]:
    """Settings for a copy of the flows in which every state listens as `key=value` says; none for no changes."""
    if not changes:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="pronto-flows-") as folder:
        for source in sorted((ROOT / "flows").rglob("*.yaml")):
            target = Path(folder) / source.relative_to(ROOT / "flows")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text("utf-8"), "utf-8")
        path = Path(folder) / "fr" / "heating.yaml"
        flow = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
        wanted = dict(change.split("=", 1) for change in changes)
        for part in (flow["defaults"], *flow["states"].values()):
            if part is flow["defaults"] or "listen" in part:
                part["listen"] = {**part.get("listen", {}), **wanted}
        path.write_text(yaml.safe_dump(flow, allow_unicode=True, sort_keys=False), "utf-8")
        yield {"FLOWS_DIR": folder}


@dataclass(frozen=True)
class Part:
    """One part of a run: `answers:plain:70:1`."""

    mode: str
    kind: str
    turns: int
    at_once: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Raises ValueError."""
        mode, kind, turns, at_once = text.split(":")
        if mode not in ("answers", "barge-in", "noise") or kind not in (*SETS, "noise", "hum"):
            raise ValueError(text)
        return cls(mode, kind, int(turns), int(at_once))


async def play(args: argparse.Namespace, stack: Stack) -> int:
    """All parts on one stack."""
    redis = connect(stack.redis_url)
    monitor = Monitor(redis, stack.cell)
    await monitor.start()
    failed, ends_at, numbers = 0, time.monotonic() + args.seconds, itertools.count(FIRST_NUMBER)
    try:
        for part in args.parts:
            print(f"--- {part}", flush=True)
            failed += await _play_part(part, args, stack, monitor, numbers, ends_at)
    finally:
        await monitor.stop()
        await redis.aclose()
    return 1 if failed else 0


async def _play_part(
    part: Part, args: argparse.Namespace, stack: Stack, monitor: Monitor, numbers: Iterator[int], ends_at: float
) -> int:
    """Calls until enough turns were taken; every finished call is written at once. How many calls failed."""
    taken, index, failed = 0, 0, 0
    running: set[asyncio.Task[list[dict[str, Any]]]] = set()
    try:
        while taken < part.turns or running:
            while taken < part.turns and len(running) < part.at_once and time.monotonic() < ends_at:
                running.add(asyncio.create_task(one_call(part, args, stack, monitor, index, next(numbers))))
                index += 1
                await asyncio.sleep(0.35)  # callers do not call in step
            if not running:
                break
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) is not None:
                    failed += 1
                    print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)
                    taken += 1  # a stack that refuses every call must not be called for ever
                    continue
                rows = task.result()
                taken += len(rows)
                with args.results.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                answers = " ".join(f"{row['answer_ms'] or 0:.0f}" for row in rows)
                print(f"{taken:4d} turns  {answers}", flush=True)
    finally:
        for task in running:
            task.cancel()
    return failed


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("play", "report"))
    parser.add_argument("results", type=Path, help="JSON lines, one turn each; runs are added")
    parser.add_argument("parts", type=Part.parse, nargs="*", help=f"what to play; callers: {', '.join(SETS)}")
    parser.add_argument("--condition", default="as shipped", help="a name for this run in the report")
    parser.add_argument("--listen", nargs="*", default=[], help="key=value for the `listen` of every state")
    parser.add_argument("--setting", nargs="*", default=[], help="KEY=value for the environment of the services")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=500.0, help="no new call after this")
    parser.add_argument("--picture", type=Path, help="SVG to write (report)")
    args = parser.parse_args()
    if args.do == "report":
        return report(args.results, args.picture)
    with flows_with(args.listen) as settings, tempfile.TemporaryDirectory(prefix="pronto-seat-") as folder:
        more = dict(item.split("=", 1) for item in args.setting)
        plan = StackPlan(run_dir=Path(folder) / "logs", state_dir=Path(folder), settings={**settings, **more})
        with Stack(plan) as stack:
            return asyncio.run(play(args, stack))


if __name__ == "__main__":
    sys.exit(main())
