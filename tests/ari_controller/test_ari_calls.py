"""Whole calls on a real Asterisk: what the caller hears, what the other services are told, what is left behind."""

import asyncio
import os
import signal
import time
import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from callers.sip_caller import SipCaller
from devstack.asterisk import Asterisk
from protocol.bus import Inbox
from protocol.draining import write_draining
from protocol.keys import draining_key, position_key, speaking_key
from protocol.media import read_source
from protocol.messages import (
    CallEnded,
    CallStarted,
    DtmfReceived,
    HangUp,
    Listen,
    MediaStarted,
    PlaybackFinished,
    PlaybackStarted,
    RecognitionFailed,
    RequestRefused,
    StopPlayback,
    TransferCall,
)
from protocol.strain import tell_strain
from tests.ari_controller.switchboard import (
    CELL,
    Bot,
    ControllerProcess,
    Media,
    becomes,
    dial,
    ended,
    eventually,
    loudest_hz,
    no_keys,
)
from tests.background import running


def heard_hz(caller: SipCaller) -> list[float]:
    """The tone of each prompt so far."""
    begins = [prompt.first_voiced_s for prompt in caller.phone.prompts]
    return [loudest_hz(caller.phone.heard(begin, begin + 0.25)) for begin in begins]


async def test_a_call_is_answered_prompted_heard_and_recorded(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, media: Media
) -> None:
    call_id = await dial(caller, bot, "bot")
    started = bot.of(CallStarted)[0]
    assert (started.caller_number, started.called_number, started.flow) == ("+33123456789", "bot", "")
    playback_id = bot.play(call_id, 1, "hello", "question")
    await bot.next(PlaybackStarted, playback_id=playback_id)
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert over.state == "finished"
    assert 700 <= over.offset_ms <= 1_000  # two prompts of 400 ms, one playback
    assert len(bot.of(PlaybackStarted)) == len(bot.of(PlaybackFinished)) == 1
    first = await caller.phone.prompt_ended()
    assert loudest_hz(caller.phone.heard(first.first_voiced_s, first.first_voiced_s + 0.3)) == pytest.approx(
        400, abs=15
    )
    announced = await bot.next(MediaStarted)
    source = (announced.source_host, announced.source_port)
    assert await read_source(bot.redis, CELL, *source) == call_id
    await media.until(lambda: len(media.packets.get(source, [])) > 10)
    assert set(media.packets) == {source}
    assert media.loudest(source) == 0  # the prompt is not in what the receiver hears
    await caller.phone.say(np.tile(np.array([8_000, 8_000, -8_000, -8_000], dtype=np.int16), 1_000))
    await media.until(lambda: media.loudest(source) > 5_000)
    kinds = sorted(row["type"] for row in controller.channels())
    assert kinds == ["external_media", "main", "recording", "snoop"]
    assert controller.metric('pronto_channels{type="snoop"}') == 1
    await caller.hang_up()
    end = await ended(bot, call_id)
    assert end.reason == "caller_hung_up"
    with wave.open(end.recording) as file:
        assert (file.getframerate(), file.getnchannels()) == (8_000, 1)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert Path(end.recording).stem == call_id
    assert np.abs(heard).max() > 5_000
    await eventually(lambda: controller.channels() == [])
    await no_keys(bot.redis, "*legs*", "bot_speaking*")
    assert await read_source(bot.redis, CELL, *source) is None
    assert controller.metric('pronto_calls_ended_total{reason="caller_hung_up"}') == 1


async def test_a_stop_silences_everything_that_is_queued(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    ids = [bot.play(call_id, number, "story") for number in range(3)]
    await bot.next(PlaybackStarted, playback_id=ids[0])
    await caller.phone.prompt_started()
    await becomes(bot.redis, speaking_key(call_id), "True")
    bot.do(StopPlayback(call_id, time.time()))
    states = [(await bot.next(PlaybackFinished, playback_id=item)).state for item in ids]
    assert states == ["stopped"] * 3
    assert [event.playback_id for event in bot.of(PlaybackStarted)] == [ids[0]]
    assert bot.of(PlaybackFinished)[0].offset_ms < 2_000
    await becomes(bot.redis, speaking_key(call_id), "False")
    resumed = bot.play(call_id, 9, "story", offset_ms=2_200)
    over = await bot.next(PlaybackFinished, playback_id=resumed)
    assert (over.state, round(over.offset_ms, -3)) == ("finished", 4_000)


async def test_silence_is_sent_between_prompts(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    call_id = await dial(caller, bot)
    phone = caller.phone
    for number in range(2):
        playback_id = bot.play(call_id, number, "hello")
        await bot.next(PlaybackFinished, playback_id=playback_id)
        packets = len(phone.frames)
        await eventually(partial(lambda packets: len(phone.frames) > packets + 25, packets))
        assert not any(frame.is_voiced for frame in phone.frames[packets + 5 :])
    sequence = np.array([frame.sequence for frame in phone.frames])
    assert set(np.diff(sequence) % 65_536) == {1}


async def test_keys_are_reported(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    call_id = await dial(caller, bot)
    await caller.phone.press("75011#*")
    await bot.until(lambda: len(bot.of(DtmfReceived)) == 7)
    assert "".join(event.digit for event in bot.of(DtmfReceived, call_id)) == "75011#*"


async def test_the_bot_hangs_up(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    call_id = await dial(caller, bot)
    bot.do(HangUp(call_id, time.time()))
    assert await caller.ended() == "them"
    assert (await ended(bot, call_id)).reason == "bot_hung_up"


async def test_a_transfer_leaves_nothing_but_the_call(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk, media: Media
) -> None:
    call_id = await dial(caller, bot)
    await bot.next(MediaStarted)
    playback_id = bot.play(call_id, 1, "story")
    await bot.next(PlaybackStarted, playback_id=playback_id)
    bot.do(TransferCall(call_id, time.time(), "nowhere"))
    refused = await bot.next(RequestRefused)
    assert (refused.command, "nowhere" in refused.reason) == ("TransferCall", True)
    bot.do(TransferCall(call_id, time.time(), "900; rm"))
    await bot.until(lambda: len(bot.of(RequestRefused)) == 2)
    bot.do(TransferCall(call_id, time.time(), "900"))
    end = await ended(bot, call_id)
    assert end.reason == "transferred"
    assert end.recording == f"{asterisk.recordings_dir}/{call_id}.wav"
    await eventually(lambda: [row["id"] for row in asterisk.get("channels")] == [bot.channel_of(call_id)])
    assert asterisk.get("bridges") == []
    assert caller.is_in_call
    with_beep = await caller.phone.prompt_started(time.monotonic() - 1.0)
    assert with_beep is not None


async def test_the_http_server(controller: ControllerProcess) -> None:
    answers = {path: controller.get(path) for path in ("/health", "/ready", "/channels", "/metrics", "/nothing")}
    assert {path: status for path, (status, _) in answers.items()} == {
        **dict.fromkeys(("/health", "/ready", "/channels", "/metrics"), 200),
        "/nothing": 404,
    }
    assert '"status": "ok"' in answers["/health"][1]
    assert answers["/channels"][1] == '{"channels": []}'


async def test_bad_settings_refuse_to_start(stopped_controller: ControllerProcess) -> None:
    stopped_controller.launch(ARI_PASSWORD="", MAX_CALLS="none", HANDOFF_EXTENSION="9,1)")
    await eventually(lambda: stopped_controller.child.exit_status is not None, 20.0)
    assert stopped_controller.child.exit_status == 2
    assert all(key in stopped_controller.log() for key in ("ARI_PASSWORD", "MAX_CALLS", "HANDOFF_EXTENSION"))


async def test_bad_prompts_are_refused_or_fail_visibly(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    traversal = bot.play(call_id, 1, "../../etc/passwd")
    assert (await bot.next(PlaybackFinished, playback_id=traversal)).state == "failed"
    assert (await bot.next(RequestRefused)).command == "Say"
    missing = bot.play(call_id, 2, "not_there")
    assert (await bot.next(PlaybackFinished, playback_id=missing)).state == "failed"
    bot.play(call_id, 3, "hello", language="../fr")
    await bot.until(lambda: len(bot.of(RequestRefused)) == 2)
    good = bot.play(call_id, 4, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=good)).state == "finished"
    assert controller.metric('pronto_playbacks_total{state="failed"}') == 3


async def test_a_command_that_comes_twice_is_done_once(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    for number in (1, 1, 2):
        bot.play(call_id, number, "hello")
    await bot.next(PlaybackFinished, playback_id=f"p-{call_id}-2")
    assert [event.playback_id[-1] for event in bot.of(PlaybackStarted)] == ["1", "2"]


async def test_a_call_that_nobody_drives_is_handed_over(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    call_id = await dial(caller, bot)
    assert (await bot.next(CallEnded, call_id, deadline_s=20.0)).reason == "transferred"
    assert heard_hz(caller)[:2] == pytest.approx([3_000, 2_400], abs=20)
    assert asterisk.get(f"channels/{bot.channel_of(call_id)}")["dialplan"]["context"] == "handoff"
    assert controller.metric('pronto_apologies_total{reason="no_command"}') == 1


async def test_a_caller_to_whom_a_bot_manager_that_died_does_not_answer_is_asked_to_wait(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await Inbox(bot.redis, CELL, "events", "bot_manager").open()  # it was there
    try:
        bot.outbox.send(RecognitionFailed(call_id, time.time(), 1, 1, "timeout"))
        await caller.phone.prompt_ended(deadline_s=10.0)
    finally:
        await bot.redis.delete(position_key(CELL, "events", "bot_manager"))
    assert heard_hz(caller) == pytest.approx([3_000], abs=20)
    assert controller.metric("pronto_hold_prompts_total") == 1
    bot.play(call_id, 1, "hello")
    await bot.next(PlaybackFinished, playback_id=f"p-{call_id}-1")
    assert [event.playback_id for event in bot.of(PlaybackStarted)] == [f"p-{call_id}-1"]


async def test_a_listening_bot_is_not_given_up(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await eventually(lambda: len(caller.phone.frames) > 4 * 50)  # four seconds of silence
    assert not any(frame.is_voiced for frame in caller.phone.frames)
    assert not bot.of(CallEnded)


async def test_new_callers_are_refused_while_a_service_says_that_it_is_strained(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    controller = stopped_controller
    await controller.start(STRAIN_LIMIT="0.8")
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    async with running(tell_strain(bot.redis, CELL, "receiver/test", lambda: {"detector": 1.3})):
        await eventually(lambda: controller.metric("pronto_takes_calls") == 0)
        async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as second:
            assert await second.dial("bot") == 200
            assert await second.ended() == "them"
    assert len(bot.of(CallStarted)) == 1
    assert caller.is_in_call
    assert controller.metric('pronto_calls_refused_total{how="busy_prompt",reason="detector"}') == 1
    await eventually(lambda: controller.metric("pronto_takes_calls") == 1)  # what is not told again is forgotten
    await caller.hang_up()
    await ended(bot, call_id)
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as third:
        await dial(third, bot)


async def test_the_one_too_many_hears_the_busy_prompt(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    await stopped_controller.start(MAX_CALLS="1")
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as second:
        assert await second.dial("bot") == 200
        assert await second.ended() == "them"
        heard = second.phone.prompts[0]
        assert loudest_hz(second.phone.heard(heard.first_voiced_s, heard.first_voiced_s + 0.25)) == pytest.approx(
            2_000, abs=20
        )
    assert len(bot.of(CallStarted)) == 1
    assert stopped_controller.metric('pronto_calls_refused_total{how="busy_prompt",reason="calls"}') == 1
    assert caller.is_in_call
    await caller.hang_up()
    await ended(bot, call_id)
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as third:
        await dial(third, bot)


async def test_the_one_too_many_is_sent_on_after_the_busy_prompt(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    await stopped_controller.start(MAX_CALLS="1", BUSY_EXTENSION="900")
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port), "+33987654321") as second:
        assert await second.dial("bot") == 200
        heard = await second.phone.prompt_ended(deadline_s=10.0)
        assert loudest_hz(second.phone.heard(heard.first_voiced_s, heard.first_voiced_s + 0.25)) == pytest.approx(
            2_000, abs=20
        )

        def places() -> list[str]:
            channels = asterisk.get("channels")
            return [item["dialplan"]["context"] for item in channels if item["caller"]["number"] == "+33987654321"]

        await eventually(lambda: places() == ["handoff"])
    assert caller.is_in_call
    assert len(bot.of(CallStarted)) == 1


async def test_a_draining_controller_serves_its_calls_and_takes_no_more(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    os.kill(controller.child.pid, signal.SIGUSR1)
    await eventually(lambda: "draining" in controller.get("/ready")[1])
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as late:
        assert await late.dial("bot") == 200
        assert await late.ended() == "them"
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    assert len(bot.of(CallStarted)) == 1


async def test_a_cell_whose_bot_manager_drains_takes_no_new_calls(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, asterisk: Asterisk
) -> None:
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await write_draining(bot.redis, "test", "bot_manager")
    await eventually(lambda: "draining: bot_manager" in controller.get("/ready")[1])
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as late:
        assert await late.dial("bot") == 200
        assert await late.ended() == "them"
    assert caller.is_in_call
    await bot.redis.delete(draining_key("test"))
    await eventually(controller.is_ready)
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as next_caller:
        await dial(next_caller, bot)


async def test_a_draining_controller_can_leave_new_callers_unanswered_for_another_cell(
    stopped_controller: ControllerProcess, asterisk: Asterisk
) -> None:
    await stopped_controller.start(DRAIN_NEW_CALLS="refuse")
    assert stopped_controller.get("/drain", "POST")[0] == 200
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as late:
        assert await late.dial("bot") == 503


async def test_a_draining_controller_can_hand_new_callers_over(
    stopped_controller: ControllerProcess, asterisk: Asterisk
) -> None:
    await stopped_controller.start(DRAIN_NEW_CALLS="handoff")
    assert stopped_controller.get("/drain", "POST")[0] == 200
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as late:
        assert await late.dial("bot") == 200
        heard = await late.phone.prompt_ended()
        tone = late.phone.heard(heard.first_voiced_s, heard.first_voiced_s + 0.25)
        assert loudest_hz(tone) == pytest.approx(2_400, abs=20)  # the apology
        await eventually(lambda: [row["dialplan"]["context"] for row in asterisk.get("channels")] == ["handoff"])
        assert stopped_controller.metric('pronto_apologies_total{reason="draining"}') == 1


async def test_a_stopping_controller_lets_calls_finish_as_long_as_it_may(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    await stopped_controller.start(CONTROLLER_DRAIN_S="30")
    call_id = await dial(caller, bot)
    bot.do(Listen(call_id, time.time(), 1, "fr"))
    await bot.next(MediaStarted)
    os.kill(stopped_controller.child.pid, signal.SIGTERM)
    await eventually(lambda: stopped_controller.metric("pronto_drain_left") == 1)
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    assert stopped_controller.child.exit_status is None
    await caller.hang_up()
    await ended(bot, call_id)
    await eventually(lambda: stopped_controller.child.exit_status == 0)


async def test_a_caller_who_gives_up_before_the_answer_leaves_nothing(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk
) -> None:
    for pause_s in (0.0, 0.002, 0.004, 0.008, 0.016):
        async with SipCaller(("127.0.0.1", asterisk.settings.sip_port)) as hasty:
            dialing = asyncio.create_task(hasty.dial("bot"))
            await eventually(partial(bool, hasty.statuses))
            await asyncio.sleep(pause_s)  # the phases of the set-up, not a synchroniser
            await hasty.cancel()
            assert await dialing in (200, 487)
    await eventually(lambda: controller.channels() == [])
    await bot.until(lambda: len(bot.of(CallStarted)) == len(bot.of(CallEnded)))


@pytest.mark.parametrize("pause_s", [0.0, 0.003, 0.006, 0.012, 0.03, 0.1])
async def test_a_hang_up_in_any_phase_leaves_nothing(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, pause_s: float
) -> None:
    assert await caller.dial("bot") == 200
    await asyncio.sleep(pause_s)  # the phases of the set-up, not a synchroniser
    await caller.hang_up()
    await eventually(lambda: controller.channels() == [])
    await bot.until(lambda: len(bot.of(CallStarted)) == len(bot.of(CallEnded)))


async def test_twenty_calls_at_once_are_kept_apart(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk, media: Media
) -> None:
    callers = [SipCaller(("127.0.0.1", asterisk.settings.sip_port), f"+331000000{n:02}") for n in range(20)]
    try:
        assert await asyncio.gather(*(caller.dial("bot") for caller in callers)) == [200] * 20
        await bot.until(lambda: len(bot.of(MediaStarted)) == 20)
        by_number = {event.caller_number: event.call_id for event in bot.of(CallStarted)}
        assert len(by_number) == 20
        sources = {event.call_id: (event.source_host, event.source_port) for event in bot.of(MediaStarted)}
        assert len(set(sources.values())) == 20
        for call_id in by_number.values():
            bot.play(call_id, 1, "hello")
        await bot.until(lambda: len(bot.of(PlaybackFinished)) == 20, 15.0)
        assert {event.state for event in bot.of(PlaybackFinished)} == {"finished"}
        one = callers[7]
        await one.phone.say(np.tile(np.array([8_000, 8_000, -8_000, -8_000], dtype=np.int16), 1_000))
        mine = sources[by_number["+33100000007"]]
        await media.until(lambda: media.loudest(mine) > 5_000)
        assert all(media.loudest(source) == 0 for source in sources.values() if source != mine)
        assert controller.metric('pronto_channels{type="main"}') == 20
    finally:
        await asyncio.gather(*(caller.close() for caller in callers))
    await bot.until(lambda: len(bot.of(CallEnded)) == 20)
    recorded = {path.stem for path in asterisk.recordings_dir.glob("*.wav")}
    assert set(by_number.values()) <= recorded
