"""One call's audio: RTP packets in, chunks for the VAD out; speech probabilities in, what was heard out.

Positions are samples since the first packet. Packets arrive at monotonic times, given by the caller; the times of a
segment are those of the packets that completed its chunks, as seconds since the epoch. Pure: no clock, no socket, no
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from protocol.messages import Listen
from rtp_receiver.audio_buffer import AudioBuffer
from rtp_receiver.decisions import Began, End, EndpointDecision, Guess, Settled, SpeechIgnored, SpeechSpan
from rtp_receiver.endpointing import Endpointer, EndpointRules
from rtp_receiver.reorder import MAX_SILENCE_SAMPLES, Counts, ReorderBuffer
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import SAMPLE_RATE_HZ, Samples

FORGET_EVERY = 16  # chunks between two looks at what of the audio is not needed any more
ASIDE = "aside"
BACKLOG_SAMPLES = 4 * MAX_SILENCE_SAMPLES  # audio that may wait for the VAD; what comes on top is dropped


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What the settings say about every call. `end_silence_ms` is for turns that name none (0)."""

    threshold: float = 0.5
    pre_roll_chunks: int = 8
    end_silence_ms: int = 700
    max_samples: int = 480_000
    chunk_samples: int = 512


@dataclass(frozen=True, slots=True)
class Segment:
    """Audio of one utterance, complete or so far. Times are seconds since the epoch."""

    listen: Listen
    utterance: int
    revision: int
    """The guess that this is, or, at the end, the guess that holds the same speech (0: none)."""
    is_end: bool
    cause: str
    samples: Samples
    speech_started_at: float
    speech_ended_at: float
    heard_at: float
    """When the last sample that decided came in."""
    settled: bool = True
    """False for a guess that must not be told yet: `Quiet` follows, unless speech resumes."""

    @property
    def aside(self) -> bool:
        """Doubtful speech over a prompt, which goes on: of interest only if it turns out to be words."""
        return self.cause == ASIDE


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The caller began to speak."""

    listen: Listen
    utterance: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """The silence after a guess has lasted long enough to act on it, at `heard_at`."""

    utterance: int
    revision: int
    heard_at: float


StreamEvent: TypeAlias = Segment | Quiet | Confirmed | SpeechIgnored


class CallStream:
    """Everything the receiver knows of one call's audio."""

    def __init__(
        self,
        call_id: str,
        limits: StreamSettings,
        counts: Counts | None = None,
        first_utterance: int = 1,
        head_start: int = 0,
    ) -> None:
        """`head_start`: samples of silence, less than a chunk, before the first packet; the first chunk has room for so
        much less."""
        self.call_id = call_id
        self._limits = limits
        self._chunk = limits.chunk_samples
        chunk_ms = 1_000 * limits.chunk_samples / SAMPLE_RATE_HZ
        self._endpointer = Endpointer(EndpointRules(), chunk_ms, first_utterance)
        self._listen: Listen | None = None
        self._counts = counts if counts is not None else Counts()
        self._reorder = ReorderBuffer(self._counts)
        capacity = limits.max_samples + BACKLOG_SAMPLES + (limits.pre_roll_chunks + 2 + FORGET_EVERY) * self._chunk
        self._audio = AudioBuffer(capacity)
        self._audio.append_silence(head_start)
        self._arrived = [0.0] * (capacity // self._chunk + 1)  # arrival of a chunk's last sample, by chunk number
        self._received = 0  # complete chunks
        self._stepped = 0  # chunks whose probability was given
        self._next_at = self._chunk  # position where the next chunk is complete
        self._full_at = BACKLOG_SAMPLES  # position from which on audio is dropped
        self.waiting = 0
        """Complete chunks that the VAD has not seen."""

    @property
    def oldest_arrival(self) -> float:
        """When the oldest waiting chunk was complete, monotonic; only while one waits."""
        return self._arrived[self._stepped % len(self._arrived)]

    @property
    def speaking(self) -> bool:
        """An utterance is going on."""
        return self._endpointer.speaking

    @property
    def held(self) -> int:
        """Packets that wait for others."""
        return self._reorder.held

    def listen(self, listen: Listen) -> None:
        """A Listen command for this call."""
        limits = self._limits
        longest_ms = (limits.max_samples - (limits.pre_roll_chunks + 1) * self._chunk) * 1_000 // SAMPLE_RATE_HZ
        rules = EndpointRules(
            threshold=limits.threshold,
            release=max(0.01, limits.threshold - 0.15),
            pre_roll_chunks=limits.pre_roll_chunks,
            eager_silence_ms=listen.eager_silence_ms,
            commit_silence_ms=listen.commit_silence_ms,
            end_silence_ms=listen.end_silence_ms or limits.end_silence_ms,
            max_utterance_ms=max(1_000, min(listen.max_utterance_ms, longest_ms)),
            barge_in=listen.barge_in,
            barge_in_ms=listen.barge_in_ms,
        )
        self._listen = listen
        self._endpointer.listen(listen.turn, rules)

    def end_after(self, utterance: int, revision: int, silence_ms: int) -> None:
        """How much silence ends the utterance if this guess is all of it."""
        self._endpointer.end_after(utterance, revision, silence_ms)

    def continue_after(self, utterance: int) -> None:
        """Another receiver heard this call up to that utterance."""
        self._endpointer.continue_after(utterance)

    def bot_speaks(self, speaking: bool) -> None:
        """A prompt begins or ends."""
        self._endpointer.bot_speaks(speaking)

    def push(self, packet: RtpPacket, arrived_at: float) -> None:
        """Takes a packet whose payload is slin16; its length must be even."""
        for silence, payload in self._reorder.push(packet):
            room = self._full_at - self._audio.end
            samples = len(payload) >> 1
            if samples > room:
                self._counts.overrun += 1
                continue
            if silence:
                self._audio.append_silence(min(silence, room - samples))
            self._audio.append(payload)
        self._mark(arrived_at)

    def push_next(
        self, sequence_number: int, timestamp: int, ssrc: int, payload: memoryview, arrived_at: float
    ) -> bool:
        """Takes a packet that follows at once on the last one, without making one of it; False: it does not, and
        `push` has to take it. The payload is slin16, copied here."""
        audio, samples = self._audio, len(payload) >> 1
        if audio.end + samples > self._full_at:
            return False
        if not self._reorder.take_next(sequence_number, timestamp, ssrc, samples):
            return False
        audio.append(payload)
        if audio.end >= self._next_at:
            self._mark(arrived_at)
        return True

    def stall(self, arrived_at: float) -> None:
        """No packets come although the caller was speaking: silence ends the utterance instead of waiting for ever."""
        self._audio.append_silence(min(MAX_SILENCE_SAMPLES, max(0, self._full_at - self._audio.end)))
        self._reorder.resynchronise()
        self._mark(arrived_at)

    def next_chunk(self) -> Samples:
        """The oldest waiting chunk, a view in network order; it goes on waiting until `heard` is told its
        probability."""
        start = self._stepped * self._chunk
        return self._audio.view(start, start + self._chunk)

    def copy_next_chunk(self, target: memoryview) -> float:
        """The bytes of `next_chunk`, and when it was complete."""
        self._audio.copy_to(target, self._stepped * self._chunk)
        return self._arrived[self._stepped % len(self._arrived)]

    def heard(self, probability: float, epoch: float = 0.0) -> tuple[StreamEvent, ...]:
        """The oldest waiting chunk's speech probability; what follows from it. `epoch` makes seconds since the epoch of
        the times of arrival."""
        chunk = self._stepped
        self._stepped += 1
        self.waiting -= 1
        self._full_at += self._chunk
        decisions = self._endpointer.step(probability)
        found = tuple(self._describe(decision, chunk, epoch) for decision in decisions) if decisions else ()
        if not chunk % FORGET_EVERY:
            self._audio.forget_before(self._endpointer.needs_from() * self._chunk)
        return found

    def _describe(self, decision: EndpointDecision, chunk: int, epoch: float) -> StreamEvent:
        if isinstance(decision, SpeechIgnored):
            return decision
        assert self._listen is not None
        if isinstance(decision, Began):
            return Confirmed(self._listen, decision.utterance)
        if isinstance(decision, Settled):
            return Quiet(decision.utterance, decision.revision, epoch + self._arrival(chunk))
        span: SpeechSpan = decision.span
        samples = self._audio.view(span.first_chunk * self._chunk, (span.last_chunk + 1) * self._chunk)
        revision, cause = 0, ASIDE
        if isinstance(decision, Guess):
            revision, cause = decision.revision, "guess"
        elif isinstance(decision, End):
            revision, cause = decision.guess, decision.cause
        return Segment(
            listen=self._listen,
            utterance=decision.utterance,
            revision=revision,
            is_end=not isinstance(decision, Guess),
            cause=cause,
            samples=samples.astype(np.int16),
            speech_started_at=epoch + self._arrival(span.first_voiced) - self._chunk / SAMPLE_RATE_HZ,
            speech_ended_at=epoch + self._arrival(span.last_voiced),
            heard_at=epoch + self._arrival(chunk),
            settled=not isinstance(decision, Guess) or decision.settled,
        )

    def _arrival(self, chunk: int) -> float:
        return self._arrived[chunk % len(self._arrived)]

    def _mark(self, arrived_at: float) -> None:
        while self._next_at <= self._audio.end:
            self._arrived[self._received % len(self._arrived)] = arrived_at
            self._received += 1
            self.waiting += 1
            self._next_at += self._chunk
