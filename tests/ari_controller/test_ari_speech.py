"""Speech at run time on a real Asterisk: order, seams, stops, resumption, a controller and a voice that die."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from callers.sip_caller import SipCaller
from devstack.processes import wait_for
from protocol.items import Item, PromptItem, SpeechItem
from protocol.keys import speaking_key
from protocol.messages import Append, PlaybackFinished, PlaybackStarted, Say, StopPlayback
from tests.ari_controller.switchboard import Bot, ControllerProcess, becomes, dial, ended, loudest_hz
from tests.ari_controller.tone_voice import ToneVoice, speaking_tones


@pytest.fixture
async def voice() -> AsyncIterator[ToneVoice]:
    async with speaking_tones() as found:
        yield found


@pytest.fixture
async def speaking(stopped_controller: ControllerProcess, voice: ToneVoice) -> ControllerProcess:
    """A controller with that voice."""
    await stopped_controller.start(SPEECH_URL=voice.url, SPEECH_APOLOGY="apology")
    return stopped_controller


def say(bot: Bot, call_id: str, number: int, *said: Item | str, open: bool = False, offset_ms: int = 0) -> str:
    playback_id = f"{call_id}-s{number}"
    found = tuple(SpeechItem(item) if isinstance(item, str) else item for item in said)
    bot.do(Say(call_id, time.time(), number, playback_id, "fr", found, offset_ms, open=open))
    return playback_id


def frequencies(caller: SipCaller, since_s: float) -> list[int]:
    """The tone of every 100 ms that the caller heard from then on, to 50 Hz, silence left out."""
    now_s = time.monotonic()
    found = []
    for begin in np.arange(since_s, now_s - 0.1, 0.1):
        heard = caller.phone.heard(float(begin), float(begin) + 0.1)
        if len(heard) and np.abs(heard.astype(int)).max() > 1_000:
            found.append(round(loudest_hz(heard) / 50) * 50)
    return found


async def voiced_ms(caller: SipCaller) -> int:
    """How long the caller heard something, gaps between packets left out."""
    return round(sum((prompt.last_voiced_s - prompt.first_voiced_s) * 1_000 for prompt in caller.phone.prompts))


async def test_recordings_and_speech_are_heard_in_their_order_without_a_gap(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, PromptItem("hello"), "900:1000 1100:730", PromptItem("question"), "1500:500")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert over.state == "finished"
    assert [item.state for item in over.heard] == ["finished"] * 4
    assert [over.heard[1].heard_ms, over.heard[3].heard_ms] == [1_740, 500]
    heard = await caller.phone.prompt_ended()
    assert len(caller.phone.prompts) == 1, "one utterance, no gap"
    begin_s = heard.first_voiced_s
    wanted = [(0.2, 400), (0.9, 900), (1.8, 1_100), (2.35, 700), (2.8, 1_500)]
    for at_s, hz in wanted:
        assert loudest_hz(caller.phone.heard(begin_s + at_s - 0.05, begin_s + at_s + 0.1)) == pytest.approx(hz, abs=25)
    assert len(bot.of(PlaybackStarted)) == 1
    await becomes(bot.redis, speaking_key(call_id), "False")
    assert list(speaking.parts.iterdir()) == []
    assert [asked["text"] for asked in voice.asked] == ["900:1000 1100:730", "1500:500"]
    await caller.hang_up()
    await ended(bot, call_id)


async def test_a_slow_voice_is_heard_whole_in_several_parts(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.times_real = 1.5
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, "600:3000")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert (over.state, over.heard[0].heard_ms) == ("finished", 3_000)
    await caller.phone.prompt_ended()
    assert await voiced_ms(caller) == pytest.approx(3_000, abs=60)


async def test_every_packet_of_a_sentence_in_many_parts_is_heard_once(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.times_real = 1.5
    tones = [500 + 50 * (number % 51) for number in range(150)]  # a packet each, unlike those around it
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, " ".join(f"{hz}:20" for hz in tones))
    await bot.next(PlaybackFinished, playback_id=playback_id)
    await caller.phone.prompt_ended()
    heard = [frame.samples for frame in caller.phone.frames if np.abs(frame.samples.astype(int)).max() > 1_000]
    assert [loudest_hz(samples) for samples in heard] == tones


async def test_a_stop_is_at_once_and_what_was_heard_is_told(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.times_real = 2.0
    call_id = await dial(caller, bot)
    for number in range(5):
        since_s = time.monotonic()
        playback_id = say(bot, call_id, number, "600:4000", PromptItem("hello"), "900:1000")
        await bot.next(PlaybackStarted, playback_id=playback_id)
        await caller.phone.prompt_started(since_s)
        await becomes(bot.redis, speaking_key(call_id), "True")
        bot.do(StopPlayback(call_id, time.time()))
        over = await bot.next(PlaybackFinished, playback_id=playback_id)
        assert over.state == "stopped"
        assert [item.state for item in over.heard] == ["stopped", "skipped", "skipped"]
        heard = await caller.phone.prompt_ended(since_s)
        assert over.heard[0].heard_ms == pytest.approx((heard.last_voiced_s - heard.first_voiced_s) * 1_000, abs=60)
    assert list(speaking.parts.iterdir()) == []


async def test_a_recording_and_speech_go_on_exactly_where_they_were_cut(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, PromptItem("story"), offset_ms=2_200)
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert (over.state, over.heard[0].heard_ms) == ("finished", 4_000)
    first = await caller.phone.prompt_ended()
    # not the first packet of the file, which is 400 Hz, but the third tone from its first packet on
    assert loudest_hz(caller.phone.heard(first.first_voiced_s, first.first_voiced_s + 0.1)) == pytest.approx(
        1_200, abs=20
    )
    since_s = time.monotonic()
    playback_id = say(bot, call_id, 2, "500:1000 900:1000", offset_ms=1_000)
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert (over.state, over.heard[0].heard_ms) == ("finished", 2_000)
    assert voice.asked[-1]["skip_ms"] == 1_000
    second = await caller.phone.prompt_ended(since_s)
    assert loudest_hz(caller.phone.heard(second.first_voiced_s, second.first_voiced_s + 0.1)) == pytest.approx(
        900, abs=20
    )


async def test_an_open_utterance_takes_more_text_and_the_bot_speaks_all_along(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, "500:300", open=True)
    await bot.next(PlaybackStarted, playback_id=playback_id)
    await caller.phone.prompt_ended()
    assert str(await bot.redis.get(speaking_key(call_id))) == "True", "a voice that waits for text is no silence"
    bot.do(Append(call_id, time.time(), playback_id, (SpeechItem("900:300"), PromptItem("hello")), last=True))
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert [item.state for item in over.heard] == ["finished"] * 3
    await becomes(bot.redis, speaking_key(call_id), "False")


@pytest.mark.parametrize("fault", ["refuses", "stall_after_ms", "gone"])
async def test_who_cannot_be_told_hears_a_recorded_apology(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice, fault: str
) -> None:
    if fault == "gone":
        await speaking.stop()
        await speaking.start(SPEECH_URL="http://127.0.0.1:9", SPEECH_APOLOGY="apology")
    else:
        setattr(voice, fault, 500)
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, "600:2000", PromptItem("hello"))
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert over.state == "failed"
    assert [item.state for item in over.heard] == ["failed", "finished"]
    assert over.heard[0].heard_ms == (500 if fault == "stall_after_ms" else 0)
    await caller.phone.prompt_ended()
    assert loudest_hz(
        caller.phone.heard(caller.phone.prompts[-1].first_voiced_s, caller.phone.prompts[-1].first_voiced_s + 0.2)
    ) == (pytest.approx(2_400, abs=30))
    assert speaking.metric("pronto_speech_unsaid_total") == 1


async def test_a_slow_voice_behind_a_long_recording_is_not_given_up_before_it_is_needed(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.begins_after_s = 3.0  # while the recording plays
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, PromptItem("story"), "600:500")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert [item.state for item in over.heard] == ["finished", "finished"]
    assert over.heard[1].heard_ms == 500
    assert len(voice.asked) == 1, "what comes in time is not asked for again"


async def test_a_voice_that_breaks_off_is_asked_for_the_rest(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.break_after_ms = 800
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, "600:1000 1000:1000")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert (over.state, over.heard[0].heard_ms) == ("finished", 2_000)
    assert [asked["skip_ms"] for asked in voice.asked] == [0, 800]
    await caller.phone.prompt_ended()
    assert await voiced_ms(caller) == pytest.approx(2_000, abs=60)


async def test_a_controller_that_is_killed_lets_the_sentence_go_on(
    speaking: ControllerProcess, bot: Bot, caller: SipCaller, voice: ToneVoice
) -> None:
    voice.times_real = 1.5
    call_id = await dial(caller, bot)
    playback_id = say(bot, call_id, 1, "600:3000 1000:3000", PromptItem("hello"))
    await bot.next(PlaybackStarted, playback_id=playback_id)
    began = await caller.phone.prompt_started()
    await becomes(bot.redis, speaking_key(call_id), "True")
    await speaking.kill()
    await speaking.start()
    over = await bot.next(PlaybackFinished, playback_id=playback_id, deadline_s=20.0)
    assert [item.state for item in over.heard] == ["finished", "finished"]
    heard = frequencies(caller, began.first_voiced_s)
    assert heard.count(600) == pytest.approx(30, abs=4)
    assert heard.count(1_000) == pytest.approx(30, abs=4)
    await caller.hang_up()
    await ended(bot, call_id)
    # a part that was written and not told of when the kill came is there until the end of the call
    assert await asyncio.to_thread(wait_for, lambda: list(speaking.parts.iterdir()) == [], 5.0)


async def test_a_missing_file_of_a_list_is_seen(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    call_id = await dial(caller, bot)
    playback_id = bot.play(call_id, 1, "hello", "not_there", "question", "not_there_either")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert [item.state for item in over.heard] == ["finished", "failed", "finished", "failed"]
    assert over.state == "failed"
    assert over.heard[2].heard_ms == pytest.approx(400, abs=60)
    assert "was passed over" in controller.log()
