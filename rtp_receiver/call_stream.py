"""One call's audio: RTP packets in, chunks for the VAD out; speech probabilities in, what was heard out.

Positions are samples since the first packet. Packets arrive at monotonic times, given by the caller; the times of a
segment are those of the packets that completed its chunks, as seconds since the epoch. Pure: no clock, no socket, no
model.
"""

from __future__ import annotations

from array import array
from ctypes import addressof
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from protocol.messages import Listen
from rtp_receiver.audio_buffer import AudioBuffer
from rtp_receiver.decisions import Began, End, EndpointDecision, Faint, Guess, Settled, SpeechIgnored, SpeechSpan
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.endpointing import Endpointer
from rtp_receiver.reorder import MAX_SILENCE_SAMPLES, Counts, ReorderBuffer
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import SAMPLE_RATE_HZ, Samples
from rtp_receiver.speech_run import level_dbfs, level_of
from rtp_receiver.stream_state import StreamState

FORGET_EVERY = 16  # chunks between two looks at what of the audio is not needed any more
ASIDE, FAINT = "aside", "faint"
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

    @property
    def faint(self) -> bool:
        """Perhaps a word, while an answer is awaited: of interest only if somebody did speak."""
        return self.cause == FAINT


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
        number: int = 0,
    ) -> None:
        """`head_start`: samples of silence, less than a chunk, before the first packet; the first chunk has room for so
        much less. `number`: what others call this stream."""
        self.call_id = call_id
        self._limits = limits
        self._chunk = limits.chunk_samples
        chunk_ms = 1_000 * limits.chunk_samples / SAMPLE_RATE_HZ
        self._endpointer = Endpointer(EndpointRules(), chunk_ms, first_utterance)
        self._faint_from = limits.threshold / 2
        self._listen: Listen | None = None
        self._counts = counts if counts is not None else Counts()
        self.state = state = StreamState(number=number)
        self.address = addressof(state)
        self._reorder = ReorderBuffer(self._counts, state)
        capacity = limits.max_samples + BACKLOG_SAMPLES + (limits.pre_roll_chunks + 2 + FORGET_EVERY) * self._chunk
        self._audio = AudioBuffer(capacity, state)
        self._audio.append_silence(head_start)
        self._arrived = array("d", bytes(8 * (capacity // self._chunk + 1)))  # of a chunk's last sample
        state.arrived, state.arrived_size = self._arrived.buffer_info()
        state.chunk = state.next_at = self._chunk
        state.full_at = BACKLOG_SAMPLES
        state.quiet_below, state.energy = self._endpointer.quiet_below, -1.0

    @property
    def waiting(self) -> int:
        """Complete chunks that the detector has not seen."""
        return self.state.waiting

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
            faint=self._faint_from,
            pre_roll_chunks=limits.pre_roll_chunks,
            eager_silence_ms=listen.eager_silence_ms,
            commit_silence_ms=listen.commit_silence_ms,
            end_silence_ms=listen.end_silence_ms or limits.end_silence_ms,
            max_utterance_ms=max(1_000, min(listen.max_utterance_ms, longest_ms)),
            barge_in=listen.barge_in,
            barge_in_ms=listen.barge_in_ms,
        )
        self._listen = listen
        self._up_to_date().listen(listen.turn, rules)
        self.state.quiet_below = self._endpointer.quiet_below

    def end_after(self, utterance: int, revision: int, silence_ms: int) -> None:
        """How much silence ends the utterance if this guess is all of it."""
        self._up_to_date().end_after(utterance, revision, silence_ms)

    def continue_after(self, utterance: int) -> None:
        """Another receiver heard this call up to that utterance."""
        self._up_to_date().continue_after(utterance)

    def bot_speaks(self, speaking: bool) -> None:
        """A prompt begins or ends."""
        self._up_to_date().bot_speaks(speaking)

    def push(self, packet: RtpPacket, arrived_at: float) -> None:
        """Takes a packet whose payload is slin16; its length must be even."""
        for silence, payload in self._reorder.push(packet):
            room = self.state.full_at - self.state.end
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
        state, samples = self.state, len(payload) >> 1
        if state.end + samples > state.full_at:
            return False
        if not self._reorder.take_next(sequence_number, timestamp, ssrc, samples):
            return False
        self._audio.append(payload)
        if state.end >= state.next_at:
            self._mark(arrived_at)
        return True

    def stall(self, arrived_at: float) -> None:
        """No packets come although the caller was speaking: silence ends the utterance instead of waiting for ever."""
        self._audio.append_silence(min(MAX_SILENCE_SAMPLES, max(0, self.state.full_at - self.state.end)))
        self._reorder.resynchronise()
        self._mark(arrived_at)

    def next_chunk(self) -> Samples:
        """The oldest waiting chunk, a view in network order; it goes on waiting until `heard` is told its
        probability."""
        start = self.state.stepped * self._chunk
        return self._audio.view(start, start + self._chunk)

    def copy_next_chunk(self, target: memoryview) -> float:
        """The bytes of `next_chunk`, and when it was complete."""
        stepped = self.state.stepped
        self._audio.copy_to(target, stepped * self._chunk)
        return self._arrived[stepped % len(self._arrived)]

    def heard(self, probability: float, epoch: float = 0.0) -> tuple[StreamEvent, ...]:
        """The oldest waiting chunk's speech probability; what follows from it. `epoch` makes seconds since the epoch of
        the times of arrival."""
        state = self.state
        chunk = state.stepped
        state.stepped += 1
        state.waiting -= 1
        state.full_at += self._chunk
        level = 0.0
        if probability >= self._faint_from:
            level = self._level_dbfs(chunk)
        state.energy = -1.0
        decisions = self._up_to_date().step(probability, level)
        state.quiet_below = self._endpointer.quiet_below
        found = tuple(self._describe(decision, chunk, epoch) for decision in decisions) if decisions else ()
        if not chunk % FORGET_EVERY:
            self._audio.forget_before(self._endpointer.needs_from() * self._chunk)
        return found

    def _level_dbfs(self, chunk: int) -> float:
        if self.state.energy >= 0:
            return level_of(self.state.energy, self._chunk)
        return level_dbfs(self._audio.view(chunk * self._chunk, (chunk + 1) * self._chunk))

    def _up_to_date(self) -> Endpointer:
        """The endpointer, told of the quiet chunks that were only counted."""
        if self.state.skipped:
            self._endpointer.skip(self.state.skipped)
            self.state.skipped = 0
        return self._endpointer

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
        revision, cause = 0, FAINT if isinstance(decision, Faint) else ASIDE
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
        state = self.state
        while state.next_at <= state.end:
            self._arrived[state.received % len(self._arrived)] = arrived_at
            state.received += 1
            state.waiting += 1
            state.next_at += self._chunk
