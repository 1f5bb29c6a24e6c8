"""What a call can do by voice: say, stop, listen, wait, go on, finish. Pure: moves a Dialogue forward.

Every move leaves the call with a playback or a timer under way, so that nothing can end in silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dialogue.changing import changed
from dialogue.events import DialogueAction, Noted, StartTimer
from dialogue.flow import Flow, State
from dialogue.meaning import awaited, awaited_choices, hints
from dialogue.talk import Talk
from dialogue.voice.state import TIMERS, Dialogue, Phase, PlaybackUnderWay
from protocol.items import AudioItem, Item, PromptItem, SpeechItem
from protocol.messages import HangUp, Listen, Say, StopPlayback, TransferCall

PLAYBACK_GRACE_MS = 4_000  # a playback may begin late; then it is given up
UNKNOWN_PROMPT_MS = 10_000  # length of an item that is not known
SPOKEN_MS_PER_CHARACTER = 90  # of slow speech
ENDING_MS = 5_000  # a hang-up is reported within this time, or asked for again
PATIENT_MS = 24 * 3_600_000  # who writes is not asked whether they are there
UNHEARD_MS = 1_800  # with the silence that ended the noise, less than 3 s
STEP_BACK_MS = 200  # a prompt goes on a little before where it stopped


class Moves:
    """The moves of one `handle` call: `dialogue` is where it stands, `actions` what is to be done."""

    def __init__(self, flow: Flow, dialogue: Dialogue, at: float) -> None:
        self.flow = flow
        self.dialogue = dialogue
        self.at = at
        self.actions: list[DialogueAction] = []

    @property
    def state(self) -> State:
        """The state of the flow that the conversation is in."""
        return self.flow.states[self.dialogue.conversation.state]

    def change(self, **values: Any) -> None:
        """Replaces fields of the dialogue."""
        self.dialogue = changed(self.dialogue, **values)

    def note(self, what: str, detail: str = "") -> None:
        """Something for metrics and the call record."""
        self.actions.append(Noted(self.at, self.dialogue.turn, what, detail))

    def await_(self, phase: Phase, after_ms: int) -> None:
        """The dialogue now awaits something, for so long."""
        serial = self.dialogue.serial + 1
        self.change(phase=phase, serial=serial, timer_ms=after_ms)
        self.actions.append(StartTimer(TIMERS[phase], serial, after_ms))

    # --- the conversation ---

    def talk(self) -> Talk:
        """The conversation's own moves; `carry_out` does by voice what they come to."""
        return Talk(self.flow, self.dialogue.conversation, self.at)

    def carry_out(self, talk: Talk) -> None:
        """What the conversation came to: says it, and then listens or ends the call."""
        before = self.dialogue.conversation
        self.change(conversation=talk.conversation)
        if talk.conversation.state != before.state:
            self.change(unheard=0)
        self.actions += talk.actions
        saying = talk.saying
        if saying is None:
            return
        if not saying.ends:
            self.change(resumptions=0, wait_ms=saying.wait_ms, digits="", filled=False)
        self.listen()
        if saying.items:
            self.play(saying.items, phase="parting" if saying.ends else "announcing" if saying.acts else "speaking")
        elif saying.acts:
            self.silence()
            self.await_("acting", self.state.filler_ms)
        else:
            self.silence()
            if saying.ends:
                self.finish()
            else:
                self.wait()

    # --- saying ---

    def play(self, items: tuple[Item, ...], offset_ms: int = 0, phase: Phase = "speaking") -> None:
        """Says items now, instead of what is being said. `offset_ms` is within the first."""
        self.silence()
        d = self.dialogue
        call_id = d.conversation.call_id
        playback = PlaybackUnderWay(f"p-{call_id}-{d.playbacks + 1}", items, offset_ms, fills=phase == "filling")
        self.change(playbacks=d.playbacks + 1, playback=playback, spoken=playback, interrupted=None)
        self.actions.append(
            Say(
                call_id,
                self.at,
                d.turn,
                playback.playback_id,
                self.flow.language,
                items,
                offset_ms=offset_ms,
                parting=phase == "parting",
            )
        )
        self.await_(phase, self.length_ms(items) - offset_ms + PLAYBACK_GRACE_MS)

    def silence(self) -> None:
        """Stops what is being said."""
        if self.dialogue.playback is not None:
            self.actions.append(StopPlayback(self.dialogue.conversation.call_id, self.at))
            self.change(playback=None)

    def length_ms(self, items: tuple[Item, ...]) -> int:
        """How long items take, as far as that is known before they were said."""
        return sum(self._item_ms(item) for item in items)

    def _item_ms(self, item: Item) -> int:
        match item:
            case PromptItem(name=name):
                return self.flow.prompt_ms.get(name, UNKNOWN_PROMPT_MS)
            case SpeechItem(text=text):
                return len(text) * SPOKEN_MS_PER_CHARACTER
            case AudioItem(ms=ms) if ms:
                return ms
        return UNKNOWN_PROMPT_MS

    def cut_prompt(self) -> None:
        """Stops a prompt because the caller speaks, and remembers how far it came."""
        playback = self.dialogue.playback
        if playback is not None:
            played_ms = round((self.at - playback.began_at) * 1_000) if playback.began_at else 0
            self.silence()
            self.change(interrupted=replace(playback, heard_ms=playback.offset_ms + max(0, played_ms)))

    def resume(self) -> None:
        """The interruption was none: what was being said goes on where it stopped."""
        cut = self.dialogue.interrupted
        if cut is None:
            return
        items, offset = self._rest(cut)
        offset = min(max(0, offset - STEP_BACK_MS), max(0, self._item_ms(items[0]) - STEP_BACK_MS))
        self.change(resumptions=self.dialogue.resumptions + 1)
        self.note("false_barge_in")
        self.play(items, offset, phase="filling" if cut.fills else "speaking")

    def _rest(self, cut: PlaybackUnderWay) -> tuple[tuple[Item, ...], int]:
        """What of a cut playback was not heard yet, and how much of its first item was: as reported, or estimated."""
        if len(cut.heard) == len(cut.items):
            for index, heard in enumerate(cut.heard):
                if heard.state in ("stopped", "skipped"):
                    return cut.items[index:], heard.heard_ms
            return cut.items[-1:], cut.heard[-1].heard_ms
        items, offset = list(cut.items), cut.heard_ms
        while len(items) > 1 and offset >= self._item_ms(items[0]) + STEP_BACK_MS:
            offset -= self._item_ms(items.pop(0))
        return tuple(items), offset

    # --- listening ---

    def listen(self) -> None:
        """Tells the receiver how to listen in this turn."""
        c, how = self.dialogue.conversation, self.state.listening
        listens = self.state.listens and not c.ending
        self.actions.append(
            Listen(
                c.call_id,
                self.at,
                c.turn,
                self.flow.language,
                how.eager_silence_ms,
                how.end_silence_ms,
                how.max_utterance_ms,
                barge_in=how.barge_in and listens,
                barge_in_ms=how.barge_in_ms,
                hints=hints(self.flow, c) if listens else how.hints,
                commit_silence_ms=how.commit_silence_ms,
                turn_model=how.turn_model,
                whole_silence_ms=how.whole_silence_ms,
                awaited=awaited(self.flow, c) if listens else (),
                choices=awaited_choices(self.flow, c) if listens else (),
                state=c.state,
                asks=listens,
                known=c.known if self.dialogue.patient else (),
            )
        )

    def wait(self, after_noise: bool = False) -> None:
        """The question was asked; now it is the caller's turn. After a noise that may have been their answer they are
        not left in silence for as long."""
        self.change(playback=None, interrupted=None, filled=False)
        patience_ms = self.dialogue.wait_ms or self.state.listening.no_input_ms
        if after_noise and not self.dialogue.wait_ms:
            patience_ms = min(patience_ms, UNHEARD_MS)
        if self.dialogue.patient:
            patience_ms = PATIENT_MS
        self.await_("waiting", patience_ms)

    # --- ending ---

    def hand_over(self) -> None:
        """The conversation cannot go on: the flow's way out."""
        talk = self.talk()
        talk.hand_over()
        self.carry_out(talk)

    def finish(self) -> None:
        """Everything is said: ends the call."""
        talk = self.talk()
        talk.conclude()
        self.carry_out(talk)
        c = self.dialogue.conversation
        kind, _, extension = c.ending.partition(" ")
        if kind == "transfer":
            self.actions.append(TransferCall(c.call_id, self.at, extension, c.outcome))
        else:
            self.actions.append(HangUp(c.call_id, self.at, c.outcome))
        self.change(playback=None, interrupted=None)
        self.await_("ending", ENDING_MS)

    def over(self) -> None:
        """Nothing more will happen."""
        talk = self.talk()
        for effect_id in tuple(talk.conversation.effects):
            talk.settle(effect_id, dropped=True)
        self.carry_out(talk)
        self.change(
            phase="over", timer_ms=0, playback=None, interrupted=None, early=None, asked=None, asking="", beyond=()
        )
