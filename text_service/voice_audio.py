"""The answers of `POST /api/voice/process` as sound: where each is fetched, and the speech service that speaks it.

Nothing is kept: an address names an answer in the history of its session, and is spoken when it is fetched, in a voice
of the flow's language. Where that cannot be done the conversation goes on in text.
"""

from __future__ import annotations

import logging
from typing import Final

import aiohttp
from starlette.requests import Request
from starlette.responses import Response

from observability.gate import bearer
from text_service.conversation import TextConversation
from text_service.refusals import Unfit, client_of
from text_service.service import TextAnswer, TextService, busy_while_away

log = logging.getLogger("text_service")

AUDIO: Final = "/api/voice/audio/{session_id}/{answer_id}"
RATE_HZ: Final = 24_000
LIMIT_S: Final = 10.0
MOST_TEXT: Final = 4_000
"""Characters; the speech service takes so many at once."""


def audio_of(now: TextConversation, answer: TextAnswer | None, is_spoken: bool) -> str | None:
    """Where an answer is fetched as sound; None: there is nothing to hear, or nobody who speaks."""
    if answer is None or not answer.messages or not is_spoken:
        return None
    return AUDIO.format(session_id=now.client_id, answer_id=answer.message_id)


class VoiceAudio:
    """The endpoint."""

    def __init__(self, service: TextService) -> None:
        self._service = service

    async def fetch(self, request: Request) -> Response:
        """The answer as WAV, 16 bits, 24 kHz, one channel. Raises Unfit."""
        session_id = client_of(request.path_params["session_id"])
        with busy_while_away():
            now = await self._service.conversation(session_id)
        said = [one.content for one in now.answers_to(request.path_params["answer_id"])] if now else []
        if now is None or not said:
            raise Unfit(404, "unknown_answer", "there is no such answer")
        body = {
            "input": "\n".join(said)[:MOST_TEXT],
            "language": now.flow.partition("/")[0],
            "response_format": "wav",
            "sample_rate": RATE_HZ,
        }
        return Response(await self._spoken(body, now.call_id), media_type="audio/wav")

    async def _spoken(self, body: dict[str, object], call_id: str) -> bytes:
        url, token = self._service.settings.speech_url, self._service.settings.pronto_token
        if not url:
            raise Unfit(503, "no_speech", "there is no speech service")
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(f"{url}/v1/audio/speech", json=body, headers=bearer(token), allow_redirects=False) as answer,
            ):
                if answer.status == 200:
                    return await answer.read()
                reason = str(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__
        log.warning("an answer is not spoken", extra={"call_id": call_id, "reason": reason})
        raise Unfit(503, "no_speech", "the answer cannot be spoken now", 1)
