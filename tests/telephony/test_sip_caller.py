"""Our own caller against a real Asterisk: calls that are answered, refused, given up, and ended from either side."""

import asyncio
import socket
from functools import partial

import numpy as np
import pytest

from callers.heard_audio import answer_times
from callers.rtp_audio import Samples
from callers.rtp_phone import LineClosed
from callers.sip_caller import SipCaller
from callers.sip_digest import credentials
from callers.sip_message import Dialog, SipMessage, parse
from devstack.asterisk import Asterisk
from devstack.processes import wait_for


def caller(asterisk: Asterisk, name: str = "caller") -> SipCaller:
    return SipCaller((asterisk.settings.address, asterisk.settings.sip_port), name)


def tone(frequency_hz: float, seconds: float) -> Samples:
    time_s = np.arange(round(8_000 * seconds)) / 8_000
    return (8_000 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


def strongest_hz(samples: Samples) -> float:
    """The frequency with most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 8_000 / len(samples))


async def test_what_is_said_comes_back_from_an_echo(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        assert await phone_user.dial("echo") == 200
        phone = phone_user.phone
        said = await phone.say(tone(440, 1.0), "tone")
        prompt = await phone.prompt_ended()
        assert said.is_complete
        assert said.first_packet_s < said.last_voiced_s <= said.last_packet_s
        assert prompt.first_voiced_s > said.first_packet_s
        heard = phone.heard(prompt.first_voiced_s, prompt.last_voiced_s)
        assert strongest_hz(heard) == pytest.approx(440, abs=5)
        assert len({frame.ssrc for frame in phone.frames}) == 1
        await phone_user.hang_up()
        assert phone_user.ended_by == "us"
        assert phone_user.faults == []
        assert phone.dropped == {}


@pytest.mark.parametrize(("target", "status"), [("busy", 486), ("decline", 403)])
async def test_a_refusal_is_seen(asterisk: Asterisk, target: str, status: int) -> None:
    async with caller(asterisk) as phone_user:
        assert await phone_user.dial(target) == status
        assert phone_user.statuses[-1] == status
        assert not phone_user.is_in_call
        with pytest.raises(LineClosed):
            await phone_user.phone.say(tone(440, 0.1))


async def test_the_other_side_hangs_up(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        assert await phone_user.dial("shortbeep") == 200
        prompt = await phone_user.phone.prompt_ended()
        assert await phone_user.ended() == "them"
        assert phone_user.answered_s is not None
        assert phone_user.ended_s is not None
        assert phone_user.answered_s < prompt.first_voiced_s < prompt.last_voiced_s < phone_user.ended_s
        with pytest.raises(LineClosed):
            await phone_user.phone.prompt_started(after_s=prompt.last_voiced_s)


async def test_a_ringing_call_is_given_up(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        dialing = asyncio.create_task(phone_user.dial("ringing"))
        await phone_user.ringing()
        await phone_user.cancel()
        assert await dialing == 487


async def test_leaving_ends_a_call_that_goes_on(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        assert await phone_user.dial("echo") == 200
    # the fixture sees that the channel is gone
    assert phone_user.ended_by == "us"
    assert not phone_user.is_in_call


async def test_two_prompts_are_told_apart(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        await phone_user.dial("twobeeps")
        first = await phone_user.phone.prompt_ended()
        second = await phone_user.phone.prompt_ended(after_s=first.last_voiced_s)
        assert second.first_voiced_s > first.last_voiced_s
        assert second == phone_user.phone.prompts[1]


async def test_every_key_of_a_phone_arrives_once(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        await phone_user.dial("keypad")
        # the extension 0123456789*# beeps; one key less, more or twice does not match and hangs up
        await phone_user.phone.press("0123456789*#")
        prompt = await phone_user.phone.prompt_ended()
        assert [channel["dialplan"]["exten"] for channel in asterisk.get("channels")] == ["0123456789*#"]
        assert phone_user.phone.pressed[0][1] == "0123456789*#"
        assert prompt.first_voiced_s > phone_user.phone.pressed[0][0]


async def test_speech_is_cut_off_in_mid_word(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        await phone_user.dial("echo")
        saying = asyncio.create_task(phone_user.phone.say(tone(440, 30.0), "long"))
        await phone_user.phone.prompt_started()
        phone_user.phone.stop_speaking()
        said = await saying
        assert not said.is_complete
        assert phone_user.phone.said == [said]


async def test_the_time_to_an_answer_is_that_of_the_first_voice_heard(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        await phone_user.dial("twobeeps")
        first = await phone_user.phone.prompt_ended()
        said = await phone_user.phone.say(tone(300, 0.2), "hello")
        second = await phone_user.phone.prompt_started(after_s=said.last_voiced_s)
        [answer] = answer_times(phone_user.phone.said, phone_user.phone.frames)
        assert (answer.spoken, answer.answer_s) == (said, second.first_voiced_s)
        assert answer.answer_s > first.last_voiced_s


async def test_a_stranger_is_refused_whatever_he_calls_himself(asterisk: Asterisk) -> None:
    address = (asterisk.settings.address, asterisk.settings.sip_port)
    for name in ("trunk", "softphone", "caller"):
        async with SipCaller(address, name, host="127.0.0.2") as stranger:
            assert await stranger.dial("echo") == 401
    # on the trunk's own address, too, the softphone's name needs the softphone's password
    async with caller(asterisk, "softphone") as impostor:
        assert await impostor.dial("echo") == 401


async def test_the_softphone_comes_in_with_its_password(asterisk: Asterisk) -> None:
    address = (asterisk.settings.address, asterisk.settings.sip_port)
    # from another address than the trunk's; 900 is the hand-off: without an adviser, a beep and an echo
    async with SipCaller(address, "softphone", "127.0.0.2", asterisk.settings.softphone_password) as softphone:
        assert await softphone.dial("900") == 200
        assert softphone.statuses[0] == 401
        beep = await softphone.phone.prompt_ended()
        await softphone.phone.say(tone(440, 0.6))
        echo = await softphone.phone.prompt_ended(after_s=beep.last_voiced_s)
        heard = softphone.phone.heard(echo.first_voiced_s, echo.last_voiced_s)
        assert strongest_hz(heard) == pytest.approx(440, abs=10)
    async with SipCaller(address, "softphone", "127.0.0.2", "wrong") as impostor:
        assert await impostor.dial("900") == 401


def test_the_softphone_registers(asterisk: Asterisk) -> None:
    server = (asterisk.settings.address, asterisk.settings.sip_port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(5)
        phone.bind(("127.0.0.3", 0))
        phone.connect(server)
        dialog = Dialog("softphone", server, phone.getsockname(), "registration", "tag", "softphone")

        def register(cseq: int, seconds: int, *more: tuple[str, str]) -> SipMessage:
            phone.send(dialog.request("REGISTER", cseq, f"b{cseq}", b"", (("Expires", str(seconds)), *more)).encode())
            return parse(phone.recv(4096))

        def is_told(state: str) -> bool:
            return bool(asterisk.get("endpoints/PJSIP/softphone")["state"] == state)

        for cseq, seconds, state in ((1, 60, "online"), (3, 0, "offline")):
            asked = register(cseq, seconds)
            assert asked.status == 401
            header = credentials(asked, "softphone", asterisk.settings.softphone_password, dialog.uri, "ours")
            assert register(cseq + 1, seconds, header).status == 200
            assert wait_for(partial(is_told, state), 10.0), state


async def test_a_deadline_leaves_no_call_behind(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        with pytest.raises(TimeoutError):
            await phone_user.dial("ringing", deadline_s=0.3)
    # the fixture sees that the channel is gone
    assert phone_user.statuses[-1] == 487


async def test_without_a_controller_the_caller_hears_the_away_prompt(asterisk: Asterisk) -> None:
    async with caller(asterisk) as phone_user:
        assert await phone_user.dial("bot") == 200
        prompt = await phone_user.phone.prompt_started()
        assert phone_user.answered_s is not None
        assert prompt.first_voiced_s > phone_user.answered_s


async def test_fifty_calls_at_once_hear_each_their_own_tone(asterisk: Asterisk) -> None:
    async def one(number: int) -> float:
        async with caller(asterisk, f"caller{number}") as phone_user:
            assert await phone_user.dial("echo") == 200
            await phone_user.phone.say(tone(300 + 50 * number, 0.6))
            prompt = await phone_user.phone.prompt_ended(deadline_s=30)
            heard = phone_user.phone.heard(prompt.first_voiced_s, prompt.last_voiced_s)
            await phone_user.hang_up()
            assert phone_user.faults == []
            return strongest_hz(heard)

    frequencies = await asyncio.gather(*(one(number) for number in range(50)))
    assert frequencies == pytest.approx([300 + 50 * number for number in range(50)], abs=15)
