"""One call from a web page: its socket, its source of RTP, what is said in it, its recording and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections import deque
from typing import Final, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from browser_audio import metrics
from browser_audio.frames import (
    BadText,
    ByeCall,
    CallFrame,
    FlushedFrames,
    HelloCall,
    PlayedFrames,
    PongCall,
    PressedKey,
    call_frame_of,
    call_frame_text,
)
from browser_audio.making import SoundMaker
from browser_audio.playing import CallVoice, NothingToSay
from browser_audio.progress import CallProgress, PageFrame
from browser_audio.recording import CallRecording
from browser_audio.sound import BadFrame, frame_of, numbered, rtp_packet
from protocol.messages import (
    Append,
    CallEnded,
    Command,
    DtmfReceived,
    EndReason,
    Event,
    HangUp,
    Listen,
    RequestRefused,
    Say,
    StopPlayback,
    TransferCall,
)
from protocol.steady import steady_time

log = logging.getLogger("browser_audio")

MISSED_PINGS: Final = 3
FLOOD: Final = 2_000
FLOOD_S: Final = 10.0
"""More frames in so long are a flood: a page sends 60 a second, and a burst after its network was away."""
MOST_JUMP: Final = 1_500
"""Frames that are missing at once: 30 s of a page that slept."""
MOST_OUTGOING: Final = 250
"""Frames that wait for a page: 5 s of sound; one that takes none is gone."""
CLOSE_S: Final = 1.0


class CallKeeper(Protocol):
    """What a call needs of the service."""

    def send(self, event: Event) -> None:
        """Tells the bus."""

    def speaks(self, call_id: str, speaking: bool) -> None:
        """Shares whether the bot speaks."""

    def texts(self, language: str, say: Say | Append) -> str:
        """What the page shows of what is said."""


class BrowserCall:
    """One call, from its welcome to its end. `ended` is set when it is over; `why` is what the page is told of it."""

    def __init__(
        self, call_id: str, web_socket: WebSocket, rtp: socket.socket, maker: SoundMaker, keeper: CallKeeper
    ) -> None:
        """`rtp` is connected to the receiver."""
        self.call_id = call_id
        self.began_s = time.monotonic()
        self.driven_s = self.began_s
        """When a bot manager last said that it drives this call."""
        self.ended = asyncio.Event()
        self.why = ""
        self.recording: CallRecording | None = None
        self.speaker = CallVoice(call_id)
        self._progress = CallProgress()
        self._web_socket = web_socket
        self.rtp = rtp
        self._ssrc = int.from_bytes(os.urandom(4))
        self._maker = maker
        self._keeper = keeper
        self._reason: EndReason = "lost"
        self._language = ""
        self._spoke = False
        self._heard = -1
        """Number of the last frame of the caller's."""
        self._frames: deque[float] = deque(maxlen=FLOOD)
        self._outgoing: deque[str | bytes] = deque()
        self._comes = asyncio.Event()
        self._missed = 0
        self._stopped_s = 0.0
        self._making: set[asyncio.Task[None]] = set()
        self._is_told = False

    # --- from its page ------------------------------------------------------------------------------------------------

    async def run(self, ping_s: float) -> None:
        """Serves until the call is over; then the page has been told why."""
        tasks = [asyncio.create_task(one) for one in (self._read(), self._write(), self._ping(ping_s))]
        try:
            await self.ended.wait()
            self._queue("ended", reason=self.why)
            await self._flushed()
        finally:
            for task in (*tasks, *self._making):
                task.cancel()
            await asyncio.gather(*tasks, *self._making, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                message = await self._web_socket.receive()
                if message["type"] == "websocket.disconnect":
                    # the page was closed or left, or its network went
                    is_clean = message.get("code") in (1000, 1001)
                    self.end("caller_hung_up" if is_clean else "lost", "gone")
                    return
                now_s = time.monotonic()
                if len(self._frames) == FLOOD and now_s - self._frames[0] < FLOOD_S:
                    self.end("lost", "flood")
                    return
                self._frames.append(now_s)
                try:
                    if message.get("bytes") is not None:
                        self._take_sound(message["bytes"])
                    else:
                        self._take(call_frame_of(message["text"]))
                except (BadFrame, BadText) as error:
                    self._queue("error", code="invalid_input", detail=str(error)[:200])
        except (WebSocketDisconnect, OSError, RuntimeError):
            self.end("lost", "gone")
        except Exception:
            log.exception("bug in a call", extra={"call_id": self.call_id})
            self.end("lost", "error")

    def _take_sound(self, data: bytes) -> None:
        number, pcm = frame_of(data)
        if not self._heard < number <= self._heard + MOST_JUMP:
            raise BadFrame("its number does not follow")
        self._heard = number
        with contextlib.suppress(OSError):  # no receiver, or its buffer is full: AudioLost tells
            self.rtp.send(rtp_packet(number, self._ssrc, pcm))
        if self.recording is not None:
            self.recording.heard(pcm)

    def _take(self, frame: CallFrame) -> None:
        at = steady_time()
        match frame:
            case PlayedFrames(number=number):
                self._tell(self.speaker.has_played(number, at))
            case FlushedFrames(number=number, until=until):
                if self.speaker.stopped and until == self.speaker.next_number:
                    metrics.BARGE_IN_SECONDS.observe(time.monotonic() - self._stopped_s)
                    self._tell(self.speaker.settled(number, at))
            case PressedKey(digit=digit):
                self._keeper.send(DtmfReceived(self.call_id, at, digit))
            case PongCall():
                self._missed = 0
            case ByeCall():
                self.end("caller_hung_up", "hung_up")
            case HelloCall():
                raise BadText("hello was said already")

    # --- to its page --------------------------------------------------------------------------------------------------

    def _queue(self, kind: str, **fields: object) -> None:
        self._put(call_frame_text(kind, **fields))

    def _put(self, frame: str | bytes) -> None:
        self._outgoing.append(frame)
        self._comes.set()
        if len(self._outgoing) > MOST_OUTGOING:
            self.end("lost", "slow")

    def _show(self, frames: list[PageFrame]) -> None:
        for kind, fields in frames:
            self._queue(kind, **fields)

    async def _write(self) -> None:
        try:
            while True:
                await self._comes.wait()
                self._comes.clear()
                while self._outgoing:
                    frame = self._outgoing.popleft()
                    if isinstance(frame, bytes):
                        await self._web_socket.send_bytes(frame)
                    else:
                        await self._web_socket.send_text(frame)
                if self.ended.is_set():
                    return
        except (WebSocketDisconnect, OSError, RuntimeError):
            self.end("lost", "gone")

    async def _flushed(self) -> None:
        """Sends what waits, and closes, as far as the page takes it."""
        try:
            async with asyncio.timeout(CLOSE_S):
                while self._outgoing and self._web_socket.application_state == WebSocketState.CONNECTED:
                    if self.why in ("gone", "slow", "silent"):
                        return
                    await asyncio.sleep(0.005)
                await self._web_socket.close()
        except (WebSocketDisconnect, OSError, RuntimeError, TimeoutError):
            pass  # it is gone

    async def _ping(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            if self._missed >= MISSED_PINGS:
                self.end("lost", "silent")
                return
            self._missed += 1
            self._queue("ping")

    # --- from the bus -------------------------------------------------------------------------------------------------

    def welcome(self, ping_s: float) -> None:
        """The first that the page is told."""
        self._queue("welcome", call_id=self.call_id, ping_s=ping_s)
        self._show(self._progress.shown())

    def command(self, command: Command) -> None:
        """What the bot manager wants."""
        at = steady_time()
        try:
            match command:
                case Say():
                    self._language = command.language
                    known = len(self.speaker.queue)
                    self.speaker.say(
                        command.playback_id, command.language, command.items, command.offset_ms, command.open
                    )
                    if len(self.speaker.queue) > known:
                        self._say_shown(command)
                case Append():
                    self.speaker.append(command.playback_id, command.items, command.last)
                    self._say_shown(command)
                case StopPlayback():
                    self._stop(at)
                case Listen():
                    self._show(self._progress.listens(command, self._is_busy))
                case TransferCall():
                    self.end("transferred", "transferred")
                case HangUp():
                    self.end("bot_hung_up", "bot_hung_up")
        except NothingToSay as error:
            self._keeper.send(RequestRefused(self.call_id, at, type(command).__name__, str(error)))
        self._make()

    @property
    def _is_busy(self) -> bool:
        return self.speaker.speaking or bool(self.speaker.queue)

    def _say_shown(self, command: Say | Append) -> None:
        if text := self._keeper.texts(self._language, command):
            self._queue("said", text=text)

    def _stop(self, at: float) -> None:
        until, events = self.speaker.stop(at)
        if until is not None:
            # what waits for the page of our sound is not sent any more
            self._outgoing = deque(frame for frame in self._outgoing if isinstance(frame, str))
            self._stopped_s = time.monotonic()
            self._queue("flush", until=until)
        if self.recording is not None:
            self.recording.silenced()
        self._tell(events)

    def event(self, event: Event) -> None:
        """What others tell of this call."""
        self._show(self._progress.event(event, self._is_busy))

    def tick(self) -> None:
        """20 ms went by."""
        number = self.speaker.next_number
        frames, events = self.speaker.tick(steady_time())
        for frame in frames:
            self._put(numbered(number, frame))
            number += 1
            if self.recording is not None:
                self.recording.said(frame)
        if self.recording is not None:
            self.recording.tick()
        self._tell(events)
        if frames or events:
            self._make()

    def _make(self) -> None:
        for order in self.speaker.to_make():
            task = asyncio.create_task(self._maker.make(order, self.call_id))
            self._making.add(task)
            task.add_done_callback(self._making.discard)

    def _tell(self, events: list[Event]) -> None:
        if self._is_told:
            return
        if self._spoke != self.speaker.speaking:
            self._spoke = self.speaker.speaking
            self._keeper.speaks(self.call_id, self._spoke)
        for event in events:
            self._keeper.send(event)
            self._show(self._progress.event(event, self._is_busy))

    # --- its end ------------------------------------------------------------------------------------------------------

    def end(self, reason: EndReason, why: str) -> None:
        """The call is over; what comes first counts."""
        if not self.ended.is_set():
            self._reason, self.why = reason, why
            self.ended.set()
            self._comes.set()

    def tell_end(self) -> None:
        """CallEnded, once."""
        if self._is_told:
            return
        self._is_told = True
        recording = self.recording.close() if self.recording is not None else ""
        self._keeper.send(CallEnded(self.call_id, steady_time(), self._reason, recording))
        metrics.ENDED.labels(self.why).inc()
        log.info("call ended", extra={"call_id": self.call_id, "reason": self.why})
