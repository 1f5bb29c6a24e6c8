"""The whole receiver: real UDP, real Redis, real Silero, real HTTP; speech by espeak-ng."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, cast

import numpy as np
import pytest
from aiohttp import web
from prometheus_client import REGISTRY, generate_latest
from redis.asyncio import Redis

from config import ReceiverSettings
from devstack.redis_server import RedisServer
from protocol.bus import Outbox, connect
from protocol.codec import BadMessage, decode, encode
from protocol.keys import RECEIVER_EXPIRY_S, Stream, hearing_key, position_key, stream_key
from protocol.media import write_source
from protocol.messages import (
    AudioLost,
    CallEnded,
    CallStarted,
    EndUtterance,
    Event,
    Listen,
    MediaStarted,
    RecognitionFailed,
    SpeechStarted,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from protocol.speaking import write_speaking
from rtp_receiver import take_over
from rtp_receiver.datagrams import open_socket
from rtp_receiver.receiver import Receiver
from rtp_receiver.silero import SileroVad
from rtp_receiver.slin16 import Samples
from rtp_receiver.whisper import WhisperClient
from tests.background import running
from tests.rtp_receiver.fake_asterisk import MediaLeg
from tests.rtp_receiver.packets import silence
from tests.rtp_receiver.speech import say
from tests.rtp_receiver.whisper_server import WhisperServer

M = TypeVar("M")
YES, OWNER, ZIP_CODE = "oui bonjour", "je suis propriétaire", "soixante-quinze mille onze"
DEADLINE_S = 20.0


async def until(condition: Callable[[], Any]) -> None:
    """Returns once `condition` holds; fails after the deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            held = condition()
            if await held if asyncio.iscoroutine(held) else held:
                return
            await asyncio.sleep(0.005)


class Bench:
    """One cell without its other services: the test plays controller and bot manager."""

    def __init__(self, redis: Redis, whisper: WhisperServer, receiver: Receiver) -> None:
        self.redis, self.whisper, self.receiver = redis, whisper, receiver
        self._position = "0-0"
        self.events: list[Event] = []
        self._legs: list[MediaLeg] = []

    async def send(self, message: Any) -> None:
        stream: Stream = "commands" if isinstance(message, Listen | EndUtterance) else "events"
        await self.redis.xadd(stream_key("local", stream), {"m": encode(message)})

    async def listen(self, call_id: str, turn: int, **rules: Any) -> None:
        """Sends Listen; returns when the receiver knows."""
        command = Listen(call_id, float(turn), turn, "fr", **rules)
        await self.send(command)

        async def stored() -> bool:
            return bool(await self.redis.get(f"pronto:local:listen:{call_id}") == encode(command))

        await until(stored)

    def leg(self) -> MediaLeg:
        leg = MediaLeg(self.receiver.rtp_address, ssrc=len(self._legs) + 1)
        self._legs.append(leg)
        return leg

    async def call(self, call_id: str, turn: int = 1, **rules: Any) -> MediaLeg:
        """A call that is heard and listened to."""
        leg = self.leg()
        before = self.receiver.health()["active_streams"]
        await self.send(MediaStarted(call_id, 0.0, *leg.source))
        await self.listen(call_id, turn, **rules)

        async def heard() -> bool:
            return self.receiver.health()["active_streams"] != before

        await until(heard)
        return leg

    async def event(self, kind: type[M], call_id: str) -> M:
        """The next event of this kind and call, which is taken away."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and event.call_id == call_id:
                        self.events.remove(event)
                        return event
                reply: Any = await self.redis.xread({stream_key("local", "events"): self._position}, block=1_000)
                for entry_id, fields in reply[0][1] if reply else []:
                    self._position = entry_id
                    with contextlib.suppress(BadMessage):
                        self.events.append(cast(Event, decode(fields["m"])))

    def keep(self, leg: MediaLeg) -> None:
        """The leg outlives this receiver, as it does in Asterisk."""
        self._legs.remove(leg)

    def adopt(self, leg: MediaLeg) -> None:
        """A leg of before; only its destination is new, because ports of tests are chosen freely."""
        leg.receiver = self.receiver.rtp_address
        self._legs.append(leg)

    def close(self) -> None:
        for leg in self._legs:
            leg.close()


@contextlib.asynccontextmanager
async def bench(redis_url: str, whisper: WhisperServer, follows: bool = False, **settings: Any) -> AsyncIterator[Bench]:
    """A receiver that runs, and is ready for messages."""
    redis = connect(redis_url)
    chosen = ReceiverSettings(redis_url=redis_url, rtp_port=0, whisper_url=whisper.url, **settings)
    async with WhisperClient(whisper.url, chosen.whisper_timeout_s) as client:
        sock = open_socket(chosen.rtp_ip, chosen.rtp_port)
        receiver = Receiver(chosen, redis, SileroVad(), client, sock, follows=follows)
        async with running(receiver.run()):
            names = [f"pronto:local:position:receiver-1-{stream}:{stream}" for stream in ("events", "commands")]

            async def attached() -> bool:
                watching: Any = await redis.pubsub_numsub("bot_speaking")
                return await redis.exists(*names) == 2 and watching[0][1] >= 1

            await until(attached)
            await until(lambda: receiver.ready()[0])
            cell = Bench(redis, whisper, receiver)
            yield cell
            cell.close()
    await redis.aclose()


@pytest.fixture
async def whisper() -> AsyncIterator[WhisperServer]:
    async with WhisperServer([YES, OWNER, ZIP_CODE]) as server:
        yield server


@pytest.fixture
async def cell(redis_url: str, whisper: WhisperServer) -> AsyncIterator[Bench]:
    async with bench(redis_url, whisper) as found:
        yield found


def spoken(text: str, before_s: float = 0.5, after_s: float = 1.5) -> Samples:
    return np.concatenate([silence(before_s), say(text), silence(after_s)])


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_what_a_caller_says_becomes_one_utterance_with_one_post(cell: Bench) -> None:
    leg = await cell.call("c1", hints=("propriétaire", "locataire"), awaited=("yes_no",))
    leg.send(spoken(OWNER, after_s=0.2))
    async with leg.in_real_time():
        started = await cell.event(SpeechStarted, "c1")
        guessed = await cell.event(UtteranceGuessed, "c1")
        said = await cell.event(UtteranceTranscribed, "c1")
    assert (started.turn, started.utterance, guessed.utterance) == (1, 1, 1)
    assert (guessed.text, guessed.confidence) == (OWNER, 0.9)
    assert (said.turn, said.utterance, said.text, said.reason) == (1, 1, OWNER, "")
    assert said.speech_started_at <= said.speech_ended_at <= said.endpoint_at <= said.at
    assert said.posted_at <= said.at
    assert said.audio_ms == pytest.approx(1_000 * len(say(OWNER)) / 16_000 + 256 + 224, abs=150)
    body = cell.whisper.posts[0]
    assert (body["filename"], body["connection_id"]) == ("c1-1-1.wav", "c1")
    assert (body["language"], body["hints"]) == ("fr", ["propriétaire", "locataire"])
    assert body["awaited"] == ["yes_no"]


async def test_a_guess_that_holds_all_speech_is_not_posted_again(cell: Bench) -> None:
    cell.whisper.hold = asyncio.Event()  # the guess is still on its way when the utterance ends
    leg = await cell.call("c1")
    before = sample("pronto_utterances_total", end="silence", by="reused")
    leg.send(spoken(YES))
    await until(lambda: cell.whisper.posts)
    await until(lambda: sample("pronto_utterances_total", end="silence", by="reused") > before)
    cell.whisper.hold.set()
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    assert len(cell.whisper.posts) == 1


async def test_speech_that_resumes_replaces_the_guess(cell: Bench) -> None:
    cell.whisper.hold = asyncio.Event()
    leg = await cell.call("c1", end_silence_ms=900)
    leg.send(spoken(YES, after_s=0.4))
    async with leg.in_real_time():
        await until(lambda: len(cell.whisper.posts) == 1)
    leg.send(spoken(OWNER, before_s=0.0))
    await until(lambda: len(cell.whisper.posts) == 2)
    cell.whisper.hold.set()
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.utterance, said.text) == (1, f"{YES} {OWNER}")
    guesses = [event for event in cell.events if isinstance(event, UtteranceGuessed)]
    assert [guess.text for guess in guesses] in ([], [f"{YES} {OWNER}"])  # never the older one


async def test_a_guess_is_told_when_its_silence_has_lasted(cell: Bench) -> None:
    answered = sample("pronto_whisper_posts_total", outcome="text")
    leg = await cell.call("c1", eager_silence_ms=96, commit_silence_ms=900, end_silence_ms=2_000)
    leg.send(spoken(YES, after_s=0.5))
    async with leg.in_real_time():
        await until(lambda: sample("pronto_whisper_posts_total", outcome="text") > answered)
    leg.send(spoken(OWNER, before_s=0.0, after_s=0.5))
    async with leg.in_real_time():
        guess = await cell.event(UtteranceGuessed, "c1")
    assert guess.text == f"{YES} {OWNER}"  # the one before was there, but the caller went on
    assert guess.revision == 2
    assert guess.paused_at <= guess.posted_at <= guess.transcribed_at <= guess.at
    assert guess.paused_at < guess.endpoint_at <= guess.at
    leg.send(silence(2.5))
    assert (await cell.event(UtteranceTranscribed, "c1")).transcribed_at == guess.transcribed_at
    assert len(cell.whisper.posts) == 2


async def test_an_utterance_that_is_known_to_be_whole_ends_sooner(cell: Bench) -> None:
    leg = await cell.call("c1", eager_silence_ms=96, end_silence_ms=5_000)
    leg.send(spoken(OWNER, after_s=0.3))
    async with leg.in_real_time():
        guess = await cell.event(UtteranceGuessed, "c1")
        await cell.send(EndUtterance("c1", 0.0, guess.turn, guess.utterance, guess.revision, 200))
        said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.text, said.utterance) == (OWNER, guess.utterance)
    assert said.endpoint_at - said.speech_ended_at < 4.0


async def test_an_utterance_beyond_the_limit_is_cut_counted_and_transcribed(cell: Bench) -> None:
    before = sample("pronto_utterances_total", end="too_long", by="posted")
    leg = await cell.call("c1", max_utterance_ms=1_000, end_silence_ms=5_000)
    leg.send(np.concatenate([silence(0.5), say(ZIP_CODE), say(ZIP_CODE), say(ZIP_CODE)]))
    async with leg.in_real_time():
        said = await cell.event(UtteranceTranscribed, "c1")
    assert 1_000 <= said.audio_ms < 1_000 + 9 * 32  # and the pre-roll
    assert sample("pronto_utterances_total", end="too_long", by="posted") > before


async def test_silence_and_line_noise_are_no_utterance(cell: Bench) -> None:
    leg = await cell.call("c1")
    noise = np.random.default_rng(3).normal(0, 200, 16_000 * 4).astype(np.int16)
    leg.send(np.concatenate([silence(2), noise]))
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).utterance == 1
    assert {post["filename"] for post in cell.whisper.posts} == {"c1-1-1.wav"}


async def test_twenty_calls_at_once_are_not_mixed_up(cell: Bench) -> None:
    texts = [(YES, OWNER, ZIP_CODE)[n % 3] for n in range(20)]
    legs = [await cell.call(f"c{n}") for n in range(20)]
    audio = [spoken(text, before_s=0.2 + 0.037 * n) for n, text in enumerate(texts)]
    for start in range(0, max(map(len, audio)), 1_600):
        for leg, samples in zip(legs, audio, strict=True):
            leg.send(samples[start : start + 1_600])
        await asyncio.sleep(0)
    said = [await cell.event(UtteranceTranscribed, f"c{n}") for n in range(20)]
    assert [event.text for event in said] == texts
    assert cell.receiver.health()["active_streams"] == 20


async def test_an_early_commit_closes_the_utterance_and_what_follows_is_the_next_turn(cell: Bench) -> None:
    leg = await cell.call("c1", barge_in=True, end_silence_ms=2_000)
    leg.send(spoken(YES, after_s=0.2))
    async with leg.in_real_time():
        assert (await cell.event(UtteranceGuessed, "c1")).turn == 1
        await cell.listen("c1", 2, barge_in=True)
    leg.send(spoken(OWNER, before_s=0.0))
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.turn, said.utterance, said.text) == (2, 2, OWNER)


async def test_while_the_bot_speaks_nothing_is_heard_without_barge_in(cell: Bench) -> None:
    await write_speaking(cell.redis, "c1", True)
    leg = await cell.call("c1")
    await until(lambda: cell.receiver.health()["bots_speaking"] == 1)
    ignored = sample("pronto_speech_ignored_total", cause="bot_speaking")
    leg.send(spoken(OWNER))
    await until(lambda: sample("pronto_speech_ignored_total", cause="bot_speaking") > ignored)
    await write_speaking(cell.redis, "c1", False)
    await until(lambda: cell.receiver.health()["bots_speaking"] == 0)
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    assert len(cell.whisper.posts) == 1


async def test_with_barge_in_the_caller_is_heard_while_the_bot_speaks(cell: Bench) -> None:
    await write_speaking(cell.redis, "c1", True)
    leg = await cell.call("c1", barge_in=True)
    await until(lambda: cell.receiver.health()["bots_speaking"] == 1)
    leg.send(spoken(OWNER))
    assert (await cell.event(SpeechStarted, "c1")).utterance == 1
    assert (await cell.event(UtteranceTranscribed, "c1")).text == OWNER


async def spoken_to(cell: Bench, **rules: Any) -> MediaLeg:
    """A call in which the bot speaks, and almost no speech is sure enough to stop it."""
    await write_speaking(cell.redis, "c1", True)
    leg = await cell.call("c1", barge_in=True, barge_in_ms=2_000, **rules)
    await until(lambda: cell.receiver.health()["bots_speaking"] == 1)
    return leg


async def test_doubtful_speech_over_a_prompt_is_told_and_stops_nothing(cell: Bench) -> None:
    leg = await spoken_to(cell)
    leg.send(spoken(YES))
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.turn, said.utterance, said.text, said.aside) == (1, 1, YES, True)
    assert said.speech_started_at <= said.speech_ended_at <= said.endpoint_at <= said.posted_at <= said.at
    assert not [event for event in cell.events if isinstance(event, SpeechStarted | UtteranceGuessed)]
    assert len(cell.whisper.posts) == 1


async def test_doubtful_speech_that_comes_to_nothing_is_not_told(cell: Bench) -> None:
    before = {outcome: sample("pronto_asides_total", outcome=outcome) for outcome in ("failed", "no_words")}
    cell.whisper.refusals.append(web.Response(status=503))
    leg = await spoken_to(cell)
    for outcome in ("failed", "no_words"):
        leg.send(spoken("je ne sais pas"))
        await until(lambda outcome=outcome: sample("pronto_asides_total", outcome=outcome) > before[outcome])  # type: ignore[misc]
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    assert {type(event) for event in cell.events} <= {MediaStarted}


async def test_speech_that_is_confirmed_wins_over_what_was_set_aside(cell: Bench) -> None:
    cell.whisper.hold = asyncio.Event()
    overtaken = sample("pronto_asides_total", outcome="overtaken")
    leg = await spoken_to(cell, end_silence_ms=8_000)  # what follows so soon goes on with it
    leg.send(spoken(YES, after_s=0.5))
    await until(lambda: cell.whisper.posts)
    await write_speaking(cell.redis, "c1", False)
    await until(lambda: cell.receiver.health()["bots_speaking"] == 0)
    leg.send(spoken(OWNER, before_s=0.0, after_s=8.5))
    assert (await cell.event(SpeechStarted, "c1")).utterance == 1
    cell.whisper.hold.set()
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.utterance, said.text, said.aside) == (1, f"{YES} {OWNER}", False)
    assert sample("pronto_asides_total", outcome="overtaken") == overtaken + 1


async def test_an_end_of_speaking_that_was_missed_is_noticed(cell: Bench) -> None:
    await write_speaking(cell.redis, "c1", True)
    await cell.call("c1")
    await until(lambda: cell.receiver.health()["bots_speaking"] == 1)
    await cell.redis.delete("bot_speaking:c1")  # nobody publishes it
    await until(lambda: cell.receiver.health()["bots_speaking"] == 0)


async def test_a_source_that_is_not_known_is_looked_up_and_loses_nothing(cell: Bench) -> None:
    leg = cell.leg()
    await write_source(cell.redis, "local", *leg.source, "c9")
    listen = Listen("c9", 5.0, 5, "fr")
    await cell.redis.set("pronto:local:listen:c9", encode(listen))
    await cell.redis.set("pronto:local:utterance:c9", 4)
    leg.send(say(YES))
    await until(lambda: cell.receiver.health()["active_streams"] == 1)
    leg.send(silence(1.5))
    said = await cell.event(UtteranceTranscribed, "c9")
    assert (said.turn, said.utterance, said.text) == (5, 5, YES)


async def test_a_restarted_receiver_goes_on_with_its_calls(redis_url: str, whisper: WhisperServer) -> None:
    async with bench(redis_url, whisper) as first:
        leg = await first.call("c1", turn=6)
        await write_source(first.redis, "local", *leg.source, "c1")
        leg.send(spoken(YES))
        assert (await first.event(UtteranceTranscribed, "c1")).utterance == 1
        await until_value(first, "pronto:local:utterance:c1", "1")
        first.keep(leg)
    async with bench(redis_url, whisper) as second:
        second.adopt(leg)
        audio = spoken(OWNER, before_s=0.0)
        leg.send(audio[:12_800])  # what comes in before the look-up has its answer
        await until(lambda: second.receiver.health()["active_streams"] == 1)
        leg.send(audio[12_800:])
        assert (await second.event(UtteranceTranscribed, "c1")).text == YES  # the stream of events remembers it
        said = await second.event(UtteranceTranscribed, "c1")
        assert (said.turn, said.utterance, said.text) == (6, 2, OWNER)


async def test_an_ended_call_is_forgotten_and_its_packets_are_foreign(cell: Bench) -> None:
    leg = await cell.call("c1")
    await write_source(cell.redis, "local", *leg.source, "c1")
    leg.send(spoken(YES))
    await cell.event(UtteranceTranscribed, "c1")
    await cell.send(CallEnded("c1", 0.0, "caller_hung_up"))
    await until(lambda: cell.receiver.health()["active_streams"] == 0)
    leg.send(spoken(OWNER))
    await until(lambda: cell.receiver.counts.dropped.get("unknown_source", 0) > 0)
    assert cell.receiver.health()["active_streams"] == 0
    assert len(cell.whisper.posts) == 1

    async def cleaned() -> bool:
        return not [key async for key in cell.redis.scan_iter("pronto:local:*:c1")]

    await until(cleaned)


async def test_a_source_port_that_is_used_again_belongs_to_the_new_call(cell: Bench) -> None:
    leg = await cell.call("old")
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "old")).text == YES
    await cell.send(MediaStarted("new", 0.0, *leg.source))
    await cell.listen("new", 1)
    await until(lambda: cell.receiver.health()["active_streams"] == 2)
    leg.send(spoken(OWNER))
    assert (await cell.event(UtteranceTranscribed, "new")).text == OWNER


async def test_an_utterance_cut_by_a_restart_is_asked_for_again_and_its_rest_is_no_answer(cell: Bench) -> None:
    await cell.redis.set("pronto:local:utterance:c1", "4 1")  # begun by a receiver that was killed in it
    before = sample("pronto_utterances_cut_off_total")
    leg = await cell.call("c1")
    leg.send(spoken(YES, before_s=0.0))  # the rest of it
    failed = await cell.event(RecognitionFailed, "c1")
    assert (failed.turn, failed.utterance, failed.reason) == (1, 4, "restart")
    assert sample("pronto_utterances_cut_off_total") == before + 1
    await cell.listen("c1", 2)
    leg.send(spoken(OWNER))
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.turn, said.text) == (2, OWNER)


async def test_an_utterance_that_was_told_before_a_restart_is_not_asked_for_again(cell: Bench) -> None:
    await cell.redis.set("pronto:local:utterance:c1", "4")
    leg = await cell.call("c1")
    leg.send(spoken(OWNER))
    assert (await cell.event(UtteranceTranscribed, "c1")).utterance == 5
    await until_value(cell, "pronto:local:utterance:c1", "5")
    assert not [event for event in cell.events if isinstance(event, RecognitionFailed)]


async def test_an_utterance_that_was_answered_before_its_end_hides_no_answer_to_the_next_question(
    redis_url: str, whisper: WhisperServer
) -> None:
    async with bench(redis_url, whisper) as first:
        leg = await first.call("c1", turn=2)
        await write_source(first.redis, "local", *leg.source, "c1")
        await first.redis.set("pronto:local:utterance:c1", "4 1")  # of the question before, answered by a guess
        leg.send(silence(0.3))
        await until_value(first, "pronto:local:hears:c1", "1")
        first.keep(leg)
    async with bench(redis_url, whisper, follows=True) as second:
        second.adopt(leg)
        leg.send(silence(0.1))
        await until(lambda: second.receiver.health()["active_streams"] == 1)
        leg.send(spoken(OWNER, before_s=0.1))
        said = await second.event(UtteranceTranscribed, "c1")
        assert (said.text, said.turn) == (OWNER, 2)
        assert not [event for event in second.events if isinstance(event, RecognitionFailed)]


@pytest.mark.parametrize(("silent_s", "speaks", "asked"), [(60, True, True), (60, False, True), (0, True, False)])
async def test_who_may_have_answered_while_nobody_heard_them_is_asked_again(
    redis_url: str, whisper: WhisperServer, silent_s: int, speaks: bool, asked: bool
) -> None:
    async with bench(redis_url, whisper) as first:
        leg = await first.call("c1", turn=6)
        await write_source(first.redis, "local", *leg.source, "c1")
        leg.send(spoken(YES))
        await first.event(UtteranceTranscribed, "c1")
        await until_value(first, "pronto:local:utterance:c1", "1")
        await until_value(first, "pronto:local:hears:c1", "1")
        first.keep(leg)
    async with contextlib.aclosing(connect(redis_url)) as redis:
        await redis.expire(hearing_key("local", "1"), RECEIVER_EXPIRY_S - silent_s)
    async with bench(redis_url, whisper) as second:
        second.adopt(leg)
        audio = spoken(OWNER, before_s=0.0) if speaks else silence(1.0)
        leg.send(audio[:12_800])
        await until(lambda: second.receiver.health()["active_streams"] == 1)
        leg.send(audio[12_800:])
        if asked:
            failed = await second.event(RecognitionFailed, "c1")
            assert (failed.turn, failed.utterance, failed.reason) == (6, 2, "restart")
            await second.listen("c1", 7)
            leg.send(spoken(YES))
        await second.event(UtteranceTranscribed, "c1")  # of the first receiver
        said = await second.event(UtteranceTranscribed, "c1")
        assert (said.text, said.turn) == ((YES, 7) if asked else (OWNER, 6))


@pytest.mark.parametrize("speaks", [True, False])
async def test_who_is_silent_for_long_after_a_receiver_was_killed_is_asked_again(
    redis_url: str, whisper: WhisperServer, speaks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # who speaks has all the time that a machine with other work may take to get round to it
    monkeypatch.setattr(take_over, "ANSWERED_IN_A_MOMENT_S", 60.0 if speaks else 1.0)
    async with bench(redis_url, whisper) as first:
        leg = await first.call("c1", turn=6)
        await write_source(first.redis, "local", *leg.source, "c1")
        leg.send(spoken(YES))
        await first.event(UtteranceTranscribed, "c1")
        await until_value(first, "pronto:local:utterance:c1", "1")
        await until_value(first, "pronto:local:hears:c1", "1")
        first.keep(leg)
    async with bench(redis_url, whisper, follows=True) as second:
        second.adopt(leg)
        leg.send(silence(0.5))
        await until(lambda: second.receiver.health()["active_streams"] == 1)
        await until_value(second, "pronto:local:utterance:c1", "2 6")  # an answer there may have been
        if speaks:  # later, as people do who think
            leg.send(spoken(OWNER))
        else:
            failed = await second.event(RecognitionFailed, "c1")
            assert (failed.turn, failed.utterance, failed.reason) == (6, 2, "restart")
            await second.listen("c1", 7)
            leg.send(spoken(OWNER))
        await second.event(UtteranceTranscribed, "c1")  # of the first receiver
        said = await second.event(UtteranceTranscribed, "c1")
        assert (said.text, said.turn, said.utterance) == (OWNER, 6 if speaks else 7, 3)
        assert not [event for event in second.events if isinstance(event, RecognitionFailed)]


async def test_a_late_transcript_does_not_hide_that_a_newer_utterance_has_begun(cell: Bench) -> None:
    cell.whisper.hold = asyncio.Event()
    leg = await cell.call("c1")
    leg.send(spoken(YES))
    assert (await cell.event(SpeechStarted, "c1")).utterance == 1
    leg.send(spoken(OWNER, after_s=0.0))
    assert (await cell.event(SpeechStarted, "c1")).utterance == 2
    await until_value(cell, "pronto:local:utterance:c1", "2 1")
    cell.whisper.hold.set()
    assert (await cell.event(UtteranceTranscribed, "c1")).utterance == 1
    await cell.listen("c1", 1, hints=("oui",))  # is stored with or after whatever was to be stored before it
    assert await cell.redis.get("pronto:local:utterance:c1") == "2 1"
    leg.send(silence(1.5))
    assert (await cell.event(UtteranceTranscribed, "c1")).utterance == 2
    await until_value(cell, "pronto:local:utterance:c1", "2")


async def until_value(cell: Bench, key: str, value: str) -> None:
    async def is_so() -> bool:
        return bool(await cell.redis.get(key) == value)

    await until(is_so)


async def test_a_caller_who_is_sent_back_is_heard_again(cell: Bench) -> None:
    leg = await cell.call("c1")
    await cell.send(CallEnded("c1", 10.0, "transferred"))
    await until(lambda: cell.receiver.health()["active_streams"] == 0)
    again = cell.leg()
    seconds, _ = await cell.redis.time()
    # the two streams are read apart: a Listen that was sent later may come first; times of hosts do not matter
    sent = await cell.redis.xadd(
        stream_key("local", "commands"), {"m": encode(Listen("c1", 5.0, 1, "fr"))}, id=f"{seconds + 5}500-0"
    )
    await until_value(cell, position_key("local", "commands", "receiver-1-commands"), str(sent))
    started = encode(CallStarted("c1", 4.0, "", ""))
    await cell.redis.xadd(stream_key("local", "events"), {"m": started}, id=f"{seconds + 5}000-0")
    await cell.send(MediaStarted("c1", 4.1, *again.source))
    await until(lambda: cell.receiver.health()["active_streams"] == 1)
    again.send(spoken(OWNER))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == OWNER
    leg.send(silence(0.1))


async def test_a_stopping_receiver_still_tells_what_it_heard(cell: Bench, whisper: WhisperServer) -> None:
    whisper.hold = asyncio.Event()
    leg = await cell.call("c1")
    before = sample("pronto_utterances_total", end="silence", by="reused")
    leg.send(spoken(OWNER))
    await until(lambda: whisper.posts)
    await until(lambda: sample("pronto_utterances_total", end="silence", by="reused") > before)
    finishing = asyncio.create_task(cell.receiver.finish())
    whisper.hold.set()
    await finishing
    assert await cell.redis.get("pronto:local:utterance:c1") == "1"  # a successor need not ask again
    assert (await cell.event(UtteranceTranscribed, "c1")).text == OWNER
    assert cell.receiver.ready() == (False, "the media thread does not run")


async def test_garbage_is_counted_by_reason_and_the_call_goes_on(cell: Bench) -> None:
    leg = await cell.call("c1")
    leg.send(spoken(YES, after_s=0.0)[:4_800])
    leg.send_bytes(b"\x80\x76")
    leg.send_bytes(b"\x00" * 40)
    leg.send_bytes(b"\x80\x00" + bytes(10) + b"ulaw" * 40)
    leg.send_bytes(b"\x80\x76" + bytes(10) + b"odd")
    leg.send_bytes(b"\x80\x76" + bytes(10))
    leg.send_bytes(b"\x80\x76" + bytes(3_000))
    stranger = cell.leg()
    stranger.send_bytes(b"hello")
    leg.send(spoken(YES, after_s=1.5)[4_800:])
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    dropped = cell.receiver.counts.dropped
    await until(lambda: dropped.get("unknown_source") == 1)
    assert dropped == {
        "too_short": 1,
        "version": 1,
        "payload_type": 1,
        "payload_length": 2,
        "too_long": 1,
        "unknown_source": 1,
    }
    shown = generate_latest(REGISTRY).decode()
    assert 'pronto_rtp_dropped_total{reason="payload_length"} 2.0' in shown
    assert "pronto_active_streams 1.0" in shown
    assert "pronto_vad_lag_seconds_bucket" in shown


async def test_a_recogniser_that_refuses_is_a_recognition_failed(cell: Bench, whisper: WhisperServer) -> None:
    whisper.refusals += [web.Response(status=503), web.Response(status=503)]  # the guess, then the utterance
    leg = await cell.call("c1")
    leg.send(spoken(YES))
    failed = await cell.event(RecognitionFailed, "c1")
    assert (failed.turn, failed.utterance, failed.reason) == (1, 1, "busy")
    leg.send(spoken(OWNER))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == OWNER


async def test_empty_text_carries_its_reason(cell: Bench) -> None:
    leg = await cell.call("c1")
    leg.send(spoken("une phrase que personne ne connaît"))
    said = await cell.event(UtteranceTranscribed, "c1")
    assert (said.text, said.reason) == ("", "no speech")


async def test_audio_that_stops_is_reported_and_open_speech_is_ended(redis_url: str, whisper: WhisperServer) -> None:
    async with bench(redis_url, whisper, audio_lost_s=0.6) as cell:
        leg = await cell.call("c1")
        leg.send(spoken(OWNER, after_s=0.0))
        assert (await cell.event(UtteranceTranscribed, "c1")).text == OWNER
        lost = await cell.event(AudioLost, "c1")
        assert lost.silent_ms >= 600
        leg.send(spoken(YES))
        assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
        assert (await cell.event(AudioLost, "c1")).silent_ms >= 600


async def test_a_call_that_never_sends_audio_is_reported(redis_url: str, whisper: WhisperServer) -> None:
    async with bench(redis_url, whisper, audio_lost_s=0.3) as cell:
        await cell.call("c1")
        assert (await cell.event(AudioLost, "c1")).silent_ms >= 300


async def test_audio_that_another_receiver_hears_is_not_lost(redis_url: str, whisper: WhisperServer) -> None:
    async with bench(redis_url, whisper, audio_lost_s=0.3) as cell:
        await cell.redis.set("pronto:local:hears:elsewhere", "2")
        await cell.call("elsewhere")
        await cell.call("here")
        await cell.event(AudioLost, "here")
        assert not [event for event in cell.events if isinstance(event, AudioLost)]


async def test_without_redis_events_wait_and_calls_go_on(whisper: WhisperServer) -> None:
    server = RedisServer()
    await asyncio.to_thread(server.start)
    try:
        async with bench(server.url, whisper) as cell:
            leg = await cell.call("c1")
            await asyncio.to_thread(server.stop)
            leg.send(spoken(YES))
            await until(lambda: len(cell.receiver.outbox) >= 3)
            await until(lambda: not cell.receiver.ready()[0])
            assert cell.receiver.health()["redis"] == "away"
            server = RedisServer(server.port)
            await asyncio.to_thread(server.start)
            await until(lambda: cell.receiver.ready()[0])
            assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_redis_that_refuses_writes_is_away(whisper: WhisperServer) -> None:
    server = RedisServer()
    await asyncio.to_thread(server.start)
    try:
        async with bench(server.url, whisper) as cell:
            leg = await cell.call("c1")
            await cell.redis.config_set("maxmemory", "1")
            await until(lambda: not cell.receiver.ready()[0])
            leg.send(spoken(YES))
            await until(lambda: len(cell.receiver.outbox) >= 3)
            await cell.redis.config_set("maxmemory", "0")
            await until(lambda: cell.receiver.ready()[0])
            assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    finally:
        await asyncio.to_thread(server.stop)


async def test_messages_of_others_and_broken_ones_do_no_harm(cell: Bench) -> None:
    await cell.redis.xadd(stream_key("local", "events"), {"m": "{broken"})
    await cell.redis.xadd(stream_key("local", "commands"), {"x": "y"})
    outbox = Outbox(cell.redis, "local")
    async with running(outbox.run()):
        outbox.send(SpeechStarted("cX", 0.0, 1, 1))
        assert await outbox.flush()
    leg = await cell.call("c1")
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES


async def test_what_only_a_newer_release_knows_is_counted_and_passed_over(cell: Bench) -> None:
    newer = '{"type":"CallParked","v":3,"call_id":"c1","at":1.0,"slot":7}'
    await cell.redis.xadd(stream_key("local", "events"), {"m": newer})
    ended = encode(CallEnded("gone", 1.0, "caller_hung_up")).replace("caller_hung_up", "no_answer")
    await cell.redis.xadd(stream_key("local", "events"), {"m": ended})
    unknown = 'pronto_receiver_unknown_messages_total{stream="events"} 2.0'
    await until(lambda: unknown in generate_latest(REGISTRY).decode())
    leg = await cell.call("c1")
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES


async def test_media_from_what_is_no_address_is_refused_and_all_others_are_heard(cell: Bench) -> None:
    leg = await cell.call("c1")
    good = encode(MediaStarted("c2", 0.0, "10.0.0.1", 5_060))
    for host in ("1\\u0000", "localhost", "10.0.0", ""):
        await cell.redis.xadd(stream_key("local", "events"), {"m": good.replace("10.0.0.1", host)})
    malformed = 'pronto_receiver_malformed_messages_total{stream="events"} 4.0'
    await until(lambda: malformed in generate_latest(REGISTRY).decode())
    leg.send(spoken(YES))
    assert (await cell.event(UtteranceTranscribed, "c1")).text == YES
    assert cell.receiver.health()["active_streams"] == 1


async def test_a_listen_that_the_last_release_kept_is_read(cell: Bench) -> None:
    kept = (
        '{"type": "Listen", "call_id": "1732812345.17", "at": 1732812349.1, "turn": 3, "language": "fr", '
        '"eager_silence_ms": 96, "end_silence_ms": 700, "max_utterance_ms": 15000, "barge_in": true, '
        '"barge_in_ms": 250, "hints": ["propriétaire"], "commit_silence_ms": 0, "turn_model": false, '
        '"whole_silence_ms": 350}'
    )
    await cell.redis.set("pronto:local:listen:1732812345.17", kept)
    leg = cell.leg()
    await cell.send(MediaStarted("1732812345.17", 0.0, *leg.source))
    await until(lambda: cell.receiver.health()["active_streams"] == 1)
    leg.send(spoken(OWNER))
    said = await cell.event(UtteranceTranscribed, "1732812345.17")
    assert (said.turn, said.text) == (3, OWNER)
    assert cell.whisper.posts[0]["hints"] == ["propriétaire"]
