"""What a conversation can do: ask, go to a state, fill a slot, escalate, end. Pure: moves a Conversation forward.

What comes out is what is to be said next and whether an answer is then awaited (`Saying`); whoever takes the turns, by
voice or in text, carries that out. Each move that is no mere change of values ends in a Saying, so that nothing can
end in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from dialogue.conversation import Conversation
from dialogue.effects import DropEffect, Effect
from dialogue.events import Committed, DialogueAction, Noted
from dialogue.flow import Escalation, Flow, State, Step, Wording
from dialogue.meaning import Meaning
from dialogue.readout import read_out
from protocol.items import Item, PromptItem
from protocol.messages import CallConcluded, TurnTaken


@dataclass(frozen=True)
class Saying:
    """What is to be said now. Then an answer is awaited (for `wait_ms` if that is not 0), or the call `ends`."""

    items: tuple[Item, ...]
    ends: bool = False
    wait_ms: int = 0


class Talk:
    """The moves of one step: `conversation` is where it stands, `actions` what is told, `saying` what is to be said."""

    def __init__(self, flow: Flow, conversation: Conversation, at: float) -> None:
        self.flow = flow
        self.conversation = conversation
        self.at = at
        self.actions: list[DialogueAction] = []
        self.saying: Saying | None = None

    @property
    def state(self) -> State:
        """The state of the flow that the conversation is in."""
        return self.flow.states[self.conversation.state]

    def change(self, **values: Any) -> None:
        """Replaces fields of the conversation."""
        self.conversation = replace(self.conversation, **values)

    def note(self, what: str, detail: str = "") -> None:
        """Something for metrics and the call record."""
        self.actions.append(Noted(self.at, self.conversation.turn, what, detail))

    # --- answers ---

    def answered(self, meaning: Meaning, text: str, committed: Committed) -> None:
        """Does what was meant, and records the turn."""
        before = self.conversation
        kept = ("no_match",) if meaning.kind == "no_match" else ()
        self.change(steps={name: step for name, step in before.steps.items() if name in kept})
        intent = meaning.intent
        match meaning.kind:
            case "value":
                intent = intent or "slot_value"
                self.fill(meaning.value, confirm=committed != "dtmf")
            case "confirmed":
                self.fill(before.tentative or "", confirm=False)
            case "denied":
                self.change(tentative=None)
                self.ask_again()
            case "intent" if meaning.step is not None:
                self.take(meaning.step)
            case _:
                self.escalate("no_match", self.state.no_match)
        self.record(before, text, intent, meaning.score, committed)

    def unanswered(self, why: Literal["no_input", "trouble"], text: str = "") -> None:
        """No answer came, or nobody could tell what it was: the next step of the escalation, recorded as a turn."""
        before = self.conversation
        self.escalate(why, self.state.no_input if why == "no_input" else self.flow.trouble)
        self.record(before, text, "", 0.0, why)

    def record(self, before: Conversation, text: str, intent: str, score: float, committed: Committed) -> None:
        """The turn of `before` is answered: what it came to."""
        c = self.conversation
        self.actions.append(
            TurnTaken(c.call_id, self.at, before.turn, before.state, c.state, text, intent, score, committed, c.known)
        )

    # --- asking ---

    def ask(self, before: Wording, question: Wording, wait_ms: int = 0) -> None:
        """A new turn: says `before` and the question, then an answer is awaited."""
        self._ask(before, self.items(question), wait_ms)

    def _ask(self, before: Wording, asked: tuple[Item, ...], wait_ms: int = 0) -> None:
        if self.conversation.turn >= self.flow.max_turns:
            self.note("too_many_turns")
            self.take(self.flow.too_long)
            return
        self.change(turn=self.conversation.turn + 1)
        if asked:
            self.change(last_said=asked)
        self.saying = Saying(self.items(before) + asked, wait_ms=wait_ms)

    def ask_again(self, before: Wording = ()) -> None:
        """Says `before` and the question once more, in its next wording."""
        state, asked = self.state, self.conversation.asked
        self.change(asked=asked + 1)
        if self.conversation.confirming:
            question = state.read_back
        else:
            question = state.ask_again[asked % len(state.ask_again)] if state.ask_again else state.say
        self.ask(before, question)

    def items(self, wording: Wording) -> tuple[Item, ...]:
        """A wording with its slots read out."""
        known = dict(self.conversation.slots)
        if self.conversation.tentative is not None:
            known[self.state.slot] = self.conversation.tentative
        found: list[Item] = []
        for name in wording:
            slot = self.flow.slots.get(name[1:-1]) if name.startswith("{") else None
            if slot is None:
                found.append(PromptItem(name))
            elif slot.name in known:
                found += [PromptItem(prompt) for prompt in read_out(slot, known[slot.name])]
        return tuple(found)

    # --- going on ---

    def take(self, step: Step) -> None:
        """Does a step of the flow."""
        if step.count:
            count = self.conversation.counters.get(step.count, 0) + 1
            self.change(counters={**self.conversation.counters, step.count: count})
            if count > self.flow.counters[step.count] and step.over is not None:
                self.note("counter_over", step.count)
                self.take(step.over)
                return
        if step.set:
            self.change(slots={**self.conversation.slots, **step.set})
        if step.outcome:
            self.change(outcome=step.outcome)
        if step.goto:
            self.enter(step.goto, step.say)
        elif step.ends:
            self.end(step.say, step.transfer)
        elif step.repeat:
            self._ask(step.say, self.conversation.last_said)
        elif step.wait_ms:
            self.ask(step.say, (), step.wait_ms)
        elif step.ask:
            self.ask_again(step.say)
        else:
            self.ask((), step.say)

    def enter(self, name: str, before: Wording = ()) -> None:
        """Goes to a state, through the states that only pass on. Trouble goes on until something is understood."""
        say = before
        trouble = {name: step for name, step in self.conversation.steps.items() if name == "trouble"}
        while True:
            self.change(state=name, asked=0, steps=trouble, tentative=None, read_backs=0)
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
            self.change(slots={**self.conversation.slots, state.slot: value}, tentative=None)
            step = state.filled_as.get(value, state.filled)
            if step is not None:
                self.take(step)
            return
        read_backs = self.conversation.read_backs + 1
        self.change(tentative=value, read_backs=read_backs)
        if read_backs > state.read_back_retries and state.no_match is not None:
            self.change(tentative=None)
            self.take(state.no_match.then)
            return
        self.ask((), state.read_back)

    def escalate(self, name: Literal["no_input", "no_match", "trouble"], escalation: Escalation | None) -> None:
        """The next step of an escalation, or what comes after the last."""
        step = self.conversation.steps.get(name, 0)
        self.change(steps={**self.conversation.steps, name: step + 1})
        if escalation is None or step >= escalation.retries:
            self.take(escalation.then if escalation is not None else self.flow.too_long)
            return
        say = escalation.say[step % len(escalation.say)] if escalation.say else ()
        if escalation.ask:
            self.ask_again(say)
        else:
            self.ask(say, ())

    def hand_over(self) -> None:
        """The flow's way out when the conversation cannot go on."""
        if self.conversation.state not in self.flow.states:  # another version of the flow
            self.change(state=self.flow.start)
        self.take(self.flow.trouble.then)

    # --- effects ---

    def effect(self, kind: str, **arguments: Any) -> str:
        """Asks for something of the world; the id under which it will be answered."""
        c = self.conversation
        made = Effect(f"{c.call_id}:{c.effects_made + 1}:{kind}", kind, arguments)
        self.change(effects={**c.effects, made.id: made}, effects_made=c.effects_made + 1)
        self.actions.append(made)
        return made.id

    def settle(self, effect_id: str, dropped: bool = False) -> Effect | None:
        """An effect is waited for no more; None when it was not waited for."""
        effect = self.conversation.effects.get(effect_id)
        if effect is not None:
            left = {key: other for key, other in self.conversation.effects.items() if key != effect_id}
            self.change(effects=left)
            if dropped:
                self.actions.append(DropEffect(effect_id))
        return effect

    # --- ending ---

    def end(self, say: Wording, transfer: str) -> None:
        """Says good-bye; then the call is transferred or hung up."""
        self.change(ending=f"transfer {transfer}" if transfer else "hangup", turn=self.conversation.turn + 1)
        self.saying = Saying(self.items(say), ends=True)

    def conclude(self, otherwise: str = "unknown") -> None:
        """The outcome, once."""
        c = self.conversation
        if not c.concluded:
            outcome = c.outcome or otherwise
            self.change(concluded=True, outcome=outcome)
            self.actions.append(CallConcluded(c.call_id, self.at, outcome, c.known))
