"""What a conversation can do: ask, go to a state, fill a slot, escalate, end. Pure: moves a Conversation forward.

What comes out is what is to be said next and whether an answer is then awaited (`Saying`); whoever takes the turns, by
voice or in text, carries that out. Each move that is no mere change of values ends in a Saying, so that nothing can
end in silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dialogue.acting import Misread, Unsendable, answer_of, effect_of, note_of
from dialogue.changing import changed
from dialogue.conversation import Conversation, Volunteered
from dialogue.effects import ACTION_KINDS, DropEffect, Effect, EffectDone
from dialogue.events import Committed, DialogueAction, Noted
from dialogue.flow import Escalation, Flow, Form, Slot, State, Step, Wording
from dialogue.flow_checks import own_steps, returns
from dialogue.form_answers import beside, changed_by_intent, changes, named
from dialogue.meaning import ASKED_BELOW, Meaning, completed, is_day_named, local_time, read_as, value_text
from dialogue.memory import BadMemory, recalled
from dialogue.offers import chosen, offered_rows, options_of, rows_of, without
from dialogue.slots import SlotReading
from dialogue.slots.listed import DATED, TIMED
from dialogue.values.conditions import When
from dialogue.values.judging import Unset, holds
from dialogue.values.templates import Field, fill
from dialogue.values.value_types import BadValue, stored
from dialogue.variables import said, text_of, value_of
from dialogue.wording import items_of
from protocol.items import Item, PromptItem
from protocol.messages import CallConcluded, TurnTaken

CERTAIN = 0.9  # of what was volunteered; less is asked
MOST_VOLUNTEERED = 4
MOST_UNMATCHED = 2
LOOP_WORDS, LOOP_ALIKE = 4, 0.8  # who says so many words again and again, nearly the same, is a recording
ADVISER_AWAY = "adviser_away"
"""The outcome of a call that ends because, or after, no adviser took the caller."""
MOST_NOTES = 20
MOST_HISTORY = 50
MOST_HEARD = 500  # characters of what was said last
MOST_ADDED = 60  # records of a list that steps add to


@dataclass(frozen=True)
class Saying:
    """What is to be said now. Then an answer is awaited (for `wait_ms` if that is not 0), or what comes of an action
    (`acts`), or the call `ends`."""

    items: tuple[Item, ...]
    ends: bool = False
    wait_ms: int = 0
    acts: bool = False


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
        self.conversation = changed(self.conversation, **values)

    def note(self, what: str, detail: str = "") -> None:
        """Something for metrics and the call record."""
        self.actions.append(Noted(self.at, self.conversation.turn, what, detail))

    # --- answers ---

    def answered(
        self, meaning: Meaning, text: str, committed: Committed, looked_up: tuple[Volunteered, ...] = ()
    ) -> None:
        """Does what was meant, and records the turn. `looked_up`: clauses of it whose intents are known."""
        before = self.conversation
        form = self.flow.forms.get(self.state.form)
        fills = False
        if form is not None and committed != "dtmf":
            meaning = self._at_recap(form, meaning, text)
            fills = self._take_beside(meaning, text, looked_up)
        if fills and meaning.kind == "no_match":
            self.change(steps={})
            self._resume_form()
            self.record(before, text, "slot_value", meaning.score, committed)
            return
        is_open = meaning.kind in ("no_match", "part", "doubted", "not_meant")
        steps = {name: step for name, step in before.steps.items() if name == "no_match" and is_open}
        self.change(steps=steps, heard=text[:MOST_HEARD])
        if meaning.step is None or not (meaning.step.repeat or meaning.step.wait_ms) or meaning.kind == "meant":
            self.change(doubted="")
        if meaning.kind not in ("no_match", "part"):
            self.change(part="", unmatched=())
        intent = meaning.intent
        match meaning.kind:
            case "value" if meaning.slot:
                intent = intent or "slot_value"
                self.volunteer((Volunteered(text, used=(meaning.slot,)),))
                self._fill(meaning.slot, meaning.value)
                self.take(self.state.also[meaning.slot])
            case "value":
                intent = intent or "slot_value"
                certainty = meaning.reading.confidence if meaning.heard else 0.0
                slot = self.flow.slots[self.state.slot]
                if not self.state.form and self._says_more(slot, text):
                    self.volunteer((Volunteered(text, used=(slot.name,)),))
                self.fill(meaning.value, confirm=committed != "dtmf", certainty=certainty)
            case "confirmed":
                self.fill(before.tentative or "", confirm=False)
            case "denied":
                self.change(tentative=None)
                self.ask_again()
            case "part":
                self._go_on(meaning.value)
            case "narrowed":
                self.change(narrowed=tuple(map(int, meaning.value.split())))
                self.ask_again()
            case "refused" if self.state.refused is not None:
                self.volunteer((Volunteered(text),))
                self.take(self.state.refused)
            case "doubted":
                self.note("asked_back", intent)
                self.change(doubted=intent)
                self.ask((), self.flow.bands[intent].say)
            case "not_meant":
                self.escalate("no_match", self.state.no_match)
            case "correction":
                intent = "correction"
                self.correct(*(meaning.changes or ((meaning.slot, meaning.value),)))
            case "renewed":
                intent = "correction"
                self._forget(meaning.slot)
                self.enter(meaning.value)
            case "intent" | "meant" if meaning.step is not None:
                if intent in self.state.answers and form is None:
                    self.volunteer((Volunteered(text),))
                self.take(meaning.step)
            case _:
                self._not_matched(before, text)
        self.record(before, text, intent, meaning.score, committed)

    def _at_recap(self, form: Form, meaning: Meaning, text: str) -> Meaning:
        """What an answer to the recap of a form means: another value, a question that is to be asked again."""
        c = self.conversation
        is_about_it = meaning.kind == "no_match" or (meaning.kind == "intent" and meaning.intent in ("yes", "no"))
        if c.state != form.recap or not (is_about_it or meaning.kind == "correction"):
            return meaning
        found = changes(self.flow, c, form, text, self.at)
        if meaning.kind == "correction" and meaning.value:  # what is not so was said; others may stand beside it
            others = tuple(change for change in found if change[0] != meaning.slot)
            return replace(meaning, changes=(*others, (meaning.slot, meaning.value)))
        if found:
            return Meaning("correction", score=1.0, slot=found[0][0], value=found[0][1], changes=found)
        if not is_about_it:
            return meaning
        by_intent = changed_by_intent(self.flow, c, form, meaning)
        if by_intent is not None:
            member, step = by_intent
            if step.goto == form.name:
                return Meaning("correction", score=meaning.score, slot=member.slot, value=step.set[member.slot])
            return Meaning("intent", meaning.intent, meaning.score, step=step)
        member_named = named(self.flow, [member for member in form.members if member.slot in c.slots], text)
        if member_named is not None and meaning.intent != "yes":
            return Meaning("renewed", slot=member_named.slot, value=member_named.state)
        return meaning

    def _take_beside(self, meaning: Meaning, text: str, looked_up: tuple[Volunteered, ...]) -> bool:
        """Fills what was said of other questions of the form; whether anything was."""
        is_answer = meaning.kind == "intent" and meaning.intent in self.state.answers
        if not (is_answer or meaning.kind in ("value", "confirmed", "no_match")):
            return False
        said = beside(self.flow, self.conversation, text, meaning, looked_up, self.at)
        for slot, value in said.filled:
            self._fill(slot, value)
            self.note("volunteered", f"{self.state.form}.{slot}")
        self.volunteer(said.waiting)
        return bool(said.filled or said.waiting)

    def _resume_form(self, before: Wording = ()) -> None:
        """The first question of the form that is missing now; the open one again, if it is that."""
        form = self.flow.states[self.state.form]
        step = next((step for step in form.choose if step.when and self.holds(step.when)), form.otherwise)
        if step is not None and step.goto == self.conversation.state and not self.conversation.volunteered:
            self.ask_again(before)
        else:
            self.enter(form.name, before)

    def question(self, state: State) -> Wording:
        """What a state asks; the recap of a form says what is known."""
        form, c = self.flow.forms.get(state.form), self.conversation
        if form is None or state.name != form.recap:
            return state.say
        known = (member for member in form.members if member.slot in c.slots)
        values = (entry for one in known if one.when is None or self.holds(one.when) for entry in one.recap)
        return (*form.say, *values, *form.question)

    def _not_matched(self, before: Conversation, text: str) -> None:
        """Says so; but who says the same words for the third time is a recording, and nobody is there."""
        said = before.unmatched
        self.change(unmatched=(*said, text)[-MOST_UNMATCHED:])
        if len(said) == MOST_UNMATCHED and all(_is_alike(text, earlier) for earlier in said):
            self.change(steps=before.steps)
            self.escalate("no_input", self.state.no_input)
        else:
            self.escalate("no_match", self.state.no_match)

    def _go_on(self, digits: str) -> None:
        """Keeps a part of a number. At the first the question comes again, the next are said after the caller."""
        is_first = not self.conversation.part
        self.change(part=digits)
        if is_first:
            self.escalate("no_match", self.state.no_match)
        else:
            self._ask((), tuple(PromptItem(f"digit_{digit}") for digit in digits))

    def volunteer(self, clauses: tuple[Volunteered, ...]) -> None:
        """Keeps what was said beyond an answer, for questions that are still to come."""
        self.change(volunteered=(*self.conversation.volunteered, *clauses)[-MOST_VOLUNTEERED:])

    def unanswered(self, why: Literal["no_input", "no_speech", "unsure", "trouble"], text: str = "") -> None:
        """No answer came, nothing but noises did, nobody could tell what was said, or the machine failed: the next step
        of the escalation, recorded as a turn."""
        before, state = self.conversation, self.state
        match why:
            case "unsure":
                self.escalate("no_match", state.no_match)
            case "trouble":
                self.escalate("trouble", self.flow.trouble)
            case _:
                self.escalate("no_input", state.no_input)
        self.record(before, text, "", 0.0, why)

    def record(self, before: Conversation, text: str, intent: str, score: float, committed: Committed) -> None:
        """The turn of `before` is answered: what it came to."""
        c = self.conversation
        self.actions.append(
            TurnTaken(c.call_id, self.at, before.turn, before.state, c.state, text, intent, score, committed, c.known)
        )

    # --- asking ---

    def ask(self, before: Wording, question: Wording, wait_ms: int = 0) -> None:
        """A new turn: says `before` and the question, then an answer is awaited. A question of which nothing can be
        said is no question: the caller is handed over, never left in silence."""
        asked = self.items(question)
        if question and not asked:
            self.note("unset", self.conversation.state)
            self.hand_over()
            return
        self._ask(before, asked, wait_ms)

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
        if self.conversation.doubted in self.flow.bands:
            question = self.flow.bands[self.conversation.doubted].say
        elif self.conversation.confirming:
            question = state.read_back
        else:
            question = state.ask_again[asked % len(state.ask_again)] if state.ask_again else self.question(state)
        self.ask(before, question)

    def items(self, wording: Wording) -> tuple[Item, ...]:
        """A wording with the values in it."""
        return items_of(self.flow, self.conversation, wording, self.at)

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
        if step.when is not None and step.otherwise is not None and not self.holds(step.when):
            self.take(step.otherwise)
            return
        if step.resume and step.otherwise is not None:
            self._resume(step, step.otherwise)
            return
        if step.forget:
            self._begin_anew(step)
        elif step.copy:
            now = local_time(self.flow, self.at)
            given = {name: text_of(self.flow, self.conversation, now, source) for name, source in step.copy.items()}
            self._set({name: value for name, value in given.items() if value is not None})
        if step.set:
            written = {name: self._written(name, value) for name, value in step.set.items()}
            self._set({name: value for name, value in written.items() if value is not None})
        for name, other in step.add.items():
            self._add(name, other)
        for name in step.empties:
            self._forget(name)
        if step.outcome:
            self.change(outcome=step.outcome)
        if step.goto:
            self.enter(step.goto, step.say)
        elif step.ends:
            self.end(step.say, step.transfer)
        elif step.back:
            self._back(step.say)
        elif step.returns:
            self._return(step.say)
        elif step.restart:
            self._restart(step)
        elif step.repeat:
            self._ask(step.say, self.conversation.last_said)
        elif step.wait_ms:
            self.ask(step.say, (), step.wait_ms)
        elif step.ask:
            self.ask_again(step.say)
        else:
            self.ask((), step.say)

    def _resume(self, step: Step, otherwise: Step) -> None:
        """Goes on at the open question of an earlier conversation, with what was known there."""
        kept = text_of(self.flow, self.conversation, local_time(self.flow, self.at), step.resume) or ""
        try:
            self.conversation = recalled(kept, self.conversation, self.flow)
        except BadMemory as error:
            self.note("not_resumed", str(error))
            self.take(otherwise)
            return
        self.note("resumed", self.conversation.state)
        self.ask_again(step.say)

    def _begin_anew(self, step: Step) -> None:
        """A sub-flow begins: what it knew before is forgotten, its inputs are what they are now."""
        c, now = self.conversation, local_time(self.flow, self.at)
        given = {target: text_of(self.flow, c, now, source) for target, source in step.copy.items()}
        self.change(
            slots={name: value for name, value in c.slots.items() if not name.startswith(step.forget)},
            variables={
                **{name: value for name, value in c.variables.items() if not name.startswith(step.forget)},
                **{name: value for name, value in given.items() if value is not None},
            },
            lists={name: rows for name, rows in c.lists.items() if not name.startswith(step.forget)},
        )

    def _set(self, values: Mapping[str, str]) -> None:
        """Gives slots and variables values."""
        slots = {name: value for name, value in values.items() if name in self.flow.slots}
        others = {name: value for name, value in values.items() if name not in slots}
        self.change(slots={**self.conversation.slots, **slots}, variables={**self.conversation.variables, **others})

    def _written(self, name: str, value: str) -> str | None:
        """What a step sets, with the variables in it as they are kept; None where they are unset, or have not its
        type."""
        if "{" not in value:
            return value
        c, now = self.conversation, local_time(self.flow, self.at)
        variable = self.flow.variables.get(name)
        try:
            text = fill(value, lambda field: text_of(self.flow, c, now, field.name) or "")
            return stored(variable.type, text, self.flow.where) if variable is not None else text or None
        except BadValue as error:
            self.note("unset", f"{name}: {error}")
            return None

    def _add(self, name: str, other: str) -> None:
        """Puts records behind those of a list, each once."""
        lists = self.conversation.lists
        fields = self.flow.variables[name].type.fields
        rows = [{key: text for key, text in row.items() if key in fields} for row in lists.get(other, ())]
        before = lists.get(name, ())
        self.change(lists={**lists, name: (*before, *(row for row in rows if row not in before))[-MOST_ADDED:]})

    def _fill(self, name: str, value: str) -> None:
        """Gives a slot its value; one that is chosen from a list, the words and the fields of that record."""
        slot, c = self.flow.slots[name], self.conversation
        if slot.several:
            self.change(lists={**c.lists, name: rows_of(self.flow, c, slot, value)})
        if slot.source:
            value, fields = chosen(self.flow, c, slot, value, local_time(self.flow, self.at))
            self.change(variables={**without(slot, c.variables), **fields})
        self.change(slots={**c.slots, name: value})

    def _forget(self, name: str) -> None:
        """A slot has no value any more."""
        c = self.conversation
        left = {other: value for other, value in c.slots.items() if other != name}
        variables = {
            other: text for other, text in without(self.flow.slots.get(name), c.variables).items() if other != name
        }
        lists = {other: rows for other, rows in c.lists.items() if other != name}
        self.change(slots=left, variables=variables, lists=lists)

    def _owner(self, name: str) -> str:
        """The slot whose choice left a variable behind; empty where none did."""
        owner = name.rpartition(".")[0]
        return owner if owner in self.flow.slots else ""

    def slot(self, state: str) -> Slot:
        """The slot that a state asks for."""
        return self.flow.slots[self.flow.states[state].slot]

    def holds(self, when: When) -> bool:
        """Whether a condition is true now. What is unset is compared with nothing: `flow check` lets none through."""
        now = local_time(self.flow, self.at)
        try:
            return holds(when.condition, lambda name: value_of(self.flow, self.conversation, now, name))
        except Unset as error:
            self.note("unset", str(error))
            return False

    def enter(self, name: str, before: Wording = ()) -> None:
        """Goes to a state, through the states that only pass on. Trouble goes on until something is understood."""
        say = before
        trouble = {name: step for name, step in self.conversation.steps.items() if name == "trouble"}
        while True:
            self.change(
                state=name,
                asked=0,
                steps=trouble,
                tentative=None,
                doubted="",
                part="",
                narrowed=(),
                read_backs=0,
                awaited="",
            )
            state = self.state
            if state.otherwise is not None:
                step = next((step for step in state.choose if step.when and self.holds(step.when)), state.otherwise)
                self.take(replace(step, say=say + step.say, when=None))
                return
            if state.action:
                self._act(say)
                return
            if not state.goto:
                break
            say, name = say + state.say, state.goto
        if state.listens:
            if state.refused is not None and not offered_rows(self.flow, self.conversation, self.slot(name)):
                self.note("nothing_to_choose", state.slot)
                self.take(replace(state.refused, say=say + state.refused.say))
                return
            if self.conversation.history[-1:] != (name,):
                self.change(history=(*self.conversation.history, name)[-MOST_HISTORY:])
            if self._is_answered_already(say):
                return
            if state.unasked is not None and state.unasked.when is not None and self.holds(state.unasked.when):
                self.change(history=self.conversation.history[:-1])
                self.take(replace(state.unasked, say=say + state.unasked.say, when=None))
                return
            self.ask(say, self.question(state))
            return
        if state.outcome:
            self.change(outcome=state.outcome)
        self.end(say + state.say, state.transfer)

    def correct(self, *changed: tuple[str, str]) -> None:
        """Takes other values for slots that were filled before, says them back, and goes on where that leads."""
        flow = self.flow
        if flow.corrections is None:
            return
        slot, value = changed[-1]
        asks = next((name for name, state in flow.states.items() if state.slot == slot), "")
        if not value:
            self._forget(slot)
            self.change(volunteered=())
            self.enter(asks or self.conversation.state, flow.corrections.unread)
            return
        now = local_time(flow, self.at)
        words = []
        for slot, value in changed:
            self._fill(slot, value)
            words.append(said(flow, self.conversation, now, Field(slot)) or "")
            self.note("corrected", slot)
        self.change(variables={**self.conversation.variables, "corrected": ", ".join(words)})
        say = flow.corrections.say
        form = flow.forms.get(self.state.form)
        members = [member for member in form.members if member.slot in dict(changed)] if form is not None else []
        for member in members:
            step = flow.states[member.state].step_for(self.conversation.slots[member.slot])
            if step is not None and step.goto != member.state.rpartition(".")[0]:  # it leads out of the form
                self.take(replace(step, say=say + step.say))
                return
        if flow.slots[slot].corrected:
            self.enter(flow.slots[slot].corrected, say)
        elif form is not None:
            self._resume_form(say)
        else:
            self.ask_again(say)

    def _back(self, before: Wording) -> None:
        """The question before this one, without its answer; at the first it is repeated. One that says what is not
        known any more cannot be put again: then the one before that."""
        *earlier, last = self.conversation.history[:-1] or (self.conversation.state,)
        while earlier and not self._can_be_put(last):
            last = earlier.pop()
        self._forget(self.flow.states[last].slot if last in self.flow.states else "")
        kept = {name: value for name, value in self.conversation.variables.items() if name != f"{last}.skipped"}
        self.change(history=tuple(earlier), volunteered=(), tentative=None, variables=kept)
        self.enter(last if last in self.flow.states else self.flow.start, before)

    def _return(self, before: Wording) -> None:
        """The question that was open comes again: the last one that does not return to another itself."""
        asked = list(self.conversation.history)
        while asked and (
            asked[-1] not in self.flow.states or any(map(returns, own_steps(self.flow.states[asked[-1]])))
        ):
            asked.pop()
        if not asked:
            self.hand_over()
            return
        self.change(history=tuple(asked))
        self.enter(asked[-1], before)

    def _can_be_put(self, name: str) -> bool:
        """Whether all that a question says is known."""
        state = self.flow.states.get(name)
        return state is not None and all(self.items((entry,)) for entry in self.question(state))

    def _restart(self, step: Step) -> None:
        """Forgets what was answered and found, but for facts and what is to be kept."""
        c, facts_of = self.conversation, {n for n, one in self.flow.variables.items() if one.origin == "fact"}
        self.change(
            slots={name: value for name, value in c.slots.items() if name in step.keep},
            variables={
                name: value
                for name, value in c.variables.items()
                if name in facts_of or name in step.keep or self._owner(name) in step.keep
            },
            lists={name: rows for name, rows in c.lists.items() if name in step.keep or self._owner(name) in step.keep},
            volunteered=(),
            history=(),
            outcome="",
        )
        self.enter(step.restart, step.say)

    def _act(self, before: Wording) -> None:
        """Asks the world for what the state needs; `before` and what the state says are heard meanwhile."""
        state, flow, c = self.state, self.flow, self.conversation
        action = flow.actions[state.action]
        visits = c.acts.get(state.name, 0) + 1
        self.change(acts={**c.acts, state.name: visits})
        now = local_time(flow, self.at)
        try:
            if action.note:
                self.change(notes=(*c.notes, note_of(flow, c, now, action))[-MOST_NOTES:])
                self._outcome("ok", before + state.say)
                return
            kind, asked = effect_of(flow, c, now, action, visits)
        except Unsendable as error:
            self.note("action_unsendable", f"{state.name}: {error}")
            self._outcome("error", before + state.say)
            return
        effect_id = self.effect(kind, **asked)
        self.change(awaited=effect_id)
        self.saying = Saying(self.items(before + state.say), acts=True)

    def _outcome(self, outcome: str, before: Wording = ()) -> None:
        self.note("action", f"{self.state.name} {self.state.action} {outcome}")
        step = self.state.outcomes[outcome]
        self.take(replace(step, say=before + step.say))

    def acted(self, done: EffectDone) -> None:
        """An action is over: keeps what it gave, and takes the step of its outcome."""
        self.settle(done.id)
        self.change(awaited="")
        if not self.state.action:  # another version of the flow
            self.hand_over()
            return
        action = self.flow.actions[self.state.action]
        try:
            outcome, values, lists = answer_of(self.flow, action, done)
        except Misread as error:
            self.note("action_misread", f"{action.name}: {error}")
            outcome, values, lists = "error", {}, {}
        c = self.conversation
        self.change(variables={**c.variables, **values}, lists={**c.lists, **lists})
        self._outcome(outcome)

    def _is_answered_already(self, say: Wording) -> bool:
        """Whether something that was volunteered answers this state; then it is taken, or read back, at once."""
        state = self.state
        for clause in self.conversation.volunteered:
            left = tuple(other for other in self.conversation.volunteered if other is not clause)
            may_be = state.slot and state.slot not in clause.used and not self._is_said_already(clause)
            if may_be and self.flow.slots[state.slot].type not in ("yes_no", "note"):
                slot = self.flow.slots[state.slot]
                reading = read_as(self.flow, self.conversation, slot, clause.text, self.at, by_place=False)
                if state.completes:
                    reading = completed(self.flow, self.conversation, slot, reading, clause.text, self.at)
                is_asked_back = bool(state.form and state.read_back) and reading.confidence >= ASKED_BELOW
                if reading.complete and (is_asked_back or self._is_clear(reading, clause.text)):
                    self.note("volunteered", state.name)
                    used = replace(clause, used=(*clause.used, state.slot))
                    volunteered = self.conversation.volunteered
                    self.change(volunteered=tuple(used if one is clause else one for one in volunteered))
                    self.fill(value_text(reading), before=say, certainty=reading.confidence)
                    return True
            step = state.answers.get(state.means.get(clause.intent, clause.intent)) if clause.intent else None
            if step is not None and step.goto and clause.score >= state.listening.commit_confidence:
                self.note("volunteered", state.name)
                self.change(volunteered=left)
                self.take(replace(step, say=say + step.say))
                return True
        return False

    def _says_more(self, slot: Slot, text: str) -> bool:
        """Whether an answer may say something of other questions: one that chooses by its place ("the second one")
        names no other second thing, and no second day of the month."""
        if not slot.source:
            return slot.type == "date_time"
        return read_as(self.flow, self.conversation, slot, text, self.at, by_place=False).complete

    def _is_said_already(self, clause: Volunteered) -> bool:
        """Whether a clause said when already, and what is to be chosen is chosen by that: "after four" wants one of the
        times that are offered then, but does not choose the first."""
        if not any(self.flow.slots[name].type == "date_time" for name in clause.used if name in self.flow.slots):
            return False
        slot = self.flow.slots[self.state.slot]
        options = options_of(self.flow, self.conversation, slot) if slot.source else ()
        return any(field.kind in (*DATED, *TIMED) for option in options for field in option.fields)

    def _is_clear(self, reading: SlotReading, text: str) -> bool:
        """Whether what was volunteered is certain enough to be taken: of a moment, that its day was named."""
        if reading.confidence >= CERTAIN:
            return True
        name = self.state.slot
        is_moment = self.flow.slots[name].type == "date_time" and reading.confidence >= ASKED_BELOW
        return is_moment and is_day_named(self.flow, self.conversation, name, text, self.at, value_text(reading))

    def fill(self, value: str, confirm: bool = True, before: Wording = (), certainty: float = 1.0) -> None:
        """Takes a slot value: reads it back where the flow asks for it, else goes on. `before` is said first."""
        state = self.state
        if not (confirm and state.read_back and certainty < state.read_back_below):
            self._fill(state.slot, value)
            self.change(tentative=None)
            step = state.step_for(self.conversation.slots[state.slot])
            if step is not None:
                self.take(replace(step, say=before + step.say))
            return
        read_backs = self.conversation.read_backs + 1
        self.change(tentative=value, read_backs=read_backs)
        if read_backs > state.read_back_retries and state.no_match is not None:
            self.change(tentative=None)
            self.take(state.no_match.then)
            return
        self.ask(before, state.read_back)

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

    def adviser_is_away(self, known: Mapping[str, str] | None = None) -> None:
        """Nobody took the caller, who is still, or again, with us and does not begin anew: `known` are the slots of the
        call before. From here on the outcome is no hand-over, also when they hang up."""
        told = {name: value for name, value in (known or {}).items() if name in self.flow.slots}
        slots = {**self.conversation.slots, **told}
        self.change(ending="", concluded=False, outcome=ADVISER_AWAY, slots=slots)
        if self.flow.adviser_away:
            self.enter(self.flow.adviser_away)
            return
        self.change(state=self.conversation.state or self.flow.start)
        self.end(self.flow.transfer_failed, "")

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
            if dropped and effect.kind not in ACTION_KINDS:  # what was asked to be done is done, whoever waits for it
                self.actions.append(DropEffect(effect_id))
        return effect

    # --- ending ---

    def end(self, say: Wording, transfer: str) -> None:
        """Says good-bye; then the call is transferred or hung up."""
        ending = f"transfer {transfer}" if transfer else "hangup"
        self.change(ending=ending, turn=self.conversation.turn + 1, awaited="")
        self.saying = Saying(self.items(say), ends=True)

    def clear_up(self) -> None:
        """The call is over: asks for what is to be done then, as far as what it needs is known. Nobody waits for it."""
        now = local_time(self.flow, self.at)
        for name in self.flow.at_end:
            action = self.flow.actions[name]
            if action.note:
                continue
            try:
                kind, asked = effect_of(self.flow, self.conversation, now, action, 1)
            except Unsendable:
                continue
            self.effect(kind, **asked)

    def conclude(self, otherwise: str = "unknown") -> None:
        """The outcome, once."""
        c = self.conversation
        if not c.concluded:
            outcome = c.outcome or otherwise
            self.change(concluded=True, outcome=outcome)
            noted = tuple(f"note_{number}={text}" for number, text in enumerate(c.notes, 1))
            self.actions.append(CallConcluded(c.call_id, self.at, outcome, c.known + noted))


def _is_alike(one: str, other: str) -> bool:
    """Whether two texts of some length are nearly the same words."""
    words, others = one.lower().split(), other.lower().split()
    return len(words) >= LOOP_WORDS and difflib.SequenceMatcher(None, words, others).ratio() >= LOOP_ALIKE
