"""The bot manager as it runs in production: a process of its own, killed, restarted, drained, misconfigured."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devstack.redis_server import RedisServer
from protocol.bus import connect
from protocol.keys import draining_key
from protocol.messages import DtmfReceived, HangUp, Say
from tests.bot_manager.bot_process import Bot, bot_of
from tests.bot_manager.conftest import CELL, Exchange, IntentServer, running, until


@pytest.fixture
async def bot(bot_settings: dict[str, str], tmp_path: Path) -> AsyncIterator[Bot]:
    """The bot manager of the cell; the test starts it."""
    async with bot_of(bot_settings, tmp_path / "bot.log") as found:
        yield found


def rows(tmp_path: Path, query: str) -> list[tuple[Any, ...]]:
    """Read-only, so that looking never makes the file; none while the writer has not made its tables yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{tmp_path / 'calls.sqlite'}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise


async def test_a_call_goes_from_the_first_prompt_to_its_record(bot: Bot, exchange: Exchange, tmp_path: Path) -> None:
    await bot.start()
    line = exchange.line("c1")
    line.ring()
    assert (await line.prompts())[0] == "welcome"
    line.transcript("oui")
    assert "ask_zip_code" in await line.prompts()
    line.guess("soixante-quinze mille onze")
    assert (await line.prompts())[0] == "zip_code_noted"
    line.transcript("oui c'est ça")
    assert "ask_owner_house" in await line.prompts()
    line.transcript("non")
    assert await line.prompts() == ("goodbye_not_owner",)
    assert isinstance(await line.end(), HangUp)
    await until(lambda: (tmp_path / "calls.sqlite").exists())
    await bot.end(signal.SIGTERM)
    [(outcome, lead, recording)] = rows(tmp_path, "select outcome, lead, recording from calls")
    assert (outcome, recording) == ("not_owner", "/recordings/x.wav")
    assert '"zip_code": "75011"' in lead
    taken = rows(tmp_path, "select state, committed, answer_prompts from turns order by number")
    assert [(state, committed) for state, committed, _ in taken] == [
        ("init", "endpoint"),
        ("ask_zip_code", "early"),
        ("ask_zip_code", "endpoint"),
        ("ask_owner_house", "endpoint"),
    ]


async def test_a_killed_bot_manager_goes_on_with_its_calls(bot: Bot, exchange: Exchange, tmp_path: Path) -> None:
    await bot.start()
    line = exchange.line("c2")
    line.ring()
    await line.prompts()
    line.transcript("oui")
    assert "ask_zip_code" in await line.prompts()
    assert await bot.end(signal.SIGKILL) == -signal.SIGKILL
    line.transcript("soixante-neuf mille trois")  # said while nobody listens
    await bot.start()
    assert (await line.prompts())[0] == "zip_code_noted"
    line.hang_up()
    await until(lambda: rows(tmp_path, "select outcome from calls where id = 'c2' and ended_at > 0") != [])
    assert rows(tmp_path, "select outcome, end_reason from calls") == [("caller_hung_up", "caller_hung_up")]
    assert [n for (n,) in rows(tmp_path, "select number from turns order by number")] == [1, 2]


async def test_an_utterance_whose_intent_was_awaited_is_asked_about_again(
    bot: Bot, exchange: Exchange, intents: IntentServer, redis: Any
) -> None:
    sentence = "je voudrais d'abord parler à quelqu'un"
    intents.answers[sentence] = {"intent": "human", "score": 0.9}
    intents.gate.clear()
    await bot.start()
    line = exchange.line("c11")
    line.ring()
    await line.prompts()
    line.transcript(sentence)
    await intents.asked_once.wait()

    async def is_stored() -> bool:
        body = json.loads(await redis.get("pronto:call:c11") or "{}")
        pending = json.loads(body["dialogue"])["dialogue"]["conversation"]["effects"] if body else {}
        return [effect["arguments"]["sentence"] for effect in pending.values()] == [sentence]

    await until(is_stored)
    await bot.end(signal.SIGKILL)
    intents.gate.set()
    await bot.start()
    assert await line.prompts() == ("transfer",)


async def test_the_timer_of_a_silent_caller_runs_again_after_a_restart(bot: Bot, exchange: Exchange) -> None:
    await bot.start()
    line = exchange.line("c3")
    line.ring()
    await line.prompts()
    await bot.end(signal.SIGKILL)
    await bot.start()
    assert (await line.prompts())[0] == "hello"  # the no-input ladder


async def test_an_ended_call_is_not_begun_again_by_a_restart(bot: Bot, exchange: Exchange, redis: Any) -> None:
    await bot.start()
    line = exchange.line("c4")
    line.ring()
    await line.prompts()
    line.hang_up()
    await until(lambda: _is_over(redis, "c4"))
    await bot.end(signal.SIGKILL)
    await redis.set(f"pronto:{CELL}:position:bot_manager:events", "0-0")  # everything is seen again
    await bot.start()
    other = exchange.line("c5")
    other.ring()
    await other.prompts()
    played = {(c.call_id, c.playback_id) for c in exchange.commands if isinstance(c, Say)}
    assert played == {("c4", "p-c4-1"), ("c5", "p-c5-1")}


async def test_keys_that_are_seen_again_after_a_crash_are_not_pressed_again(
    bot: Bot, exchange: Exchange, redis: Any
) -> None:
    await bot.start()
    line = exchange.line("c15")
    line.ring()
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    for digit in "75000#":  # a 0 asks for a human where no digits are expected
        line.send(DtmfReceived("c15", line.tick(), digit))
    assert "ask_owner_house" in await line.prompts()
    await until(lambda: _has_state(redis, "c15", "ask_owner_house"))
    await bot.end(signal.SIGKILL)
    await redis.set(f"pronto:{CELL}:position:bot_manager:events", "0-0")  # everything is seen again
    await bot.start()
    line.transcript("non")
    assert await line.prompts() == ("goodbye_not_owner",)


async def _has_state(redis: Any, call_id: str, state: str) -> bool:
    body = json.loads(await redis.get(f"pronto:call:{call_id}") or "{}")
    return bool(body and json.loads(body["dialogue"])["dialogue"]["conversation"]["state"] == state)


async def _is_over(redis: Any, call_id: str) -> bool:
    return '"over": true' in (await redis.get(f"pronto:call:{call_id}") or "")


async def test_a_stopping_bot_manager_leaves_its_calls_to_the_next(bot: Bot, exchange: Exchange) -> None:
    await bot.start()
    line = exchange.line("c6")
    line.ring()
    await line.prompts()
    assert await bot.end(signal.SIGTERM) == 0
    line.transcript("oui")
    await bot.start()
    assert "ask_zip_code" in await line.prompts()
    line.hang_up()


async def test_a_draining_bot_manager_tells_the_cell_and_serves_its_calls(
    bot: Bot, exchange: Exchange, redis: Any
) -> None:
    await bot.start()
    line = exchange.line("c12")
    line.ring()
    await line.prompts()
    assert (await bot.post("/drain"))["left"] == 1
    assert (await bot.get("/ready"))[0] == 503

    async def is_told() -> bool:
        return bool(await redis.get(draining_key(CELL)) == "bot_manager")

    await until(is_told)
    line.transcript("oui")
    assert "ask_zip_code" in await line.prompts()
    line.hang_up()

    async def is_empty() -> bool:
        return "pronto_drain_left 0.0" in (await bot.get("/metrics"))[1]

    await until(is_empty)


async def test_a_stopping_bot_manager_keeps_no_caller_from_its_successor(
    bot: Bot, exchange: Exchange, redis: Any
) -> None:
    await bot.start()
    exchange.line("c13").ring()
    await exchange.line("c13").prompts()
    assert await bot.end(signal.SIGTERM) == 0
    assert await redis.get(draining_key(CELL)) is None


async def test_a_caller_whom_the_dialplan_sends_back_is_a_new_call_with_a_record_of_its_own(
    bot: Bot, exchange: Exchange, redis: Any, tmp_path: Path
) -> None:
    await bot.start()
    line = exchange.line("c14")
    line.ring()
    await line.prompts()
    line.hang_up()
    await until(lambda: _is_over(redis, "c14"))
    await bot.end(signal.SIGKILL)  # the next one knows of the first call from Redis only
    await bot.start()
    line.ring()
    line.forget_playbacks()
    assert (await line.prompts())[0] == "welcome"
    line.hang_up()
    await until(lambda: len(rows(tmp_path, "select id from calls where ended_at > 0")) == 2)
    first, second = rows(tmp_path, "select id from calls order by started_at")
    assert first == ("c14",)
    assert second[0].startswith("c14~")


async def test_metrics_and_health_tell_what_happened(bot: Bot, exchange: Exchange) -> None:
    await bot.start()
    line = exchange.line("c7")
    line.ring()
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    line.hang_up()

    async def is_counted() -> bool:
        return 'pronto_calls_total{outcome="caller_hung_up"} 1.0' in (await bot.get("/metrics"))[1]

    await until(is_counted)
    _, metrics = await bot.get("/metrics")
    assert 'pronto_turn_stage_seconds_count{stage="answer"} 1.0' in metrics
    assert 'pronto_turns_total{committed="endpoint"} 1.0' in metrics
    assert "pronto_call_seconds_count 1.0" in metrics
    status, health = await bot.get("/health")
    assert (status, '"status": "ok"' in health) == (200, True)


async def test_an_edited_flow_is_for_new_calls_only_and_records_tell_which_it_was(
    bot: Bot, exchange: Exchange, flows_dir: Path, tmp_path: Path
) -> None:
    await bot.start()
    old = exchange.line("c8")
    old.ring()
    await old.prompts()
    _, before = await bot.get("/health")
    flow = flows_dir / "fr" / "heating.yaml"
    flow.write_text(flow.read_text().replace("say: [welcome, ask_eligibility]", "say: [ask_eligibility]"))

    async def is_reloaded() -> bool:
        return (await bot.get("/health"))[1] != before.replace('"calls": 0', '"calls": 1')

    await until(is_reloaded)
    new = exchange.line("c9")
    new.ring()
    assert await new.prompts() == ("ask_eligibility",)
    old.transcript("pardon")
    assert "ask_eligibility_again" in await old.prompts()
    old.hang_up()
    new.hang_up()
    query = "SELECT id, flow_version, flow_edited_at FROM calls WHERE ended_at IS NOT NULL ORDER BY id"
    await until(lambda: len(rows(tmp_path, query)) == 2)
    (_, old_version, old_time), (_, new_version, new_time) = rows(tmp_path, query)
    assert old_version != new_version
    assert new_time == datetime.fromtimestamp(flow.stat().st_mtime, UTC).isoformat(timespec="seconds")
    assert old_time <= new_time


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("INTENT_TIMEOUT_S", "9", "INTENT_TIMEOUT_S='9': must be from 0.05 to 5"),
        ("DEFAULT_FLOW", "fr/none", "DEFAULT_FLOW='fr/none': no such flow"),
    ],
)
async def test_bad_settings_refuse_to_start(bot: Bot, key: str, value: str, reason: str) -> None:
    bot.environment[key] = value
    process = await bot.launch()
    assert await process.wait() == 2
    assert reason in bot.log.read_text()


async def test_a_bad_flow_refuses_to_start_with_file_and_line(bot: Bot, flows_dir: Path) -> None:
    flow = flows_dir / "fr" / "heating.yaml"
    flow.write_text(flow.read_text().replace("goto: ask_zip_code}", "goto: nowhere}"))
    process = await bot.launch()
    assert await process.wait() == 2
    assert "heating.yaml:" in bot.log.read_text()
    assert "nowhere" in bot.log.read_text()


async def test_a_call_survives_a_redis_that_goes_away_and_comes_back(
    bot: Bot, tmp_path: Path, intents: IntentServer
) -> None:
    server = RedisServer(data_dir=tmp_path / "redis")
    server.start()
    try:
        bot.environment["REDIS_URL"] = server.url
        await bot.start()
        client = connect(server.url)
        exchange = Exchange(client)
        async with running(exchange.read(), exchange.write()):
            line = exchange.line("c10")
            line.ring()
            await line.prompts()
            server.process.stop()
            await until(bot.is_away)
            server.process.start()
            line.transcript("oui")
            assert "ask_zip_code" in await line.prompts()
            await until(bot.is_ready)
        await client.aclose()
    finally:
        server.stop()
