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
from typing import Any

from prometheus_client import REGISTRY
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config import ReceiverSettings
from observability.lag import LoopLag
from observability.lifecycle import run_together
from observability.outbox import show_outbox
from protocol.bus import Entry, Inbox, Outbox, raise_if_cancelled
from protocol.call_id import BROWSER, cell_of
from protocol.codec import encode
from protocol.keys import Stream, speaking_key
from protocol.media import read_source
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
    UtteranceTranscribed,
)
from protocol.speaking import watch_speaking
from protocol.strain import tell_strain
from protocol.writable import try_write
from rtp_receiver import metrics
from rtp_receiver.call_lines import Audible, Report, Silent
from rtp_receiver.call_stream import Confirmed, Quiet, Segment, StreamSettings
from rtp_receiver.datagrams import SMALL_BUFFER_BYTES, kernel_drops, receive_buffer_bytes
from rtp_receiver.decisions import SpeechIgnored
from rtp_receiver.kept_state import KeptState, kept_utterance
from rtp_receiver.media_counts import MediaCounts
from rtp_receiver.media_thread import MediaThread
from rtp_receiver.recognition import Recognition, SpeechRecogniser
from rtp_receiver.sources import Address, shown
from rtp_receiver.strain import ReceiverStrain
from rtp_receiver.take_over import KnownCall, TakeOver
from rtp_receiver.turn_judge import Judge
from rtp_receiver.turn_model import TurnModel
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

ENDED_KEPT = 2_000
LISTENS_KEPT = 20_000
CHECK_EVERY_S = 2.0
EVENTS_PACE_S = 0.1  # a call's first packets are kept, and its source can be asked for
COMMANDS_PACE_S = 0.01


class Receiver:
    """One receiver process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        redis: Redis,
        vad: Vad,
        recogniser: SpeechRecogniser,
        sock: socket.socket,
        turn_model: TurnModel | None = None,
        follows: bool = False,
    ) -> None:
        """`sock` is where RTP is received; it is closed at the end. `follows`: in the place of a process that has just
        ended."""
        self._settings = settings
        self._redis = redis
        self._cell = settings.cell
        self.outbox = Outbox(redis, settings.cell)
        self.redis_up = False
        self._state = KeptState(redis, settings.cell)
        judge = None if turn_model is None else Judge(turn_model, self._end_utterance)
        self._calls: OrderedDict[str, KnownCall] = OrderedDict()
        self._ended: OrderedDict[str, Entry | None] = OrderedDict()
        """Calls that are over, with the last Listen that came since: it may be for a caller who is sent back."""
        self._jobs: set[asyncio.Task[None]] = set()
        self._inboxes: dict[Stream, Inbox] = {}
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        limits = StreamSettings(
            threshold=settings.vad_threshold,
            pre_roll_chunks=settings.pre_roll_chunks,
            end_silence_ms=round(settings.silence_threshold_s * 1_000),
            max_samples=settings.max_buffer_samples,
            chunk_samples=settings.chunk_samples,
        )
        self._media = MediaThread(
            self._sock, vad, limits, self._reports_from_thread, self._unknown_from_thread, settings.audio_lost_s
        )
        self._lag = LoopLag()
        self._strain = ReceiverStrain(self._media.counts, lambda: self._lag.recent_s)
        self._recognition = Recognition(recogniser, self._send, judge, self._strain.posted)
        self._follows = follows
        self._take_over = TakeOver(self._state, self._media, settings.receiver_id, self._send, self._spawn)

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
        return (True, "") if self.redis_up and len(self._inboxes) == 2 else (False, "redis is away")

    async def run(self) -> None:
        """Receives until cancelled. Raises when a part of it dies."""
        show_outbox(lambda: len(self.outbox), lambda: self.outbox.dropped)
        collector = metrics.MediaCollector(
            self._media.counts,
            lambda: self._media.calls,
            lambda: self._media.held,
            lambda: kernel_drops(self._sock),
            self._inboxes,
        )
        REGISTRY.register(collector)
        await self._take_over.look_back(self._follows)
        self._media.start()
        buffer_bytes = receive_buffer_bytes(self._sock)
        log.info("receiving", extra={"rtp": shown(self.rtp_address), "buffer_bytes": buffer_bytes})
        if buffer_bytes < SMALL_BUFFER_BYTES:
            log.warning("small receive buffer: raise net.core.rmem_max", extra={"buffer_bytes": buffer_bytes})
        try:
            await run_together(
                self.outbox.run(),
                self._state.run(),
                self._events(),
                self._commands(),
                self._speaking(),
                self._check(),
                self._take_over.note_hearing(),
                self._lag.watch(),
                self._tell_strain(),
            )
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

    async def _tell_strain(self) -> None:
        await tell_strain(self._redis, self._cell, f"receiver/{self._settings.receiver_id}", self._strain.figures)

    def _send(self, event: Event) -> None:
        self.outbox.send(event)
        if isinstance(event, UtteranceTranscribed | RecognitionFailed):
            call = self._calls.get(event.call_id)
            if call is None or event.utterance >= call.utterance:  # else a newer one has begun, and is kept
                self._state.put("utterance", event.call_id, kept_utterance(event.utterance, None))

    # --- what comes from Redis ---

    async def _opened(self, stream: Stream) -> Inbox:
        """A reader that misses nothing from now on. Waits for Redis."""
        inbox = Inbox(self._redis, self._cell, stream, f"receiver-{self._settings.receiver_id}-{stream}")
        await inbox.opened()
        self._inboxes[stream] = inbox
        return inbox

    async def _events(self) -> None:
        inbox = await self._opened("events")
        async for entry in inbox.entries(pace_s=EVENTS_PACE_S):
            event = entry.message
            if isinstance(event, MediaStarted) and event.call_id not in self._ended:
                source = (event.source_host, event.source_port)
                await self._take_over.adopt(source, event.call_id, self._call(event.call_id))
            elif isinstance(event, CallEnded):
                self._end(event.call_id)
            elif isinstance(event, CallStarted):
                self._returned(event.call_id, entry.sent_ms)

    async def _commands(self) -> None:
        inbox = await self._opened("commands")
        async for entry in inbox.entries(pace_s=COMMANDS_PACE_S):
            command = entry.message
            if isinstance(command, EndUtterance):
                self._media.end_utterance(command)
            if not isinstance(command, Listen):
                continue
            if command.call_id in self._ended:
                self._ended[command.call_id] = entry
            else:
                self._listen(command)

    def _listen(self, command: Listen) -> None:
        if cell_of(command.call_id) not in ("", self._cell, self._cell + BROWSER):
            return  # a conversation in writing
        self._call(command.call_id).listen = command
        self._media.listen(command)
        self._state.put("listen", command.call_id, encode(command))

    def _returned(self, call_id: str, sent_ms: int) -> None:
        """A caller whom the dialplan sends back comes with the channel, and with a controller of version 1 so with the
        id, of the call before."""
        entry = self._ended.pop(call_id, None)
        if entry is not None and isinstance(entry.message, Listen) and entry.sent_ms >= sent_ms:
            self._listen(entry.message)

    async def _speaking(self) -> None:
        async for call_id, speaking in watch_speaking(self._redis):
            self._set_speaking(call_id, speaking)

    async def _check(self) -> None:
        """Redis' health; and a state that says the bot speaks is asked for again, should its end have been missed."""
        while True:
            speaking = [call_id for call_id, call in self._calls.items() if call.speaking]
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await try_write(self._redis, self._cell, "rtp_receiver")
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
            if call_id in self._ended or self._take_over.is_rest(call_id, heard):
                continue
            match heard:
                case Confirmed(listen, utterance):
                    metrics.SPEECH_STARTED.inc()
                    self._recognition.speech_began(call_id)
                    self.outbox.send(SpeechStarted(call_id, time.time(), listen.turn, utterance))
                    self._call(call_id).utterance = utterance
                    self._state.put("utterance", call_id, kept_utterance(utterance, listen.turn))
                case Segment():
                    self._recognition.take(call_id, heard)
                case Quiet():
                    self._recognition.settle(call_id, heard)
                case SpeechIgnored(cause):
                    metrics.IGNORED.labels(cause).inc()
                case Audible():
                    self._spawn(self._take_over.begin_to_hear(call_id))
                case Silent(silent_ms):
                    self._spawn(self._lost(call_id, silent_ms))

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
        await self._take_over.adopt(source, call_id, self._call(call_id))

    def _end(self, call_id: str) -> None:
        self._ended[call_id] = None
        if len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)
        self._calls.pop(call_id, None)
        self._take_over.forget(call_id)
        self._media.drop(call_id)
        self._recognition.drop(call_id)
        self._state.forget(call_id)

    def _call(self, call_id: str) -> KnownCall:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = KnownCall()
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
