"""The conversations of a back part, for the sockets of a front part: over HTTP, by URL and key, nothing kept here.

Who is killed on either side loses nothing: queries carry their references, and what is shown is read there each time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import msgspec

import forms
from config import TextSettings
from observability.drain import Drain
from observability.gate import bearer
from text_service import metrics
from text_service.conversation import Rating, TextConversation
from text_service.for_fronts import BEAT_S, CHANGES, CONVERSATION, OPENED, QUESTION
from text_service.parts import TextParts
from text_service.refusals import Unfit
from text_service.service import QueryAsked, TextBusy, UnknownMessage
from text_service.watching import Watchers

log = logging.getLogger("text_service")

CALL_S: Final = 5.0
"""Of one request, none of which waits for an answer of the bot."""
SILENT_S: Final = 2 * BEAT_S + 2.0
"""A stream of changes that says nothing for so long has lost its other end."""
WAITS_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
MOST_CONNECTIONS: Final = 100

_decode = msgspec.json.Decoder(TextConversation).decode


class BackPart:
    """What `sockets.py` needs of a service, asked of another process. `follow` has to run."""

    def __init__(self, settings: TextSettings) -> None:
        self.settings = settings
        self.answer_s = settings.text_back_s
        self.inside = 0
        self.drain = Drain(lambda: self.inside)
        self.watchers = Watchers()
        self.parts = TextParts("backend")
        self._url = settings.text_back_url.rstrip("/")
        self._headers = bearer(settings.text_back_key or settings.pronto_token)
        self._session: aiohttp.ClientSession | None = None

    async def conversation(self, client_id: str) -> TextConversation | None:
        """A client's conversation as it is now; None where nothing is known. Raises OSError while the back part is
        away."""
        status, body = await self._call("GET", f"{CONVERSATION}/{quote(client_id, safe='')}")
        if status == 404:
            return None
        if status != 200:
            raise ConnectionError(f"the back part answers {status}")
        try:
            return _decode(body)
        except msgspec.MsgspecError as error:
            raise ConnectionError("the back part answers what is no conversation") from error

    async def put_question(self, client_id: str, asked: QueryAsked) -> str:
        """The id of a query that is asked now, or was under this reference before; empty while the query before has
        no answer. Raises Unfit, and TextBusy while the back part is away."""
        question = {"client_id": client_id, "query": asked.text, "ref": asked.ref, "flow": asked.flow}
        body = await self._done("POST", QUESTION, question)
        return str(_object(body).get("message_id", ""))

    async def open_link(self, client_id: str, secret: str) -> None:
        """Has that begun what a link leads to. Raises Unfit and TextBusy."""
        await self._done("POST", OPENED, {"client_id": client_id, "link": secret})

    async def rate(self, client_id: str, message_id: str, rating: Rating) -> None:
        """Has it kept what a client thinks of an answer. Raises UnknownMessage, Unfit and TextBusy."""
        value = int(rating.rating) if rating.rating.isdigit() else rating.rating
        feedback = {"client_id": client_id, "message_id": message_id, "rating": value, "comment": rating.comment}
        try:
            await self._done("POST", "/api/text/feedback", feedback)
        except Unfit as error:
            if error.status == 404:
                raise UnknownMessage(message_id) from None
            raise

    async def forget(self, client_id: str) -> None:
        """Has a conversation ended and forgotten. Raises TextBusy."""
        await self._done("DELETE", f"/api/text/history/{quote(client_id, safe='')}")

    async def has_flow(self, name: str) -> bool:
        """Whether there is such a flow; while the back part is away, whether there may be."""
        if not forms.is_flow(name):
            return False
        try:
            status, body = await self._call("GET", "/api/text/flows")
        except OSError:
            return True  # asked again with the first query
        return status != 200 or name in _object(body).get("flows", [])

    def answered(self, first_s: float, whole_s: float) -> None:
        """A query was answered: how long its first words and its whole answer took."""
        metrics.FIRST_WORDS_SECONDS.observe(first_s or whole_s)
        metrics.ANSWER_SECONDS.observe(whole_s)

    def too_late(self) -> None:
        """A query had no answer in time; how the back part is, it says itself."""

    async def look_at_parts(self) -> dict[str, Any]:
        """How the back part and what it needs are."""
        theirs: dict[str, Any] = {}
        with suppress(OSError):
            status, body = await self._call("GET", "/api/text/status")
            theirs = _object(body) if status == 200 else {}
        mine = self.parts.shown()
        known: dict[str, Any] = {name: theirs[name] for name in ("model", "store") if name in theirs}
        is_well = mine["status"] == "ok" and theirs.get("status") == "ok"
        return {**mine, **known, "status": "ok" if is_well else "degraded"}

    async def follow(self) -> None:
        """Hears of the changes, for ever; whoever waits looks again after each connection, and when one is lost."""
        failures = 0
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CALL_S, sock_read=SILENT_S)
        connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS)
        async with aiohttp.ClientSession(headers=self._headers, connector=connector) as session:
            self._session = session
            while True:
                try:
                    url = self._url + CHANGES
                    async with session.get(url, timeout=timeout, allow_redirects=False) as answer:
                        if answer.status != 200:
                            raise ConnectionError(f"the back part answers {answer.status}")
                        failures = 0
                        self._is_there()
                        await self.watchers.tell_all()
                        async for line in answer.content:
                            if line.startswith(b"data: "):
                                await self.watchers.tell(line[6:].strip().decode("ascii", "replace"))
                    reason = "the stream has ended"
                except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
                    reason = repr(error)
                if failures:
                    self._is_away(reason)
                await self.watchers.tell_all()
                await asyncio.sleep(WAITS_S[min(failures, len(WAITS_S) - 1)])
                failures += 1

    async def _done(self, method: str, path: str, body: Any = None) -> bytes:
        try:
            status, data = await self._call(method, path, body)
        except OSError as error:
            raise TextBusy("the back part is away") from error
        if status < 300:
            return data
        if status >= 500 or status in (401, 403):
            raise TextBusy(f"the back part answers {status}")
        refused = _object(data)
        retry_after_s = 60 if status == 429 else 0
        raise Unfit(status, str(refused.get("error", "error")), str(refused.get("detail", "")), retry_after_s)

    async def _call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        if self._session is None:
            raise ConnectionError("not connected yet")
        try:
            async with self._session.request(
                method, self._url + path, json=body, timeout=aiohttp.ClientTimeout(total=CALL_S), allow_redirects=False
            ) as answer:
                data = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._is_away(repr(error))
            raise ConnectionError("the back part is away") from error
        if answer.status in (401, 403):
            self._is_away("the key is not the back part's")
        elif answer.status < 500:
            self._is_there()
        return answer.status, data

    def _is_there(self) -> None:
        if self.parts.state("backend") != "ok":
            log.info("the back part is there again")
        self.parts.note("backend", "ok")

    def _is_away(self, reason: str) -> None:
        if self.parts.state("backend") != "down":
            log.warning("the back part is away", extra={"reason": reason})
        self.parts.note("backend", "down", reason.partition("(")[0])


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}
