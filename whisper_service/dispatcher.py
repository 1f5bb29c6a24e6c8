"""One HTTP request's way to the transcriber: its deadline, its client's patience, and the status of what goes wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from fastapi import Request

from whisper_service import metrics
from whisper_service.audio import BadAudio
from whisper_service.batcher import Closed
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.languages import language_code
from whisper_service.service import Service
from whisper_service.transcriber import Busy, TooLate, Transcript, TranscriptionRequest, UnknownLanguage, hints_of

log = logging.getLogger("whisper_service")

STATUS_OF_FAULT: Final = {
    "empty": 400,
    "not_audio": 400,
    "truncated": 400,
    "unsupported": 415,
    "not_finite": 422,
    "too_short": 422,
    "too_long": 413,
    "too_slow": 422,
}
CLIENT_GONE: Final = 499
"""Nobody reads it; nginx's number for logs and counters."""


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Dispatcher:
    """Takes a request to the transcriber and brings back the transcript, or the error as a Refusal."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(
        self,
        request: Request,
        arrived: float,
        audio: bytes,
        language: str,
        hints: list[str],
        deadline_ms: int | None,
        temperature: float = 0.0,
        awaited: Awaited = ANYTHING,
    ) -> Transcript:
        """The transcript, in time or not at all; `language` by any name that clients use. Raises Refusal."""
        allowed_ms = min(self._service.settings.whisper_deadline_ms, deadline_ms or 600_000, _header_deadline(request))
        expires_at = arrived + allowed_ms / 1000
        wanted = TranscriptionRequest(audio, language_code(language), hints_of(hints), temperature, awaited, expires_at)
        outcome = "error"
        try:
            transcript = await self._ask(request, wanted)
            outcome = "refused" if transcript.reason else "text"
        except BadAudio as error:
            outcome = error.fault
            raise Refusal(STATUS_OF_FAULT[error.fault], error.fault, str(error)) from None
        except UnknownLanguage as error:
            outcome = "language"
            raise Refusal(422, "language", str(error)) from None
        except Busy:
            outcome = "busy"
            raise Refusal(503, "busy", "as many requests are inside as can be answered in time") from None
        except Closed:
            outcome = "stopping"
            raise Refusal(503, "not_ready", "the service is stopping") from None
        except TooLate:
            outcome = "too_late"
            raise Refusal(504, "too_late", f"not answered within {allowed_ms} ms") from None
        except Refusal as error:
            outcome = error.code
            raise
        except Exception as error:
            log.exception("a request failed")
            raise Refusal(500, "engine", f"the engine failed: {type(error).__name__}") from error
        finally:
            metrics.REQUESTS.labels(request.url.path, outcome).inc()
            metrics.PROCESSING.observe(time.monotonic() - arrived)
        metrics.AUDIO.inc(transcript.duration_s)
        if transcript.reason:
            metrics.REFUSALS.labels(transcript.reason).inc()
        if transcript.decoded and transcript.decoded.runs > 1:
            metrics.SECOND_RUNS.inc()
        return transcript

    async def _ask(self, request: Request, wanted: TranscriptionRequest) -> Transcript:
        """Asks, and stops asking when the client hangs up."""
        transcriber = self._service.transcriber
        if transcriber is None:
            raise Refusal(503, "not_ready", self._service.reason)
        with transcriber.enter():
            work = asyncio.ensure_future(transcriber.transcribe(wanted))
            gone = asyncio.ensure_future(_hang_up(request))
            try:
                await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    return work.result()
                raise Refusal(CLIENT_GONE, "client_gone", "the client hung up")
            finally:
                work.cancel()
                gone.cancel()
                # what it raises now is for nobody: a queue that was full, say, at the moment when the client hung up
                await asyncio.gather(work, gone, return_exceptions=True)

    def fields(self, transcript: Transcript, arrived: float) -> dict[str, Any]:
        """What both endpoints of the specification add to their text."""
        decoded = transcript.decoded
        return {
            "confidence": round(transcript.confidence, 4),
            "reason": transcript.reason,
            "flags": list(transcript.flags),
            "language": transcript.language,
            "duration": round(transcript.duration_s, 3),
            "no_speech_prob": round(decoded.no_speech_prob, 4) if decoded else None,
            "processing_time": round(time.monotonic() - arrived, 4),
            "model": self._service.models.get(transcript.language, self._service.model_name),
        }


async def _hang_up(request: Request) -> None:
    """Ends when the client closes its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _header_deadline(request: Request) -> int:
    """Milliseconds of the header `X-Deadline-Ms`, or very many. Raises Refusal."""
    text = request.headers.get("x-deadline-ms")
    if text is None:
        return 600_000
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 600_000:
        raise Refusal(422, "invalid", "X-Deadline-Ms: must be a whole number of milliseconds from 1 to 600000")
    return int(text)
