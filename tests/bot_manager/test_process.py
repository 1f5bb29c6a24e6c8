"""The bot manager as it runs in production: a process of its own, killed, restarted, drained, misconfigured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.exceptions import ResponseError

from devstack.redis_server import RedisServer
from protocol.bus import connect
from protocol.keys import draining_key
from protocol.messages import DtmfReceived, HangUp, Say, TransferCall
from tests.background import running
from tests.bot_manager.bot_process import Bot, bot_of
from tests.bot_manager.conftest import CELL, Exchange, IntentServer, Line, until


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
        ("", "call_ended"),
    ]
    [(said,)] = rows(tmp_path, "select said from turns order by number desc limit 1")
    [goodbye] = json.loads(said)
    assert (goodbye["name"], goodbye["state"]) == ("goodbye_not_owner", "finished")
    assert goodbye["text"].startswith("Ces aides")


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
    assert [n for (n,) in rows(tmp_path, "select number from turns order by number")] == [1, 2, 3]


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


@pytest.mark.parametrize("change", ["edited", "renamed"])
async def test_a_call_keeps_its_flow_over_a_restart(
    bot: Bot, exchange: Exchange, redis: Any, flows_dir: Path, tmp_path: Path, change: str
) -> None:
    """The file says something else when the next bot manager comes: this call goes on with what it began with."""
    second = flows_dir / "fr" / "second.yaml"
    text = (flows_dir / "fr" / "heating.yaml").read_text(encoding="utf-8")
    second.write_text(text, encoding="utf-8")
    await bot.start()
    line = exchange.line(f"{CELL}-c31")
    line.ring("fr/second")
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    await until(lambda: _has_state(redis, line.call_id, "ask_zip_code"))
    await until(lambda: bool(rows(tmp_path, "select text from flow_versions")))
    await bot.end(signal.SIGKILL)
    if change == "renamed":
        second.rename(flows_dir / "fr" / "third.yaml")
    else:
        edited = re.sub(r"(goto: |\n  )ask_zip_code\b", r"\1zip_code_first", text)
        assert edited != text
        second.write_text(edited, encoding="utf-8")
    await bot.start()
    line.guess("soixante-quinze mille onze")
    assert (await line.prompts())[0] == "zip_code_noted"


@pytest.mark.parametrize("harm", ["flow lost", "no JSON", "no dialogue", "phase of a newer release"])
async def test_a_call_that_cannot_be_resumed_is_handed_over(
    bot: Bot, exchange: Exchange, redis: Any, flows_dir: Path, tmp_path: Path, harm: str
) -> None:
    """Whatever keeps the next bot manager from going on, the caller hears the apology and is with somebody."""
    second = flows_dir / "fr" / "second.yaml"
    second.write_text((flows_dir / "fr" / "heating.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    await bot.start()
    line = exchange.line(f"{CELL}-c30")
    line.ring("fr/second")
    await line.prompts()
    line.transcript("oui")
    await line.prompts()
    key = f"pronto:call:{line.call_id}"
    await until(lambda: _has_state(redis, line.call_id, "ask_zip_code"))
    await bot.end(signal.SIGKILL)
    body = json.loads(await redis.get(key))
    match harm:
        case "flow lost":
            second.unlink()
            (tmp_path / "calls.sqlite").unlink()
        case "no JSON":
            await redis.set(key, '{"cell": "te')
        case "no dialogue":
            await redis.set(key, json.dumps(body | {"dialogue": '{"schema": 2, "dialogue": 7}'}))
        case "phase of a newer release":
            strange = re.sub(r'"phase":"\w+"', '"phase":"acting"', body["dialogue"])
            assert strange != body["dialogue"]
            await redis.set(key, json.dumps(body | {"dialogue": strange}))
    await bot.start()
    assert await line.prompts() == ("apology",)
    last = await line.next(TransferCall)
    assert last.extension == "900"


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


def break_flow(path: Path) -> None:
    path.write_text(path.read_text().replace("goto: ask_zip_code}", "goto: nowhere}"))


async def test_one_bad_file_costs_its_own_flow_only(bot: Bot, exchange: Exchange, flows_dir: Path) -> None:
    second = flows_dir / "fr" / "second.yaml"
    second.write_text((flows_dir / "fr" / "heating.yaml").read_text())
    break_flow(second)
    (flows_dir / "fr" / "summer.yml").write_text("flow: summer\n")
    await bot.start()
    line = exchange.line("c20")
    line.ring("fr/second")  # the default flow is taken
    assert "welcome" in await line.prompts()
    log = bot.log.read_text()
    assert "second.yaml:" in log
    assert "nowhere" in log
    assert "summer.yml" in log
    _, metrics = await bot.get("/metrics")
    assert re.search(r"^pronto_flow_faults [2-9]", metrics, re.MULTILINE)


@pytest.mark.parametrize("harm", ["flow", "gone", "intents", "prompts"])
async def test_a_bad_file_at_a_restart_leaves_the_flow_as_its_last_calls_had_it(
    bot: Bot, exchange: Exchange, flows_dir: Path, tmp_path: Path, harm: str
) -> None:
    flow = flows_dir / "fr" / "heating.yaml"
    await bot.start()
    first = exchange.line("c21")
    first.ring()
    await first.prompts()
    first.hang_up()
    await until(lambda: bool(rows(tmp_path, "select text from flow_versions")))
    await until(lambda: bool(rows(tmp_path, "select id from calls where id = 'c21' and ended_at is not null")))
    await bot.end(signal.SIGKILL)
    match harm:
        case "flow":
            break_flow(flow)
        case "gone":
            flow.unlink()
        case "intents":
            (flows_dir / "fr" / "intents.yaml").write_text("intents: [")
        case "prompts":
            (tmp_path / "audio_prompts" / "fr" / "prompts.yaml").write_text("prompts: {a: [}")
    await bot.start()
    second = exchange.line("c22")
    second.ring()
    assert "welcome" in await second.prompts()
    second.transcript("oui")
    assert "ask_zip_code" in await second.prompts()
    second.hang_up()
    await until(lambda: bool(rows(tmp_path, "select id from calls where id = 'c22' and ended_at is not null")))
    assert len(set(rows(tmp_path, "select flow_version from calls"))) == 1


async def test_without_any_good_version_it_waits_for_one(bot: Bot, exchange: Exchange, flows_dir: Path) -> None:
    flow = flows_dir / "fr" / "heating.yaml"
    good = flow.read_text()
    break_flow(flow)
    process = await bot.launch()

    async def says_why() -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            status, reason = await bot.get("/ready")
            return status == 503 and "no good version of the flow fr/heating" in reason
        return False

    await until(says_why)
    assert "nowhere" in bot.log.read_text()
    flow.write_text(good)
    await until(bot.is_ready)
    assert process.returncode is None
    line = exchange.line("c23")
    line.ring()
    assert "welcome" in await line.prompts()


async def refuse_writes(redis: Any, how: str, data_dir: Path) -> None:
    """Makes Redis answer everything but writes, as when its memory or its disk is full."""
    if how == "memory":
        await redis.config_set("maxmemory", "1")
        return
    shutil.rmtree(data_dir)  # it stands in a folder that is no more, and can save nothing there
    await redis.config_set("save", "3600 1")
    with contextlib.suppress(ResponseError):
        await redis.bgsave()
    await until(lambda: _last_save_failed(redis))


async def _last_save_failed(redis: Any) -> bool:
    return bool((await redis.info("persistence"))["rdb_last_bgsave_status"] == "err")


@pytest.mark.parametrize("how", ["memory", "disk"])
async def test_a_redis_that_refuses_writes_is_away_and_nothing_is_lost(
    bot: Bot, tmp_path: Path, intents: IntentServer, how: str
) -> None:
    server = RedisServer(data_dir=tmp_path / "redis")
    await asyncio.to_thread(server.start)
    try:
        bot.environment["REDIS_URL"] = server.url
        await bot.start()
        client = connect(server.url)
        exchange = Exchange(client)
        async with running(exchange.read(), exchange.write()):
            line = exchange.line("c12")
            line.ring()
            await line.prompts()
            line.transcript("oui")
            assert "ask_zip_code" in await line.prompts()
            await refuse_writes(client, how, tmp_path / "redis")
            assert not await client.exists("something")  # reads are answered
            await until(bot.is_away)
            line.transcript("soixante-quinze mille onze")
            await client.config_set("maxmemory", "0")
            await client.config_set("stop-writes-on-bgsave-error", "no")
            assert (await line.prompts())[0] == "zip_code_noted"
            await until(bot.is_ready)
        await client.aclose()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_call_survives_a_redis_that_goes_away_and_comes_back(
    bot: Bot, tmp_path: Path, intents: IntentServer
) -> None:
    server = RedisServer(data_dir=tmp_path / "redis")
    await asyncio.to_thread(server.start)
    try:
        bot.environment["REDIS_URL"] = server.url
        await bot.start()
        client = connect(server.url)
        exchange = Exchange(client)
        async with running(exchange.read(), exchange.write()):
            line = exchange.line("c10")
            line.ring()
            await line.prompts()
            await asyncio.to_thread(server.process.stop)
            await until(bot.is_away)
            server.process.start()
            line.transcript("oui")
            assert "ask_zip_code" in await line.prompts()
            await until(bot.is_ready)
        await client.aclose()
    finally:
        await asyncio.to_thread(server.stop)


async def says(line: Line, text: str, answer: str) -> None:
    """Says something, and again when asked again, as people do: the machine may have kept the caller waiting."""
    for _ in range(3):
        line.transcript(text)
        heard = await line.prompts()
        assert not {"apology", "goodbye_no_input"} & set(heard), heard
        if answer in heard:
            return
    raise AssertionError(f"{line.call_id} heard {heard} after {text!r}")


async def test_twenty_calls_whose_flows_are_renamed_and_deleted_end_as_they_began(
    bot: Bot, exchange: Exchange, redis: Any, flows_dir: Path, tmp_path: Path
) -> None:
    """First under a running bot manager, which then is killed; the next one finds neither file. Nobody is stranded."""
    text = (flows_dir / "fr" / "heating.yaml").read_text(encoding="utf-8")
    names = ("renamed", "deleted", "both")
    for name in names:
        (flows_dir / "fr" / f"{name}.yaml").write_text(f"# {name}\n{text}", encoding="utf-8")
    await bot.start()
    lines = [exchange.line(f"{CELL}-many{number}") for number in range(20)]
    for number, line in enumerate(lines):
        line.ring(f"fr/{names[number % 3]}")
    for line in lines:
        assert (await line.prompts())[0] == "welcome"
        line.transcript("oui")
        assert "ask_zip_code" in await line.prompts()
    await until(lambda: len(rows(tmp_path, "select text from flow_versions")) >= 3)
    (flows_dir / "fr" / "renamed.yaml").rename(flows_dir / "fr" / "new_name.yaml")
    (flows_dir / "fr" / "deleted.yaml").unlink()
    (flows_dir / "fr" / "both.yaml").rename(flows_dir / "fr" / "other.yaml")
    await until(lambda: bot.log.read_text().count("flow in force no more") == 3)
    for line in lines[:10]:
        await says(line, "soixante-quinze mille onze", "zip_code_noted")
    await bot.end(signal.SIGKILL)
    (flows_dir / "fr" / "other.yaml").unlink()
    await bot.start()
    for line in lines[10:]:
        await says(line, "soixante-quinze mille onze", "zip_code_noted")
    for line in lines:
        await says(line, "oui", "ask_owner_house")
        await says(line, "non", "goodbye_not_owner")
        assert isinstance(await line.end(), HangUp)
    ended = "select flow, outcome, json_extract(lead, '$.zip_code') from calls where ended_at > 0 order by id"
    await until(lambda: len(rows(tmp_path, ended)) == 20)
    assert {row[1:] for row in rows(tmp_path, ended)} == {("not_owner", "75011")}
    assert {row[0] for row in rows(tmp_path, ended)} == {f"fr/{name}" for name in names}
    late = exchange.line(f"{CELL}-late")
    late.ring("fr/deleted")  # the default flow's
    assert (await late.prompts())[0] == "welcome"
