"""What the dialogue can do: say, ask, go to a state, climb a ladder, end the call. Pure: moves a Dialogue forward.

Every move leaves the call with a playback or a timer under way, so that nothing can end in silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from dialogue.events import Action, Committed, Noted, StartTimer
from dialogue.flow import Flow, Ladder, Say, State, Step
from dialogue.readout import read_out
from dialogue.state import Dialogue, Phase, Playback
from protocol.messages import CallConcluded, HangUp, Listen, PlayPrompts, StopPlayback, TransferCall, TurnTaken

PLAYBACK_GRACE_MS = 4_000  # a playback may begin late; then it is given up
UNKNOWN_PROMPT_MS = 10_000  # length of a prompt that is not known
ENDING_MS = 5_000  # a hang-up is reported within this time, or asked for again
ENDING_RETRIES = 3
UNHEARD_MS = 1_800  # with the silence that ended the noise, less than 3 s
STEP_BACK_MS = 200  # a prompt goes on a little before where it stopped


class Moves:
    """The moves of one `handle` call: `dialogue` is where it stands, `actions` what is to be done."""

    def __init__(self, flow: Flow, dialogue: Dialogue, at: float) -> None:
        self.flow = flow
        self.dialogue = dialogue
        self.at = at
        self.actions: list[Action] = []

    @property
    def state(self) -> State:
        return self.flow.states[self.dialogue.state]

    def change(self, **values: Any) -> None:
        """Replaces fields of the dialogue."""
        self.dialogue = replace(self.dialogue, **values)

    def note(self, what: str, detail: str = "") -> None:
        self.actions.append(Noted(self.at, self.dialogue.turn, what, detail))

    def await_(self, phase: Phase, timer: str, after_ms: int) -> None:
        """The dialogue now awaits something, for so long."""
        serial = self.dialogue.serial + 1
        self.change(phase=phase, serial=serial, timer=timer, timer_ms=after_ms)
        self.actions.append(StartTimer(timer, serial, after_ms))

    # --- saying ---

    def play(self, prompts: Say, offset_ms: int = 0) -> None:
        """Plays prompts now, instead of what is being played. `offset_ms` is within the first."""
        self.silence()
        d = self.dialogue
        playback = Playback(f"p-{d.call_id}-{d.playbacks + 1}", prompts, offset_ms)
        self.change(playbacks=d.playbacks + 1, playback=playback, interrupted=None)
        self.actions.append(
            PlayPrompts(
                d.call_id, self.at, d.turn, playback.playback_id, self.flow.language, prompts, offset_ms=offset_ms
            )
        )
        self.await_("speaking", "playback", self.length_ms(prompts) - offset_ms + PLAYBACK_GRACE_MS)

    def silence(self) -> None:
        """Stops what is being played."""
        if self.dialogue.playback is not None:
            self.actions.append(StopPlayback(self.dialogue.call_id, self.at))
            self.change(playback=None)

    def length_ms(self, prompts: Say) -> int:
        return sum(self.flow.prompt_ms.get(prompt, UNKNOWN_PROMPT_MS) for prompt in prompts)

    def spoken(self, say: Say) -> Say:
        """Prompt names with slots read out."""
        known = dict(self.dialogue.slots)
        if self.dialogue.tentative is not None:
            known[self.state.slot] = self.dialogue.tentative
        prompts: list[str] = []
        for name in say:
            slot = self.flow.slots.get(name[1:-1]) if name.startswith("{") else None
            if slot is None:
                prompts.append(name)
            elif slot.name in known:
                prompts.extend(read_out(slot, known[slot.name]))
        return tuple(prompts)

    def ask(self, before: Say, question: Say, wait_ms: int = 0) -> None:
        """A new turn: says `before` and the question, then listens (for `wait_ms`, when the caller asked for time)."""
        d = self.dialogue
        if d.turn >= self.flow.max_turns:
            self.note("too_many_turns")
            self.take(self.flow.too_long)
            return
        self.change(turn=d.turn + 1, resumptions=0, wait_ms=wait_ms, digits="", rungs=_without(d, "dead_air"))
        asked = self.spoken(question)
        if asked:
            self.change(last_said=asked)
        self.listen()
        prompts = self.spoken(before) + asked
        if prompts:
            self.play(prompts)
        else:
            self.silence()
            self.wait()

    def ask_again(self, before: Say = ()) -> None:
        """Says `before` and the question once more, in its next wording."""
        state, asked = self.state, self.dialogue.asked
        self.change(asked=asked + 1)
        if self.dialogue.confirming:
            question = state.read_back
        else:
            question = state.ask_again[asked % len(state.ask_again)] if state.ask_again else state.say
        self.ask(before, question)

    def listen(self) -> None:
        """Tells the receiver how to listen in this turn."""
        d, how = self.dialogue, self.state.listening
        listens = self.state.listens and not d.ending
        self.actions.append(
            Listen(
                d.call_id,
                self.at,
                d.turn,
                self.flow.language,
                how.eager_silence_ms,
                how.end_silence_ms,
                how.max_utterance_ms,
                barge_in=how.barge_in and listens,
                barge_in_ms=how.barge_in_ms,
                hints=how.hints,
                commit_silence_ms=how.commit_silence_ms,
                turn_model=how.turn_model,
                whole_silence_ms=how.whole_silence_ms,
            )
        )

    def resume(self) -> None:
        """The interruption was none: the prompts go on where they stopped."""
        cut = self.dialogue.interrupted
        if cut is None:
            return
        prompts, offset = list(cut.prompts), max(0, cut.offset_ms - STEP_BACK_MS)
        while len(prompts) > 1 and offset >= self.length_ms((prompts[0],)):
            offset -= self.length_ms((prompts.pop(0),))
        offset = min(offset, max(0, self.length_ms((prompts[0],)) - STEP_BACK_MS))
        self.change(resumptions=self.dialogue.resumptions + 1)
        self.note("false_barge_in")
        self.play(tuple(prompts), offset)

    def wait(self, after_noise: bool = False) -> None:
        """The question was asked; now it is the caller's turn. After a noise that may have been his answer he is not
        left in silence for as long."""
        self.change(playback=None, interrupted=None, rungs=_without(self.dialogue, "dead_air"))
        patience_ms = self.dialogue.wait_ms or self.state.listening.no_input_ms
        if after_noise and not self.dialogue.wait_ms:
            patience_ms = min(patience_ms, UNHEARD_MS)
        self.await_("waiting", "no_input", patience_ms)

    # --- going on ---

    def take(self, step: Step) -> None:
        """Does a step."""
        if step.count:
            count = self.dialogue.counters.get(step.count, 0) + 1
            self.change(counters={**self.dialogue.counters, step.count: count})
            if count > self.flow.counters[step.count] and step.over is not None:
                self.note("counter_over", step.count)
                self.take(step.over)
                return
        if step.set:
            self.change(slots={**self.dialogue.slots, **step.set})
        if step.outcome:
            self.change(outcome=step.outcome)
        if step.goto:
            self.enter(step.goto, step.say)
        elif step.ends:
            self.end(step.say, step.transfer)
        elif step.repeat:
            self.ask(step.say, self.dialogue.last_said)
        elif step.wait_ms:
            self.ask(step.say, (), step.wait_ms)
        elif step.ask:
            self.ask_again(step.say)
        else:
            self.ask((), step.say)

    def enter(self, name: str, before: Say = ()) -> None:
        """Goes to a state, through the states that only pass on."""
        say = before
        while True:
            self.change(state=name, asked=0, rungs=_kept(self.dialogue), tentative=None, read_backs=0, digits="")
            state = self.state
            if not state.goto:
                break
            say, name = say + state.say, state.goto
        if state.listens:
            self.ask(say, state.say)
            return
        if state.outcome:
            self.change(outcome=state.outcome)
        self.end(say + state.say, state.transfer)

    def fill(self, value: str, confirm: bool = True) -> None:
        """Takes a slot value: reads it back where the flow asks for it, else goes on."""
        state = self.state
        if not (confirm and state.read_back):
            self.change(slots={**self.dialogue.slots, state.slot: value}, tentative=None)
            step = state.filled_as.get(value, state.filled)
            if step is not None:
                self.take(step)
            return
        read_backs = self.dialogue.read_backs + 1
        self.change(tentative=value, read_backs=read_backs)
        if read_backs > state.read_back_retries and state.no_match is not None:
            self.change(tentative=None)
            self.take(state.no_match.then)
            return
        self.ask((), state.read_back)

    def climb(self, name: Literal["no_input", "no_match", "trouble"], ladder: Ladder | None) -> None:
        """The next rung of a ladder, or what comes after the last."""
        rung = self.dialogue.rungs.get(name, 0)
        self.change(rungs={**self.dialogue.rungs, name: rung + 1})
        if ladder is None or rung >= ladder.retries:
            self.take(ladder.then if ladder is not None else self.flow.too_long)
            return
        say = ladder.say[rung % len(ladder.say)] if ladder.say else ()
        if ladder.ask:
            self.ask_again(say)
        else:
            self.ask(say, ())

    # --- ending ---

    def end(self, say: Say, transfer: str) -> None:
        """Says good-bye, then transfers or hangs up."""
        self.change(ending=f"transfer {transfer}" if transfer else "hangup", turn=self.dialogue.turn + 1)
        prompts = self.spoken(say)
        self.listen()
        if prompts:
            self.play(prompts)
        else:
            self.silence()
            self.finish()

    def finish(self) -> None:
        """Everything is said: ends the call."""
        d = self.dialogue
        self.conclude()
        kind, _, extension = d.ending.partition(" ")
        if kind == "transfer":
            self.actions.append(TransferCall(d.call_id, self.at, extension, d.outcome))
        else:
            self.actions.append(HangUp(d.call_id, self.at, d.outcome))
        self.change(playback=None, interrupted=None)
        self.await_("ending", "ending", ENDING_MS)

    def conclude(self, otherwise: str = "unknown") -> None:
        """The outcome, once."""
        d = self.dialogue
        if not d.concluded:
            outcome = d.outcome or otherwise
            self.change(concluded=True, outcome=outcome)
            self.actions.append(CallConcluded(d.call_id, self.at, outcome, known(d)))

    def over(self) -> None:
        """Nothing more will happen."""
        self.change(phase="over", timer="", timer_ms=0, playback=None, interrupted=None, before=None)

    def record(self, before: Dialogue, text: str, intent: str, score: float, committed: Committed) -> None:
        """The turn of `before` is answered: what it came to."""
        d = self.dialogue
        turn = TurnTaken(
            d.call_id, self.at, before.turn, before.state, d.state, text, intent, score, committed, slots=known(d)
        )
        self.actions.append(turn)


def known(dialogue: Dialogue) -> tuple[str, ...]:
    """The slots that are known so far, as `name=value`."""
    return tuple(f"{name}={value}" for name, value in dialogue.slots.items())


def _without(dialogue: Dialogue, name: str) -> dict[str, int]:
    return {rung: count for rung, count in dialogue.rungs.items() if rung != name}


def _kept(dialogue: Dialogue) -> dict[str, int]:
    """What a new state does not begin anew: trouble goes on until something is understood."""
    return {name: rung for name, rung in dialogue.rungs.items() if name == "trouble"}
