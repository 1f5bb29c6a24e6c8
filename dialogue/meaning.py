"""What an utterance means in the state that the dialogue is in: a slot value, an intent, a yes or no, or nothing. Pure.

Slots are read from the text first; the intent decides where a sentence names a value by the way ("may I keep my gas
boiler?"). When a value was read back, yes, no and a new value ("no, seventy-five thousand and twelve") come first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from dialogue.changing import changed
from dialogue.conversation import Conversation
from dialogue.events import Understood
from dialogue.flow import Flow, Slot, State, Step
from dialogue.offers import OPTIONS, chosen, hints_of, numbers_of, options_of
from dialogue.over_answering import clauses
from dialogue.slots import (
    EXACT_TYPES,
    FREE_TYPES,
    NOTHING,
    NUMBER_TYPES,
    PARTED_TYPES,
    SlotReading,
    parse,
    parse_listed,
    parse_several,
)
from dialogue.slots.digits import digits_alone
from dialogue.slots.lexicon import lexicon_of
from dialogue.slots.moments.agreed import without_agreed
from dialogue.slots.words import without_fillers, words_of
from dialogue.steering import Correction, asks_something, correction_of, names_today
from dialogue.values.parts import joined_moment
from dialogue.values.spoken import MOST_NAMED, tongue_of

MeaningKind: TypeAlias = Literal[
    "nothing", "value", "part", "confirmed", "denied", "intent", "no_match", "correction",
    "narrowed", "refused", "renewed", "doubted", "meant", "not_meant",
]  # fmt: skip

ASKED_BELOW = 0.72  # a value of less confidence is not taken unless it is read back first
SURE_FREE = 0.85  # what may be a value of a free type, and an intent as well, is the value from this confidence on
SURE = 0.9  # of one clause among several
JOINED = 0.75  # confidence of a number that came in parts
BARE_WORDS = 5  # an answer this short that holds a value is about that value
MOST_CHOICES, MOST_PHRASES = 16, 12  # that a recogniser is told of: more cost it more than they help
DAYS_ARE_HINTS = ("it",)
"""Languages whose bare days of the week Whisper base takes for other words unless it expects them: three of seven were
right, all seven with hints (a voice of Pico, benchmarks/booking.md)."""
BARE_YES_NO = 0.95  # slots.yes_no gives this or more when yes or no is most of what was said


@dataclass(frozen=True)
class Meaning:
    """What was meant. `intent` is the state's own name for it (yes may be ok_callback here), `step` where it leads.

    `value` of a "part" of a number are its digits so far. `reading` and `yes_no` are what the text was read as.
    """

    kind: MeaningKind
    intent: str = ""
    score: float = 0.0
    value: str = ""
    step: Step | None = None
    reading: SlotReading = NOTHING
    yes_no: SlotReading = NOTHING
    slot: str = ""
    changes: tuple[tuple[str, str], ...] = ()
    """Of a correction of several slots: each with its new value."""
    heard: bool = True
    """Whether the recogniser was sure enough of the words for a value to be taken as it is."""


def understand(flow: Flow, conversation: Conversation, event: Understood) -> Meaning:
    """The meaning of an utterance with what the intent service said about it."""
    if not _words(flow, event.text):
        return Meaning("nothing")
    reading = read_slot(flow, conversation, event.text, event.at)
    yes_no = read_yes_no(flow, event.text, event.at)
    meaning = _meaning(flow, conversation, event, reading, yes_no)
    heard = event.recognition_confidence >= flow.states[conversation.state].listening.commit_recognition
    return changed(meaning, reading=reading, yes_no=yes_no, heard=heard)


def _meaning(
    flow: Flow, conversation: Conversation, event: Understood, reading: SlotReading, yes_no: SlotReading
) -> Meaning:
    state = flow.states[conversation.state]
    intent = "" if event.fallback else event.intent
    score = event.intent_score if intent else 0.0
    corrected = corrected_by(flow, conversation, event.text, event.at)
    if corrected is not None:
        return corrected
    if conversation.doubted and yes_no.complete and (yes_no.confidence >= BARE_YES_NO or intent in ("yes", "no")):
        return _after_doubt(flow, conversation, yes_no)
    if conversation.confirming:
        confirmed = _confirmation(conversation, reading, yes_no, intent, score)
        if confirmed is not None:
            return confirmed
    elif _asks_something_else(flow, state, reading, event.text, intent):
        pass
    elif _can_take(state, reading):
        return Meaning("value", intent, score or reading.confidence, value_text(reading))
    elif reading.refused:
        return Meaning("refused", "refused", reading.confidence)
    elif _narrows(conversation, reading):
        return Meaning("narrowed", intent, score, " ".join(reading.among))
    elif digits := part_of_number(flow, conversation, event.text, reading):
        return Meaning("part", intent, score, digits)
    is_question = _is_question_of(flow, event.text, intent)
    if not conversation.confirming and not is_question and (_short(flow, event.text) or intent not in state.answers):
        other = read_also(flow, conversation, event.text, event.at)
        if other is not None:
            return other
    return _intent(flow, state, intent, score, yes_no)


def corrected_by(flow: Flow, conversation: Conversation, text: str, at: float) -> Meaning | None:
    """What a text corrects of what was said before: a slot and its new value, an empty one where that is not read.

    The slot is the one whose value is what it is said not to be, else the last filled one that reads the new value,
    else the last filled one. What answers the open question is no correction of another.
    """
    if flow.corrections is None or not conversation.slots:
        return None
    found = correction_of(text, flow.language)
    if found is None:
        return None
    open_slot = flow.states[conversation.state].slot
    filled = [name for name in reversed(tuple(conversation.slots)) if name in flow.slots and name != open_slot]
    filled.sort(key=lambda name: flow.slots[name].type == "note")  # which reads anything
    for name in filled if found.old else ():
        swapped = _swapped(flow, conversation, name, found, at) if flow.slots[name].several else ""
        if swapped:
            return Meaning("correction", score=1.0, value=swapped, slot=name)
        old = reads(flow, conversation, name, found.old, at, "") or _part_of(flow, conversation, name, found.old, at)
        if old and kept_text(flow, conversation, name, old, at) == conversation.slots[name]:
            value = reads(flow, conversation, name, found.new, at, conversation.slots[name])
            return Meaning("correction", score=1.0, value=value, slot=name)
    if open_slot and _answers(flow, open_slot, read_slot(flow, conversation, text, at)):
        return None
    if open_slot and _answers(flow, open_slot, read_as(flow, conversation, flow.slots[open_slot], found.new, at)):
        return None
    for name in filled:
        value = reads(flow, conversation, name, found.new, at, conversation.slots[name])
        if value and (found.declared or flow.slots[name].type != "yes_no"):
            return Meaning("correction", score=1.0, value=value, slot=name)
    return None if open_slot or not filled or not found.declared else Meaning("correction", score=1.0, slot=filled[0])


def _after_doubt(flow: Flow, conversation: Conversation, yes_no: SlotReading) -> Meaning:
    """Yes or no to what was asked back."""
    intent = conversation.doubted
    step = _step_of(flow, flow.states[conversation.state], intent)
    if yes_no.value is False or step is None:
        return Meaning("not_meant", intent, yes_no.confidence)
    return Meaning("meant", intent, yes_no.confidence, step=step)


def _swapped(flow: Flow, conversation: Conversation, name: str, found: Correction, at: float) -> str:
    """Several that were chosen, with one in the place of another; empty where that is not what is corrected."""
    old, new = (reads(flow, conversation, name, text, at, "").split() for text in (found.old, found.new))
    kept = numbers_of(flow, conversation, flow.slots[name])
    if not new or not old or not set(old) <= set(kept):
        return ""
    return " ".join(dict.fromkeys((*(number for number in kept if number not in old), *new)))


def kept_text(flow: Flow, conversation: Conversation, name: str, value: str, at: float) -> str:
    """A value that was read as it is kept in a slot."""
    slot = flow.slots[name]
    return chosen(flow, conversation, slot, value, local_time(flow, at))[0] if slot.source and value else value


def _part_of(flow: Flow, conversation: Conversation, name: str, text: str, at: float) -> str:
    """The value of a slot whose parts may be said alone, where a text says a part of it ("quatre-vingt-cinq")."""
    if flow.slots[name].type not in PARTED_TYPES:
        return ""
    return reads(flow, conversation, name, text, at, conversation.slots[name])


def _answers(flow: Flow, slot: str, reading: SlotReading) -> bool:
    """Whether what may be a correction is rather the answer to the open question; nearly anything may be a name."""
    kind = flow.slots[slot].type
    return reading.complete and kind != "note" and (kind not in FREE_TYPES or reading.confidence >= ASKED_BELOW)


def reads(flow: Flow, conversation: Conversation, name: str, text: str, at: float, previous: str) -> str:
    """The value that a slot reads in a text; empty where none is certain enough to be taken."""
    slot = flow.slots[name]
    reading = read_as(flow, conversation, slot, text, at, previous or None)
    if not reading.complete and previous:
        reading = read_as(flow, conversation, slot, text, at)
    if not reading.complete or reading.confidence < ASKED_BELOW:
        return ""
    value = value_text(reading)
    if previous and slot.type == "date_time":
        return joined_moment(previous, value, is_day_named(flow, conversation, name, text, at, value))
    return value


def is_day_named(flow: Flow, conversation: Conversation, name: str, text: str, at: float, value: str) -> bool:
    """Whether a text names a day itself: what names none moves with the day on which it is said."""
    if names_today(text, flow.language) or not re.match(r"\d{4}-\d\d-\d\d", value):
        return True
    later = read_as(flow, conversation, flow.slots[name], text, at + 86_400)
    if not later.complete or not re.match(r"\d{4}-\d\d-\d\d", value_text(later)):
        return True
    return date.fromisoformat(value_text(later)[:10]) - date.fromisoformat(value[:10]) != timedelta(days=1)


def read_slot(flow: Flow, conversation: Conversation, text: str, at: float) -> SlotReading:
    """The slot of the state, read from a text; `at` is the moment that "tomorrow" counts from."""
    name = flow.states[conversation.state].slot
    if not name:
        return NOTHING
    slot = flow.slots[name]
    reading = read_as(flow, conversation, slot, text, at, conversation.tentative)
    if slot.type == "yes_no" and not conversation.confirming and _has_answer(flow.states[conversation.state], reading):
        return NOTHING
    if flow.states[conversation.state].form and not (reading.complete or reading.among or reading.refused):
        found = _read_in_one_clause(flow, conversation, slot, text, at)
        if found is not None:
            return found
    if flow.states[conversation.state].completes:
        return completed(flow, conversation, slot, reading, text, at)
    if slot.source or not conversation.part or reading.complete or not digits_alone(text, lexicon_of(flow.language)):
        return reading
    whole = read_as(flow, conversation, slot, joined(flow, conversation, text), at)
    if not whole.complete:
        return reading
    return replace(whole, confidence=min(whole.confidence, JOINED))


def _read_in_one_clause(flow: Flow, conversation: Conversation, slot: Slot, text: str, at: float) -> SlotReading | None:
    """The one clause of several that is the value for certain; None where there is none, or more than one."""
    units = clauses(text, flow.language)
    if len(units) < 2:
        return None
    readings = [read_as(flow, conversation, slot, unit, at, conversation.tentative) for unit in units]
    found = [reading for reading in readings if reading.complete and reading.confidence >= SURE]
    return found[0] if len(found) == 1 else None


def _has_answer(state: State, yes_no: SlotReading) -> bool:
    """Whether a state has a step of its own for a yes, or a no, as the answer to its yes or no."""
    word = value_text(yes_no)
    return word in state.means or word in state.answers


def _are_said(flow: Flow, slot: Slot) -> bool:
    """Whether a question for a slot says what there is to choose from, so that there is a first and a last one."""
    asking = [state for state in flow.states.values() if state.slot == slot.name]
    said = (entry for state in asking for wording in (state.say, *state.ask_again) for entry in wording)
    return any(f"{{{slot.name}.{OPTIONS}}}" in entry for entry in said)


def completed(
    flow: Flow, conversation: Conversation, slot: Slot, reading: SlotReading, text: str, at: float
) -> SlotReading:
    """A reading beside what the slot has already: the part of a moment that it names, or more of several things."""
    kept = conversation.slots.get(slot.name, "")
    if not kept or not reading.complete or not isinstance(reading.value, str):
        return reading
    names_day = is_day_named(flow, conversation, slot.name, text, at, reading.value)
    return replace(reading, value=joined_moment(kept, reading.value, names_day))


def read_also(flow: Flow, conversation: Conversation, text: str, at: float) -> Meaning | None:
    """Another slot that the state takes an answer for; a question that holds a value ("a che ora aprite domani?") is
    none."""
    if asks_something(text, flow.language):
        return None
    for name in flow.states[conversation.state].also:
        slot = flow.slots[name]
        reading = read_as(flow, conversation, slot, text, at)
        if reading.complete and reading.confidence >= ASKED_BELOW:
            whole = completed(flow, conversation, slot, reading, text, at) if slot.type == "date_time" else reading
            return Meaning("value", score=reading.confidence, value=value_text(whole), slot=name)
    return None


def read_as(
    flow: Flow,
    conversation: Conversation,
    slot: Slot,
    text: str,
    at: float,
    previous: str | None = None,
    by_place: bool = True,
) -> SlotReading:
    """A text as the value of a slot; `previous` was read back, and may be corrected. `by_place`: "the second one" means
    something, where things to choose from were said."""
    if slot.source:
        options = options_of(flow, conversation, slot)
        lexicon = lexicon_of(flow.language)
        is_asked = flow.states[conversation.state].slot == slot.name or slot.name in conversation.slots
        # places of what was not said mean nothing
        offered = MOST_NAMED if by_place and is_asked and _are_said(flow, slot) else 0
        if slot.several:
            kept = numbers_of(flow, conversation, slot)
            return parse_several(text, lexicon, options, offered, local_time(flow, at), flow.region, kept)
        return parse_listed(text, lexicon, options, offered, local_time(flow, at), flow.region)
    return parse(
        slot.type,
        without_agreed(text, flow.language) if slot.type == "date_time" else text,
        flow.language,
        now=local_time(flow, at),
        choices=slot.choices or None,
        region=flow.region,
        previous=previous,
        least_digits=slot.length[0],
        most_digits=slot.length[1],
        least=slot.range[0],
        most=slot.range[1],
        currency=slot.currency,
        most_characters=slot.length[1],
    )


def joined(flow: Flow, conversation: Conversation, text: str) -> str:
    """The digits of a text behind those that were heard before it."""
    return conversation.part + digits_alone(text, lexicon_of(flow.language))


def part_of_number(flow: Flow, conversation: Conversation, text: str, reading: SlotReading) -> str:
    """The digits so far, where a text is nothing but a part of the number that is asked for; else empty."""
    name = flow.states[conversation.state].slot
    if not name or flow.slots[name].type not in NUMBER_TYPES or reading.complete or conversation.confirming:
        return ""
    most = {"zip_code": 4, "phone": 14, "digits": flow.slots[name].length[1] - 1}[flow.slots[name].type]
    digits = joined(flow, conversation, text)
    return digits if len(digits) <= most and digits != conversation.part else ""


def read_yes_no(flow: Flow, text: str, at: float) -> SlotReading:
    """Yes or no, whatever else is said."""
    return parse("yes_no", text, flow.language, now=local_time(flow, at))


def local_time(flow: Flow, at: float) -> datetime:
    """Seconds since the epoch as the time of the flow's callers, with their time zone."""
    return datetime.fromtimestamp(at, ZoneInfo(flow.timezone))


def value_text(reading: SlotReading) -> str:
    """A slot value as the lead stores it: yes and no in words."""
    if isinstance(reading.value, bool):
        return "yes" if reading.value else "no"
    return str(reading.value)


def of_intent(flow: Flow, conversation: Conversation, intent: str, score: float) -> Meaning:
    """The meaning of an intent without words (a key, `keypad.keys`)."""
    if conversation.confirming and intent in ("yes", "no"):
        return Meaning("confirmed" if intent == "yes" else "denied", intent, score)
    return _intent(flow, flow.states[conversation.state], intent, score, NOTHING)


def allowed_intents(flow: Flow, conversation: Conversation) -> tuple[str, ...]:
    """The main intents that mean something now: what `allowed` of the intent service is set to."""
    state = flow.states.get(conversation.state)
    if state is None or not state.listens:
        return ()
    yes_no = ("yes", "no") if conversation.confirming or conversation.doubted else ()
    named = (*state.answers, *state.means, *state.means.values(), *state.slot_intents, *flow.everywhere, *yes_no)
    named += tuple(
        intent for other in _other_questions(flow, state) for intent in (*other.answers, *other.slot_intents)
    )
    return tuple(sorted({intent for intent in named if intent not in flow.faqs}))


def awaited(flow: Flow, conversation: Conversation) -> tuple[str, ...]:
    """What can be accepted now, for the recogniser: `yes_no` where yes or no is an answer, and the type of the slot."""
    state = flow.states.get(conversation.state)
    if state is None or not state.listens:
        return ()
    slot = flow.slots[state.slot].type if state.slot else ""
    intents = {*state.answers, *state.means}
    asks = conversation.confirming or bool(conversation.doubted) or slot == "yes_no" or bool(intents & {"yes", "no"})
    beside = [flow.slots[other.slot].type for other in _other_questions(flow, state)]
    types = dict.fromkeys(kind for kind in (slot, *beside) if kind not in ("", "yes_no"))
    return (*(["yes_no"] if asks else []), *types)


def hints(flow: Flow, conversation: Conversation) -> tuple[str, ...]:
    """Words that the recogniser may expect: those of the question, of the others of its form, names on offer, and where
    a moment is asked for the days of the week."""
    state = flow.states[conversation.state]
    beside = (hint for other in _other_questions(flow, state) for hint in other.listening.hints)
    asks_when = bool(state.slot) and flow.slots[state.slot].type == "date_time" and flow.language in DAYS_ARE_HINTS
    days = tongue_of(flow.language).weekdays if asks_when else ()
    return tuple(dict.fromkeys((*state.listening.hints, *days, *hints_of(flow, conversation), *beside)))


def _other_questions(flow: Flow, state: State) -> list[State]:
    """The other questions of the form that a state belongs to."""
    form = flow.forms.get(state.form)
    members = form.members if form is not None else ()
    return [flow.states[member.state] for member in members if member.state != state.name]


def awaited_choices(flow: Flow, conversation: Conversation) -> tuple[str, ...]:
    """The phrases of each choice that can be taken now, with `|` between them; empty where none is asked for."""
    state = flow.states.get(conversation.state)
    if state is None or not state.listens or not state.slot or conversation.confirming:
        return ()
    choices = flow.slots[state.slot].choices
    if len(choices) > MOST_CHOICES:
        return ()
    return tuple("|".join((phrases or (value,))[:MOST_PHRASES]) for value, phrases in choices.items())


def needs_intent(flow: Flow, conversation: Conversation, text: str, at: float) -> bool:
    """False when the text answers by itself (a zip code, a bare yes): the intent service need not be asked."""
    state = flow.states.get(conversation.state)
    if state is None or not state.listens or not _words(flow, text):
        return False
    reading = read_slot(flow, conversation, text, at)
    yes_no = read_yes_no(flow, text, at)
    bare_yes_no = _is_bare(flow, text, yes_no)
    if corrected_by(flow, conversation, text, at) is not None:
        return False
    if conversation.doubted and bare_yes_no:
        return False
    if conversation.confirming:
        return not (reading.complete or bare_yes_no)
    if conversation.doubted and bare_yes_no:
        return False
    if part_of_number(flow, conversation, text, reading):
        return False
    if (reading.refused or _narrows(conversation, reading)) and _short(flow, text):
        return False
    may_ask = asks_something(text, flow.language)
    if state.also and _short(flow, text) and not may_ask and read_also(flow, conversation, text, at) is not None:
        return False
    if _can_take(state, reading):
        kind = flow.slots[state.slot].type
        return kind not in EXACT_TYPES and (kind in FREE_TYPES or may_ask or not _short(flow, text))
    return not (bare_yes_no and _yes_no_step(flow, state, yes_no) is not None)


def certain(flow: Flow, conversation: Conversation, event: Understood, meaning: Meaning | None = None) -> bool:
    """Whether a guess may be taken before the end of the utterance; `meaning` is what `understand` made of it.

    An open value ("soixante-quinze mille" ...), a sentence that breaks off ("je suis" ...), a no to what was read back
    (a correction may follow) and whatever ends the call or asks the world for something wait for the end.
    """
    state = flow.states.get(conversation.state)
    if state is None or not _is_worth_a_thought(flow, state, event):
        return False
    meaning = meaning or understand(flow, conversation, event)
    reading, yes_no = meaning.reading, meaning.yes_no
    if state.form and (len(clauses(event.text, flow.language)) > 1 or _denies_recap(flow, state, meaning)):
        return False
    match meaning.kind:
        case "value" if meaning.slot:
            return False
        case "value":
            number = flow.slots[state.slot].type in NUMBER_TYPES
            step = None if state.read_back else state.step_for(meaning.value)
            if step is not None and _acts(flow, step):
                return False
            return reading.certain and reading.confidence >= 0.9 and (number or _short(flow, event.text))
        case "confirmed":
            step = state.step_for(conversation.tentative or "")
            if step is not None and _acts(flow, step):
                return False
            return reading.certain or (_is_bare(flow, event.text, yes_no) and not yes_no.open)
        case "intent" if meaning.step is not None:
            bare = _is_bare(flow, event.text, yes_no) and not yes_no.open
            expected = meaning.intent in state.answers or meaning.intent == "repeat"
            sure = bare or event.intent_score >= state.listening.commit_confidence
            return expected and sure and not _leads_out(flow, meaning.step)
    return False


def patience_ms(
    flow: Flow, conversation: Conversation, event: Understood, meaning: Meaning | None = None
) -> int | None:
    """How much silence ends an utterance if a guess that is not `certain` is all of it; None: as much as usual.

    A whole sentence needs little, a number that may be whole or go on ("soixante-quinze mille" ...) more. What is open
    otherwise, what was not understood and a no to what was read back are given the full silence.
    """
    state = flow.states.get(conversation.state)
    if state is None or not _is_worth_a_thought(flow, state, event):
        return None
    meaning = meaning or understand(flow, conversation, event)
    is_whole = False
    match meaning.kind:
        case "value" if meaning.slot:
            return None
        case "value" if meaning.reading.confidence >= 0.9:
            if meaning.reading.open:
                return state.listening.open_silence_ms if flow.slots[state.slot].type in NUMBER_TYPES else None
            is_whole = True
        case "confirmed" | "meant":
            is_whole = not meaning.yes_no.open
        case "refused":
            is_whole = _short(flow, event.text)
        case "intent" if meaning.step is not None:
            bare = _is_bare(flow, event.text, meaning.yes_no)
            is_whole = not meaning.yes_no.open and (bare or event.intent_score >= state.listening.commit_confidence)
    return state.listening.whole_silence_ms if is_whole else None


def is_doubtful_end(flow: Flow, conversation: Conversation, event: Understood, meaning: Meaning) -> bool:
    """Whether an intent would hang up on words that were not recognised well, and was not asked about yet."""
    state = flow.states[conversation.state]
    may_ask = state.no_match is not None and conversation.steps.get("no_match", 0) < min(1, state.no_match.retries)
    if meaning.kind != "intent" or meaning.step is None or not may_ask:
        return False
    return event.recognition_confidence < state.listening.ending_recognition and _hangs_up(
        flow, conversation, meaning.step
    )


def _hangs_up(flow: Flow, conversation: Conversation, step: Step) -> bool:
    """Whether a step, taken now, ends with a hang-up; a hand-over to a human does not."""
    while (
        step.count and step.over is not None and conversation.counters.get(step.count, 0) >= flow.counters[step.count]
    ):
        step = step.over
    name = step.goto
    while name and flow.states[name].goto:
        name = flow.states[name].goto
    return flow.states[name].hangup if name else step.hangup


def _denies_recap(flow: Flow, state: State, meaning: Meaning) -> bool:
    """Whether it is a no to a recap: what is wrong may follow."""
    return state.name == flow.forms[state.form].recap and meaning.intent == "no"


def _is_worth_a_thought(flow: Flow, state: State, event: Understood) -> bool:
    """Whether a guess is heard well enough, and does not break off."""
    if not state.listens or event.recognition_confidence < state.listening.commit_recognition:
        return False
    words = words_of(event.text)
    return bool(words) and words[-1].text not in lexicon_of(flow.language).dangling


def _confirmation(
    conversation: Conversation, reading: SlotReading, yes_no: SlotReading, intent: str, score: float
) -> Meaning | None:
    """The answer to a value that was read back, None when it is about something else."""
    if reading.complete and not (yes_no.complete and yes_no.value is False and not _changed(conversation, reading)):
        if _changed(conversation, reading):
            return Meaning("value", intent, score or reading.confidence, value_text(reading))
        return Meaning("confirmed", "yes", reading.confidence, value_text(reading))
    if yes_no.negated and (yes_no.value is None or intent == "yes"):
        intent = "no" if yes_no.value is False else ""  # "c'est pas exact", whatever it resembles
        score = yes_no.confidence
    said = (
        yes_no.value if yes_no.complete and yes_no.confidence >= (ASKED_BELOW if not intent else BARE_YES_NO) else None
    )
    if said is True or intent == "yes":
        return Meaning("confirmed", "yes", score or yes_no.confidence)
    if said is False or intent == "no":
        return Meaning("denied", "no", score or yes_no.confidence)
    return None


def _changed(conversation: Conversation, reading: SlotReading) -> bool:
    return value_text(reading) != conversation.tentative


def _intent(flow: Flow, state: State, intent: str, score: float, yes_no: SlotReading) -> Meaning:
    """The step of an intent here; a yes or no in the text counts where the intent says no more than that."""
    if yes_no.negated and _is_yes(state, intent):
        intent, score = ("no", yes_no.confidence) if yes_no.value is False else ("", 0.0)
    if intent and intent not in ("yes", "no"):
        step = _step_of(flow, state, intent)
        if step is not None:
            return Meaning("intent", state.means.get(intent, intent), score, step=step)
    word = intent if intent in ("yes", "no") else ""
    if not word and yes_no.complete and (not intent or yes_no.confidence >= BARE_YES_NO):
        word = "yes" if yes_no.value else "no"
    if word:
        step = _step_of(flow, state, word)
        if step is not None:
            return Meaning("intent", state.means.get(word, word), score or yes_no.confidence, step=step)
    return Meaning("no_match", intent, score)


def _narrows(c: Conversation, reading: SlotReading) -> bool:
    """Whether an answer leaves fewer to choose from than there were."""
    left = {int(number) for number in reading.among}
    return bool(left) and left != set(c.narrowed)


def _can_take(state: State, reading: SlotReading) -> bool:
    """Whether a value is whole, and certain enough to be taken or at least read back."""
    return reading.complete and (bool(state.read_back) or reading.confidence >= ASKED_BELOW)


def _is_yes(state: State, intent: str) -> bool:
    """Whether an intent is the yes of this state."""
    return intent == "yes" or (bool(intent) and intent == state.means.get("yes"))


def _step_of(flow: Flow, state: State, intent: str) -> Step | None:
    name = state.means.get(intent, intent)
    if name in state.answers:
        return state.answers[name]
    if name in flow.everywhere:
        return flow.everywhere[name]
    if name in flow.faqs:
        return Step(say=flow.faqs[name])
    return None


def _yes_no_step(flow: Flow, state: State, yes_no: SlotReading) -> Step | None:
    return _step_of(flow, state, "yes" if yes_no.value else "no")


def _asks_something_else(flow: Flow, state: State, reading: SlotReading, text: str, intent: str) -> bool:
    """Whether a sentence that may hold a value is rather one of the other intents."""
    kind = flow.slots[state.slot].type if state.slot else ""
    if (
        not kind
        or kind in NUMBER_TYPES
        or (kind in EXACT_TYPES and reading.complete)
        or intent in ("", "yes", "no", *state.slot_intents)
    ):
        return False
    if flow.slots[state.slot].source and intent not in state.answers and not asks_something(text, flow.language):
        return False  # "vorrei l'operatore Giulia" asks for no human
    is_short = _short(flow, text) and not _is_question_of(flow, text, intent)
    is_value = reading.confidence >= SURE_FREE if kind in FREE_TYPES else is_short
    return not is_value and _step_of(flow, state, intent) is not None


def _is_question_of(flow: Flow, text: str, intent: str) -> bool:
    """Whether a text is a question, by its words, and is answered elsewhere whatever else is open: "a che ora aprite?"
    names no time, "quanto costa la piega?" chooses none."""
    step = flow.everywhere.get(intent)
    return step is not None and bool(step.goto) and asks_something(text, flow.language)


def _acts(flow: Flow, step: Step) -> bool:
    """Whether a step may ask the world for something before the caller is asked again."""
    seen: set[str] = set()
    waiting = [step]
    while waiting:
        one = waiting.pop()
        waiting += [other for other in (one.over, one.otherwise) if other is not None]
        name = one.goto
        while name and name not in seen:
            seen.add(name)
            state = flow.states[name]
            if state.action:
                return True
            waiting += [*state.choose, *([state.otherwise] if state.otherwise else [])]
            name = state.goto
    return False


def _leads_out(flow: Flow, step: Step) -> bool:
    """Whether a step ends the call."""
    if step.ends or (step.over is not None and _leads_out(flow, step.over)):
        return True
    return bool(step.goto) and not flow.states[step.goto].listens


def _is_bare(flow: Flow, text: str, yes_no: SlotReading) -> bool:
    return yes_no.complete and yes_no.confidence >= BARE_YES_NO and _short(flow, text)


def _short(flow: Flow, text: str) -> bool:
    return len(_words(flow, text)) <= BARE_WORDS


def _words(flow: Flow, text: str) -> list[str]:
    return [word.text for word in without_fillers(words_of(text), lexicon_of(flow.language))]
