"""Calls inside one process, on a real Redis and real HTTP: order, isolation, early commit, troubles, records."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot_manager.call import Surroundings
from bot_manager.commits import Commits
from bot_manager.intents import IntentClient
from bot_manager.switchboard import Switchboard
from dialogue.flow import Flow
from dialogue.flow_store import FlowStore
from protocol.bus import Inbox
from protocol.keys import call_key
from protocol.lease import Lease
from protocol.messages import (
    CallEnded,
    DtmfReceived,
    HandoffEnded,
    HangUp,
    Listen,
    PlaybackFinished,
    RecognitionFailed,
    Say,
    SpeechStarted,
    StopPlayback,
    TransferCall,
)
from records.database import open_database
from records.queries import one_call
from records.writer import RecordWriter
from tests.background import running
from tests.bot_manager.conftest import CELL, Exchange, IntentServer, until


@dataclass
class Bot:
    flows: FlowStore
    switchboard: Switchboard
    records: RecordWriter
    database: str


class BrokenFlows(FlowStore):
    """Flows that lead to a state that is not there: a bug that no check found."""

    def current(self, name: str) -> Flow:
        flow = super().current(name)
        states = {key: state for key, state in flow.states.items() if key != "ask_zip_code"}
        return dataclasses.replace(flow, states=states) if self.broken else flow

    broken = True


async def _run(
    flows: FlowStore, redis: Redis, intents: IntentServer, tmp_path: Path, timeout_s: float = 2.0
) -> AsyncIterator[Bot]:
    flows.load()
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    lease = Lease(redis, CELL, "bot_manager", "bot_manager")
    await until(lease.take)
    commits = Commits(lease, CELL)
    client = IntentClient(intents.main_url, intents.faqs_url, timeout_s)
    records = RecordWriter(open_database(database))
    switchboard = Switchboard(Surroundings(commits, client, records), flows, CELL, "fr/heating")
    inbox = Inbox(redis, CELL, "events", "bot_manager")
    await inbox.open()
    records.start()

    commits.driven = switchboard.driven

    async def read() -> None:
        async for entry in inbox.entries(stores_position=False):
            await switchboard.deal_with(entry)

    async with running(commits.run(), read()):
        yield Bot(flows, switchboard, records, database)
        await switchboard.close()
    await lease.release()
    await client.close()
    await asyncio.to_thread(records.stop)


@pytest.fixture
async def bot(
    flows_dir: Path, prompts_dir: Path, redis: Redis, intents: IntentServer, tmp_path: Path
) -> AsyncIterator[Bot]:
    async for found in _run(FlowStore(flows_dir, prompts_dir), redis, intents, tmp_path):
        yield found


@pytest.fixture
async def broken_bot(
    flows_dir: Path, prompts_dir: Path, redis: Redis, intents: IntentServer, tmp_path: Path
) -> AsyncIterator[tuple[Bot, BrokenFlows]]:
    flows = BrokenFlows(flows_dir, prompts_dir)
    async for found in _run(flows, redis, intents, tmp_path):
        yield found, flows


async def test_a_certain_guess_is_answered_before_the_utterance_is_over(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("early")
    line.ring()
    await line.prompts()
    line.guess("oui")
    assert "ask_zip_code" in await line.prompts()
    line.transcript("oui", same_utterance=True)  # confirms it: nothing happens
    line.transcript("soixante-quinze mille onze")
    assert (await line.prompts())[0] == "zip_code_noted"


async def test_each_turn_tells_the_receiver_how_to_listen(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("listen")
    line.ring()
    first: Listen = await line.next(Listen)
    assert (first.turn, first.language, first.barge_in) == (1, "fr", True)
    await line.prompts()
    line.transcript("oui")
    second: Listen = await line.next(Listen)
    assert (second.turn, second.end_silence_ms, second.hints) == (2, 900, ("code postal",))


async def test_intents_come_from_the_service_and_questions_return_to_the_state(
    bot: Bot, exchange: Exchange, intents: IntentServer
) -> None:
    intents.faqs["combien ça coûte"] = {"intent": "faq1", "score": 0.9}
    line = exchange.line("faq")
    line.ring()
    await line.prompts()
    line.transcript("combien ça coûte")
    assert (await line.prompts())[0] == "faq1_answer"
    asked, body = intents.asked[0]
    assert asked == "main"
    assert "ok_eligibility" in body["allowed"]


async def test_a_caller_who_speaks_over_the_prompt_is_heard(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("barge")
    line.ring()
    play: Say = await line.next(Say)
    line.turn = play.turn
    line.send(SpeechStarted("barge", line.tick(), 1, 1))
    await line.next(StopPlayback)
    line.send(PlaybackFinished("barge", line.tick(), play.playback_id, "stopped", 60))
    line.transcript("oui ça m'intéresse")
    assert "ask_zip_code" in await line.prompts()


async def test_doubtful_speech_over_the_prompt_is_an_answer_or_has_not_happened(
    bot: Bot, exchange: Exchange, intents: IntentServer
) -> None:
    intents.answers["il y a quelqu'un dans la cuisine"] = (500, "")
    line = exchange.line("aside")
    line.ring()
    play: Say = await line.next(Say)
    line.turn = play.turn
    for text in ("le temps est gris", "il y a quelqu'un dans la cuisine"):
        asked = len(intents.asked)
        line.transcript(text, aside=True)
        await until(lambda asked=asked: len(intents.asked) > asked)  # type: ignore[misc]
    line.transcript("oui", aside=True)
    stopped: StopPlayback | Say = await line.next(StopPlayback, Say)
    assert isinstance(stopped, StopPlayback)
    assert "ask_zip_code" in await line.prompts()


@pytest.mark.parametrize("trouble", ["recognition", "intents"])
async def test_who_cannot_be_understood_is_asked_again_and_then_handed_over(
    bot: Bot, exchange: Exchange, intents: IntentServer, trouble: str
) -> None:
    intents.answers["je voudrais savoir une chose"] = (500, "")
    line = exchange.line("trouble")
    line.ring()
    await line.prompts()
    for expected in ("trouble_again", "apology"):
        if trouble == "recognition":
            line.utterance += 1
            line.send(RecognitionFailed("trouble", line.tick(), line.turn, line.utterance, "down"))
        else:
            line.transcript("je voudrais savoir une chose")
        assert expected in await line.prompts()
    assert (await line.end()).extension == "900"  # type: ignore[union-attr]


async def test_keys_fill_a_slot(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("keys")
    line.ring()
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    for digit in "75011":
        line.send(DtmfReceived("keys", line.tick(), digit))
    assert "ask_owner_house" in await line.prompts()


async def test_a_silent_caller_hears_the_ladder_and_a_polite_end(bot: Bot, exchange: Exchange, flows_dir: Path) -> None:
    line = exchange.line("silent")
    flow = flows_dir / "fr" / "quick.yaml"
    text = (flows_dir / "fr" / "heating.yaml").read_text()
    flow.write_text(text.replace("flow: heating", "flow: quick").replace("no_input_ms: 5000", "no_input_ms: 1000"))
    assert (await asyncio.to_thread(bot.flows.refresh)).changed == ("fr/quick",)
    line.ring("fr/quick")
    heard = [(await line.prompts())[0] for _ in range(4)]
    assert heard == ["welcome", "hello", "are_you_there", "goodbye_no_input"]
    assert isinstance(await line.end(), HangUp)


async def test_ten_calls_at_once_are_not_mixed_up(bot: Bot, exchange: Exchange) -> None:
    codes = {f"many{number}": f"750{number:02d}" for number in range(1, 11)}

    async def place(call_id: str, code: str) -> None:
        line = exchange.line(call_id)
        line.ring()
        await line.prompts()
        line.transcript("oui")
        await line.prompts()
        line.transcript(" ".join(code))
        assert (await line.prompts())[0] == "zip_code_noted"
        line.transcript("oui")
        await line.prompts()
        line.transcript("non")
        await line.prompts()
        await line.end()

    await asyncio.gather(*(place(call_id, code) for call_id, code in codes.items()))
    await until(lambda: len(bot.switchboard) == 0)
    assert await asyncio.to_thread(bot.records.flush, 10)
    engine = open_database(bot.database)
    leads = {}
    for call_id in codes:
        found = one_call(engine, call_id)
        assert found is not None
        leads[call_id] = found[0].lead["zip_code"]
    assert leads == codes


async def test_a_failing_call_apologises_and_leaves_the_others_alone(
    broken_bot: tuple[Bot, BrokenFlows], exchange: Exchange
) -> None:
    bot, flows = broken_bot
    failing = exchange.line("failing")
    failing.ring()
    await failing.prompts()
    flows.broken = False
    other = exchange.line("other")
    other.ring()
    await other.prompts()
    failing.transcript("oui")
    await failing.next(StopPlayback)
    assert await failing.prompts() == ("apology",)
    last = await failing.end()
    assert isinstance(last, TransferCall)
    assert last.extension == "900"
    other.transcript("oui")
    assert "ask_zip_code" in await other.prompts()
    await until(lambda: len(bot.switchboard) == 1)
    assert await asyncio.to_thread(bot.records.flush, 10)
    found = one_call(open_database(bot.database), "failing")
    assert found is not None
    assert found[0].outcome == "error"


async def test_a_call_without_a_flow_gets_the_default_one(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("lost-flow")
    line.ring("fr/none")
    assert (await line.prompts())[0] == "welcome"


async def test_events_of_unknown_and_of_ended_calls_do_nothing(bot: Bot, exchange: Exchange, redis: Redis) -> None:
    line = exchange.line("over")
    line.ring()
    await line.prompts()
    line.hang_up()
    line.send(CallEnded("over", line.tick(), "caller_hung_up"))
    line.transcript("oui")
    stranger = exchange.line("stranger")
    stranger.transcript("oui")
    last = exchange.line("last")
    last.ring()
    await last.prompts()
    assert {command.call_id for command in exchange.commands} == {"over", "last"}
    assert 0 < await redis.ttl(call_key("over")) <= 900


async def test_calls_are_handed_over_when_redis_stays_away(bot: Bot, exchange: Exchange) -> None:
    line = exchange.line("away")
    line.ring()
    await line.prompts()
    bot.switchboard.backbone_away()
    assert await line.prompts() == ("apology",)
    assert isinstance(await line.end(), TransferCall)


async def handed_over(exchange: Exchange, call_id: str) -> None:
    """A call whose caller gave the zip code, and then asked for a human."""
    line = exchange.line(call_id)
    line.ring()
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    line.transcript("soixante-quinze mille onze")
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    line.transcript("je veux parler à quelqu'un")
    await line.prompts()
    assert isinstance(await line.end(), TransferCall)


@pytest.mark.parametrize("told", ["after the end", "before the end"])
async def test_a_caller_whom_no_adviser_took_is_offered_a_call_back_and_not_asked_anew(
    bot: Bot, exchange: Exchange, intents: IntentServer, told: str
) -> None:
    intents.answers["je veux parler à quelqu'un"] = {"intent": "human", "score": 0.95, "fallback": False}
    await handed_over(exchange, "before")
    if told == "after the end":
        await until(lambda: len(bot.switchboard) == 0)
    line = exchange.line("again")
    line.send(HandoffEnded("before", line.tick(), "busy"))
    line.ring("fr/heating", adviser="busy", call_before="before")
    assert await line.prompts() == ("adviser_away", "ask_be_called_back_again")
    line.transcript("oui")
    assert await line.prompts() == ("ask_slot_call_back",)
    line.transcript("mardi à quatorze heures")
    assert (await line.prompts())[0] == "slot_noted"
    line.transcript("oui")
    assert await line.prompts() == ("goodbye_qualified",)
    assert isinstance(await line.end(), HangUp)
    await until(lambda: len(bot.switchboard) == 0)
    assert await asyncio.to_thread(bot.records.flush, 10)
    engine = open_database(bot.database)
    before, again = one_call(engine, "before"), one_call(engine, "again")
    assert before is not None
    assert again is not None
    assert (before[0].outcome, before[0].end_reason) == ("handed_off", "adviser_busy")
    assert (again[0].outcome, again[0].lead["zip_code"], again[0].lead["callback"]) == ("call_back", "75011", "yes")
    assert again[0].variables == {"adviser": "busy", "call_before": "before"}


async def test_a_hand_off_that_was_taken_is_told_from_one_that_was_given_up(
    bot: Bot, exchange: Exchange, intents: IntentServer
) -> None:
    intents.answers["je veux parler à quelqu'un"] = {"intent": "human", "score": 0.95, "fallback": False}
    engine = open_database(bot.database)
    for call_id, result in (("taken", "answered"), ("given-up", "given_up")):
        await handed_over(exchange, call_id)
        exchange.line(call_id).send(HandoffEnded(call_id, 1_790_000_100.0, result))  # type: ignore[arg-type]
    line = exchange.line("unknown")
    line.send(HandoffEnded("never-seen", line.tick(), "answered"))
    line.ring()
    assert (await line.prompts())[0] == "welcome"  # all before is dealt with
    assert await asyncio.to_thread(bot.records.flush, 10)
    reasons = [found[0].end_reason for name in ("taken", "given-up") if (found := one_call(engine, name))]
    assert reasons == ["adviser_answered", "adviser_given_up"]
