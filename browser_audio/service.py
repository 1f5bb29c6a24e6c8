"""All calls from web pages of one process: they come by WebSocket, what the bot manager wants of them by the bus."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import Counter, OrderedDict
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.websockets import WebSocket, WebSocketDisconnect

from audio_prompts.texts import PromptTexts
from browser_audio import metrics
from browser_audio.call import BrowserCall
from browser_audio.frames import BadText, HelloCall, call_frame_of, call_frame_text
from browser_audio.live_pages import TOLD_EVERY_S, LivePages
from browser_audio.making import SoundMaker
from browser_audio.recording import CallRecording
from browser_audio.sound import FRAME_MS
from config import BrowserSettings
from forms import is_flow
from observability.drain import Drain
from observability.rate import Rate
from protocol.bus import Inbox, Outbox
from protocol.call_id import BROWSER, RANDOM_BYTES, cell_of, new_call_id
from protocol.draining import read_draining
from protocol.lease import driven_calls
from protocol.media import forget_source, read_source, write_source
from protocol.messages import (
    Append,
    CallEnded,
    CallStarted,
    Command,
    Event,
    MediaStarted,
    Say,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from protocol.speaking import forget_speaking, write_speaking
from protocol.steady import steady_time
from protocol.strain import read_strain

log = logging.getLogger("browser_audio")

HELLO_S: Final = 10.0
UNDRIVEN_S: Final = 20.0
"""A caller whom no bot manager drives for so long is told that nobody can answer."""
ENDED_S: Final = 5.0
"""Longer than a call takes from its end to its last word on the bus."""
LATE_S: Final = 0.5
LOOK_S: Final = 0.5
REDIS_S: Final = 2.0
MOST_ENDED: Final = 2_000
TRY_AGAIN: Final = 1013
"""Code of the closing: try again later (IANA's registry of RFC 6455)."""
POLICY: Final = 1008


class PageRefused(Exception):
    """A page that gets no call; the text is the code that it is told."""


class BrowserCalls:
    """The calls, and the loops beside them: run them all until cancelled."""

    def __init__(
        self, settings: BrowserSettings, redis: Redis, outbox: Outbox, texts: PromptTexts, maker: SoundMaker
    ) -> None:
        self.settings = settings
        self.calls: dict[str, BrowserCall] = {}
        self.drain = Drain(lambda: len(self.calls))
        self._redis = redis
        self._outbox = outbox
        self._texts = texts
        self._maker = maker
        self._live = LivePages(redis, settings.cell)
        self._of_address: Counter[str] = Counter()
        self._begun = Rate(settings.browser_address_rate)
        self._any = asyncio.Event()
        self._spoken: asyncio.Queue[tuple[str, bool | None]] = asyncio.Queue()
        """Calls and whether the bot speaks in them; None: the call is over."""
        self._ended: OrderedDict[str, None] = OrderedDict()

    # --- for the calls ------------------------------------------------------------------------------------------------

    def send(self, event: Event) -> None:
        """Tells the bus."""
        self._outbox.send(event)

    def speaks(self, call_id: str, speaking: bool) -> None:
        """Shares whether the bot speaks, in order."""
        self._spoken.put_nowait((call_id, speaking))

    def texts(self, language: str, say: Say | Append) -> str:
        """What the page shows of what is said."""
        return self._texts(language, say.items)

    # --- pages come ---------------------------------------------------------------------------------------------------

    async def serve(self, web_socket: WebSocket) -> None:
        """Serves one page, from its opening to its end."""
        address = web_socket.client.host if web_socket.client else ""
        await web_socket.accept()
        try:
            async with asyncio.timeout(HELLO_S):
                hello = await self._hello(web_socket)
        except TimeoutError:
            await web_socket.close(POLICY)
            return
        except WebSocketDisconnect:
            return
        if hello is None:
            await web_socket.close(POLICY)
            return
        self._of_address[address] += 1
        try:
            await self._admit(address)
            call = await self._begin(web_socket, hello.flow)
        except PageRefused as error:
            metrics.REFUSED.labels(str(error)).inc()
            await web_socket.send_text(call_frame_text("refused", code=str(error)))
            await web_socket.close(TRY_AGAIN)
        except (WebSocketDisconnect, OSError):
            pass  # the page is gone
        else:
            try:
                await call.run(self.settings.browser_ping_s)
            finally:
                await asyncio.shield(self._over(call))
        finally:
            self._of_address[address] -= 1
            self._of_address += Counter()  # without the zeros

    async def _hello(self, web_socket: WebSocket) -> HelloCall | None:
        message = await web_socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        try:
            frame = call_frame_of(message.get("text") or "")
        except BadText:
            return None
        return frame if isinstance(frame, HelloCall) and (not frame.flow or is_flow(frame.flow)) else None

    async def _admit(self, address: str) -> None:
        """Raises PageRefused for a page that gets no call now."""
        settings, now_s = self.settings, time.monotonic()
        if self.drain.is_draining:
            raise PageRefused("draining")
        if len(self.calls) >= settings.browser_calls or self._of_address[address] > settings.browser_address_calls:
            raise PageRefused("busy")
        if self._begun.wait_s(address, now_s):
            raise PageRefused("too_many_requests")
        try:
            async with asyncio.timeout(REDIS_S):
                drained_by = await read_draining(self._redis, settings.cell)
                strain = max((await read_strain(self._redis, settings.cell)).values(), default=0.0)
        except (RedisError, OSError) as error:
            log.warning("redis is away", extra={"error": repr(error)})
            raise PageRefused("unavailable") from error
        if drained_by or (settings.strain_limit and strain >= settings.strain_limit):
            raise PageRefused("busy")
        self._begun.count(address, now_s)

    async def _begin(self, web_socket: WebSocket, flow: str) -> BrowserCall:
        """A new call, announced to everybody. Raises PageRefused."""
        settings, at = self.settings, steady_time()
        call_id = new_call_id(settings.cell + BROWSER, round(at * 1_000), os.urandom(RANDOM_BYTES))
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtp.setblocking(False)
            rtp.connect((settings.rtp_host, settings.rtp_port))
            host, port = rtp.getsockname()
            async with asyncio.timeout(REDIS_S):
                await write_source(self._redis, settings.cell, host, port, call_id)
                await self._live.begun(call_id)
        except (RedisError, OSError) as error:
            rtp.close()
            log.warning("call not begun", extra={"error": repr(error)})
            raise PageRefused("unavailable") from error
        call = BrowserCall(call_id, web_socket, rtp, self._maker, self)
        if settings.record_calls:
            call.recording = CallRecording(settings.recordings_dir, call_id)
        self.calls[call_id] = call
        self._any.set()
        metrics.STARTED.inc()
        log.info("call started", extra={"call_id": call_id, "flow": flow})
        call.welcome(settings.browser_ping_s)
        self.send(CallStarted(call_id, at, "", "", flow, direction="browser"))
        self.send(MediaStarted(call_id, at, host, port))
        return call

    async def _over(self, call: BrowserCall) -> None:
        """After the end of a call: told, and nothing of it is left."""
        call_id = call.call_id
        self.calls.pop(call_id, None)
        self._remember_ended(call_id)
        self._forget_speaking(call_id, call.speaker.speaking)
        call.tell_end()
        host, port = call.rtp.getsockname()
        call.rtp.close()
        try:
            async with asyncio.timeout(REDIS_S):
                if await read_source(self._redis, self.settings.cell, host, port) == call_id:
                    await forget_source(self._redis, self.settings.cell, host, port)
                if await self._outbox.flush():  # until Redis has its CallEnded, another process may have to tell it
                    await self._live.over(call_id)
        except (RedisError, OSError) as error:
            log.warning("redis is away", extra={"error": repr(error)})

    def _forget_speaking(self, call_id: str, spoke: bool) -> None:
        if spoke:
            self._spoken.put_nowait((call_id, False))
        self._spoken.put_nowait((call_id, None))

    def _remember_ended(self, call_id: str) -> None:
        self._ended[call_id] = None
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

    async def end_all(self) -> None:
        """The service stops: what still goes on ends, and the callers are told."""
        for call in self.calls.values():
            call.end("lost", "restarting")
        await self.drain.finished(ENDED_S)

    # --- the bus ------------------------------------------------------------------------------------------------------

    async def read_commands(self, inbox: Inbox) -> None:
        """What the bot manager wants, for ever."""
        async for entry in inbox.entries():
            command = entry.message
            if not isinstance(command, Command) or cell_of(command.call_id) != self.settings.cell + BROWSER:
                continue
            if (call := self.calls.get(command.call_id)) is not None:
                call.command(command)
            elif command.call_id not in self._ended:
                await self._tell_lost(command.call_id)

    async def _tell_lost(self, call_id: str) -> None:
        """A command for a call that no process has: who drives it is told once that it is lost."""
        try:
            if await self._live.knows(call_id):
                return  # another process has it, or `watch_left_behind` will tell
        except (RedisError, OSError):
            return
        self._remember_ended(call_id)
        self.send(CallEnded(call_id, steady_time(), "lost"))

    async def read_events(self, inbox: Inbox) -> None:
        """What the receiver and the bot manager tell of our calls, for their pages, for ever."""
        async for entry in inbox.entries():
            event = entry.message
            if isinstance(event, UtteranceGuessed | UtteranceTranscribed | TurnTaken):
                call = self.calls.get(event.call_id)
                if call is not None:
                    call.event(event)

    async def share_speaking(self) -> None:
        """Writes whether the bot speaks, for ever."""
        while True:
            call_id, speaking = await self._spoken.get()
            if speaking is None:
                await forget_speaking(self._redis, call_id)
            else:
                await write_speaking(self._redis, call_id, speaking)

    # --- time ---------------------------------------------------------------------------------------------------------

    async def keep_time(self) -> None:
        """Lets time go by for every call, 20 ms at a time, for ever."""
        while True:
            self._any.clear()
            if not self.calls:
                await self._any.wait()
            due_s = time.monotonic()
            while self.calls:
                for call in list(self.calls.values()):
                    if not call.ended.is_set():
                        call.tick()
                due_s += FRAME_MS / 1_000
                now_s = time.monotonic()
                if now_s - due_s > LATE_S:  # the process was stopped, or everything is too slow
                    metrics.LATE_TICKS.inc((now_s - due_s) * 1_000 / FRAME_MS)
                    due_s = now_s
                await asyncio.sleep(max(0.0, due_s - now_s))

    async def watch_calls(self) -> None:
        """Says which calls live, and ends those that take too long or that nobody drives, for ever."""
        told_s = 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            metrics.CALLS.set(len(self.calls))
            now_s = time.monotonic()
            try:
                async with asyncio.timeout(REDIS_S):
                    if now_s - told_s >= TOLD_EVERY_S:
                        told_s = now_s
                        await self._live.go_on(list(self.calls))
                        for call_id in await self._live.left_behind():
                            log.warning("call of a process that has ended", extra={"call_id": call_id})
                            self._remember_ended(call_id)
                            self.send(CallEnded(call_id, steady_time(), "lost"))
                            self._forget_speaking(call_id, True)
                    driven = await driven_calls(self._redis, self.settings.cell) if self.calls else frozenset()
            except (RedisError, OSError) as error:
                log.warning("redis is away", extra={"error": repr(error)})
                driven = frozenset()
            now_s = time.monotonic()
            for call_id, call in list(self.calls.items()):
                if call_id in driven:
                    call.driven_s = now_s
                elif now_s - call.driven_s > UNDRIVEN_S:
                    call.end("lost", "unavailable")
                if now_s - call.began_s > self.settings.browser_max_call_s:
                    call.end("other", "too_long")
