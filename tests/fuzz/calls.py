"""Fuzzed ARI events, replies and commands into the real controller, fuzzed bus messages into the real switchboard.

Asterisk is played by an object that answers at random; Redis is real. After the storm every caller hangs up, and
nothing may be left: no call, no task, no key.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from msgspec import structs
from redis.asyncio import Redis

from ari_controller import metrics
from ari_controller.admission import CallAdmission
from ari_controller.ari_errors import error_of
from ari_controller.ari_requests import PREFIXES, Request
from ari_controller.call_store import CallStore
from ari_controller.controller import Controller
from ari_controller.live_calls import LiveCalls
from bot_manager.call import Surroundings
from bot_manager.commits import Commits
from bot_manager.intents import IntentAnswer, IntentError
from bot_manager.switchboard import Switchboard
from config import ROOT
from dialogue.flow_store import FlowStore
from protocol.bus import Entry, Inbox, Outbox
from protocol.codec import BadMessage, decode, encode
from protocol.lease import Lease
from protocol.messages import CallEnded, CallStarted, Command, Event, Message
from records.database import open_database
from records.writer import RecordWriter
from tests.background import running
from tests.bot_manager.shipped import silent_prompts
from tests.fuzz.mutations import as_text, mutated_json
from tests.fuzz.parsers import RULES, recorded_events
from tests.fuzz.samples import MESSAGES

CELL = "fuzz"
CALLS = 12
PATIENCE_S = 40.0


class Bugs(logging.Handler):
    """Keeps what was logged with a traceback: errors that somebody caught, which nobody expects."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        if record.exc_info:
            self.found.append(logging.Formatter().format(record))


@asynccontextmanager
async def no_bugs() -> AsyncIterator[None]:
    """Asserts that nothing was logged with a traceback, and that no task died unseen."""
    bugs = Bugs()
    root = logging.getLogger()
    root.addHandler(bugs)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: bugs.found.append(repr(context)))
    try:
        yield
    finally:
        root.removeHandler(bugs)
        loop.set_exception_handler(None)
    assert bugs.found == [], "\n".join(bugs.found[:3])


class FickleAsterisk:
    """Answers requests like Asterisk, wrongly, or not at all. `calm` answers everything well."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.calm = False
        self.asked: Counter[str] = Counter()

    async def send(self, request: Request) -> Any:
        """The JSON answer. Raises AriError."""
        self.asked[request.name] += 1
        if self._random.random() < 0.3:
            await asyncio.sleep(0)
        if not self.calm and self._random.random() < 0.25:
            raise error_of(self._random.choice([400, 404, 409, 412, 422, 500, 503]), "{}")
        if not self.calm and self._random.random() < 0.1:
            return self._random.choice([None, [], "x", 7, {"channelvars": 7}, {"value": None}, {"state": 1}])
        if request.name == "external_media":
            port = str(self._random.randrange(10_000, 10_050))
            return {"channelvars": {"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": port}}
        return {"value": "1"} if request.name == "extension_exists" else None

    async def drop(self) -> None:
        """Nothing to drop."""


def events_of(random: Random) -> dict[str, Any]:
    """A recorded event, of one of a few calls, at any time."""
    event: dict[str, Any] = copy.deepcopy(random.choice(recorded_events()))
    call_id = f"pbx-{random.randrange(CALLS)}.0"
    prefix = random.choice(["", "", *PREFIXES])
    if isinstance(event.get("channel"), dict):
        event["channel"]["id"] = prefix + call_id
    for kind in ("playback", "recording"):
        if isinstance(event.get(kind), dict):
            event[kind]["target_uri"] = f"channel:{prefix}{call_id}"
            if kind == "playback":
                event[kind]["id"] = f"p-{call_id}-{random.choice(['1', '2', 'busy', 'apology'])}"
    return event


def command_of(random: Random) -> Command | None:
    """A command for one of these calls."""
    commands = [message for message in MESSAGES if isinstance(message, Command)]
    message = message_of(random, commands)
    return message if isinstance(message, Command) else None


def message_of(random: Random, kinds: Sequence[Message] = MESSAGES) -> Event | Command | None:
    """A bus message as it comes through: fuzzed, and let in by `decode`; None when it is refused."""
    body = json.loads(encode(random.choice(kinds)))
    body["call_id"] = f"pbx-{random.randrange(CALLS)}.0"
    body["at"] = time.time()
    for key in ("turn", "utterance"):
        if key in body:
            body[key] = random.choice([0, 1, 1, 2, 3])
    text = json.dumps(body)
    if random.random() < 0.4:
        text = as_text(random, mutated_json(random, body, random.randint(1, 2)))
    try:
        return decode(text)
    except BadMessage:
        return None


def controller_on(redis: Redis, random: Random) -> tuple[Controller, FickleAsterisk, Outbox]:
    """The real controller, on an Asterisk that nobody can rely on."""
    asterisk = FickleAsterisk(random)
    outbox = Outbox(redis, CELL)
    store = CallStore(redis, CELL, "fuzz")
    live = LiveCalls(RULES, CELL, CallAdmission(6), asterisk, store, outbox)  # type: ignore[arg-type]
    inbox = Inbox(redis, CELL, "commands", "fuzz")
    controller = Controller(live, asterisk, store, inbox, 3_600)  # type: ignore[arg-type]
    return controller, asterisk, outbox


async def storm_of_events(redis: Redis, random: Random, count: int) -> Counter[str]:
    """`count` events and commands, out of order, twice, unknown, cut off; then everybody hangs up."""
    controller, asterisk, outbox = controller_on(redis, random)
    live = controller.live
    done: Counter[str] = Counter()
    async with running(outbox.run()), no_bugs():
        before = ""
        for number in range(count):
            if random.random() < 0.15 and (command := command_of(random)) is not None:
                live.command(command, f"{number + 1}-0")
                done["commands"] += 1
                continue
            event: Any = events_of(random)
            if random.random() < 0.3:
                event = mutated_json(random, event, random.randint(1, 3))
            text = before if random.random() < 0.1 else as_text(random, event)
            controller.received(text)
            before = text
            done["events"] += 1
            if number % 50 == 0:
                live.tick()
                await asyncio.sleep(0)
            if number % 500 == 0:  # a storm without a pause would starve the clients of Redis in this process
                assert await outbox.flush(PATIENCE_S)
        asterisk.calm = True
        await _everybody_leaves(controller)
        await live.settle(PATIENCE_S)
        assert await outbox.flush(PATIENCE_S)
    series = [sample for metric in metrics.EVENTS.collect() for sample in metric.samples]
    assert len(series) < 30, "a series for every name that came"
    left = [key for pattern in ("bot_speaking:*", f"pronto:{CELL}:legs:*") for key in await redis.keys(pattern)]
    assert left == [], left
    return done + Counter({f"asked {name}": many for name, many in asterisk.asked.items()})


async def _everybody_leaves(controller: Controller) -> None:
    """Ends every call, as a hang-up does, until none is left: one may come back that was told to have returned."""
    end_at = time.monotonic() + PATIENCE_S
    while controller.live.calls:
        for channel_id in list(controller.live.by_channel):
            controller.received(json.dumps({"type": "StasisEnd", "channel": {"id": channel_id}}))
        controller.live.tick()
        await asyncio.sleep(0.01)
        assert time.monotonic() < end_at, {key: one.legs.state for key, one in controller.live.calls.items()}


class FickleIntents:
    """Knows an intent, or not, or fails."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def ask(self, sentence: str, language: str, allowed: Any) -> IntentAnswer:
        """The answer. Raises IntentError."""
        await asyncio.sleep(0)
        if self._random.random() < 0.2:
            raise IntentError("api_request_error", "away")
        names = ["yes", "no", "human", "ok_proprio", "faq3", "", "nonsense", *allowed]
        return IntentAnswer(self._random.choice(names), self._random.random(), fallback=self._random.random() < 0.2)


async def storm_of_messages(redis: Redis, random: Random, count: int, folder: Path) -> Counter[str]:
    """`count` fuzzed messages into the switchboard and its calls; then every call is told its end."""
    flows = FlowStore(ROOT / "flows", silent_prompts(folder))
    flows.load()
    lease = Lease(redis, CELL, "bot_manager", "bot_manager")
    assert await lease.take()
    commits = Commits(lease, CELL)
    records = RecordWriter(open_database(f"sqlite:///{folder / 'calls.sqlite'}"))
    intents: Any = FickleIntents(random)
    switchboard = Switchboard(Surroundings(commits, intents, records), flows, CELL, "fr/heating")
    commits.driven = switchboard.driven
    records.start()
    done: Counter[str] = Counter()
    try:
        async with running(commits.run()), no_bugs():
            begun: set[str] = set()
            for number in range(count):
                message = message_of(random)
                if message is None:
                    done["refused"] += 1
                    continue
                done["taken"] += 1
                if isinstance(message, CallStarted | CallEnded):
                    # ended calls are remembered and not begun again: a new name every time that all have had one
                    message = structs.replace(message, call_id=f"{message.call_id}-{number // 2_000}")
                else:
                    message = structs.replace(
                        message, call_id=f"{message.call_id}-{random.choice([number // 2_000, 0])}"
                    )
                if isinstance(message, CallStarted):
                    begun.add(message.call_id)
                await switchboard.deal_with(Entry(f"{number + 1}-0", message))
            for call_id in begun:
                await switchboard.deal_with(Entry(f"{count + 1}-0", CallEnded(call_id, time.time(), "caller_hung_up")))
            assert await switchboard.drained(PATIENCE_S), len(switchboard)
            assert await commits.stored(PATIENCE_S)
            assert await asyncio.to_thread(records.flush, PATIENCE_S)
            assert records.dropped == 0
    finally:
        await switchboard.close()
        await lease.release()
        await asyncio.to_thread(records.stop)
    forever = [key for key in await redis.keys("pronto:call:*") if await redis.ttl(key) < 0]
    assert forever == [], forever
    return done
