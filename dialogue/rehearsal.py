"""A conversation with a flow in text: plays the caller, the telephone and the clock around the dialogue, without audio.

What the caller says goes in as text with its intent; what the bot says comes out as prompt names. Time is counted, not
waited for: prompts take as long as they are, timers expire when the caller is silent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dialogue.effects import Effect, EffectDone
from dialogue.events import (
    Begun,
    CallOver,
    CommandRefused,
    DialogueAction,
    DialogueEvent,
    DigitPressed,
    HoldBegan,
    HoldEnded,
    IntentTrouble,
    Noted,
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    RecognitionTrouble,
    SpeechBegan,
    StartTimer,
    TimerExpired,
    Understood,
)
from dialogue.flow import Flow
from dialogue.snapshot import from_json, to_json
from dialogue.voice import Dialogue, handle
from protocol.items import Item, SpeechItem, label
from protocol.messages import CallConcluded, HangUp, Say, TransferCall, TurnTaken

BEGIN_AT = 1_780_300_800.0  # Monday 1 June 2026, 10:00 in Paris: "demain" is a Tuesday
RECOGNITION_CONFIDENCE = 0.9


@dataclass(frozen=True)
class Decision:
    """What an intent service says about a sentence."""

    intent: str = ""
    score: float = 0.0
    faq_set: bool = False
    fallback: bool = True


World = Callable[[Effect], tuple[EffectDone | None, float]]
"""What comes of an action (None: nothing ever), and after how many seconds."""


def nothing_comes(effect: Effect) -> tuple[EffectDone | None, float]:
    """A world that never answers."""
    return None, 0.0


Resolver = Callable[[str, tuple[str, ...]], Decision]  # sentence, allowed intents


class Rehearsal:
    """One call in text. `spoken` is what the bot said since the caller's last action, `turns` what it understood."""

    def __init__(
        self,
        flow: Flow,
        resolve: Resolver,
        at: float = BEGIN_AT,
        world: World = nothing_comes,
        facts: Mapping[str, str] | None = None,
        number: str = "+33100000000",
        call_id: str = "score",
    ) -> None:
        self.flow = flow
        self.resolve = resolve
        self.at = at
        self.dialogue = Dialogue()
        self.spoken: list[str] = []
        self.turns: list[TurnTaken] = []
        self.noted: list[Noted] = []
        self.concluded: CallConcluded | None = None
        self.ended_by: HangUp | TransferCall | None = None
        self._timer: tuple[StartTimer, float] | None = None
        self._utterance = 0
        self._asked: Effect | None = None
        self.world = world
        self.asked_for: list[Effect] = []
        self.states: set[str] = set()
        self._answers: dict[str, tuple[EffectDone | None, float]] = {}
        self.feed(Begun(call_id, at, number, dict(facts or {})))
        self._act()

    @property
    def over(self) -> bool:
        """The call has ended."""
        return self.dialogue.over

    # --- what the caller does ---

    def says(self, text: str, decision: Decision | None = None) -> None:
        """Speaks when the bot is silent, and is understood at the end of the utterance."""
        self.listen()
        self._speak()
        self._resolved(text, decision, final=True)

    def guessed(self, text: str, decision: Decision | None = None, confidence: float = RECOGNITION_CONFIDENCE) -> None:
        """Speaks, and has been understood so far; may go on with `continues`."""
        self.listen()
        self._speak()
        self._resolved(text, decision, final=False, confidence=confidence)

    def continues(self, text: str, decision: Decision | None = None) -> None:
        """The whole of the utterance that was guessed."""
        self._began()
        self._resolved(text, decision, final=True)

    def interrupts(self, text: str, after_ms: int, decision: Decision | None = None) -> None:
        """Speaks while the bot does; nothing but a cough when there is no text."""
        self._began()
        self.at += after_ms / 1_000
        self._speak()
        if text:
            self._resolved(text, decision, final=True)
        else:
            self.feed(NothingHeard(self.at, self.dialogue.turn, self._utterance, "no speech"))

    def coughs(self) -> None:
        """Makes a noise when the bot is silent."""
        self.listen()
        self._speak()
        self.feed(NothingHeard(self.at, self.dialogue.turn, self._utterance, "no_speech"))

    def mumbles(self) -> None:
        """Says something that the recogniser does not understand."""
        self.listen()
        self._speak()
        self.feed(NothingHeard(self.at, self.dialogue.turn, self._utterance, "unsure"))

    def presses(self, keys: str) -> None:
        """Presses keys, without waiting for the bot to finish."""
        self._began()
        self.spoken.clear()
        for key in keys:
            self.at += 0.2
            self.feed(DigitPressed(self.at, key))
        self._act()

    def is_silent(self) -> None:
        """Waits until the running timer expires."""
        self.listen()
        self.spoken.clear()
        self.expire()
        self._act()

    def holds(self, after_ms: int = 0) -> None:
        """Puts the call on hold, while the bot speaks or later."""
        self._began()
        self.spoken.clear()
        self.at += after_ms / 1_000
        self.feed(HoldBegan(self.at))

    def takes_back(self) -> None:
        """Is there again a minute later."""
        self.spoken.clear()
        self.at += 60.0
        self.feed(HoldEnded(self.at))
        self._act()

    def plays_on_hold(self, text: str) -> None:
        """Their telephone system lets us hear music or a voice."""
        self._speak()
        self._resolved(text, None, final=True)

    def hangs_up(self) -> None:
        self._began()
        self.feed(CallOver(self.at, "caller_hung_up"))

    # --- what goes wrong ---

    def recogniser_fails(self) -> None:
        """The caller speaks and the recogniser does not answer."""
        self.listen()
        self._speak()
        self.feed(RecognitionTrouble(self.at, self.dialogue.turn, self._utterance, "timeout"))

    def intents_fail(self, text: str) -> None:
        """The caller speaks and the intent service does not answer."""
        self.listen()
        self._speak()
        self.feed(
            IntentTrouble(self.at, self.dialogue.turn, self._utterance, text, "request_timeout_error"),
        )

    def understanding_hangs(self) -> None:
        """The caller has said what only the intent service could understand, and no answer comes."""
        self.listen()
        self._speak()
        self.feed(Recognised(self.at, self.dialogue.turn, self._utterance, "xyzzy", RECOGNITION_CONFIDENCE))
        self.expire()

    def playback_fails(self) -> None:
        """What the bot wants to say cannot be played."""
        playback = self.dialogue.playback
        if playback is not None:
            self.feed(PlaybackEnded(self.at, playback.playback_id, "failed", 0))

    def refuses(self, command: str) -> None:
        """Asterisk refuses a command."""
        self.listen(to_the_end=False)
        self.ended_by = None
        self.feed(CommandRefused(self.at, command, "refused"))

    # --- the telephone and the clock ---

    def listen(self, to_the_end: bool = True) -> None:
        """Hears out what the bot says; with `to_the_end`, a call that the bot ends is over then."""
        while self.dialogue.playback is not None:
            self._hear_out()
        if to_the_end and self.ended_by is not None and not self.over:
            reason = "transferred" if isinstance(self.ended_by, TransferCall) else "bot_hung_up"
            self.feed(CallOver(self.at, reason))

    def expire(self) -> None:
        """The timer that runs expires."""
        if self._timer is not None:
            timer, due = self._timer
            self.at = max(self.at, due)
            self.feed(TimerExpired(self.at, timer.name, timer.serial))

    def feed(self, event: DialogueEvent) -> list[DialogueAction]:
        """One event into the dialogue, which survives its snapshot on the way."""
        self.dialogue, actions = handle(self.flow, from_json(to_json(self.dialogue)), event)
        self.states.add(self.dialogue.state)
        for action in actions:
            match action:
                case Say():
                    self.spoken.extend(_shown(item) for item in action.items)
                case Effect(kind="intent"):
                    self._asked = action
                case Effect(kind="http" | "message" | "knowledge"):
                    self.asked_for.append(action)
                    done, after_s = self.world(action)
                    self._answers[action.id] = (done, self.at + after_s)
                case StartTimer():
                    self._timer = (action, self.at + action.after_ms / 1_000)
                case TurnTaken():
                    self.turns.append(action)
                case Noted():
                    self.noted.append(action)
                case CallConcluded():
                    self.concluded = action
                case HangUp() | TransferCall():
                    self.ended_by = action
        return actions

    def _act(self) -> None:
        """Waits for actions, in whatever time they take, hearing what is said meanwhile."""
        while self.dialogue.phase in ("announcing", "acting"):
            done, due = self._answers.get(self.dialogue.conversation.awaited, (None, 0.0))
            if self.dialogue.phase == "announcing":
                self._hear_out()
            elif done is not None and (self._timer is None or due <= self._timer[1]):
                self.at = max(self.at, due)
                self.feed(dataclasses.replace(done, at=self.at))
            else:
                self.expire()

    def _hear_out(self) -> None:
        playback = self.dialogue.playback
        if playback is not None:
            self._began()
            played_ms = sum(self.flow.prompt_ms.get(label(item), 0) for item in playback.items) - playback.offset_ms
            self.at += max(0, played_ms) / 1_000
            self.feed(PlaybackEnded(self.at, playback.playback_id, "finished", max(0, played_ms)))

    def _began(self) -> None:
        playback = self.dialogue.playback
        if playback is not None and not playback.began_at:
            self.at += 0.02
            self.feed(PlaybackBegan(self.at, playback.playback_id))

    def _speak(self) -> None:
        self.spoken.clear()
        self._utterance += 1
        self.at += 0.5
        self.feed(SpeechBegan(self.at, self.dialogue.turn, self._utterance))
        self.at += 1.0

    def _resolved(
        self, text: str, decision: Decision | None, final: bool, confidence: float = RECOGNITION_CONFIDENCE
    ) -> None:
        """What the recogniser heard; its intent as it is told here, or as it is looked up."""
        turn, utterance = self.dialogue.turn, self._utterance
        if decision is not None:
            found = (decision.intent, decision.score, decision.faq_set, decision.fallback)
            self.feed(Understood(self.at, turn, utterance, text, confidence, *found, final))
            self._act()
            return
        self._asked = None
        self.feed(Recognised(self.at, turn, utterance, text, confidence, final))
        while (asked := self._asked) is not None:
            self._asked = None
            answer = self.resolve(asked.arguments["sentence"], tuple(asked.arguments["allowed"]))
            self.feed(EffectDone(self.at, asked.id, dataclasses.asdict(answer)))
        self._act()


def _shown(item: Item) -> str:
    """A prompt by its name, speech by its text."""
    return item.text if isinstance(item, SpeechItem) else label(item)
