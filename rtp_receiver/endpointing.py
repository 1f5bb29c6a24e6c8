"""Decides where utterances begin and end: speech probabilities in, one per chunk of audio, decisions out.

Time is the chunk number. A run of speech becomes an utterance once enough of it was heard; after `eager_silence_ms` of
silence what was said so far is worth a guess, after `commit_silence_ms` the guess may be acted on, after
`end_silence_ms` the utterance is over. Of one that goes on for longer than `max_utterance_ms` the end counts: who
tells a story answers with its last words, and is not spoken over; at twice that length it is cut. Who knows more of a
guess (its words, its melody) may say how much silence ends it: `end_after`. Speech that resumes in between revises the
guess and voids that. Speech over a prompt that is long enough for an utterance, but not sure enough to stop the
prompt, is set aside when it is over: it is worth hearing all the same. So is, while an answer is awaited, what may
have been a word too short or too soft for an utterance. Every utterance belongs to the turn that was listened to when
it was confirmed. Pure: no clock, no audio, no model.
"""

from __future__ import annotations

import math
from typing import Final

from rtp_receiver.decisions import (
    Aside,
    Began,
    End,
    EndpointDecision,
    Faint,
    Guess,
    Settled,
    SpeechIgnored,
    SpeechSpan,
)
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.speech_run import ECHO_BELOW_DBFS, ECHO_TAIL_MS, OwnVoice, Run

GATE_TAIL_MS: Final = 300
"""Speech in the last part of a prompt without barge-in counts when it goes on (or has just stopped) as it ends."""

RUN_SILENCE_MS: Final = 200
"""Silence after which speech that was too short for an utterance is forgotten, or set aside."""

MOST_ASIDES: Final = 5
"""So many pieces of doubtful speech are set aside in one turn; a hum that comes and goes is forgotten from then on."""


MOST_FAINT: Final = 12
"""So many pieces of what may be a word are heard in one turn; a hum that comes and goes is forgotten from then on."""

FAINT_CHUNKS: Final = 2
"""Chunks that may be a word; one alone is a click."""

LONGEST_TALK: Final = 2
"""Times `max_utterance_ms`, after which an utterance is cut whatever goes on: music, a television."""

FAINT_LONGEST_MS: Final = 2_000
"""What goes on for longer, and never becomes speech, is no word."""


class Endpointer:
    """One per call. Feed every chunk in order; say at once when a turn begins and when the bot speaks."""

    def __init__(self, rules: EndpointRules, chunk_ms: float = 32.0, first_utterance: int = 1) -> None:
        self.turn: int | None = None
        self._rules = rules
        self._chunk_ms = chunk_ms
        self._utterance = first_utterance - 1
        self._bot_speaks = False
        self._chunk = -1  # the newest
        self._voiced = False
        self._floor = 0  # audio before this chunk belongs to an earlier utterance
        self._run: Run | None = None
        self._confirmed = False
        self._began = 0  # where the utterance began, which may be before what of it counts
        self._revision = 0
        self._guessed_to: int | None = None  # last voiced chunk that a guess covers
        self._after_guess: Run | None = None  # speech that no guess covers yet
        self._settled = False
        self._end_after_ms: int | None = None  # of the newest guess, instead of the rules' silence
        self._aside: Run | None = None  # what follows may belong to it
        self._asides = 0  # in this turn
        self._faint: Run | None = None  # chunks that may be a word, of which no utterance has come yet
        self._faints = 0  # in this turn
        self._echo_until = -1  # up to this chunk the last prompt may still come back
        self._voice = OwnVoice()
        self._spoke = False  # in this turn

    @property
    def speaking(self) -> bool:
        """An utterance is going on."""
        return self._confirmed

    @property
    def utterance(self) -> int:
        """Number of the newest utterance of this call."""
        return self._utterance

    def needs_from(self) -> int:
        """The first chunk whose audio may still be asked for."""
        first = self._chunk + 1 if self._run is None else self._run.first
        if self._faint is not None:
            first = min(first, max(self._faint.first, self._chunk - self._chunks(FAINT_LONGEST_MS + RUN_SILENCE_MS)))
        if self._aside is not None and self._goes_on(self._aside, first):
            first = self._aside.first
        return max(0, first - self._rules.pre_roll_chunks)

    def listen(self, turn: int, rules: EndpointRules) -> None:
        """From the next chunk on utterances belong to `turn` and follow `rules`.

        A new turn closes the utterance as far as a guess covers it; speech that no guess covers goes over to the new
        turn, where it has to be confirmed as any other.
        """
        if turn != self.turn and self._confirmed:
            if self._guessed_to is not None:
                self._floor = self._guessed_to + 1
                self._run = self._after_guess
            self._confirmed = False
            self._forget_guess()
        if turn != self.turn:
            self._aside, self._asides = None, 0
            self._faint, self._faints = None, 0
            if not self._spoke:
                self._voice.was_not_heard()
            self._spoke = False
        self.turn = turn
        self._rules = rules

    def end_after(self, utterance: int, revision: int, silence_ms: int) -> None:
        """The silence that ends the utterance if this guess is all. Void when it is not the newest word any more."""
        current = self._confirmed and utterance == self._utterance and revision == self._revision
        if current and self._run is not None and self._guessed_to == self._run.last:
            self._end_after_ms = silence_ms

    def continue_after(self, utterance: int) -> None:
        """Another receiver heard this call up to that utterance: the next one has a higher number."""
        self._utterance = max(self._utterance, utterance)

    def bot_speaks(self, speaking: bool) -> None:
        """A prompt begins or ends. An utterance that was confirmed before goes on."""
        if self._bot_speaks and not speaking:
            self._echo_until = self._chunk + self._chunks(ECHO_TAIL_MS)
        self._bot_speaks = speaking
        if speaking:
            self._faint = None

    @property
    def quiet_below(self) -> float:
        """A next probability below this is one more chunk in which nobody speaks, nothing else; 0: it may be more."""
        rests = self._run is None and self._faint is None and not self._voiced
        return min(self._rules.faint, self._rules.threshold) if rests else 0.0

    def skip(self, chunks: int) -> None:
        """As many steps with probabilities below `quiet_below`."""
        self._chunk += chunks

    def step(self, probability: float, level_dbfs: float = 0.0) -> tuple[EndpointDecision, ...]:
        """The next chunk's speech probability and level, which counts from `faint` on; what follows from it."""
        self._chunk += 1
        rules = self._rules
        self._voiced = probability >= (rules.release if self._voiced else rules.threshold)
        sure = level_dbfs >= ECHO_BELOW_DBFS or not (self._bot_speaks or self._chunk <= self._echo_until)
        if self._voiced:
            self._hear(self._chunk, probability, level_dbfs, sure)
        if probability >= rules.faint and not (self._confirmed or self._bot_speaks or self.turn is None):
            if self._faint is None:
                self._faint = Run.of(self._chunk, probability, level_dbfs, sure)
            else:
                self._faint.hear(self._chunk, probability, level_dbfs, sure)
        elif self._run is None and self._faint is None:
            return ()
        if self._confirmed:
            return self._follow()
        decision = None if self._run is None else self._confirm()
        if decision is None and self._faint is not None:
            decision = self._perhaps_a_word(self._faint)
        return () if decision is None else (decision,)

    def _hear(self, chunk: int, probability: float, level_dbfs: float, sure: bool) -> None:
        if self._run is None or (not self._confirmed and self._is_others(self._run, level_dbfs, sure)):
            self._run = Run.of(chunk, probability, level_dbfs, sure)
        else:
            self._run.hear(chunk, probability, level_dbfs, sure)
        self._end_after_ms = None
        if self._guessed_to is not None:
            if self._after_guess is None:
                self._after_guess = Run.of(chunk, probability, level_dbfs, sure)
            else:
                self._after_guess.hear(chunk, probability, level_dbfs, sure)

    def _is_others(self, run: Run, level_dbfs: float, sure: bool) -> bool:
        """Whether a run so far is not the caller's and a chunk is: no echo or television is part of what they say."""
        is_background = self._voice.is_background(run.loudest_dbfs) and not self._voice.is_background(level_dbfs)
        return (sure and not run.sure) or is_background

    def _confirm(self) -> EndpointDecision | None:
        rules, run = self._rules, self._run
        assert run is not None
        gated = self.turn is None or (self._bot_speaks and not rules.barge_in)
        if gated:
            # Only the tail of the prompt can become part of an utterance.
            run.first = max(run.first, self._chunk + 1 - self._chunks(GATE_TAIL_MS))
            run.voiced = min(run.voiced, max(0, run.last + 1 - run.first))
            run.sure = min(run.sure, run.voiced)
        elif self._is_enough(run):
            assert self.turn is not None
            self._confirmed = self._spoke = True
            self._faint = None
            self._number(run)
            self._began = run.first
            return Began(self.turn, self._utterance)
        if self._chunk - run.last < self._chunks(RUN_SILENCE_MS):
            return None
        self._run = None
        if gated:
            return SpeechIgnored("bot_speaking")
        if run.voiced < self._chunks(rules.min_speech_ms):
            return SpeechIgnored("too_short") if self._faint is None else None
        self._faint = None
        if self._voice.is_background(run.loudest_dbfs):
            return SpeechIgnored("background")
        return self._set_aside(run)

    def _perhaps_a_word(self, faint: Run) -> EndpointDecision | None:
        """What is too little for an utterance is over, or goes on."""
        if self._run is not None or self._chunk - faint.last < self._chunks(RUN_SILENCE_MS):
            return None
        self._faint = None
        if faint.voiced < FAINT_CHUNKS:
            return SpeechIgnored("too_short")
        if self._voice.is_background(faint.loudest_dbfs):
            return SpeechIgnored("background")
        if not faint.sure:
            return self._set_aside(faint)
        if self._faints >= MOST_FAINT or faint.last + 1 - faint.first > self._chunks(FAINT_LONGEST_MS):
            return SpeechIgnored("faint")
        assert self.turn is not None
        self._faints += 1
        self._number(faint)
        self._aside = faint
        return Faint(self.turn, self._utterance, self._span(faint))

    def _set_aside(self, run: Run) -> EndpointDecision:
        """Doubtful speech over a prompt, or just after it, is over."""
        assert self.turn is not None
        if self._bot_speaks:
            self._asides += 1
        else:
            self._faints += 1
        if self._asides > MOST_ASIDES or self._faints > MOST_FAINT:
            return SpeechIgnored("barge_in_unconfirmed")
        run.first = max(run.first, self._chunk + 1 - self._chunks(self._rules.max_utterance_ms))
        self._number(run)
        self._aside = run
        return Aside(self.turn, self._utterance, self._span(run))

    def _number(self, run: Run) -> None:
        """A run of speech is worth a number: that of what was set aside just before, if it goes on with that."""
        if self._aside is not None and self._goes_on(self._aside, run.first):
            run.first = self._aside.first
        else:
            self._utterance += 1
        self._aside = None

    def _goes_on(self, aside: Run, first: int) -> bool:
        """Whether speech from chunk `first` on belongs to what was set aside."""
        rules = self._rules
        near = first - aside.last <= self._chunks(rules.end_silence_ms)
        return near and self._chunk - aside.first < self._chunks(rules.max_utterance_ms)

    def _is_enough(self, run: Run) -> bool:
        """Whether a run of speech is an utterance."""
        if self._bot_speaks:
            enough = run.evidence * self._chunk_ms >= self._rules.barge_in_ms
        else:
            enough = run.sure >= self._chunks(self._rules.min_speech_ms)
        return enough and not self._voice.is_background(run.loudest_dbfs)

    def _follow(self) -> tuple[EndpointDecision, ...]:
        rules, run = self._rules, self._run
        assert run is not None
        assert self.turn is not None
        silence = self._chunk - run.last
        run.first = max(run.first, min(run.last, self._chunk + 1 - self._chunks(rules.max_utterance_ms)))
        too_long = self._chunk + 1 - self._began >= self._chunks(LONGEST_TALK * rules.max_utterance_ms)
        end_ms = rules.end_silence_ms if self._end_after_ms is None else self._end_after_ms
        if too_long or silence >= self._chunks(end_ms):
            guess = self._revision if self._guessed_to == run.last else 0
            end = End(self.turn, self._utterance, guess, self._span(run), "too_long" if too_long else "silence")
            self._floor = self._chunk + 1 if too_long else run.last + 1
            self._voice.heard(run.loudest_dbfs)
            self._run = None
            self._confirmed = False
            self._forget_guess()
            return (end,)
        if self._guessed_to != run.last:
            if silence < self._chunks(rules.eager_silence_ms):
                return ()
            self._revision += 1
            self._guessed_to = run.last
            self._after_guess = None
            self._settled = rules.commit_silence_ms <= rules.eager_silence_ms
            return (Guess(self.turn, self._utterance, self._revision, self._span(run), self._settled),)
        if not self._settled and silence >= self._chunks(rules.commit_silence_ms):
            self._settled = True
            return (Settled(self._utterance, self._revision),)
        return ()

    def _span(self, run: Run) -> SpeechSpan:
        first = max(self._floor, run.first - self._rules.pre_roll_chunks, 0)
        last = min(self._chunk, run.last + self._chunks(self._rules.eager_silence_ms))
        return SpeechSpan(min(first, run.first), last, run.first, run.last)

    def _forget_guess(self) -> None:
        self._revision = 0
        self._guessed_to = None
        self._after_guess = None
        self._end_after_ms = None

    def _chunks(self, duration_ms: float) -> int:
        return max(1, math.ceil(duration_ms / self._chunk_ms))
