"""Speech in calls, as callers hear it: first sound, gaps, stops, and services that are killed in mid-sentence.

    python -m benchmarks.speech first [--calls 25] [--rounds 20]
    python -m benchmarks.speech gaps  [--calls 25] [--times-real 1.5]
    python -m benchmarks.speech stops [--count 200] [--calls 25]
    python -m benchmarks.speech pace  [--calls 25]
    python -m benchmarks.speech level [--rounds 20]
    python -m benchmarks.speech kills [--count 50] [--what controller|alone|speech|bot|bot-alone]

A real Asterisk, Redis, controller and speech service; this process is the callers and the bot. Times are the kernel's
at the caller's socket, counted from the command's way onto the bus. `first` plays as its recording what the speech
service made of the same sentence, so that both begin with the same packet. `gaps`, `stops` and `kills` say tones
without a pause, so that every packet of silence in a sentence is one too many; `kills` of the speech service says
words. `controller` is killed while a second one waits, loaded; `alone` is started again after the kill; `bot`
and `bot-alone` are the bot manager of a whole stack, killed while a sentence of a flow is said.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np

from audio_prompts.catalogue import PLAYED
from audio_prompts.loudness import level_dbfs
from callers.sip_caller import SipCaller
from config import ROOT
from devstack.asterisk import Asterisk, settings_on_free_ports
from devstack.processes import ChildProcess, free_tcp_port, wait_for
from devstack.redis_server import RedisServer
from devstack.remains import remains
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from protocol.items import PromptItem, SpeechItem
from protocol.messages import Append, CallEnded, Listen, PlaybackFinished, PlaybackStarted, Say, StopPlayback
from tests.ari_controller.switchboard import Bot, ControllerProcess, dial, no_keys
from tests.ari_controller.tone_voice import ToneVoice, speaking_tones
from tests.background import running

KNOWN = "Bonjour, vous êtes bien au service des rendez-vous."
WAITS = "loaded, waiting for the end"
"""In the log of a process that stands by."""
NAMES = "Dupont Morel Girard Lefebvre Fontaine Chevalier Mercier Blanchard Guérin Boyer Garnier Faure Rousseau".split()
TOWNS = "Nantes Rennes Angers Quimper Lorient Vannes Laval Tours Blois Niort Poitiers Limoges Bourges Nevers".split()


@dataclass
class Voice:
    """The speech service as a process."""

    folder: Path
    port: int = field(default_factory=free_tcp_port)

    def __post_init__(self) -> None:
        environment = {"SPEECH_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "speech_service"]
        self.child = ChildProcess("speech_service", command, self.folder / "speech.log", environment)

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether it speaks."""
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def sound(self, text: str) -> bytes:
        """What it says, int16 at 8 kHz."""
        body = json.dumps({"text": text, "language": "fr"}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/speech", body)) as answer:
            found = b""
            while not (head := json.loads(answer.readline())).get("over"):
                found += answer.read(head["bytes"])
        return found


@dataclass
class Place:
    """All that runs."""

    folder: Path
    asterisk: Asterisk
    redis_url: str
    controller: ControllerProcess
    voice: Voice
    tones: ToneVoice
    bot: Bot
    number: int = 0

    def say(self, call_id: str, *said: SpeechItem | PromptItem, open: bool = False) -> tuple[str, float]:
        """Asks for it; returns its id and when that was."""
        self.number += 1
        playback_id = f"{call_id}-b{self.number}"
        self.bot.do(Say(call_id, time.time(), self.number, playback_id, "fr", said, open=open))
        return playback_id, time.monotonic()

    async def over(self, playback_id: str) -> PlaybackFinished:
        """Its end."""
        return await self.bot.next(PlaybackFinished, playback_id=playback_id, deadline_s=60.0)


@asynccontextmanager
async def place(words: bool) -> AsyncIterator[Place]:
    """Starts everything; `words`: the controller is given the speech service, else tones."""
    folder = Path(tempfile.mkdtemp(prefix="speech-"))
    redis, asterisk, voice = RedisServer(), Asterisk(settings_on_free_ports()), Voice(folder)
    prompts = folder / "prompts"
    (prompts / "fr").mkdir(parents=True)
    try:
        await asyncio.to_thread(redis.start)
        await asyncio.to_thread(asterisk.start)
        await asyncio.to_thread(voice.child.start)
        await asyncio.to_thread(voice.child.wait_until, voice.is_ready, 60.0)
        await asyncio.to_thread(write, prompts / "fr" / "known.wav", await asyncio.to_thread(voice.sound, KNOWN))
        for name in ("busy", "apology", "cannot_say", "one_moment"):
            tone = 8_000 * np.sin(2 * np.pi * 2_400 * np.arange(4_000) / 8_000)
            await asyncio.to_thread(write, prompts / "fr" / f"{name}.wav", tone.astype("<i2").tobytes())
        async with speaking_tones() as tones:
            controller = ControllerProcess(asterisk, redis.url, prompts, folder / "controller.log", free_tcp_port())
            await controller.start(
                SPEECH_URL=voice.url if words else tones.url,
                MAX_CALLS="100",
                STRAIN_LIMIT="0",
                STANDBY_LOCK=str(folder / "place"),
                LOG_FORMAT="text",
            )
            client = connect(redis.url)
            bot = Bot(client)
            async with running(bot.read(), bot.outbox.run()):
                try:
                    yield Place(folder, asterisk, redis.url, controller, voice, tones, bot)
                finally:
                    await controller.stop()
                    controller.parts_folder.remove()
            await client.aclose()
    finally:
        for started in (voice.child, asterisk, redis):
            await asyncio.to_thread(started.stop)
        shutil.rmtree(folder, ignore_errors=True)


def write(path: Path, sound: bytes) -> None:
    """A prompt."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(sound)


@asynccontextmanager
async def callers(at: Place, count: int) -> AsyncIterator[list[tuple[SipCaller, str]]]:
    """So many calls at once."""
    found = []
    for number in range(count):
        caller = SipCaller(("127.0.0.1", at.asterisk.settings.sip_port), f"+3361234{number:04d}")
        await caller.__aenter__()
        call_id = await dial(caller, at.bot)
        at.bot.do(Listen(call_id, time.time(), 0, "fr"))  # a call without a command is taken for one that nobody drives
        found.append((caller, call_id))
    try:
        yield found
    finally:
        for caller, _ in found:
            await caller.hang_up()
            await caller.__aexit__(None, None, None)


def spans(caller: SipCaller, since_s: float) -> list[float]:
    """When each packet with sound came."""
    return [f.arrival_s for f in caller.phone.frames if f.arrival_s >= since_s and np.abs(f.samples).max() > 8]


def a_sentence(dice: random.Random) -> str:
    """About sixty characters that nobody said before."""
    street = f"{dice.randrange(2, 300)} rue de {dice.choice(TOWNS)}"
    return f"{dice.choice(NAMES)} vous attend au {street} le {dice.randrange(2, 29)} à {dice.randrange(8, 19)} heures."


def show(name: str, values: Sequence[float], unit: str = "ms") -> None:
    """One line of figures."""
    found = np.array(values)
    p50, p95, most = np.percentile(found, 50), np.percentile(found, 95), found.max()
    print(f"{name:34} n={len(found):4}  p50 {p50:6.1f}  p95 {p95:6.1f}  max {most:6.1f} {unit}", flush=True)


# --- 1: first sound ---------------------------------------------------------------------------------------------------


async def first(calls: int, rounds: int) -> None:
    """How long from the text to the first packet."""
    came: dict[str, list[float]] = {"recording": [], "cached": [], "new": [], "stream": []}
    async with place(words=True) as at, callers(at, calls) as live:

        async def one(caller: SipCaller, call_id: str, seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(rounds):
                for kind in dice.sample(sorted(came), 4):
                    await asyncio.sleep(dice.uniform(0.3, 2.0))
                    text = a_sentence(dice)
                    head, _, rest = text.partition(" au ")
                    said: dict[str, SpeechItem | PromptItem] = {
                        "recording": PromptItem("known"),
                        "cached": SpeechItem(KNOWN),
                        "new": SpeechItem(text),
                    }
                    item = said.get(kind) or SpeechItem(f"{head},")
                    playback_id, since_s = at.say(call_id, item, open=kind == "stream")
                    if kind == "stream":
                        await asyncio.sleep(0.2)
                        at.bot.do(Append(call_id, time.time(), playback_id, (SpeechItem(f"au {rest}"),), last=True))
                    await at.over(playback_id)
                    heard = spans(caller, since_s)
                    came[kind].append((heard[0] - since_s) * 1_000)

        await asyncio.gather(*(one(caller, call_id, seed) for seed, (caller, call_id) in enumerate(live)))
    for kind, values in came.items():
        show(f"{calls} calls, {kind}", values)


# --- 2: gaps and stops ------------------------------------------------------------------------------------------------


async def gaps(calls: int, times_real: float) -> None:
    """Silence inside utterances of recordings and of a voice that is only just fast enough."""
    longest: list[float] = []
    async with place(words=False) as at, callers(at, calls) as live:
        at.tones.times_real = times_real

        async def one(caller: SipCaller, call_id: str, seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(6):
                await asyncio.sleep(dice.uniform(0.2, 1.5))
                said = [SpeechItem(f"{dice.randrange(5, 15)}00:{dice.randrange(1, 6)}000") for _ in range(2)]
                playback_id, since_s = at.say(call_id, *said)
                await at.over(playback_id)
                heard = spans(caller, since_s)
                longest.append(float(max(np.diff(heard))) * 1_000)

        await asyncio.gather(*(one(caller, call_id, seed) for seed, (caller, call_id) in enumerate(live)))
        stalls = sum(caller.phone.stalls for caller, _ in live)
    show(f"{calls} calls, {times_real:g} x real time: longest gap", longest)
    print(f"gaps above 60 ms in {sum(gap > 60 for gap in longest)} of {len(longest)} utterances; our stalls: {stalls}")


async def stops(count: int, calls: int) -> None:
    """How soon it is silent, and whether what was heard is what is reported."""
    silent: list[float] = []
    taken: list[float] = []
    off: list[float] = []
    async with place(words=False) as at, callers(at, calls) as live:
        at.tones.times_real = 2.0

        async def one(caller: SipCaller, call_id: str, seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(max(1, count // calls)):
                playback_id, since_s = at.say(call_id, SpeechItem("600:3000"), PromptItem("known"))
                await at.bot.next(PlaybackStarted, playback_id=playback_id)
                await asyncio.sleep(dice.uniform(0.05, 2.5))
                stop_s = time.monotonic()
                at.bot.do(StopPlayback(call_id, time.time()))
                over = await at.over(playback_id)
                taken.append((time.monotonic() - stop_s) * 1_000)
                await asyncio.sleep(0.3)
                heard = spans(caller, since_s)
                silent.append((heard[-1] - stop_s) * 1_000)
                off.append(abs(over.heard[0].heard_ms - len(heard) * 20))

        await asyncio.gather(*(one(caller, call_id, 3 + seed) for seed, (caller, call_id) in enumerate(live)))
        show_requests(at.controller, "stop_playback")
    show(f"{calls} calls: stop to the last packet", silent)
    show(f"{calls} calls: stop to its report", taken)
    show(f"{calls} calls: reported and heard differ", off)
    print(f"above 60 ms: {sum(ms > 60 for ms in silent)} of {len(silent)}", flush=True)


def show_requests(controller: ControllerProcess, name: str) -> None:
    """How long Asterisk took for a request, as the controller saw it."""
    count, total = (
        controller.metric(f'pronto_ari_request_seconds_{end}{{request="{name}"}}') for end in ("count", "sum")
    )
    if count:
        print(f"{name}: {count:.0f} requests, {total / count * 1_000:.1f} ms each", flush=True)


async def pace(most: int) -> None:
    """How fast the voice is when so many callers have it say new sentences at the same time."""
    folder = Path(tempfile.mkdtemp(prefix="speech-"))
    voice = Voice(folder)
    try:
        await asyncio.to_thread(voice.child.start)
        await asyncio.to_thread(voice.child.wait_until, voice.is_ready, 60.0)
        dice = random.Random(11)
        async with aiohttp.ClientSession() as session:
            for calls in (count for count in (1, 5, 10, 15, 25, 40, 60, 80) if count <= most):
                texts = [" ".join(a_sentence(dice) for _ in range(3)) for _ in range(calls)]
                began_s = time.monotonic()
                asked = await asyncio.gather(*(pace_of(session, voice.url, text) for text in texts))
                took_s = time.monotonic() - began_s
                found = [one for one in asked if one[0] > 0]
                if not found:
                    print(f"{calls} at once: none was said", flush=True)
                    continue
                show(f"{calls} at once: first sound", [first_ms for first_ms, _, _, _ in found])
                show(f"{calls} at once: times real time", [sound_s / all_s for _, sound_s, all_s, _ in found], "x")
                behind = [late_ms for _, _, _, late_ms in found]
                print(
                    f"   all: {sum(sound_s for _, sound_s, _, _ in found) / took_s:.1f} x real time; "
                    f"longest wait of a listener inside: {max(behind):.0f} ms; not said: {len(asked) - len(found)}",
                    flush=True,
                )
    finally:
        await asyncio.to_thread(voice.child.stop)
        shutil.rmtree(folder, ignore_errors=True)


async def pace_of(session: aiohttp.ClientSession, url: str, text: str) -> tuple[float, float, float, float]:
    """One text: ms to the first sound, seconds of sound, seconds until all was there, and for how many ms at most a
    listener who began with the first sound had to wait for more."""
    began_s = time.monotonic()
    first_s, sound_s, late_s = 0.0, 0.0, 0.0
    async with session.post(f"{url}/speech", json={"text": text, "language": "fr"}) as answer:
        if answer.status != 200:
            return math.nan, math.nan, math.nan, math.nan
        while not (head := json.loads(await answer.content.readline())).get("over"):
            if "bytes" not in head:
                return math.nan, math.nan, math.nan, math.nan
            await answer.content.readexactly(head["bytes"])
            now_s = time.monotonic()
            first_s = first_s or now_s
            late_s = max(late_s, now_s - first_s - sound_s)
            sound_s += head["ms"] / 1_000
    return (first_s - began_s) * 1_000, sound_s, time.monotonic() - began_s, late_s * 1_000


# --- level and band ---------------------------------------------------------------------------------------------------


async def level(count: int) -> None:
    """How loud recordings and speech are in one call, and what of them lies outside a telephone's band."""
    played = ROOT / "audio_prompts" / PLAYED / "fr"
    names = sorted(path.stem for path in played.glob("*.wav") if path.stat().st_size > 16_000 * 1.5)
    dice = random.Random(17)
    loud: dict[str, list[float]] = {"recording": [], "speech": []}
    outside: dict[str, list[float]] = {"recording": [], "speech": []}
    async with place(words=True) as at:
        for name in names:
            shutil.copy(played / f"{name}.wav", at.folder / "prompts" / "fr" / f"{name}.wav")
        async with callers(at, 1) as live:
            caller, call_id = live[0]
            for _ in range(count):
                for kind in loud:
                    item = PromptItem(dice.choice(names)) if kind == "recording" else SpeechItem(a_sentence(dice))
                    playback_id, since_s = at.say(call_id, item)
                    await at.over(playback_id)
                    await asyncio.sleep(0.2)
                    heard = caller.phone.heard(since_s).astype(np.float32) / np.float32(32_768)
                    loud[kind].append(level_dbfs(heard, 8_000))
                    power = np.abs(np.fft.rfft(heard)) ** 2
                    hz = np.fft.rfftfreq(len(heard), 1 / 8_000)
                    beyond = float(power[(hz < 300) | (hz > 3_400)].sum() / power.sum())
                    outside[kind].append(10 * np.log10(beyond))
    for kind in loud:
        low, high = (float(np.percentile(loud[kind], part)) for part in (5, 95))
        print(f"{kind}: {np.mean(loud[kind]):.1f} dBFS (5 to 95 %: {low:.1f} to {high:.1f})", flush=True)
        print(f"{kind}: outside 300 to 3400 Hz {np.mean(outside[kind]):.0f} dB of all of it", flush=True)


# --- 3: kills ---------------------------------------------------------------------------------------------------------


async def kills(count: int, what: str) -> None:
    """The controller or the speech service is killed in mid-sentence and started again."""
    silences: list[float] = []
    missing: list[float] = []
    failed, dice = 0, random.Random(5)
    async with place(words=what == "speech") as at:
        at.tones.times_real = 1.5
        text = " ".join(a_sentence(dice) for _ in range(2))
        works = at.controller.child
        if what == "controller":
            await stand_by(at)
        for number in range(count):
            async with callers(at, 1) as live:
                caller, call_id = live[0]
                item = SpeechItem(f"{number}. {text}" if what == "speech" else "600:3000 1000:3000")
                playback_id, since_s = at.say(call_id, item)
                await at.bot.next(PlaybackStarted, playback_id=playback_id)
                await asyncio.sleep(dice.uniform(0.0, 2.0))
                if what == "speech":
                    await asyncio.to_thread(kill, at.voice.child)
                    at.voice.__post_init__()
                    await asyncio.to_thread(at.voice.child.start)
                else:
                    await asyncio.to_thread(kill, works)
                    if what == "alone":
                        at.controller.launch()
                    works = at.controller.child
                over = await at.over(playback_id)
                failed += over.state != "finished"
                heard = spans(caller, since_s)
                silences.append(float(max(np.diff(heard))) * 1_000)
                missing.append(0 if what == "speech" else abs(6_000 - len(heard) * 20))
                await asyncio.to_thread(at.voice.child.wait_until, at.voice.is_ready, 60.0)
            if what == "controller":
                await stand_by(at)
            await at.bot.next(CallEnded, call_id, deadline_s=30.0)
        await no_keys(at.bot.redis, "*:legs:*", "*speaking*")
        await asyncio.to_thread(kill, works)
        left = sorted(path.name for path in at.controller.parts.glob("*"))
        playing = at.asterisk.get("channels")
        keys = [key for key in await at.bot.redis.keys("*") if ":legs:" in key or "speaking" in key]
    show(f"{what} killed: longest silence", silences)
    show(f"{what} killed: heard differs by", missing)
    print(f"above 3 s: {sum(silence > 3_000 for silence in silences)}; not finished: {failed} of {count}")
    print(f"part files left: {left}; channels left: {playing}; keys left: {keys}", flush=True)


def kill(child: ChildProcess) -> None:
    """As a crash would."""
    os.kill(child.pid, signal.SIGKILL)
    child.stop(0.0)


async def stand_by(at: Place) -> None:
    """Starts a second controller; returns when it is loaded and waits for the end of the first."""
    waited = at.controller.log().count(WAITS)
    at.controller.launch()
    began_s = time.monotonic()
    await asyncio.to_thread(at.controller.child.wait_until, lambda: at.controller.log().count(WAITS) > waited, 120.0)
    print(f"loaded after {time.monotonic() - began_s:.1f} s, load average {os.getloadavg()[0]:.1f}", flush=True)


FLOW = """
flow: told
language: fr
start: tell
max_turns: 5
too_long: tell
transfer_failed: "Un instant, je vous prie."
trouble: {say: "Un instant, je vous prie.", retries: 1, then: tell}
defaults:
  no_input: {say: ["Un instant, je vous prie."], retries: 1, then: tell}
  no_match: {say: ["Un instant, je vous prie."], retries: 1, then: tell}
constants:
  day: {type: date, value: 2026-12-17}
states:
  tell:
    say: ["Votre rendez-vous est le {day}, au vingt-quatre rue des Acacias, chez le docteur Bellanger.",
      "Merci de venir dix minutes en avance, avec votre carte, et de nous dire si vous ne pouvez pas venir."]
    hangup: true
    outcome: told
"""


async def bot_kills(count: int, standby: bool) -> None:
    """The bot manager of a stack is killed while a flow's sentence is said; a second one waits, or it is started
    again."""
    folder = Path(tempfile.mkdtemp(prefix="speech-"))
    flows = folder / "flows"
    shutil.copytree(ROOT / "flows", flows)
    (flows / "fr" / "told.yaml").write_text(FLOW, encoding="utf-8")
    settings = {"FLOWS_DIR": str(flows), "DEFAULT_FLOW": "fr/told", "STRAIN_LIMIT": "0"}
    plan = StackPlan(run_dir=folder / "run", state_dir=folder / "state", settings=settings, standby=standby)
    stack = Stack(plan)
    silences: list[float] = []
    spoken: list[float] = []
    dice = random.Random(9)
    await asyncio.to_thread(stack.start)
    try:
        for number in range(count):
            await asyncio.to_thread(stack.all_stand_by, 120.0)
            async with SipCaller(("127.0.0.1", stack.sip_port), f"+3361235{number:04d}") as caller:
                await caller.dial("bot")
                await caller.phone.prompt_started()
                await asyncio.sleep(dice.uniform(0.0, 4.0))
                await asyncio.to_thread(kill, stack.services["bot_manager"])
                await caller.ended()
                heard = spans(caller, 0.0)
                silences.append(float(max(np.diff(heard))) * 1_000)
                spoken.append((heard[-1] - heard[0]) * 1_000)
            await asyncio.to_thread(wait_for, lambda: stack.is_ready("bot_manager"), 60.0)
        found = await asyncio.to_thread(remains, stack, 10.0)
        left = [path.name for path in stack.parts.path.glob("*/*")]
    finally:
        await asyncio.to_thread(stack.stop)
        shutil.rmtree(folder, ignore_errors=True)
    show("bot killed: longest silence", silences)
    show("bot killed: first to last sound", spoken)
    print(f"above 3 s: {sum(silence > 3_000 for silence in silences)} of {count}")
    print(f"part files left: {left}; left: {found.counts()}", flush=True)


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("show", choices=["first", "gaps", "stops", "pace", "level", "kills"])
    parser.add_argument("--calls", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--times-real", type=float, default=1.5)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--what", choices=["controller", "alone", "speech", "bot", "bot-alone"], default="controller")
    wanted = parser.parse_args()
    os.environ.setdefault("LOG_FORMAT", "text")
    print(f"{wanted.show}: load average {os.getloadavg()[0]:.1f} at the start", flush=True)
    match wanted.show:
        case "first":
            asyncio.run(first(wanted.calls, wanted.rounds))
        case "gaps":
            asyncio.run(gaps(wanted.calls, wanted.times_real))
        case "stops":
            asyncio.run(stops(wanted.count, wanted.calls))
        case "level":
            asyncio.run(level(wanted.rounds))
        case "pace":
            asyncio.run(pace(wanted.calls))
        case "kills" if wanted.what.startswith("bot"):
            asyncio.run(bot_kills(wanted.count, standby=wanted.what == "bot"))
        case _:
            asyncio.run(kills(wanted.count, wanted.what))


if __name__ == "__main__":
    main()
