"""Has the speech service make what flows say as it stands in them, before a caller waits for it.

It is asked again every minute: what it has it gives at once, and one that was started again has nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

import aiohttp

from observability.gate import bearer

log = logging.getLogger("pronto.calls")

EVERY_S: Final = 60.0
LONGEST_S: Final = 20.0
"""For one text."""


class SpeechAhead:
    """Asks one speech service, `/speech` below `url`; `texts` gives languages and texts, as they are now."""

    def __init__(self, url: str, token: str, texts: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._url = url.rstrip("/") + "/speech"
        self._headers = bearer(token)
        self._texts = texts

    async def run(self) -> None:
        """For ever; that the service is away is none of a call's business."""
        while True:
            try:
                await self.prepare()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.debug("nothing was said ahead", extra={"reason": repr(error)})
            await asyncio.sleep(EVERY_S)

    async def prepare(self) -> int:
        """Once, one text after the other so that callers come first; how many were made. Raises ClientError,
        TimeoutError."""
        made = 0
        timeout = aiohttp.ClientTimeout(total=LONGEST_S)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            for language, text in self._texts():
                body = {"text": text, "language": language}
                async with session.post(self._url, json=body, allow_redirects=False) as answer:
                    await answer.read()
                    made += answer.status == 200
        return made
