"""`python -m browser_audio` as a process, on a real Redis and with a real receiver before a recogniser of known
sentences; the test is the bot manager."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from browser_audio.sound import WIRE_BYTES
from callers.page_caller import PageCaller
from config import ROOT
from devstack.processes import ChildProcess, free_tcp_port, free_udp_port
from devstack.redis_server import as_user
from protocol.bus import Inbox, Outbox, connect
from protocol.draining import write_draining
from protocol.items import PromptItem, SpeechItem, prompts
from protocol.keys import browser_calls_key, driven_key, media_key, speaking_key
from protocol.messages import (
    CallEnded,
    CallStarted,
    Command,
    DtmfReceived,
    HangUp,
    Listen,
    MediaStarted,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    RequestRefused,
    Say,
    SpeechStarted,
    StopPlayback,
    TransferCall,
    UtteranceTranscribed,
)
from tests.background import running
from tests.rtp_receiver.speech import say
from tests.rtp_receiver.whisper_server import WhisperServer

pytestmark = pytest.mark.timeout(400)
OWNER = "je suis propriétaire"
LONG = prompts("welcome")
M = TypeVar("M", bound=Message)


@dataclass
class Desk:
    """The bot manager's part."""

    redis: Redis
    outbox: Outbox
    url: str
    events: list[Message] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    processes: dict[str, ChildProcess] = field(default_factory=dict)
    is_gone: bool = False
    """The bot manager was killed, and none comes after it."""

    @property
    def socket(self) -> str:
        return self.url.replace("http://", "ws://") + "/ws/call"

    async def follow(self, inbox: Inbox) -> None:
        async for message in inbox.messages():
            async with self.changed:
                self.events.append(message)
                self.changed.notify_all()

    async def until(self, kind: type[M], call_id: str = "", count: int = 1) -> M:
        def found() -> list[M]:
            return [one for one in self.events if isinstance(one, kind) and (not call_id or one.call_id == call_id)]

        async with asyncio.timeout(90), self.changed:
            await self.changed.wait_for(lambda: len(found()) >= count)
            return found()[count - 1]

    async def drive(self) -> None:
        """As a bot manager does: says which calls it drives."""
        while not self.is_gone:
            until_ms = (time.time() + 5) * 1_000
            ids = {one.call_id: until_ms for one in self.events if isinstance(one, CallStarted)}
            if ids:
                await self.redis.zadd(driven_key("local"), ids)
            await asyncio.sleep(0.2)
        await asyncio.Event().wait()

    def tell(self, command: Command) -> None:
        self.outbox.send(command)


def service(name: str, folder: Path, environment: dict[str, str]) -> ChildProcess:
    return ChildProcess(name, [sys.executable, "-m", name], folder / f"{name}.log", environment)


async def started(process: ChildProcess, url: str) -> None:
    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    process.start()
    await asyncio.to_thread(process.wait_until, is_ready, 120.0)


@pytest.fixture
async def desk(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    settings: dict[str, str] = getattr(request, "param", {})
    rtp_port, receiver_port, port = free_udp_port(), free_tcp_port(), free_tcp_port()
    redis = connect(redis_url)
    async with WhisperServer([OWNER]) as whisper:
        environment = {
            "PYTHONPATH": str(ROOT),
            "RTP_PORT": str(rtp_port),
            "WHISPER_URL": whisper.url,
            "RECEIVER_PORT": str(receiver_port),
            "BROWSER_PORT": str(port),
            "RECORDINGS_DIR": str(tmp_path / "recordings"),
            "SPEECH_URL": "",
            "BROWSER_DRAIN_S": "0.5",
            **settings,
        }
        inbox = Inbox(redis, "local", "events", "desk")
        await inbox.opened()
        outbox = Outbox(redis, "local")
        desk = Desk(redis, outbox, f"http://127.0.0.1:{port}")
        receiver = service("rtp_receiver", tmp_path, {**environment, "REDIS_URL": as_user(redis_url, "receiver")})
        pages = service("browser_audio", tmp_path, {**environment, "REDIS_URL": as_user(redis_url, "browser")})
        desk.processes = {"rtp_receiver": receiver, "browser_audio": pages}
        try:
            await started(receiver, f"http://127.0.0.1:{receiver_port}")
            await started(pages, desk.url)
            async with running(outbox.run(), desk.follow(inbox), desk.drive()):
                yield desk
        finally:
            for process in (pages, receiver):
                await asyncio.to_thread(process.stop, 20.0)
            await redis.aclose()


async def test_a_call_is_announced_heard_answered_recorded_and_ended(desk: Desk, tmp_path: Path) -> None:
    async with PageCaller(desk.socket, "fr/heating") as page:
        begun = await desk.until(CallStarted)
        call_id = begun.call_id
        assert (begun.direction, begun.flow, call_id.startswith("local-browser-")) == ("browser", "fr/heating", True)
        media = await desk.until(MediaStarted, call_id)
        source = media_key("local", media.source_host, media.source_port)
        assert await desk.redis.get(source) == call_id
        assert (await page.until("welcome"))["call_id"] == call_id
        desk.tell(Say(call_id, 1.0, 1, "p1", "fr", prompts("ask_zip_code")))
        desk.tell(Listen(call_id, 1.0, 1, "fr"))
        await desk.until(PlaybackStarted, call_id)
        over = await desk.until(PlaybackFinished, call_id)
        assert (over.state, over.heard[0].state) == ("finished", "finished")
        with wave.open(str(ROOT / "audio_prompts" / ".played" / "fr" / "ask_zip_code.wav")) as file:
            prompt_ms = file.getnframes() * 1_000 / file.getframerate()
        assert prompt_ms <= over.offset_ms < prompt_ms + 20
        assert len(page.sound) / 32 == over.offset_ms
        await page.until("call_state", state="listening")
        page.say(say(OWNER))
        heard = await desk.until(UtteranceTranscribed, call_id)
        assert (heard.text, heard.turn) == (OWNER, 1)
        assert (await page.until("heard"))["text"] == OWNER
        await page.until("call_state", state="thinking")
        desk.tell(Say(call_id, 2.0, 2, "p2", "fr", prompts("ask_owner_house")))
        await page.until("turn")
        await page.until("said", count=2)
        states = [one["state"] for one in page.of_kind("call_state")]
        assert states == ["connecting", "greeting", "listening", "thinking", "speaking"]
        await page.send("dtmf", digit="5")
        assert (await desk.until(DtmfReceived, call_id)).digit == "5"
        await page.send("bye")
        ended = await desk.until(CallEnded, call_id)
        assert ended.reason == "caller_hung_up"
        await page.until("closed")
    assert ended.recording == str(tmp_path / "recordings" / f"{call_id}.wav")
    with wave.open(ended.recording) as file:
        sound = np.frombuffer(file.readframes(-1), "<i2")
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
    assert len(sound) >= len(page.sound) // 2  # all of it, and the caller's turn
    async with asyncio.timeout(90):
        while await desk.redis.exists(source, speaking_key(call_id), browser_calls_key("local")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_who_speaks_into_a_prompt_silences_the_page(desk: Desk) -> None:
    async with PageCaller(desk.socket) as page:
        call_id = (await desk.until(CallStarted)).call_id
        await desk.until(MediaStarted)
        desk.tell(Say(call_id, 1.0, 1, "p1", "fr", (*prompts("welcome", "ask_eligibility"),)))
        desk.tell(Listen(call_id, 1.0, 1, "fr", barge_in=True))
        await desk.until(PlaybackStarted, call_id)
        page.say(say(OWNER))
        assert (await desk.until(SpeechStarted, call_id)).turn == 1
        desk.tell(StopPlayback(call_id, 2.0))
        over = await desk.until(PlaybackFinished, call_id)
        assert over.state == "stopped"
        assert 0 < over.offset_ms == len(page.sound) / 32
        assert len(page.flushed_ms) == 1
        desk.tell(Say(call_id, 2.0, 2, "p2", "fr", prompts("ask_zip_code")))
        assert (await desk.until(PlaybackFinished, call_id, count=2)).state == "finished"
        assert await desk.redis.get(speaking_key(call_id)) == "False"


async def test_what_cannot_be_said_is_told_and_the_rest_is_said(desk: Desk) -> None:
    async with PageCaller(desk.socket) as page:
        call_id = (await desk.until(CallStarted)).call_id
        items = (PromptItem("no_such_prompt"), SpeechItem("bonjour"), *prompts("digit_7"))
        desk.tell(Say(call_id, 1.0, 1, "p1", "fr", items))
        over = await desk.until(PlaybackFinished, call_id)
        assert (over.state, [item.state for item in over.heard]) == ("failed", ["failed", "failed", "finished"])
        assert len(page.sound) > 0
        desk.tell(Say(call_id, 1.0, 2, "p2", "fr", ()))
        assert (await desk.until(RequestRefused, call_id)).command == "Say"


@pytest.mark.parametrize(
    ("command", "reason"), [(HangUp("", 1.0), "bot_hung_up"), (TransferCall("", 1.0, "900"), "transferred")]
)
async def test_the_bot_ends_a_call_or_hands_it_over(desk: Desk, command: Any, reason: str) -> None:
    async with PageCaller(desk.socket) as page:
        call_id = (await desk.until(CallStarted)).call_id
        ends = HangUp(call_id, 1.0) if isinstance(command, HangUp) else TransferCall(call_id, 1.0, command.extension)
        desk.tell(ends)
        assert (await desk.until(CallEnded, call_id)).reason == reason
        assert (await page.until("ended"))["reason"] == reason
        await page.until("closed")


@pytest.mark.parametrize("desk", [{"BROWSER_PING_S": "0.2"}], indirect=True)
async def test_three_missed_pings_end_the_call(desk: Desk) -> None:
    async with PageCaller(desk.socket) as page:
        await page.until("ping", count=6)  # as long as it answers, the call goes on
        assert page.of_kind("ended") == []
        page.answers_pings = False
        assert (await desk.until(CallEnded)).reason == "lost"
        await page.until("closed")


async def test_a_page_that_is_gone_ends_its_call(desk: Desk) -> None:
    async with PageCaller(desk.socket):
        call_id = (await desk.until(CallStarted)).call_id
    assert (await desk.until(CallEnded, call_id)).reason == "caller_hung_up"


async def test_a_killed_service_strands_nobody(desk: Desk) -> None:
    pages = desk.processes["browser_audio"]
    async with PageCaller(desk.socket) as page:
        call_id = (await desk.until(CallStarted)).call_id
        os.kill(pages.pid, signal.SIGKILL)
        await page.until("closed")
    await started(pages, desk.url)
    desk.tell(Listen(call_id, 1.0, 1, "fr"))  # the bot manager goes on meanwhile
    assert (await desk.until(CallEnded, call_id)).reason == "lost"
    async with PageCaller(desk.socket):
        await desk.until(CallStarted, count=2)
    await desk.until(CallEnded, count=2)
    assert len([one for one in desk.events if isinstance(one, CallEnded)]) == 2


async def test_without_a_bot_manager_the_caller_is_told_that_nobody_can_answer(desk: Desk) -> None:
    async with PageCaller(desk.socket) as page:
        await page.until("welcome")
        desk.is_gone = True
        assert (await page.until("ended", within_s=120))["reason"] == "unavailable"
    assert (await desk.until(CallEnded)).reason == "lost"


async def test_a_service_that_stops_tells_its_callers(desk: Desk) -> None:
    pages = desk.processes["browser_audio"]
    async with PageCaller(desk.socket) as page:
        await desk.until(CallStarted)
        os.kill(pages.pid, signal.SIGTERM)
        assert (await page.until("ended"))["reason"] == "restarting"
        assert (await desk.until(CallEnded)).reason == "lost"


@pytest.mark.parametrize("desk", [{"BROWSER_CALLS": "1"}], indirect=True)
async def test_the_page_too_many_is_told_that_all_is_busy(desk: Desk) -> None:
    async with PageCaller(desk.socket) as first:
        await first.until("welcome")
        async with PageCaller(desk.socket) as second:
            assert (await second.until("refused"))["code"] == "busy"
            await second.until("closed")
    await desk.until(CallEnded)
    async with PageCaller(desk.socket) as third:
        await third.until("welcome")


async def test_a_cell_that_drains_takes_no_page(desk: Desk) -> None:
    await write_draining(desk.redis, "local", "bot_manager")
    async with PageCaller(desk.socket) as page:
        assert (await page.until("refused"))["code"] == "busy"


async def test_what_is_no_frame_is_refused_and_the_call_goes_on(desk: Desk) -> None:
    async with PageCaller(desk.socket) as other, open_socket(desk.socket) as raw:
        await raw.send('{"type": "hello"}')
        await desk.until(CallStarted, count=2)
        bad: list[str | bytes] = [
            b"",
            bytes(WIRE_BYTES - 1),
            bytes(60_000),
            "{",
            '{"type": "x"}',
            '{"type": "hello"}',
            "x" * 5_000,
        ]
        for data in bad:
            await raw.send(data)
        await raw.send(bytes(WIRE_BYTES))
        await raw.send(bytes(WIRE_BYTES))  # a number that was there
        refused = 0
        async with asyncio.timeout(90):
            while refused < len(bad) + 1:
                refused += '"invalid_input"' in str(await raw.recv())
        assert other.of_kind("ended") == []
        await other.send("bye")
        assert (await other.until("ended"))["reason"] == "hung_up"


async def test_who_floods_is_cut_off_and_others_are_not(desk: Desk) -> None:
    async with PageCaller(desk.socket) as other, open_socket(desk.socket) as raw:
        await raw.send('{"type": "hello"}')
        await desk.until(CallStarted, count=2)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(5_000):
                await raw.send('{"type": "pong"}')
        assert (await desk.until(CallEnded)).reason == "lost"
        metrics = await asyncio.to_thread(httpx.get, f"{desk.url}/metrics")
        assert 'pronto_browser_calls_ended_total{reason="flood"} 1.0' in metrics.text
        assert other.of_kind("ended") == []


@pytest.mark.parametrize("desk", [{"BROWSER_ORIGINS": "https://shop.example"}], indirect=True)
async def test_only_pages_of_the_web_sites_in_the_settings_may_call(desk: Desk) -> None:
    async with PageCaller(desk.socket, origin="https://shop.example") as page:
        await page.until("welcome")
    with pytest.raises(InvalidStatus):
        async with PageCaller(desk.socket, origin="https://evil.example"):
            pass
