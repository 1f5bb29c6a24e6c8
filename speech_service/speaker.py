"""A text becomes pieces of sound, as soon as they are there: cached ones at once, new ones from the first voice that
speaks.

A voice that fails, hangs or falls silent is left for the next one, which begins again at the clause that was cut. Where
nobody speaks, or not in time, `CannotSpeak` is raised: the caller of this service has a recording for that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import numpy as np

from sayable import Cut, cut, say
from sayable.cutting import FIRST_CLAUSE
from speech_service import metrics
from speech_service.breaker import Breaker
from speech_service.cache import CacheKey, SoundCache
from speech_service.engines.port import EngineFailed, SpeechEngine
from speech_service.sound import Samples, TelephoneLine, silence
from speech_service.turns import TextListener, Turns
from speech_service.voices import TILT_DB, Voice

log = logging.getLogger("speech_service")

STALL_S: Final = 1.0
"""Longest silence of an engine in the middle of a text."""
PAUSE_MS: Final = 220
"""Between two sentences."""
CLAUSE_PAUSE_MS: Final = 60
BEHIND_MS: Final = 60
"""Behind the last word of a text."""
BEHIND_SENTENCE_MS: Final = 160
"""The same where it ends a sentence: another text of the same utterance may follow."""
CHARS_A_SECOND: Final = 13.0
"""About as fast as people speak; used to guess which clause was cut."""


class CannotSpeak(RuntimeError):
    """No voice could say it, or not in time."""


@dataclass(frozen=True)
class Order:
    """What is asked for: a text, the voices that may say it, how fast, for a line of which rate."""

    text: str
    ladder: tuple[Voice, ...]
    speed: float
    rate_hz: int
    deadline_s: float
    """For the first piece, of time.monotonic()."""


@dataclass(frozen=True)
class Piece:
    """Some sound, of the part of the text from `begin` up to `end`, said by `voice`."""

    samples: Samples
    begin: int
    end: int
    voice: str
    cached: bool


@dataclass
class Speaker:
    """One service's. `gains_db` by voice and rate, measured when it started; what is not in it cannot speak."""

    engines: Mapping[str, SpeechEngine]
    gains_db: dict[tuple[str, int], float]
    cache: SoundCache
    turns: Turns
    breakers: dict[str, Breaker]

    async def pieces(self, order: Order) -> AsyncGenerator[Piece, None]:
        """The pieces in their order. Raises CannotSpeak, then before any piece, or in the middle."""
        listener = TextListener(time.monotonic())
        streams = all(self.engines[voice.engine].streams for voice in order.ladder[:1])
        units = cut(order.text, 0 if streams else FIRST_CLAUSE)
        for number, unit in enumerate(units):
            is_last = number + 1 == len(units)
            within_ms, behind_ms = (
                (PAUSE_MS, BEHIND_SENTENCE_MS) if unit.ends_sentence else (CLAUSE_PAUSE_MS, BEHIND_MS)
            )
            pause_ms = behind_ms if is_last else within_ms
            is_said = False
            async with aclosing(self._unit(unit, order, listener)) as made:
                async for piece in made:
                    is_said = is_said or len(piece.samples) > 0
                    yield piece
            voice = order.ladder[0].name
            if not is_said:  # nothing of it can be said
                continue
            listener.given(pause_ms / 1_000, time.monotonic())
            yield Piece(silence(pause_ms, order.rate_hz), unit.begin, unit.end, voice, cached=True)

    async def _unit(self, unit: Cut, order: Order, listener: TextListener) -> AsyncGenerator[Piece, None]:
        """One sentence or clause, down the ladder."""
        failed: list[str] = []
        given_s = 0.0
        for voice in order.ladder:
            breaker = self.breakers.setdefault(voice.name, Breaker())
            rest = _rest_of(unit, given_s * voice.speed * order.speed) if failed else unit
            words = say(rest.text, voice.language)
            if not any(sign.isalnum() for sign in words):
                return
            key = CacheKey(words, voice.name, order.speed, order.rate_hz, self._version(voice))
            known = self.cache.get(key)
            metrics.CACHE.labels("hit" if known is not None else "miss").inc()
            if known is not None:
                listener.given(len(known) / order.rate_hz, time.monotonic())
                yield Piece(known, rest.begin, rest.end, voice.name, cached=True)
                return
            if (voice.name, order.rate_hz) not in self.gains_db or not breaker.may(time.monotonic()):
                failed.append(f"{voice.name}: rests")
                continue
            try:
                async with aclosing(self._made(voice, words, order, listener)) as made:
                    sounds = []
                    async for samples in made:
                        sounds.append(samples)
                        given_s += len(samples) / order.rate_hz
                        yield Piece(samples, rest.begin, rest.end, voice.name, cached=False)
            except EngineFailed as error:
                breaker.failed(time.monotonic())
                metrics.FAILURES.labels(voice.name).inc()
                failed.append(f"{voice.name}: {error}")
                log.warning("voice failed", extra={"voice": voice.name, "reason": str(error)})
                continue
            breaker.worked()
            self.cache.put(key, np.concatenate(sounds) if sounds else silence(0, order.rate_hz))
            return
        raise CannotSpeak("; ".join(failed))

    async def _made(
        self, voice: Voice, words: str, order: Order, listener: TextListener
    ) -> AsyncGenerator[Samples, None]:
        """What one voice makes, ready for the line. Raises EngineFailed."""
        engine = self.engines[voice.engine]
        line = TelephoneLine(order.rate_hz, self.gains_db[voice.name, order.rate_hz], TILT_DB.get(voice.engine, 0.0))
        asked_s, is_first = time.monotonic(), True
        async with aclosing(engine.speak(voice.model, words, voice.speed * order.speed)) as chunks:
            while True:
                async with self.turns.turn(listener):
                    try:
                        async with asyncio.timeout(engine.first_s if is_first else STALL_S):
                            chunk = await anext(chunks, None)
                    except TimeoutError:
                        raise EngineFailed(f"silent for {engine.first_s if is_first else STALL_S:g} s") from None
                if chunk is None:
                    break
                if is_first:
                    metrics.FIRST.labels(voice.engine).observe(time.monotonic() - asked_s)
                is_first = False
                samples = line.push(np.frombuffer(chunk.data, "<i2"), chunk.rate_hz)
                listener.given(len(samples) / order.rate_hz, time.monotonic())
                if samples.size:
                    yield samples
        if is_first:
            raise EngineFailed("said nothing")
        rest = line.end()
        if rest.size:
            listener.given(len(rest) / order.rate_hz, time.monotonic())
            yield rest

    def _version(self, voice: Voice) -> str:
        return self.engines[voice.engine].version(voice.model)


def _rest_of(unit: Cut, said_s: float) -> Cut:
    """From the clause on in which a voice stopped after `said_s`."""
    about = int(said_s * CHARS_A_SECOND)
    begin = 0
    for clause in cut(unit.text, 1):
        if clause.begin <= about:
            begin = clause.begin
    for sign in ", ", "; ", ": ":
        at = unit.text.rfind(sign, begin, about)
        if at >= 0:
            begin = max(begin, at + len(sign))
    return Cut(unit.text[begin:], unit.begin + begin, unit.end, unit.ends_sentence)
