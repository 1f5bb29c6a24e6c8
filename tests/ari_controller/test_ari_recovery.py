"""Whatever dies in mid-call, no caller is stranded and nothing is left behind: real Asterisk, Redis and processes."""

import asyncio
import resource
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from ari_controller import ari_requests
from ari_controller.ari import AriClient
from ari_controller.ari_requests import Request
from callers.sip_caller import SipCaller
from devstack.asterisk import ARI_USER, Asterisk, settings_on_free_ports
from devstack.redis_server import RedisServer
from protocol.bus import connect
from protocol.messages import (
    CallEnded,
    CallStarted,
    Listen,
    MediaStarted,
    PlaybackFinished,
    PlaybackStarted,
    RequestRefused,
    StopPlayback,
)
from tests.ari_controller.switchboard import (
    Bot,
    ControllerProcess,
    Media,
    dial,
    ended,
    eventually,
    loudest_hz,
    no_keys,
)


class Cable:
    """Between controller and Asterisk: everything passes until it is cut."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0
        self._server: asyncio.Server | None = None

    async def plug_in(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    def unplug(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


async def test_a_killed_controller_comes_back_and_adopts_the_call(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, media: Media
) -> None:
    call_id = await dial(caller, bot)
    first = await bot.next(MediaStarted)
    source = (first.source_host, first.source_port)
    over, running = bot.play(call_id, 1, "hello"), bot.play(call_id, 2, *["story"] * 8)
    await bot.next(PlaybackFinished, playback_id=over)
    await bot.next(PlaybackStarted, playback_id=running)
    await eventually(lambda: b'"speaking": true' in bot_snapshot(controller, call_id))
    await controller.kill()
    assert caller.is_in_call
    bot.do(StopPlayback(call_id, time.time()))  # while it is away
    await bot.outbox.flush()
    await controller.start()
    stopped = await bot.next(PlaybackFinished, playback_id=running)
    assert stopped.state == "stopped"
    again = bot.play(call_id, 3, "question")
    assert (await bot.next(PlaybackFinished, playback_id=again)).state == "finished"
    packets = len(media.packets[source])
    await media.until(lambda: len(media.packets[source]) > packets + 5)
    assert len(bot.of(CallStarted)) == len(bot.of(MediaStarted)) == 1
    assert controller.metric("pronto_calls_adopted_total") == 1
    await caller.hang_up()
    end = await ended(bot, call_id)
    assert end.reason == "caller_hung_up"
    assert end.recording
    await no_keys(bot.redis, "*legs*", "bot_speaking*", "*:media:*")


def bot_snapshot(controller: ControllerProcess, call_id: str) -> bytes:
    """What the controller stored of a call."""
    import redis

    with redis.Redis.from_url(controller.environment["REDIS_URL"]) as client:
        value = client.get(f"pronto:test:legs:{call_id}")
    return value if isinstance(value, bytes) else b""


async def test_a_call_that_ended_while_the_controller_was_away_is_finished(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    call_id = await dial(caller, bot)
    await bot.next(MediaStarted)
    await eventually(lambda: b"running" in bot_snapshot(controller, call_id))
    await controller.kill()
    await caller.hang_up()
    await eventually(lambda: call_id not in [row["id"] for row in asterisk.get("channels")])
    assert asterisk.get("channels") != []  # the external media channel stays for ever by itself
    await controller.start()
    assert (await ended(bot, call_id)).reason == "caller_hung_up"
    await eventually(lambda: asterisk.get("channels") == asterisk.get("bridges") == [])
    await no_keys(bot.redis, "*legs*", "*:media:*")


async def test_a_cut_line_to_asterisk_is_mended_and_what_was_missed_is_found(
    stopped_controller: ControllerProcess, bot: Bot, asterisk: Asterisk
) -> None:
    cable = Cable(asterisk.ari_url)
    await cable.plug_in()
    await stopped_controller.start(ARI_URL=f"http://127.0.0.1:{cable.port}")
    address = ("127.0.0.1", asterisk.settings.sip_port)
    async with SipCaller(address) as stays, SipCaller(address) as leaves:
        staying, leaving = await dial(stays, bot), await dial(leaves, bot)
        await bot.until(lambda: len(bot.of(MediaStarted)) == 2)
        for call_id in (staying, leaving):
            bot.do(Listen(call_id, time.time(), 1, "fr"))
        # every leg is up and joined: what is cut in the middle of its making is rightly made anew
        await eventually(lambda: len(asterisk.get("channels")) == 8)
        await eventually(lambda: [len(bridge["channels"]) for bridge in asterisk.get("bridges")] == [2, 2])
        playback_id = bot.play(staying, 1, "hello")
        await bot.next(PlaybackStarted, playback_id=playback_id)
        cable.cut()
        await stays.phone.prompt_ended()
        await leaves.hang_up()
        async with SipCaller(address) as unlucky:
            assert await unlucky.dial("bot") == 200  # the dialplan's fall-back
            await unlucky.phone.prompt_started()
        await eventually(lambda: len(asterisk.get("channels")) == 5)  # four of the one call, one left over of the other
        cable.mend()
        assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
        assert (await ended(bot, leaving)).reason == "caller_hung_up"
        again = bot.play(staying, 2, "hello")
        assert (await bot.next(PlaybackFinished, playback_id=again)).state == "finished"
        assert len(bot.of(MediaStarted)) == 2
        assert await asyncio.to_thread(stopped_controller.metric, "pronto_ari_reconnects_total") >= 1
    await ended(bot, staying)
    await eventually(lambda: asterisk.get("channels") == asterisk.get("bridges") == [])
    cable.unplug()


async def test_orphans_are_swept(
    stopped_controller: ControllerProcess, ari: AriClient, asterisk: Asterisk, media: Media
) -> None:
    app = asterisk.settings.app
    await stopped_controller.start(SWEEP_INTERVAL_S="0.2")
    await ari.send(ari_requests.create_bridge("7.1", app))
    await ari.send(ari_requests.external_media("7.1", app, "127.0.0.1", media.port))
    await ari.send(ari_requests.create_bridge("stranger.1", "another-app"))
    await eventually(lambda: [row["id"] for row in asterisk.get("bridges")] == ["br-stranger.1"])
    await eventually(lambda: asterisk.get("channels") == [])
    await eventually(lambda: stopped_controller.metric('pronto_orphans_swept_total{type="bridge"}') >= 1)
    await ari.send(ari_requests.delete_bridge("br-stranger.1"))


@pytest.mark.parametrize("leg", ["sn", "em"])
async def test_a_media_leg_that_dies_is_made_anew(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, ari: AriClient, media: Media, leg: str
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await bot.next(MediaStarted)
    await eventually(lambda: len(controller.channels()) == 4)
    await ari.send(ari_requests.delete_channel(f"{leg}-{call_id}"))
    await bot.until(lambda: len(bot.of(MediaStarted)) == 2)
    second = bot.of(MediaStarted)[1]
    source = (second.source_host, second.source_port)
    packets = len(media.packets.get(source, []))
    await media.until(lambda: len(media.packets.get(source, [])) > packets + 10)
    assert caller.is_in_call


async def test_a_call_goes_on_when_its_recording_dies(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, ari: AriClient
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await eventually(lambda: len(controller.channels()) == 4)
    await ari.send(ari_requests.delete_channel(f"rc-{call_id}"))
    await eventually(lambda: controller.metric('pronto_media_failures_total{leg="recording"}') == 1)
    await eventually(lambda: len(controller.channels()) == 4)
    assert not bot.of(RequestRefused)


async def test_a_call_without_media_still_has_prompts_and_the_bot_is_told(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    await stopped_controller.start(RTP_HOST="255.255.255.255")  # Asterisk refuses it: nothing is sent to everybody
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    assert (await bot.next(RequestRefused, command="Media")).call_id == call_id
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    assert not bot.of(MediaStarted)


async def test_a_second_controller_takes_over_and_the_first_one_stops(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk, prompts_dir: Path, tmp_path: Path
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await bot.next(MediaStarted)
    successor = ControllerProcess(
        asterisk,
        controller.environment["REDIS_URL"],
        prompts_dir,
        tmp_path / "successor.log",
        int(controller.environment["RTP_PORT"]),
    )
    try:
        await successor.start()
        await eventually(lambda: controller.child.exit_status is not None)
        assert controller.child.exit_status == 3
        playback_id = bot.play(call_id, 1, "hello")
        assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
        await caller.hang_up()
        await ended(bot, call_id)
        await eventually(lambda: successor.channels() == [])
        assert len(bot.of(CallEnded)) == 1
    finally:
        await successor.stop()


async def test_the_application_is_taken_back_from_a_debug_client(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    async with aiohttp.ClientSession() as session:
        key = f"{ARI_USER}:{asterisk.settings.ari_password}"
        url = f"{asterisk.ari_url}/ari/events"
        async with session.ws_connect(url, params={"app": asterisk.settings.app, "api_key": key}) as debug:
            await eventually(lambda: controller.metric("pronto_ari_replaced_total") == 1)
            assert "ApplicationReplaced" in (await debug.receive_str(timeout=15.0))
            await eventually(controller.is_ready)
    call_id = await dial(caller, bot)
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"


async def test_a_stray_caller_without_any_record_is_taken_as_new(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    await bot.next(MediaStarted)
    await controller.kill()
    await bot.redis.delete(f"pronto:test:legs:{call_id}")
    await controller.start()
    await bot.until(lambda: len(bot.of(CallStarted)) == 2)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await bot.until(lambda: len(bot.of(MediaStarted)) == 2)
    await eventually(lambda: len(controller.channels()) == 4)


async def test_a_caller_sent_back_by_the_dialplan_is_a_new_call(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, ari: AriClient
) -> None:
    first = await dial(caller, bot)
    await bot.next(MediaStarted)
    where = (("context", "bot"), ("extension", "again"), ("priority", "1"))
    await ari.send(Request("continue", "POST", f"/channels/{bot.channel_of(first)}/continue", where))
    await bot.until(lambda: len(bot.of(CallStarted)) == 2)
    second = bot.of(CallStarted)[1]
    assert second.called_number == "again"
    assert second.call_id != first
    assert second.channel_id == bot.channel_of(first)
    bot.do(Listen(second.call_id, time.time(), 1, "fr"))
    await ended(bot, first)
    await eventually(lambda: len(controller.channels()) == 4)
    assert len(bot.of(CallEnded)) == 1


@pytest.fixture
def mortal_asterisk() -> Iterator[Asterisk]:
    """An Asterisk that the test may kill."""
    server = Asterisk(settings_on_free_ports())
    server.start()
    yield server
    server.stop()


async def test_calls_are_closed_as_lost_when_asterisk_dies(
    mortal_asterisk: Asterisk, redis_url: str, prompts_dir: Path, tmp_path: Path, media: Media, bot: Bot
) -> None:
    controller = ControllerProcess(mortal_asterisk, redis_url, prompts_dir, tmp_path / "log", media.port)
    address = ("127.0.0.1", mortal_asterisk.settings.sip_port)
    try:
        await controller.start()
        async with SipCaller(address) as caller:
            call_id = await dial(caller, bot)
            await asyncio.to_thread(mortal_asterisk.process.stop, 0.0)
            await eventually(lambda: controller.get("/ready")[0] == 503)
            mortal_asterisk.process.start()
            assert (await bot.next(CallEnded, call_id, deadline_s=20.0)).reason == "lost"
            caller.phone.close()
        await eventually(controller.is_ready)
        async with SipCaller(address) as next_caller:
            next_id = await dial(next_caller, bot)
            await bot.next(MediaStarted, next_id)
        await ended(bot, next_id)
        await eventually(lambda: controller.channels() == [])
    finally:
        await controller.stop()


@pytest.mark.parametrize("how", ["gone", "full"])
async def test_redis_away_is_waited_for_then_the_caller_is_handed_over(
    asterisk: Asterisk, prompts_dir: Path, tmp_path: Path, media: Media, caller: SipCaller, how: str
) -> None:
    redis = RedisServer(data_dir=tmp_path / "redis")
    await asyncio.to_thread(redis.start)
    controller = ControllerProcess(asterisk, redis.url, prompts_dir, tmp_path / "log", media.port)
    try:
        await controller.start()
        assert await caller.dial("bot") == 200
        await eventually(lambda: len(controller.channels()) == 4)
        if how == "gone":
            await asyncio.to_thread(redis.process.stop)
        else:  # it answers, and takes nothing
            async with connect(redis.url) as client:
                await client.config_set("maxmemory", "1")
        one_moment = await caller.phone.prompt_ended(deadline_s=20.0)
        apology = await caller.phone.prompt_ended(one_moment.last_voiced_s, deadline_s=20.0)
        tones = [
            caller.phone.heard(heard.first_voiced_s, heard.first_voiced_s + 0.25) for heard in (one_moment, apology)
        ]
        assert [loudest_hz(tone) for tone in tones] == pytest.approx([3_000, 2_400], abs=20)
        await eventually(lambda: [row["type"] for row in controller.channels()] == [])
        assert [row["dialplan"]["context"] for row in asterisk.get("channels")] == ["handoff"]
    finally:
        await caller.close()
        await controller.stop()
        await asyncio.to_thread(redis.stop)


async def test_a_full_disk_ends_the_recording_and_not_the_call(
    mortal_asterisk: Asterisk, redis_url: str, prompts_dir: Path, tmp_path: Path, media: Media, bot: Bot
) -> None:
    # the process may write no file longer than this: what a full disk answers to the write that is too much
    resource.prlimit(mortal_asterisk.process.pid, resource.RLIMIT_FSIZE, (12_000, 12_000))
    controller = ControllerProcess(mortal_asterisk, redis_url, prompts_dir, tmp_path / "log", media.port)
    try:
        await controller.start()
        async with SipCaller(("127.0.0.1", mortal_asterisk.settings.sip_port)) as caller:
            call_id = await dial(caller, bot)
            bot.do(Listen(call_id, time.time(), 1, "fr"))
            recording = mortal_asterisk.recordings_dir / f"{call_id}.wav"
            await eventually(lambda: recording.exists() and recording.stat().st_size >= 11_000)
            for number in range(2):
                playback_id = bot.play(call_id, number, "hello")
                assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
            assert caller.is_in_call
            source = next(iter(media.packets))
            packets = len(media.packets[source])
            await media.until(lambda: len(media.packets[source]) > packets + 10)
        await ended(bot, call_id)
        await eventually(lambda: controller.channels() == [])
        assert recording.stat().st_size <= 12_000
    finally:
        await controller.stop()


@pytest.fixture
def diskless_asterisk(tmp_path: Path) -> Iterator[Asterisk]:
    """An Asterisk whose disk for recordings is not there."""
    server = Asterisk(settings_on_free_ports(), recordings_dir=tmp_path / "recordings")
    server.start()
    server.recordings_dir.rmdir()
    yield server
    server.stop()


async def test_a_recording_folder_that_cannot_be_written_is_told_and_the_call_goes_on(
    diskless_asterisk: Asterisk, redis_url: str, prompts_dir: Path, tmp_path: Path, media: Media, bot: Bot
) -> None:
    controller = ControllerProcess(diskless_asterisk, redis_url, prompts_dir, tmp_path / "log", media.port)
    try:
        await controller.start()
        async with SipCaller(("127.0.0.1", diskless_asterisk.settings.sip_port)) as caller:
            call_id = await dial(caller, bot)
            bot.do(Listen(call_id, time.time(), 1, "fr"))
            await eventually(lambda: controller.metric('pronto_media_failures_total{leg="recording"}') >= 1)
            playback_id = bot.play(call_id, 1, "hello")
            assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
            await bot.next(MediaStarted)
        assert (await ended(bot, call_id)).recording == ""
    finally:
        await controller.stop()
