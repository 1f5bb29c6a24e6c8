"""Audio bytes of one request become a transcript: decoded and gated in a small pool, batched with others, judged.

The voice gate first hears an excerpt of a clip, about its loudest moment. It hears the whole clip where the excerpt
holds no speech, and where the decoded text is doubtful: most answers of callers need neither. A clip that holds none
either is heard once more from half a step on: a short word may fall badly into one row of windows, not into both.

Knows asyncio and nothing of HTTP. It is bounded: `enter` refuses at once when three batches are inside (two waiting,
one in the engine), and every request has a deadline that is kept whatever the engine does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from whisper_service.audio import Samples, decode
from whisper_service.batcher import Batcher, Expired, Full
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.decoder_process import DecoderProcess
from whisper_service.engine import WhisperEngine
from whisper_service.engines import EngineByLanguage
from whisper_service.guards import (
    DecodedText,
    GuardLimits,
    Reason,
    VoicedPart,
    find_voice,
    is_doubtful,
    is_vowel,
    judge_text,
    refuse_sound,
    refuse_voice,
)
from whisper_service.jobs import Decoded, Job
from whisper_service.languages import AUTO, UNDETERMINED
from whisper_service.phrases import Families
from whisper_service.sound import Sound, listen
from whisper_service.voice_gate import STEP, VoiceGate

A = TypeVar("A")
T = TypeVar("T")


class Busy(Exception):
    """As many requests are inside as can be answered in time."""


class TooLate(Exception):
    """The deadline passed."""


@dataclass(frozen=True)
class TranscriptionRequest:
    """What a caller of the service wants to know."""

    audio: bytes
    """An audio file, as it was sent."""
    language: str = "fr"
    """Whisper's code, or AUTO: the model tells."""
    hints: tuple[str, ...] = ()
    temperature: float = 0.0
    awaited: Awaited = ANYTHING
    """What can be accepted in the state of the caller's dialogue."""
    expires_at: float = float("inf")
    """`time.monotonic()` at which the answer is worth nothing."""


@dataclass(frozen=True)
class Transcript:
    """The answer. `text` is empty when nothing was said or what was heard is not to be trusted; `reason` says which."""

    text: str
    reason: Reason
    flags: tuple[str, ...]
    language: str
    """The one that was asked for or that the model told; UNDETERMINED where it was to tell and heard no speech."""
    duration_s: float
    decoded: Decoded | None = None
    """What the model said; None when the sound was refused before it came to the model."""

    @property
    def confidence(self) -> float:
        """How sure the model is of the text, 0 to 1; 0 without text."""
        return self.decoded.confidence if self.decoded and self.text else 0.0


class UnknownLanguage(ValueError):
    """A language that the model does not speak."""


@dataclass(frozen=True)
class _Prepared:
    samples: Samples
    sound: Sound
    voice: VoicedPart | None = None
    """What an excerpt showed, where that was enough; else what the whole clip shows."""
    is_excerpt: bool = False
    refused: Reason = ""
    job: Job | None = None


class Transcriber:
    """One model, its voice gate and its guards, for many requests at once."""

    def __init__(
        self,
        engine: WhisperEngine | EngineByLanguage,
        batcher: Batcher[Job, Decoded],
        families: Mapping[str, Families],
        limits: GuardLimits | Mapping[str, GuardLimits],
        max_audio_s: float,
        gate: VoiceGate | None = None,
    ) -> None:
        """`limits`: of every language, or by language with those of all others under the empty name."""
        self._engine = engine
        self._batcher = batcher
        self._families = families
        self._limits_by_language = {"": limits} if isinstance(limits, GuardLimits) else dict(limits)
        self._max_audio_s = max_audio_s
        self._gate = gate or VoiceGate()
        # decoding, voice gate and mel are numpy: two threads feed one engine thread, more only contend
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="prepare")
        self._decoder = DecoderProcess()
        self._inside = 0

    @property
    def inside(self) -> int:
        """Requests that have entered and are not answered."""
        return self._inside

    @property
    def is_full(self) -> bool:
        """Whether `enter` would refuse now."""
        return self._inside >= 3 * self._batcher.max_batch

    @contextmanager
    def enter(self) -> Iterator[None]:
        """A place inside, held until the request is answered. Raises Busy at once."""
        if self.is_full:
            raise Busy
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def check_language(self, language: str) -> None:
        """Raises UnknownLanguage."""
        if language != AUTO and language not in self._engine.languages:
            known = ", ".join(sorted(self._engine.languages))
            raise UnknownLanguage(f"this model does not speak {language!r}; it speaks {known}, or auto to let it guess")

    async def transcribe(self, wanted: TranscriptionRequest) -> Transcript:
        """The transcript. Raises UnknownLanguage, BadAudio, TooLate, Busy, or what the engine raised.

        Cancelling gives the place in the queue back: a caller who hung up costs nothing more.
        """
        self.check_language(wanted.language)
        left_s = wanted.expires_at - time.monotonic()
        try:
            async with asyncio.timeout(None if left_s == float("inf") else left_s):
                return await self._transcribe(wanted)
        except (TimeoutError, Expired):
            raise TooLate from None

    async def _transcribe(self, wanted: TranscriptionRequest) -> Transcript:
        limits = self._limits(wanted.language)
        prepared = await self._in_pool(self._prepare, wanted)
        duration_s = prepared.sound.duration_s
        if prepared.job is None or prepared.voice is None:
            language = UNDETERMINED if wanted.language == AUTO else wanted.language
            return Transcript("", prepared.refused, (), language, duration_s)
        try:
            waiting = self._batcher.submit(prepared.job, wanted.expires_at)
        except Full:
            raise Busy from None
        decoded = await asyncio.wrap_future(waiting)
        heard = DecodedText(decoded.text, decoded.avg_logprob, decoded.no_speech_prob)
        voice = prepared.voice
        if prepared.is_excerpt and is_doubtful(heard, prepared.sound, limits):
            voice = await self._in_pool(lambda samples: self._whole_voice(samples, limits), prepared.samples)
            if reason := refuse_voice(voice, limits):
                return Transcript("", reason, (), decoded.language, duration_s, decoded)
        if decoded.other_language:
            return Transcript("", "unsure", ("other_language",), decoded.language, duration_s, decoded)
        if decoded.verdict == "contested":
            return Transcript("", "unsure", ("contested",), decoded.language, duration_s, decoded)
        families = self._families.get(decoded.language, Families())
        hints = wanted.hints if prepared.job.hints else ()
        verdict = judge_text(heard, voice, families, hints, limits)
        return Transcript(verdict.text, verdict.reason, verdict.flags, decoded.language, duration_s, decoded)

    def close(self, within_s: float | None = None) -> bool:
        """Answers what is inside, then ends all threads; whether the engine's ended in time."""
        self._pool.shutdown()
        self._decoder.close()
        return self._batcher.close(within_s)

    def _in_pool(self, work: Callable[[A], T], argument: A) -> asyncio.Future[T]:
        return asyncio.wrap_future(self._pool.submit(work, argument))

    def _prepare(self, wanted: TranscriptionRequest) -> _Prepared:
        """Runs in the pool: file to samples, the guards that need no model, mel."""
        limits = self._limits(wanted.language)
        samples = decode(wanted.audio, self._max_audio_s, self._decoder.read)
        sound = listen(samples)
        refused = refuse_sound(sound, limits)
        if refused and refused != "tone":
            return _Prepared(samples, sound, refused=refused)
        excerpt = self._gate.excerpt(samples, sound.loudest_at)
        voice = find_voice(excerpt, limits, sound.duration_s)
        if refused and sound.loud_s > limits.tonal_longest_s:  # a sung-out sentence, or a hum: its moment does not tell
            voice = self._whole_voice(samples, limits)
        if refused and not is_vowel(voice, sound, limits):
            return _Prepared(samples, sound, refused=refused)
        voice = replace(voice, span_s=max(voice.span_s, sound.loud_s))
        is_excerpt = not refuse_voice(voice, limits)
        if not is_excerpt:
            voice = self._whole_voice(samples, limits)
            if refuse_voice(voice, limits):
                voice = self._whole_voice(samples[STEP // 2 :], limits)
            if refused := refuse_voice(voice, limits):
                return _Prepared(samples, sound, refused=refused)
        job = self._engine.prepare(samples, wanted.language, wanted.hints, wanted.temperature, wanted.awaited)
        return _Prepared(samples, sound, voice, is_excerpt, "", job)

    def _limits(self, language: str) -> GuardLimits:
        return self._limits_by_language.get(language) or self._limits_by_language[""]

    def _whole_voice(self, samples: Samples, limits: GuardLimits) -> VoicedPart:
        return find_voice(self._gate.probabilities(samples), limits)


def hints_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Hints without empty ones and repetitions, in order."""
    return tuple(dict.fromkeys(stripped for text in texts if (stripped := " ".join(text.split()))))
