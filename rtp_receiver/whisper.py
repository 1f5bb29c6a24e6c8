"""Client of the Whisper service: audio in, transcript out, within a deadline.

One connection pool for all calls. A connection that breaks (the service restarts) is tried again until the deadline,
and so is a service that is not ready yet; a 503 that names when to come back is tried once more. The caller of
`transcribe` always gets an answer or a RecognitionError.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import pybase64

from observability.gate import bearer
from rtp_receiver.posts import BadAnswer, PostAnswer, Posts
from rtp_receiver.slin16 import Samples, wav_bytes

SHORTEST_RETRY_S, LONGEST_RETRY_S = 0.05, 0.4
_JSON = {"Content-Type": "application/json"}


class RecognitionError(Exception):
    """No transcript. `code`: unreachable, busy, too_late, refused or bad_answer; the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is posted. `file_name` names it in the logs of both sides."""

    call_id: str
    file_name: str
    language: str
    hints: tuple[str, ...]
    samples: Samples
    awaited: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecognisedText:
    """What came back. Empty text carries the reason."""

    text: str
    confidence: float
    reason: str
    processing_s: float


class WhisperClient:
    """Posts utterances to `url`; `deadline_s` is the longest wait for one transcript, retry included."""

    def __init__(self, url: str, deadline_s: float, token: str = "") -> None:
        """`token` is sent as a bearer's. Leave its context to close the connections."""
        self._posts = Posts(url, bearer(token) | _JSON)
        self._deadline_s = deadline_s

    async def __aenter__(self) -> WhisperClient:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._posts.close()

    async def transcribe(self, utterance: Utterance) -> RecognisedText:
        """The transcript. Raises RecognitionError."""
        ends_at = time.monotonic() + self._deadline_s
        failed: RecognitionError | None = None
        try:
            async with asyncio.timeout(self._deadline_s):
                busy, pause_s = 0, SHORTEST_RETRY_S
                while True:
                    try:
                        return await self._post(utterance, ends_at)
                    except _TryAgain as again:
                        failed = again.error
                        busy += failed.code == "busy"
                        wait_s = max(again.after_s, pause_s)
                        if busy > 1 or time.monotonic() + wait_s >= ends_at:
                            raise failed from None
                        await asyncio.sleep(wait_s)
                        pause_s = min(2 * pause_s, LONGEST_RETRY_S)
        except TimeoutError:
            if failed is not None and failed.code == "unreachable":
                raise failed from None
            raise RecognitionError("too_late", f"no transcript within {self._deadline_s:g} s") from None

    async def _post(self, utterance: Utterance, ends_at: float) -> RecognisedText:
        fields: dict[str, Any] = {
            "filename": utterance.file_name,
            "connection_id": utterance.call_id,
            "language": utterance.language,
            "hints": list(utterance.hints),
            "awaited": list(utterance.awaited),
            "choices": list(utterance.choices),
            "deadline_ms": max(1, int((ends_at - time.monotonic()) * 1_000)),
        }
        # Base64 needs no escaping: putting it in by hand saves half the cost of the post.
        audio = pybase64.b64encode(wav_bytes(utterance.samples))
        body = b'{"audio":"' + audio + b'",' + json.dumps(fields).encode()[1:]
        try:
            answer = await self._posts.post(body)
        except OSError as error:
            raise _TryAgain(SHORTEST_RETRY_S, RecognitionError("unreachable", repr(error))) from error
        except BadAnswer as error:
            raise RecognitionError("bad_answer", repr(error)) from error
        return _taken(answer)


class _TryAgain(Exception):
    def __init__(self, after_s: float, error: RecognitionError) -> None:
        super().__init__(str(error))
        self.after_s = after_s
        self.error = error


def _taken(answer: PostAnswer) -> RecognisedText:
    """What an answer says. Raises RecognitionError, _TryAgain."""
    if answer.status == 503:
        if b'"not_ready"' in answer.body:
            raise _TryAgain(SHORTEST_RETRY_S, RecognitionError("unreachable", "the recogniser starts"))
        error = RecognitionError("busy", "the recogniser is full")
        after_s = _seconds(answer.headers.get("retry-after"))
        if after_s is None:
            raise error
        raise _TryAgain(after_s, error)
    if answer.status == 504:
        raise RecognitionError("too_late", "the recogniser gave up on it")
    if answer.status != 200:
        told = answer.body[:200].decode(errors="replace")
        raise RecognitionError("refused", f"HTTP {answer.status}: {told}")
    try:
        return _transcript(json.loads(answer.body))
    except ValueError as wrong:
        raise RecognitionError("bad_answer", repr(wrong)) from wrong


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(SHORTEST_RETRY_S, float(header))
    except ValueError:
        return None  # a date: nobody in a call waits for that


def _transcript(body: Any) -> RecognisedText:
    """Checks an answer. Raises ValueError."""
    if not isinstance(body, dict) or not isinstance(body.get("transcription"), str):
        raise ValueError("no field `transcription`")
    confidence, processing_s = body.get("confidence"), body.get("processing_time")
    return RecognisedText(
        text=body["transcription"].strip(),
        confidence=float(confidence) if isinstance(confidence, int | float) else 1.0,
        reason=str(body.get("reason") or ""),
        processing_s=float(processing_s) if isinstance(processing_s, int | float) else 0.0,
    )
