"""What telephones and trunks do beside a plain call, on a real Asterisk: holds, other ways of keys, odd INVITEs."""

import asyncio
import time
import wave

import numpy as np
import pytest

from ari_controller.ari import AriClient
from ari_controller.ari_requests import Request
from callers.rtp_audio import Samples
from callers.sdp import MediaDirection, Offer
from callers.sip_caller import SipCaller
from devstack.asterisk import Asterisk
from protocol.keys import stream_key
from protocol.messages import (
    CallEnded,
    CallHeld,
    CallStarted,
    CallTakenBack,
    DtmfReceived,
    HangUp,
    MediaStarted,
    PlaybackFinished,
    TransferCall,
)
from tests.ari_controller.switchboard import CELL, Bot, ControllerProcess, Media, dial, ended, eventually, no_keys


@pytest.mark.parametrize(
    ("direction", "nowhere", "answer"),
    [("sendonly", False, "recvonly"), ("inactive", False, "inactive"), ("sendrecv", True, "recvonly")],
)
async def test_a_hold_and_its_end_are_told(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, direction: MediaDirection, nowhere: bool, answer: str
) -> None:
    call_id = await dial(caller, bot)
    assert await caller.hold(direction, nowhere) == 200
    await bot.next(CallHeld, call_id)
    assert caller.accepted is not None
    assert f"a={answer}\r\n".encode() in caller.accepted.body
    assert bot.of(CallTakenBack) == []
    assert await caller.take_back() == 200
    await bot.next(CallTakenBack, call_id)
    assert b"a=sendrecv\r\n" in caller.accepted.body
    assert caller.is_in_call


async def test_a_held_caller_whom_nobody_drives_is_neither_asked_to_wait_nor_handed_over(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    """This bot never says anything: without the hold, `one moment` would come after 1.5 s, the apology after 6."""
    call_id = await dial(caller, bot)
    assert await caller.hold() == 200
    await bot.next(CallHeld, call_id)
    with pytest.raises(TimeoutError):
        await caller.phone.prompt_started(deadline_s=8.0)
    assert await caller.take_back() == 200
    await caller.phone.prompt_started()


KEYS_HZ = {"1": (697, 1209), "5": (770, 1336), "7": (852, 1209), "0": (941, 1336), "#": (941, 1477)}


def key_tones(keys: str) -> Samples:
    """The tones of keys (ITU-T Q.23), 100 ms each and as much silence."""
    at = np.arange(800) / 8_000
    tones = [
        6_000 * (np.sin(2 * np.pi * low * at) + np.sin(2 * np.pi * high * at))
        for low, high in (KEYS_HZ[key] for key in keys)
    ]
    return np.concatenate([part for tone in tones for part in (tone, 0 * at)]).astype(np.int16)


def voiced(caller: SipCaller) -> list[int]:
    """Which of the packets that came have a voice, by their place."""
    return [place for place, frame in enumerate(caller.phone.frames) if frame.is_voiced]


async def test_silence_comes_before_the_first_prompt_and_before_no_other(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    """What trunks and mobile networks lose of the first moment is silence: 300 ms of it in packets of 20 ms."""
    call_id = await dial(caller, bot)
    first = bot.play(call_id, 1, "hello")
    await bot.next(PlaybackFinished, playback_id=first)
    assert voiced(caller)[0] >= 15
    before = len(caller.phone.frames)
    second = bot.play(call_id, 2, "hello")
    await bot.next(PlaybackFinished, playback_id=second)
    assert next(place for place in voiced(caller) if place >= before) - before < 15


@pytest.mark.parametrize("ack_after_s", [0.0, 0.3, 1.2])
async def test_a_trunk_that_tells_after_the_answer_where_its_audio_goes_hears_the_first_word(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, ack_after_s: float
) -> None:
    """The INVITE has no description; the ACK has."""
    caller.ack_after_s = ack_after_s
    call_id = await dial(caller, bot)
    playback_id = bot.play(call_id, 1, "hello")
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert over.state == "finished"
    await caller.phone.prompt_ended()
    assert voiced(caller)[0] >= 15
    assert 19 <= len(voiced(caller)) <= 21  # 400 ms, all of it
    await caller.hang_up()


@pytest.mark.parametrize("ends", ["hang_up", "hand_over"])
async def test_the_last_word_is_out_before_the_call_ends_or_goes_on(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, ends: str
) -> None:
    call_id = await dial(caller, bot)
    playback_id = bot.play(call_id, 1, "hello")
    await bot.next(PlaybackFinished, playback_id=playback_id)
    if ends == "hang_up":
        bot.do(HangUp(call_id, time.time()))
        assert await caller.ended() == "them"
        assert len(caller.phone.frames) - voiced(caller)[-1] > 15
    else:
        bot.do(TransferCall(call_id, time.time(), "900"))  # a beep, and then an echo
        await eventually(lambda: len(voiced(caller)) > 30)
        gaps = [after - before for before, after in zip(voiced(caller), voiced(caller)[1:], strict=False)]
        assert max(gaps) > 15


async def test_a_trunk_that_describes_its_audio_again_at_once_hears_the_prompt_once(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    """As IMS does: a second INVITE 100 ms after the first, with a session timer, then UPDATEs."""
    call_id = await dial(caller, bot)
    playback_id = bot.play(call_id, 1, "story")
    await asyncio.sleep(0.1)
    caller.more = (("Session-Expires", "90;refresher=uac"), ("Supported", "timer"))
    assert await caller.describe_again(caller.offer) == 200
    for _ in range(3):
        assert (await caller.request("UPDATE", b"", "", *caller.more)).status == 200
    over = await bot.next(PlaybackFinished, playback_id=playback_id)
    assert over.state == "finished"
    assert 195 <= len(voiced(caller)) <= 205  # four seconds, once
    assert (bot.of(CallHeld), bot.of(CallTakenBack), len(bot.of(CallStarted))) == ([], [], 1)


@pytest.mark.parametrize(("option", "status"), [("precondition", 420), ("100rel", 200), ("timer", 200)])
async def test_what_a_trunk_requires_is_done_or_refused_by_its_name(
    controller: ControllerProcess, caller: SipCaller, option: str, status: int
) -> None:
    caller.more = (("Require", option),)
    assert await caller.dial("bot") == status
    if status == 420:
        assert caller.refused is not None
        assert caller.refused.header("unsupported") == option


# --- crossings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.05])
async def test_a_caller_who_gives_up_in_the_moment_of_the_answer_leaves_nothing(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk, after_s: float
) -> None:
    """Twelve at a time. Whose CANCEL came too late hangs up, or never sends another packet: no ACK, no BYE."""
    vanished: set[str] = set()
    told: set[str] = set()

    async def cross(number: int) -> int:
        name = f"+3310000{number:04}"
        async with SipCaller(("127.0.0.1", asterisk.settings.sip_port), name) as hasty:
            hasty.acks = number % 2 == 0
            dialling = asyncio.create_task(hasty.dial("bot"))
            await eventually(lambda: hasty.dialed_s is not None)
            await asyncio.sleep(after_s)  # the phases of the set-up, not a synchroniser
            await hasty.cancel()
            status = await dialling
            if status == 200 and not hasty.acks:
                vanished.add(name)
                hasty.vanish()
            return status

    statuses = await asyncio.gather(*(cross(number) for number in range(12)))
    assert set(statuses) <= {200, 487}

    def everybody_is_hung_up_on() -> bool:
        """Whoever vanished, when they are told of: Asterisk alone would need 64 s (64 times T1, and again for BYE)."""
        started = bot.of(CallStarted)
        for call in started:
            if call.call_id not in told:
                told.add(call.call_id)
                bot.do(HangUp(call.call_id, time.time()))
        over = {call.call_id for call in bot.of(CallEnded)}
        return vanished <= {call.caller_number for call in started if call.call_id in over}

    await bot.until(everybody_is_hung_up_on, 30.0, f"the ends of {vanished}")
    await eventually(lambda: asterisk.get("channels") == [], 15.0, "no channel of Asterisk")
    await eventually(lambda: controller.channels() == [], 10.0, "no channel")
    await eventually(lambda: asterisk.get("bridges") == [], 10.0, "no bridge")
    await bot.until(lambda: len(bot.of(CallStarted)) == len(bot.of(CallEnded)))
    await no_keys(bot.redis, "*legs*", "bot_speaking*")


async def test_a_caller_who_cancels_after_the_answer_is_answered_and_their_end_is_told(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    await caller.cancel()  # too late: the call is up (RFC 3261 section 9.2), and goes on until BYE
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    await caller.hang_up()
    assert (await ended(bot, call_id)).reason == "caller_hung_up"


# --- packets ----------------------------------------------------------------------------------------------------------


def heard_by_us(media: Media, source: tuple[str, int], since: int) -> list[bool]:
    """Whether there is a voice in each packet (20 ms) for the receiver, from the first that has one to the last."""
    packets = media.packets[source][since:]
    voiced = [bool(np.abs(np.frombuffer(packet[12:], ">i2").astype(int)).max() > 3_000) for packet in packets]
    places = [place for place, has in enumerate(voiced) if has]
    return voiced[places[0] : places[-1] + 1] if places else []


@pytest.mark.parametrize(("packet_ms", "described"), [(10, True), (30, True), (60, True), (30, False), (60, False)])
async def test_packets_of_any_length_are_heard_without_a_gap_and_answered_alike(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, media: Media, packet_ms: int, described: bool
) -> None:
    caller.offer = Offer(ptime_ms=packet_ms if described else 0)
    caller.phone.pack(packet_ms)
    call_id = await dial(caller, bot)
    announced = await bot.next(MediaStarted, call_id)
    source = (announced.source_host, announced.source_port)
    await media.until(lambda: len(media.packets.get(source, [])) > 20)
    tone = np.tile(np.array([8_000, 8_000, -8_000, -8_000], dtype=np.int16), 2_000)  # one second
    for other_ms in (packet_ms, 20, packet_ms):  # and changed in mid-call
        caller.phone.pack(other_ms)
        before = len(media.packets[source])
        await caller.phone.say(tone)
        await media.until(lambda before=before: len(media.packets[source]) > before + 60)  # type: ignore[misc]
        voiced = heard_by_us(media, source, before)
        # one second, the ends of packets that the tone does not fill, and what a busy machine sent late
        assert sum(voiced) >= 48
        assert len(voiced) <= 60
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    lengths = {len(frame.samples) for frame in caller.phone.frames if frame.is_voiced}
    assert max(lengths) == (packet_ms if described else 20) * 8  # the last of a prompt may be shorter


@pytest.mark.parametrize("comfort_noise", [False, True])
async def test_a_muted_telephone_leaves_no_gap_in_the_recording_and_is_heard_afterwards(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, media: Media, comfort_noise: bool
) -> None:
    call_id = await dial(caller, bot)
    announced = await bot.next(MediaStarted, call_id)
    source = (announced.source_host, announced.source_port)
    tone = np.tile(np.array([8_000, 8_000, -8_000, -8_000], dtype=np.int16), 1_000)  # half a second
    await caller.phone.say(tone)
    if comfort_noise:
        caller.phone.fall_silent()
    caller.phone.muted = True
    playback_id = bot.play(call_id, 1, "story")  # four seconds
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    caller.phone.muted = False
    before = len(media.packets.get(source, []))
    await caller.phone.say(tone)
    await media.until(lambda: media.loudest(source, before) > 5_000)
    await caller.hang_up()
    with wave.open((await ended(bot, call_id)).recording) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    at_2_khz = np.abs(np.fft.rfft(frames))[:, 40]  # the caller's; the story is lower
    theirs = np.flatnonzero(at_2_khz > 0.3 * at_2_khz.max()) * 0.02
    assert np.diff(theirs).max() > 3.9  # between what they said before and after


# --- numbers and names ------------------------------------------------------------------------------------------------


async def started(asterisk: Asterisk, bot: Bot, dialled: str, shown: str = "", **headers: str) -> CallStarted:
    """What is told of one more call, which is over then."""
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port), "+33612345678") as caller:
        caller.shown = shown
        caller.more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        call_id = await dial(caller, bot, dialled)
        if "Privacy" in headers and headers["Privacy"] != "none":
            (channel,) = (item for item in asterisk.get("channels") if item["id"] == bot.channel_of(call_id))
            assert channel["caller"] == {"name": "", "number": ""}
    return bot.of(CallStarted, call_id)[0]


async def test_a_caller_has_one_spelling_however_the_trunk_writes_them(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk
) -> None:
    called = "+33123456789;npdi;rn=+33199"
    for shown, asserted in (
        ("<sip:+33612345678@provider>", ""),
        ("<sip:0033612345678@provider>", ""),
        ("<sip:33612345678@provider>", ""),
        ("<sip:0612345678@provider>", ""),
        ("<tel:+33612345678>", ""),
        ("<tel:0033612345678;phone-context=+33>", ""),
        ("<sip:+33612345678;phone-context=+33@provider>", ""),
        ("<sip:switchboard@provider>", "<tel:+33612345678>"),
        ("<sip:switchboard@provider>", '"A name" <sip:0612345678@provider;user=phone>'),
    ):
        headers = {"P_Asserted_Identity": asserted} if asserted else {}
        call = await started(asterisk, bot, called, shown, **headers)
        assert (call.caller_number, call.called_number) == ("+33612345678", "+33123456789"), (shown, asserted)


async def test_a_number_that_is_withheld_is_nowhere(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk
) -> None:
    for shown, headers in (
        ("<sip:anonymous@anonymous.invalid>", {"P_Asserted_Identity": "<sip:+33612345678@h>", "Privacy": "id"}),
        ("<sip:anonymous@anonymous.invalid>", {"P_Asserted_Identity": "<tel:+33612345678>", "Privacy": "user;id"}),
        ("<sip:anonymous@anonymous.invalid>", {"Remote_Party_ID": "<sip:+33612345678@h>;party=calling;privacy=full"}),
        ('"Ann" <sip:+33612345678@h>', {"Privacy": "id"}),
        ('"Ann" <sip:+33612345678@h>', {"Privacy": "header; user"}),
        ("<sip:Anonymous@h>", {}),
        ("<sip:anonymous@anonymous.invalid>", {}),
    ):
        assert (await started(asterisk, bot, "bot", shown, **headers)).caller_number == "", (shown, headers)
    events: list[object] = await bot.redis.xrange(stream_key(CELL, "events"))  # type: ignore[assignment]
    assert str(events).count("CallStarted") >= 7
    assert "612345678" not in controller.log() + asterisk.log() + str(events)
    assert (await started(asterisk, bot, "bot", Privacy="none")).caller_number == "+33612345678"


@pytest.mark.parametrize(
    "forms", [("s", "", "Pronto", "5", "*", "*31#", "#600", "033"), ("+33123", "-x", "_x", "A", "T", "i", "t", "z")]
)
async def test_whatever_a_trunk_dials_is_the_bot(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk, forms: tuple[str, ...]
) -> None:
    for dialled in forms:
        assert (await started(asterisk, bot, dialled)).called_number == (dialled or "s")


async def test_a_display_name_of_any_bytes_is_answered(
    controller: ControllerProcess, bot: Bot, asterisk: Asterisk
) -> None:
    letter = "\u042f"
    for name in (
        "Jos\udce9 Garc\udced",  # Latin-1
        letter * 45,
        letter * 39 + "x" + letter * 5,  # Asterisk cuts it inside a letter
        letter * 500,
        'a\\"b\\\\c',
        "\U0001f600\u202e",
        "x\x01y",
    ):
        call = await started(asterisk, bot, "bot", f'"{name}" <sip:+33612345678@provider>')
        assert call.caller_number == "+33612345678", ascii(name)


# --- keys and tones ---------------------------------------------------------------------------------------------------


async def test_keys_come_as_info(controller: ControllerProcess, bot: Bot, caller: SipCaller) -> None:
    await dial(caller, bot)
    for body, content in (
        (b"Signal=7\r\nDuration=160\r\n", "application/dtmf-relay"),
        (b"Signal= *\r\nDuration= 160\r\n", "application/dtmf-relay"),
        (b"Signal=11\r\nDuration=160\r\n", "application/dtmf-relay"),
        (b"5", "application/dtmf"),
    ):
        assert (await caller.request("INFO", body, content)).status == 200
    await bot.until(lambda: len(bot.of(DtmfReceived)) == 4)
    assert "".join(event.digit for event in bot.of(DtmfReceived)) == "7*#5"


async def test_keys_come_as_tones_where_no_others_were_agreed(
    controller: ControllerProcess, bot: Bot, caller: SipCaller, media: Media
) -> None:
    caller.offer = Offer(keys=False)
    call_id = await dial(caller, bot)
    announced = await bot.next(MediaStarted, call_id)
    await caller.phone.say(key_tones("75011#"))
    await bot.until(lambda: len(bot.of(DtmfReceived)) == 6)
    assert "".join(event.digit for event in bot.of(DtmfReceived)) == "75011#"
    source = (announced.source_host, announced.source_port)
    packets = [np.frombuffer(packet[12:], ">i2").astype(int) for packet in media.packets[source]]
    voiced = [bool(np.abs(packet).max() > 1_000) for packet in packets]
    assert sum(voiced) < 10  # of 30: Asterisk takes the tones out, and what is left is shorter than any word


async def test_an_offer_of_fax_is_refused_and_the_call_goes_on(
    controller: ControllerProcess, bot: Bot, caller: SipCaller
) -> None:
    call_id = await dial(caller, bot)
    assert await caller.describe_again(Offer(fax=True)) == 488
    playback_id = bot.play(call_id, 1, "hello")
    assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
    assert caller.is_in_call


# --- what others originate --------------------------------------------------------------------------------------------


async def test_a_channel_whose_id_another_tool_chose_is_served(
    controller: ControllerProcess, bot: Bot, ari: AriClient
) -> None:
    for channel_id in ("click2call-17", "PJSIP/100-17", "my tool 17"):
        known = len(bot.of(CallStarted))
        params = {"endpoint": "Local/600@from-softphone", "context": "bot", "extension": "echo", "priority": "1"}
        await ari.send(Request("originate", "POST", "/channels", (*params.items(), ("channelId", channel_id))))
        await bot.until(lambda known=known: len(bot.of(CallStarted)) > known)  # type: ignore[misc]
        call_id = bot.of(CallStarted)[-1].call_id
        assert bot.channel_of(call_id) == f"{channel_id};2"
        playback_id = bot.play(call_id, 1, "hello")
        assert (await bot.next(PlaybackFinished, playback_id=playback_id)).state == "finished"
        bot.do(HangUp(call_id, time.time()))
        assert (await ended(bot, call_id)).reason == "bot_hung_up"
