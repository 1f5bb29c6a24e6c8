"""The receiver's shell: joins the media thread, the recogniser and Redis.

Which source belongs to which call comes from MediaStarted, or, for a source that is not known (after a restart), from
one look-up in Redis; how to listen comes from Listen commands, whose last one per call is kept in Redis; whether the
bot speaks comes from the subscription and is held in memory. Nothing is read from Redis per packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import REGISTRY
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config import ReceiverSettings
from protocol.bus import Inbox, Outbox, raise_if_cancelled
from protocol.media import read_source
from protocol.messages import (
    AudioLost,
    BadMessage,
    CallEnded,
    CallStarted,
    EndUtterance,
    Event,
    Listen,
    MediaStarted,
    RecognitionFailed,
    SpeechStarted,
    UtteranceTranscribed,
    decode,
    encode,
)
from protocol.speaking import speaking_key, watch_speaking
from rtp_receiver import metrics
from rtp_receiver.call_stream import Confirmed, Heard, Limits, Quiet, Segment
from rtp_receiver.datagrams import SMALL_BUFFER_BYTES, kernel_drops, receive_buffer_bytes
from rtp_receiver.endpointing import Ignored
from rtp_receiver.kept_state import KeptState, kept_utterance, read_utterance
from rtp_receiver.media_counts import MediaCounts
from rtp_receiver.media_thread import Audible, MediaThread, Report, Silent
from rtp_receiver.recognition import Recognition, Transcriber
from rtp_receiver.sources import Address, shown
from rtp_receiver.turn_judge import Judge
from rtp_receiver.turn_model import TurnModel
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

TAKEN_UP_S = 0.7  # the process before us, should it live, has told the end of what it heard by then
ENDED_KEPT = 2_000
LISTENS_KEPT = 20_000
REDIS_WAIT_S = 0.5
CHECK_EVERY_S = 2.0
EVENTS_PACE_S = 0.1  # a call's first packets are kept, and its source can be asked for
COMMANDS_PACE_S = 0.01


@dataclass(slots=True)
class _Ended:
    """A call that is over since `at`. `listen` is what came for it since: it may be for a caller who is sent back."""

    at: float
    listen: Listen | None = None


@dataclass(slots=True)
class _Rest:
    """What is heard of a call whose utterance began with the process before us. `open`: speech that begins now is the
    rest of that utterance and no answer; `utterances` are those that began so."""

    open: bool = True
    utterances: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Call:
    """What is known of a call apart from its audio."""

    listen: Listen | None = None
    speaking: bool = False


class Receiver:
    """One receiver process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        redis: Redis,
        vad: Vad,
        transcriber: Transcriber,
        sock: socket.socket,
        turn_model: TurnModel | None = None,
    ) -> None:
        """`sock` is where RTP is received; it is closed at the end."""
        self._settings = settings
        self._redis = redis
        self._cell = settings.cell
        self.outbox = Outbox(redis, settings.cell)
        self.redis_up = False
        self._state = KeptState(redis, settings.cell)
        judge = None if turn_model is None else Judge(turn_model, self._end_utterance)
        self._recognition = Recognition(transcriber, self._send, judge)
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._ended: OrderedDict[str, _Ended] = OrderedDict()
        self._adopted: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._rests: dict[str, _Rest] = {}
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        limits = Limits(
            threshold=settings.vad_threshold,
            pre_roll_chunks=settings.pre_roll_chunks,
            end_silence_ms=round(settings.silence_threshold_s * 1_000),
            max_samples=settings.max_buffer_samples,
            chunk_samples=settings.chunk_samples,
        )
        self._media = MediaThread(
            self._sock, vad, limits, self._reports_from_thread, self._unknown_from_thread, settings.audio_lost_s
        )

    @property
    def rtp_address(self) -> Address:
        """Where RTP is received."""
        host, port = self._sock.getsockname()[:2]
        return host, port

    @property
    def counts(self) -> MediaCounts:
        """What the media thread counts."""
        return self._media.counts

    def health(self) -> dict[str, object]:
        """Fields of GET /health."""
        return {
            "redis": "ok" if self.redis_up else "away",
            "rtp": shown(self.rtp_address),
            "active_streams": self._media.calls,
            "bots_speaking": sum(call.speaking for call in self._calls.values()),
            "events_waiting": len(self.outbox),
        }

    def ready(self) -> tuple[bool, str]:
        """Whether calls can be taken, and why not."""
        if not self._media.alive:
            return False, "the media thread does not run"
        return (True, "") if self.redis_up else (False, "redis is away")

    async def run(self) -> None:
        """Receives until cancelled. Raises when a part of it dies."""
        collector = metrics.MediaCollector(
            self._media.counts,
            lambda: self._media.calls,
            lambda: self._media.held,
            lambda: kernel_drops(self._sock),
        )
        REGISTRY.register(collector)
        self._media.start()
        buffer_bytes = receive_buffer_bytes(self._sock)
        log.info("receiving", extra={"rtp": shown(self.rtp_address), "buffer_bytes": buffer_bytes})
        if buffer_bytes < SMALL_BUFFER_BYTES:
            log.warning("small receive buffer: raise net.core.rmem_max", extra={"buffer_bytes": buffer_bytes})
        try:
            async with asyncio.TaskGroup() as group:
                for job in (
                    self.outbox.run,
                    self._state.run,
                    self._events,
                    self._commands,
                    self._speaking,
                    self._check,
                ):
                    group.create_task(job())
        finally:
            REGISTRY.unregister(collector)
            self._media.stop()
            for task in self._jobs:
                task.cancel()
            await self._recognition.close()

    @property
    def calls(self) -> int:
        """Calls that are heard."""
        return self._media.calls

    async def finish(self) -> None:
        """Before the end: hears no more, as a successor does; transcripts that are on their way still go out."""
        await asyncio.to_thread(self._media.stop)
        await self._recognition.finished(self._settings.receiver_drain_s)
        await self.outbox.flush()
        await self._state.flush()

    def _send(self, event: Event) -> None:
        self.outbox.send(event)
        if isinstance(event, UtteranceTranscribed | RecognitionFailed):
            self._state.put("utterance", event.call_id, kept_utterance(event.utterance, None))

    # --- what comes from Redis ---

    async def _events(self) -> None:
        inbox = Inbox(self._redis, self._cell, "events", f"receiver-{self._settings.receiver_id}-events")
        async for event in inbox.messages(pace_s=EVENTS_PACE_S):
            if isinstance(event, MediaStarted) and event.call_id not in self._ended:
                await self._adopt((event.source_host, event.source_port), event.call_id)
            elif isinstance(event, CallEnded):
                self._end(event.call_id, event.at)
            elif isinstance(event, CallStarted):
                self._returned(event)

    async def _commands(self) -> None:
        inbox = Inbox(self._redis, self._cell, "commands", f"receiver-{self._settings.receiver_id}-commands")
        async for command in inbox.messages(pace_s=COMMANDS_PACE_S):
            if isinstance(command, EndUtterance):
                self._media.end_utterance(command)
            if not isinstance(command, Listen):
                continue
            if command.call_id in self._ended:
                self._ended[command.call_id].listen = command
            else:
                self._listen(command)

    def _listen(self, command: Listen) -> None:
        self._call(command.call_id).listen = command
        self._media.listen(command)
        self._state.put("listen", command.call_id, encode(command))

    def _returned(self, started: CallStarted) -> None:
        """A caller whom the dialplan sends back comes with the channel, and so the id, of the call before."""
        ended = self._ended.get(started.call_id)
        if ended is None or started.at <= ended.at:
            return
        del self._ended[started.call_id]
        if ended.listen is not None and ended.listen.at >= started.at:
            self._listen(ended.listen)

    async def _speaking(self) -> None:
        async for call_id, speaking in watch_speaking(self._redis):
            self._set_speaking(call_id, speaking)

    async def _check(self) -> None:
        """Redis' health; and a state that says the bot speaks is asked for again, should its end have been missed."""
        while True:
            speaking = [call_id for call_id, call in self._calls.items() if call.speaking]
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._redis.ping()
                    values = await self._redis.mget([speaking_key(c) for c in speaking]) if speaking else []
                raise_if_cancelled()
                self.redis_up = True
            except (RedisError, OSError) as error:
                if self.redis_up:
                    log.warning("redis is away: the bot counts as silent", extra={"error": repr(error)})
                self.redis_up = False
                values = [None] * len(speaking)
            for call_id, value in zip(speaking, values, strict=True):
                if value != "True":
                    self._set_speaking(call_id, False)
            if self._media.error is not None:
                raise RuntimeError("the media thread died") from self._media.error
            await asyncio.sleep(CHECK_EVERY_S)

    def _end_utterance(self, command: EndUtterance) -> None:
        self._media.end_utterance(command)

    def _set_speaking(self, call_id: str, speaking: bool) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            call.speaking = speaking
            self._media.bot_speaks(call_id, speaking)

    # --- what comes from the media thread ---

    def _reports_from_thread(self, reports: list[Report]) -> None:
        self._from_thread(lambda: self._take(reports))

    def _unknown_from_thread(self, source: Address) -> None:
        self._from_thread(lambda: self._spawn(self._look_up(source)))

    def _take(self, reports: list[Report]) -> None:
        for call_id, heard in reports:
            if call_id in self._ended or self._is_rest(call_id, heard):
                continue
            match heard:
                case Confirmed(listen, utterance):
                    metrics.SPEECH_STARTED.inc()
                    self._recognition.speech_began(call_id)
                    self.outbox.send(SpeechStarted(call_id, time.time(), listen.turn, utterance))
                    self._state.put("utterance", call_id, kept_utterance(utterance, listen.turn))
                case Segment():
                    self._recognition.take(call_id, heard)
                case Quiet():
                    self._recognition.settle(call_id, heard)
                case Ignored(cause):
                    metrics.IGNORED.labels(cause).inc()
                case Audible():
                    self._spawn(self._begin_to_hear(call_id))
                case Silent(silent_ms):
                    self._spawn(self._lost(call_id, silent_ms))

    async def _begin_to_hear(self, call_id: str) -> None:
        """Packets come here, perhaps because the receiver process that heard the call before is gone."""
        try:
            who = await self._state.get("hears", call_id)
            if who not in (None, self._settings.receiver_id):
                metrics.TAKEN_OVER.inc()
                log.info("call taken over", extra={"call_id": call_id, "from": who})
                number, turn = read_utterance(await self._state.get("utterance", call_id))
                self._media.continue_after(call_id, number)
                if turn is not None:
                    self._expect_rest(call_id, number, turn)
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
        if call_id not in self._ended:
            self._state.put("hears", call_id, self._settings.receiver_id)

    async def _lost(self, call_id: str, silent_ms: int) -> None:
        """Packets of one call may move to another receiver process that shares the port: then nothing is lost."""
        try:
            who = await self._state.get("hears", call_id)
        except (RedisError, OSError):
            who = None
        if who in (None, self._settings.receiver_id):
            metrics.AUDIO_LOST.inc()
            log.warning("no audio", extra={"call_id": call_id, "silent_ms": silent_ms})
            self.outbox.send(AudioLost(call_id, time.time(), silent_ms))

    # --- calls ---

    async def _look_up(self, source: Address) -> None:
        try:
            call_id = await read_source(self._redis, self._cell, *source)
        except (RedisError, OSError) as error:
            metrics.LOOKUPS.labels("redis_away").inc()
            log.warning("source not looked up", extra={"source": shown(source), "error": repr(error)})
            return
        if call_id is None or call_id in self._ended:
            metrics.LOOKUPS.labels("unknown").inc()
            self._media.nobody_knows(source)
            return
        metrics.LOOKUPS.labels("found").inc()
        await self._adopt(source, call_id)

    async def _adopt(self, source: Address, call_id: str) -> None:
        """Begins to receive a call, with what is known of it here or in Redis."""
        call = self._call(call_id)
        speaking_before = call.speaking
        taken_up, number, turn = call_id not in self._adopted, 0, None
        self._adopted.add(call_id)
        try:
            async with asyncio.timeout(REDIS_WAIT_S):
                stored, last, speaking = await self._redis.mget(
                    self._state.key("listen", call_id), self._state.key("utterance", call_id), speaking_key(call_id)
                )
            number, turn = read_utterance(None if last is None else str(last))
            if call.listen is None and stored is not None:
                found = decode(stored)
                call.listen = found if isinstance(found, Listen) else None
            if call.speaking == speaking_before:  # else the subscription told us meanwhile
                call.speaking = speaking == "True"
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
        if call_id not in self._ended:
            self._media.assign(source, call_id, call.listen, call.speaking, number + 1)
            if taken_up and turn is not None:
                self._expect_rest(call_id, number, turn)

    def _expect_rest(self, call_id: str, number: int, turn: int) -> None:
        """An utterance began with the process before us: what is heard first is its rest."""
        self._rests[call_id] = _Rest()
        self._spawn(self._cut_off(call_id, number, turn))

    def _is_rest(self, call_id: str, heard: Heard | Silent | Audible) -> bool:
        """Whether this is the rest of an utterance whose beginning was lost with the process before us."""
        rest = self._rests.get(call_id)
        if rest is None or not isinstance(heard, Confirmed | Segment):
            return False
        if rest.open:
            rest.utterances.add(heard.utterance)
        if heard.utterance not in rest.utterances:
            return False
        metrics.IGNORED.labels("cut_off").inc()
        return True

    async def _cut_off(self, call_id: str, number: int, turn: int) -> None:
        """An utterance began with the process before us: if that was killed in it, the caller must be asked again."""
        await asyncio.sleep(TAKEN_UP_S)
        if call_id in self._rests:
            self._rests[call_id].open = False
        try:
            now = read_utterance(await self._state.get("utterance", call_id))
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
            return
        if now == (number, turn) and call_id not in self._ended:
            metrics.CUT_OFF.inc()
            log.warning("utterance cut off by a restart", extra={"call_id": call_id, "turn": turn})
            self._send(RecognitionFailed(call_id, time.time(), turn, number, "restart"))

    def _end(self, call_id: str, at: float) -> None:
        self._ended[call_id] = _Ended(at)
        if len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)
        self._calls.pop(call_id, None)
        self._adopted.discard(call_id)
        self._rests.pop(call_id, None)
        self._media.drop(call_id)
        self._recognition.drop(call_id)
        self._state.forget(call_id)

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call()
            if len(self._calls) > LISTENS_KEPT:
                self._calls.popitem(last=False)
        return call

    # --- tasks ---

    def _from_thread(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are stopping
            self._loop.call_soon_threadsafe(act)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
