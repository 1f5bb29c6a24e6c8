"""Makes the sound of items: recorded prompts from their files, speech by the speech service, as it is made there."""

from __future__ import annotations

import asyncio
import json
import logging
import wave
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import aiohttp
import numpy as np

from browser_audio import metrics
from browser_audio.playing import ItemSound
from browser_audio.sound import RATE_HZ, twice_as_fast
from forms import is_prompt
from observability.gate import bearer
from protocol.items import PromptItem, SpeechItem

log = logging.getLogger("browser_audio")

PROMPT_HZ: Final = 8_000
FIRST_S: Final = 3.0
"""A voice of which nothing comes for so long is given up."""
LONGEST_S: Final = 120.0
MOST_KEPT: Final = 400
"""Prompts that are kept in memory."""
BYTES_A_MS: Final = RATE_HZ * 2 // 1_000


class NoSound(Exception):
    """The sound of an item cannot be had; the text says why."""


class SoundMaker:
    """Makes sound. `prompts`: the folder of built prompts; `url`: the speech service's, empty: there is none;
    `apology`: the prompt that is said where speech could not be made, empty: none."""

    def __init__(self, prompts: Path, url: str, token: str, apology: str) -> None:
        self._prompts = prompts
        self._url = url and url.rstrip("/") + "/speech"
        self._headers = bearer(token)
        self._apology = apology
        self._kept: dict[Path, tuple[int, bytes]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Before the first item."""
        timeout = aiohttp.ClientTimeout(total=LONGEST_S, sock_connect=1.0, sock_read=FIRST_S)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)

    async def close(self) -> None:
        """After the last one."""
        if self._session is not None:
            await self._session.close()

    async def make(self, order: ItemSound, call_id: str) -> None:
        """Makes all of an item, into its `sound`. One that cannot be made says the apology, and that it failed."""
        try:
            match order.item:
                case PromptItem(name=name):
                    order.sound += (await self._prompt(order.language, name))[order.skip_ms * BYTES_A_MS :]
                case SpeechItem():
                    async for data in self._speech(order.item, order.language, order.skip_ms):
                        order.sound += data
                case _:
                    raise NoSound("a page cannot play it")
        except (NoSound, aiohttp.ClientError, OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            log.error("item not said", extra={"call_id": call_id, "reason": repr(error)})
            metrics.UNSAID.inc()
            order.failed = True
            if isinstance(order.item, SpeechItem) and self._apology:
                order.sound += await self._apologise(order.language)
        finally:
            order.whole = True

    async def _apologise(self, language: str) -> bytes:
        try:
            return await self._prompt(language, self._apology)
        except NoSound:
            return b""

    async def _prompt(self, language: str, name: str) -> bytes:
        if not is_prompt(name):
            raise NoSound(f"{name!r} is no name of a prompt")
        path = self._prompts / language / f"{name}.wav"
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise NoSound(f"{path}: {error}") from error
        kept = self._kept.get(path)
        if kept is None or kept[0] != changed:
            kept = changed, await asyncio.to_thread(prompt_of, path)
            self._kept[path] = kept
            if len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return kept[1]

    async def _speech(self, item: SpeechItem, language: str, skip_ms: int) -> AsyncGenerator[bytes]:
        """The pieces of an answer of `POST /speech`: a line of JSON, then so many bytes. Raises NoSound and what
        aiohttp raises."""
        if not self._url or self._session is None:
            raise NoSound("there is no speech service")
        body = {
            "text": item.text,
            "voice": item.voice,
            "language": item.language or language,
            "skip_ms": skip_ms,
            "sample_rate": RATE_HZ,
        }
        async with self._session.post(self._url, json=body, allow_redirects=False) as answer:
            if answer.status != 200:
                raise NoSound(f"the speech service answered {answer.status}")
            while line := await answer.content.readline():
                head = json.loads(line)
                if head.get("over") is True:
                    return
                yield await answer.content.readexactly(int(head["bytes"]))
        raise NoSound("the answer of the speech service has no end")


def prompt_of(path: Path) -> bytes:
    """A recording of ours, 8 kHz int16 mono, at 16 kHz. Raises NoSound."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (PROMPT_HZ, 2, 1):
                raise NoSound(f"{path} is no prompt of ours")
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NoSound(f"{path}: {error}") from error
    return twice_as_fast(np.frombuffer(data, "<i2").astype(np.int16)).astype("<i2").tobytes()
