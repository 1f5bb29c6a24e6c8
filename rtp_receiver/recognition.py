"""Turns segments into texts: guesses early, and uses a guess again when nothing was said after it.

A guess is told when its text is there, the silence after it has lasted long enough to act on it, and nobody who was
asked (`TurnJudge`) expects the caller to go on. Per utterance at
most one guess is on its way: a newer one cancels the older. When the utterance ends with the speech that the newest
guess holds, its transcript (or the answer still on its way) is the transcript of the utterance, without another round
trip. Every utterance that ends becomes exactly one UtteranceTranscribed or RecognitionFailed.

An aside, doubtful speech over a prompt, is told only when it turns out to be words; what may have been a faint word,
while an answer is awaited, also when somebody spoke but was not understood. Per call one of these is with the
recogniser at a time; what goes on with one replaces it, and speech that is confirmed makes them all void.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from protocol.messages import NOT_UNDERSTOOD, Event, RecognitionFailed, UtteranceGuessed, UtteranceTranscribed
from rtp_receiver import metrics
from rtp_receiver.call_stream import Quiet, Segment
from rtp_receiver.slin16 import SAMPLE_RATE_HZ
from rtp_receiver.whisper import RecognisedText, RecognitionError, Utterance

log = logging.getLogger("pronto.receiver")

WORTH_ANOTHER_POST = ("busy", "unreachable")
ANOTHER_POST_WITHIN_S = 0.3  # after the end of the utterance; the caller would wait too long for a later one


class SpeechRecogniser(Protocol):
    """Gives the text of an utterance."""

    async def transcribe(self, utterance: Utterance) -> RecognisedText:
        """The transcript. Raises RecognitionError."""
        ...


class TurnJudge(Protocol):
    """Says whether a guess is all that the caller wants to say."""

    async def finished(self, call_id: str, segment: Segment) -> bool:
        """True when nothing more is expected; may also let the utterance end sooner."""
        ...


@dataclass(slots=True)
class _Post:
    """One segment on its way to the recogniser, or answered."""

    segment: Segment
    posted_at: float
    answer: asyncio.Task[RecognisedText]
    answered_at: float = 0.0
    settled_at: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    replaced: bool = False
    ended: bool = False

    def settle(self, heard_at: float) -> None:
        """The guess may be told from now on, or need not wait to be told any more."""
        if not self.settled_at.done():
            self.settled_at.set_result(heard_at)


class Recognition:
    """All calls of this process; `send` takes the events."""

    def __init__(
        self,
        recogniser: SpeechRecogniser,
        send: Callable[[Event], None],
        judge: TurnJudge | None = None,
        posted: Callable[[str, float], None] = lambda outcome, seconds: None,
    ) -> None:
        """`judge` is asked about the guesses of turns that want it, `posted` how each post came out, and when."""
        self._recogniser = recogniser
        self._send = send
        self._judge = judge
        self._posted = posted
        self._guesses: dict[str, _Post] = {}
        self._asides: dict[str, dict[int, asyncio.Task[Any]]] = {}  # by utterance
        self._tasks: dict[str, set[asyncio.Task[Any]]] = {}

    def take(self, call_id: str, segment: Segment) -> None:
        """A segment of a call, in the order in which they were heard."""
        if segment.aside or segment.faint:
            self._take_aside(call_id, segment)
            return
        guess = self._guesses.get(call_id)
        same = guess is not None and guess.segment.utterance == segment.utterance
        if guess is not None and not same:
            guess.settle(segment.heard_at)  # its turn is over: nothing that was said is kept back
        if not segment.is_end:
            if guess is not None and same:
                self._replace(guess)
            self._guesses[call_id] = post = self._post(call_id, segment)
            self._spawn(call_id, self._tell_guess(call_id, post))
            return
        self._guesses.pop(call_id, None)
        if guess is not None and same and guess.segment.revision == segment.revision:
            guess.ended = True
            guess.settle(segment.heard_at)
            self._spawn(call_id, self._tell_end(call_id, segment, guess))
            return
        if guess is not None and same:
            self._replace(guess)
        self._spawn(call_id, self._tell_end(call_id, segment, None))

    def _take_aside(self, call_id: str, segment: Segment) -> None:
        asides = self._asides.setdefault(call_id, {})
        _void(asides.pop(segment.utterance, None))  # all that it holds is in this one as well
        telling = self._tell_aside(call_id, segment, list(asides.values()))
        asides[segment.utterance] = self._spawn(call_id, telling)

    def speech_began(self, call_id: str) -> None:
        """An utterance is confirmed: it holds an aside of just before it, and wins over an older one."""
        for aside in self._asides.pop(call_id, {}).values():
            _void(aside)

    def settle(self, call_id: str, quiet: Quiet) -> None:
        """The silence after a guess has lasted long enough to act on it."""
        guess = self._guesses.get(call_id)
        if guess is not None and (guess.segment.utterance, guess.segment.revision) == (quiet.utterance, quiet.revision):
            guess.settle(quiet.heard_at)

    def drop(self, call_id: str) -> None:
        """The call is over: nobody needs the answers."""
        self._guesses.pop(call_id, None)
        self._asides.pop(call_id, None)
        for task in self._tasks.pop(call_id, ()):
            task.cancel()

    async def finished(self, bound_s: float) -> bool:
        """Waits until nothing is on its way; False when `bound_s` was not enough."""
        tasks = [task for group in self._tasks.values() for task in group]
        if not tasks:
            return True
        _, left = await asyncio.wait(tasks, timeout=bound_s)
        return not left

    async def close(self) -> None:
        """Cancels what is on its way and waits until it is gone."""
        tasks = [task for group in self._tasks.values() for task in group]
        for call_id in list(self._tasks):
            self.drop(call_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _replace(self, guess: _Post) -> None:
        guess.replaced = True
        guess.settle(0.0)
        if not guess.answer.done():
            guess.answer.cancel()
            metrics.GUESSES.labels("cancelled").inc()

    def _post(self, call_id: str, segment: Segment) -> _Post:
        listen = segment.listen
        utterance = Utterance(
            call_id=call_id,
            file_name=f"{call_id}-{listen.turn}-{segment.utterance}.wav",
            language=listen.language,
            hints=listen.hints,
            awaited=listen.awaited,
            choices=listen.choices,
            samples=segment.samples,
        )
        metrics.OWN_DELAY.observe(max(0.0, time.time() - segment.heard_at))
        post = _Post(segment, time.time(), self._spawn(call_id, self._transcribe(utterance)))
        post.answer.add_done_callback(lambda _: setattr(post, "answered_at", time.time()))
        if segment.settled:
            post.settle(segment.heard_at)
        return post

    async def _transcribe(self, utterance: Utterance) -> RecognisedText:
        began = time.monotonic()
        outcome = "error"
        try:
            transcript = await self._recogniser.transcribe(utterance)
            outcome = "text" if transcript.text else "empty"
            return transcript
        except RecognitionError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            metrics.POSTS.labels(outcome).inc()
            took_s = time.monotonic() - began
            metrics.POST_SECONDS.observe(took_s)
            if outcome != "cancelled":
                self._posted(outcome, took_s)

    async def _tell_guess(self, call_id: str, post: _Post) -> None:
        if self._judge is not None and post.segment.listen.turn_model:
            finished = await self._judge.finished(call_id, post.segment)
            if not finished and not post.ended:
                return  # more is to come: the end of the utterance will tell it
        await asyncio.wait([post.answer])
        endpoint_at = await post.settled_at
        if post.replaced or post.ended or post.answer.cancelled():
            return
        error = post.answer.exception()
        segment = post.segment
        if error is not None:
            metrics.GUESSES.labels("failed").inc()
            log.warning("guess failed", extra=_fields(call_id, segment) | {"error": repr(error)})
            return
        transcript = post.answer.result()
        metrics.GUESSES.labels("sent").inc()
        self._send(
            UtteranceGuessed(
                call_id=call_id,
                at=time.time(),
                turn=segment.listen.turn,
                utterance=segment.utterance,
                text=transcript.text,
                confidence=transcript.confidence,
                speech_started_at=segment.speech_started_at,
                speech_ended_at=segment.speech_ended_at,
                posted_at=post.posted_at,
                reason=transcript.reason,
                revision=segment.revision,
                paused_at=segment.heard_at,
                transcribed_at=post.answered_at,
                endpoint_at=endpoint_at,
            )
        )

    async def _tell_end(self, call_id: str, segment: Segment, guess: _Post | None) -> None:
        post = guess or self._post(call_id, segment)
        metrics.UTTERANCES.labels(segment.cause, "reused" if guess else "posted").inc()
        ended = time.monotonic()
        await asyncio.wait([post.answer])
        error = None if post.answer.cancelled() else post.answer.exception()
        in_time = time.monotonic() - ended < ANOTHER_POST_WITHIN_S
        if guess and in_time and isinstance(error, RecognitionError) and error.code in WORTH_ANOTHER_POST:
            post = self._post(call_id, segment)
            await asyncio.wait([post.answer])
            error = None if post.answer.cancelled() else post.answer.exception()
        if post.answer.cancelled():
            return  # the call is over
        if error is not None:
            code = error.code if isinstance(error, RecognitionError) else "error"
            log.error("recognition failed", extra=_fields(call_id, segment) | {"error": repr(error)})
            self._send(RecognitionFailed(call_id, time.time(), segment.listen.turn, segment.utterance, code))
            return
        self._tell(call_id, segment, post)

    async def _tell_aside(self, call_id: str, segment: Segment, before: list[asyncio.Task[Any]]) -> None:
        if before:
            await asyncio.wait(before)
        post = self._post(call_id, segment)
        count = metrics.FAINT if segment.faint else metrics.ASIDES
        try:
            transcript = await post.answer
        except RecognitionError as error:
            count.labels("failed").inc()
            log.warning("aside failed", extra=_fields(call_id, segment) | {"error": repr(error)})
            return
        told = bool(transcript.text.strip()) or (segment.faint and transcript.reason in NOT_UNDERSTOOD)
        count.labels("told" if told else "no_words").inc()
        if told:
            self._tell(call_id, segment, post)

    def _tell(self, call_id: str, segment: Segment, post: _Post) -> None:
        """The whole utterance, as `post` has it."""
        transcript = post.answer.result()
        self._send(
            UtteranceTranscribed(
                call_id=call_id,
                at=time.time(),
                turn=segment.listen.turn,
                utterance=segment.utterance,
                text=transcript.text,
                confidence=transcript.confidence,
                speech_started_at=segment.speech_started_at,
                speech_ended_at=segment.speech_ended_at,
                endpoint_at=segment.heard_at,
                posted_at=post.posted_at,
                audio_ms=len(post.segment.samples) * 1_000 // SAMPLE_RATE_HZ,
                reason=transcript.reason,
                paused_at=post.segment.heard_at,
                transcribed_at=post.answered_at,
                aside=segment.aside,
            )
        )

    def _spawn(self, call_id: str, job: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(job)
        self._tasks.setdefault(call_id, set()).add(task)
        task.add_done_callback(lambda done: self._done(call_id, done))
        return task

    def _done(self, call_id: str, task: asyncio.Task[Any]) -> None:
        group = self._tasks.get(call_id)
        if group is not None:
            group.discard(task)
            if not group:
                del self._tasks[call_id]


def _void(aside: asyncio.Task[Any] | None) -> None:
    if aside is not None and not aside.done():
        aside.cancel()
        metrics.ASIDES.labels("overtaken").inc()


def _fields(call_id: str, segment: Segment) -> dict[str, object]:
    return {"call_id": call_id, "turn": segment.listen.turn, "utterance": segment.utterance}
