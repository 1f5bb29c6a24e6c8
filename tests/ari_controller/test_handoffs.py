"""Callers who are handed over, on a real Asterisk: the adviser answers, is busy, declines, or lets it ring."""

import time
from collections.abc import AsyncIterator

import pytest

from ari_controller.ari import AriClient
from ari_controller.ari_requests import Request
from callers.sip_adviser import SipAdviser
from callers.sip_caller import SipCaller
from devstack.asterisk import Asterisk
from protocol.messages import CallEnded, CallStarted, HandoffEnded, HangUp, PlaybackFinished, TransferCall
from tests.ari_controller.switchboard import Bot, ControllerProcess, dial, ended


async def set_global(ari: AriClient, name: str, value: str) -> None:
    """A global variable of the dialplan."""
    params = (("variable", name), ("value", value))
    await ari.send(Request("set_global", "POST", "/asterisk/variable", params))


@pytest.fixture
async def advisers(ari: AriClient) -> AsyncIterator[AriClient]:
    """Where a test says who is rung; nobody afterwards, as before."""
    yield ari
    await set_global(ari, "PRONTO_ADVISER", "")
    await set_global(ari, "PRONTO_RING_S", "30")


async def handed_over(bot: Bot, caller: SipCaller) -> str:
    """A call that is transferred; its id."""
    call_id = await dial(caller, bot)
    bot.do(TransferCall(call_id, time.time(), "900", "handed_off"))
    return call_id


@pytest.mark.parametrize(
    ("status", "result"), [(486, "busy"), (603, "declined"), (480, "no_answer"), (503, "unreachable")]
)
async def test_a_caller_whom_no_adviser_takes_comes_back(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient, status: int, result: str
) -> None:
    async with SipAdviser(status) as adviser:
        await set_global(advisers, "PRONTO_ADVISER", adviser.channel)
        before = await handed_over(bot, caller)
        over = await bot.next(HandoffEnded, before)
        assert over.result == result
        await bot.until(lambda: len(bot.of(CallStarted)) == 2)
        again = bot.of(CallStarted)[1]
        assert again.variables == {"adviser": result, "call_before": before}
        assert again.channel_id == bot.channel_of(before)
        assert (await ended(bot, before)).reason == "transferred"
        playback_id = bot.play(again.call_id, 1, "hello")
        assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
        bot.do(HangUp(again.call_id, time.time()))
        assert await caller.ended() == "them"
        assert adviser.calls == 1


async def test_an_adviser_who_is_not_registered_is_unreachable(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient
) -> None:
    await set_global(advisers, "PRONTO_ADVISER", "PJSIP/softphone")
    before = await handed_over(bot, caller)
    assert (await bot.next(HandoffEnded, before)).result == "unreachable"
    await bot.until(lambda: len(bot.of(CallStarted)) == 2)
    assert caller.is_in_call


async def test_an_adviser_who_lets_it_ring_does_not_answer(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient
) -> None:
    async with SipAdviser(0) as adviser:
        await set_global(advisers, "PRONTO_ADVISER", adviser.channel)
        await set_global(advisers, "PRONTO_RING_S", "2")
        before = await handed_over(bot, caller)
        assert (await bot.next(HandoffEnded, before)).result == "no_answer"
        await bot.until(lambda: len(bot.of(CallStarted)) == 2)
        assert caller.is_in_call


async def test_an_adviser_who_answers_and_a_caller_who_gives_up_are_told_apart(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient, asterisk: Asterisk
) -> None:
    async with SipAdviser(200) as adviser:
        await set_global(advisers, "PRONTO_ADVISER", adviser.channel)
        taken = await handed_over(bot, caller)
        assert (await bot.next(HandoffEnded, taken)).result == "answered"
        await caller.hang_up()
    async with SipAdviser(0) as adviser, SipCaller(("127.0.0.1", asterisk.settings.sip_port), "+33100000002") as other:
        await set_global(advisers, "PRONTO_ADVISER", adviser.channel)
        given_up = await handed_over(bot, other)
        await adviser.is_rung.wait()
        await other.hang_up()
        assert (await bot.next(HandoffEnded, given_up)).result == "given_up"
    assert [event.result for event in bot.of(HandoffEnded)] == ["answered", "given_up"]
    await bot.next(CallEnded, given_up)
    assert len(bot.of(CallStarted)) == 2


async def test_a_caller_who_comes_back_to_a_full_cell_is_served(
    stopped_controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient, asterisk: Asterisk
) -> None:
    await stopped_controller.start(MAX_CALLS="1")
    async with SipAdviser(0) as adviser, SipCaller(("127.0.0.1", asterisk.settings.sip_port), "+33100000002") as other:
        await set_global(advisers, "PRONTO_ADVISER", adviser.channel)
        before = await handed_over(bot, caller)
        await adviser.is_rung.wait()
        await ended(bot, before)
        await dial(other, bot)  # has the place now
        adviser.status = 486
        adviser.give_up()
        again = await bot.next(CallStarted, variables={"adviser": "busy", "call_before": before})
        assert again.channel_id == bot.channel_of(before)


async def test_who_was_sent_to_an_absent_adviser_three_times_hears_that_nobody_is_there(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, advisers: AriClient
) -> None:
    await set_global(advisers, "PRONTO_ADVISER", "PJSIP/softphone")
    await handed_over(bot, caller)
    for times in (2, 3):
        await bot.until(lambda times=times: len(bot.of(CallStarted)) == times)  # type: ignore[misc]
        bot.do(TransferCall(bot.of(CallStarted)[-1].call_id, time.time(), "900"))
    assert await caller.ended() == "them"
    assert len(bot.of(CallStarted)) == 3
