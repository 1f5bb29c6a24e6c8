"""Makes part files: sound of the speech service, or the rest of a recording, becomes files that Asterisk plays.

Each item that is made has a task. It collects from the beginning on and hands parts over when its turn has come.
A service that breaks off is asked again for what is missing; one that leaves the caller in silence for `PATIENCE_S` is
given up: counted from when Asterisk has nothing of the call to play any more, however long a recording before it is.

Files are raw samples (`.sln`): of WAV, Asterisk loses a packet at some seams and spoils others. They are written under
another name and renamed, on a file system in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import wave
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import aiohttp

from ari_controller import metrics
from ari_controller.actions import Synthesise
from ari_controller.part_cutter import BYTES_A_MS, PACKET_BYTES, PartCutter
from observability.gate import bearer
from protocol.items import SpeechItem

log = logging.getLogger("pronto.controller")

PATIENCE_S: Final = 2.0
"""Of silence, while a voice makes a caller wait; then a recording says that it does not come."""
STUCK_S: Final = 10.0
"""Without a word of it an answer is asked for again; what a caller waits for is given up long before."""
AGAIN_S: Final = 0.1
LONGEST_S: Final = 120.0
SUFFIX: Final = ".sln"
FORGOTTEN_S: Final = 60.0
"""Files of no call that are older than this are removed."""


class NotMade(Exception):
    """The sound of an item cannot be had; the text says why."""


class FeedListener(Protocol):
    """Who plays the parts."""

    def fed(self, call_id: str, feed_id: str, file: str, ms: int, voice: str) -> None:
        """A part file is there."""

    def feed_over(self, call_id: str, feed_id: str, reason: str) -> None:
        """Nothing more comes; with a `reason` it is not whole."""


@dataclass
class ItemFeed:
    """One item that is being made."""

    order: Synthesise
    cutter: PartCutter = field(default_factory=lambda: PartCutter(0.0))
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """Parts may be handed over."""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    voice: str = ""
    came_bytes: int = 0
    reason: str = ""
    began_s: float = 0.0
    """When its turn came."""
    dry_s: float | None = None
    """Since when the caller has heard nothing for want of it; None while Asterisk has something to play."""
    task: asyncio.Task[None] | None = None


class SpeechFeeds:
    """The feeds of one controller. `url` is the speech service's, `/speech` below it."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        self._url = url.rstrip("/") + "/speech"
        self._headers = bearer(token)
        self._folder = folder
        self._session: aiohttp.ClientSession | None = None
        self._feeds: dict[tuple[str, str], ItemFeed] = {}
        self._written = 0
        self.listener: FeedListener | None = None

    @property
    def going_on(self) -> int:
        """How many items are being made."""
        return len(self._feeds)

    async def open(self) -> None:
        """Makes the folder and the client. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=1.0, sock_read=STUCK_S)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)

    async def close(self) -> None:
        """Ends the feeds; files that Asterisk still plays stay for the next controller."""
        for feed in list(self._feeds.values()):
            if feed.task is not None:
                feed.task.cancel()
        self._feeds.clear()
        if self._session is not None:
            await self._session.close()

    # --- what calls want ----------------------------------------------------------------------------------------------

    def begin(self, call_id: str, order: Synthesise) -> None:
        """Begins to make an item; asked for twice, it is made once."""
        key = (call_id, order.feed_id)
        if key not in self._feeds:
            feed = ItemFeed(order)
            self._feeds[key] = feed
            feed.task = asyncio.create_task(self._run(call_id, feed))

    def hand_over(self, call_id: str, feed_id: str, dry: bool) -> None:
        """The turn of an item has come; `dry`: nothing plays before it."""
        feed = self._feeds.get((call_id, feed_id))
        if feed is not None and not feed.turn.is_set():
            feed.began_s = feed.cutter.ends_s = time.monotonic()
            feed.dry_s = feed.began_s if dry else None
            feed.turn.set()

    def ran_dry(self, call_id: str, feed_id: str) -> None:
        """What was handed over, and what stood before it, has been played."""
        feed = self._feeds.get((call_id, feed_id))
        if feed is not None and feed.dry_s is None:
            feed.dry_s = time.monotonic()
            feed.more.set()

    def end(self, call_id: str, feed_id: str) -> None:
        """Nobody wants it any more."""
        feed = self._feeds.pop((call_id, feed_id), None)
        if feed is not None and feed.task is not None:
            feed.task.cancel()

    def end_call(self, call_id: str) -> None:
        """The call is over: its files go too."""
        for owner, feed_id in list(self._feeds):
            if owner == call_id:
                self.end(call_id, feed_id)
        for path in self._folder.glob(f"{call_id}_*"):
            path.unlink(missing_ok=True)

    def drop(self, file: str) -> None:
        """A part was played."""
        (self._folder / (file + SUFFIX)).unlink(missing_ok=True)

    def sweep(self, call_ids: Iterable[str]) -> None:
        """Removes what a controller that was killed left behind of calls that are over."""
        live = set(call_ids)
        for path in self._folder.glob("*_*_*"):
            with contextlib.suppress(OSError):
                if path.name.rsplit("_", 2)[0] not in live and time.time() - path.stat().st_mtime > FORGOTTEN_S:
                    path.unlink()
                    metrics.PARTS_SWEPT.inc()

    # --- one item -----------------------------------------------------------------------------------------------------

    async def _run(self, call_id: str, feed: ItemFeed) -> None:
        collecting = asyncio.create_task(self._collect(feed))
        reason = ""
        try:
            await self._cut(call_id, feed)
        except NotMade as error:
            reason = str(error)
        except OSError as error:
            reason = f"no part file: {error}"
        finally:
            collecting.cancel()
        if self._feeds.pop((call_id, feed.order.feed_id), None) is feed and self.listener is not None:
            metrics.SPEECH.labels("failed" if reason else "said").inc()
            self.listener.feed_over(call_id, feed.order.feed_id, reason)

    async def _cut(self, call_id: str, feed: ItemFeed) -> None:
        """Hands parts over until all were. Raises NotMade, OSError."""
        await feed.turn.wait()
        cutter, is_first = feed.cutter, True
        while True:
            feed.more.clear()
            now_s = time.monotonic()
            wait_s = cutter.wait_s(now_s)
            if wait_s == 0.0:
                data = cutter.part(now_s)
                if is_first:
                    metrics.SPEECH_FIRST.observe(now_s - feed.began_s)
                is_first = False
                self._hand_over(call_id, feed, data)
                continue
            if cutter.whole and not cutter.held_ms:
                if feed.reason:
                    raise NotMade(feed.reason)
                return
            if wait_s is None and feed.dry_s is not None:
                if now_s - feed.dry_s >= PATIENCE_S:
                    raise NotMade(feed.reason or f"silent for {PATIENCE_S:g} s")
                wait_s = max(0.01, feed.dry_s + PATIENCE_S - now_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.more.wait(), wait_s)

    def _hand_over(self, call_id: str, feed: ItemFeed, data: bytes) -> None:
        self._written += 1
        name = f"{call_id}_{time.time_ns() // 1_000_000}_{self._written}"
        part = self._folder / (name + ".tmp")
        part.write_bytes(data)
        part.rename(self._folder / (name + SUFFIX))
        feed.dry_s = None
        if self.listener is not None:
            self.listener.fed(call_id, feed.order.feed_id, name, len(data) // BYTES_A_MS, feed.voice)

    async def _collect(self, feed: ItemFeed) -> None:
        """Gets all of the sound; ends with `whole`, and a `reason` where some is missing."""
        order = feed.order
        try:
            if isinstance(order.item, SpeechItem):
                await self._speech(feed, order.item)
            else:
                self._take(feed, await asyncio.to_thread(rest_of, order.path, order.skip_ms))
        except NotMade as error:
            feed.reason = str(error)
        feed.cutter.whole = True
        feed.more.set()

    async def _speech(self, feed: ItemFeed, item: SpeechItem) -> None:
        """From the speech service, asked again for the rest where it breaks off. Raises NotMade."""
        while feed.came_bytes < LONGEST_S * 1_000 * BYTES_A_MS:
            try:
                async for data in self._pieces(feed, item):
                    self._take(feed, data)
                return
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
                feed.reason = f"the speech service: {error!r}"  # until it works, or whoever waits gives up
            await asyncio.sleep(AGAIN_S)
        raise NotMade(f"more than {LONGEST_S:g} s")

    async def _pieces(self, feed: ItemFeed, item: SpeechItem) -> AsyncIterator[bytes]:
        """One answer of it, without what came before. Raises NotMade for what it will never say."""
        assert self._session is not None
        body = {
            "text": item.text,
            "voice": feed.voice or item.voice,
            "language": feed.order.language,
            "skip_ms": feed.order.skip_ms + feed.came_bytes // BYTES_A_MS,
        }
        async with self._session.post(self._url, json=body, allow_redirects=False) as answer:
            if answer.status != 200:
                said = (await answer.text())[:200]
                if answer.status < 500:
                    raise NotMade(f"the speech service answered {answer.status}: {said}")
                raise aiohttp.ClientError(f"it answered {answer.status}: {said}")
            while line := await answer.content.readline():
                head = json.loads(line)
                if head.get("over") is True:
                    feed.reason = ""
                    return
                data = await answer.content.readexactly(int(head["bytes"]))
                feed.voice = str(head.get("voice", ""))
                yield data
        raise aiohttp.ClientError("its answer has no end")

    def _take(self, feed: ItemFeed, data: bytes) -> None:
        feed.cutter.add(data)
        feed.came_bytes += len(data)
        feed.more.set()


def rest_of(path: str, skip_ms: int) -> bytes:
    """A recording of ours without its first `skip_ms`: whole packets of int16 at 8 kHz. Raises NotMade."""
    try:
        with wave.open(path, "rb") as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (8_000, 2, 1):
                raise NotMade(f"{path} is no prompt of ours")
            file.setpos(min(file.getnframes(), skip_ms * BYTES_A_MS // 2))
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NotMade(f"{path}: {error}") from error
    return data + bytes(-len(data) % PACKET_BYTES) if data else bytes(PACKET_BYTES)
