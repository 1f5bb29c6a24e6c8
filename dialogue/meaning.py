"""What an utterance means in the state that the dialogue is in: a slot value, an intent, a yes or no, or nothing. Pure.

Slots are read from the text first; the intent decides where a sentence names a value by the way ("may I keep my gas
boiler?"). When a value was read back, yes, no and a new value ("no, seventy-five thousand and twelve") come first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from dialogue.conversation import Conversation
from dialogue.events import Understood
from dialogue.flow import Flow, State, Step
from dialogue.slots import NOTHING, SlotReading, parse
from dialogue.slots.lexicon import lexicon_of
from dialogue.slots.words import without_fillers, words_of

MeaningKind: TypeAlias = Literal["nothing", "value", "confirmed", "denied", "intent", "no_match"]

NUMBER_TYPES = ("zip_code", "phone", "digits")
BARE_WORDS = 5  # an answer this short that holds a value is about that value
BARE_YES_NO = 0.95  # slots.yes_no gives this or more when yes or no is most of what was said


@dataclass(frozen=True)
class Meaning:
    """What was meant. `intent` is the state's own name for it (yes may be ok_callback here), `step` where it leads.

    `reading` and `yes_no` are what the text alone was read as.
    """

    kind: MeaningKind
    intent: str = ""
    score: float = 0.0
    value: str = ""
    step: Step | None = None
    reading: SlotReading = NOTHING
    yes_no: SlotReading = NOTHING


def understand(flow: Flow, conversation: Conversation, event: Understood) -> Meaning:
    """The meaning of an utterance with what the intent service said about it."""
    if not _words(flow, event.text):
        return Meaning("nothing")
    reading = read_slot(flow, conversation, event.text, event.at)
    yes_no = read_yes_no(flow, event.text, event.at)
    meaning = _meaning(flow, conversation, event, reading, yes_no)
    return replace(meaning, reading=reading, yes_no=yes_no)


def _meaning(
    flow: Flow, conversation: Conversation, event: Understood, reading: SlotReading, yes_no: SlotReading
) -> Meaning:
    state = flow.states[conversation.state]
    intent = "" if event.fallback else event.intent
    score = event.intent_score if intent else 0.0
    if conversation.confirming:
        confirmed = _confirmation(conversation, reading, yes_no, intent, score)
        if confirmed is not None:
            return confirmed
    elif reading.complete and not _asks_something_else(flow, state, reading, event.text, intent):
        return Meaning("value", intent, score or reading.confidence, value_text(reading))
    return _intent(flow, state, intent, score, yes_no)


def read_slot(flow: Flow, conversation: Conversation, text: str, at: float) -> SlotReading:
    """The slot of the state, read from a text; `at` is the moment that "tomorrow" counts from."""
    name = flow.states[conversation.state].slot
    if not name:
        return NOTHING
    slot = flow.slots[name]
    return parse(
        slot.type,
        text,
        flow.language,
        now=local_time(flow, at),
        choices=slot.choices or None,
        previous=conversation.tentative,
    )


def read_yes_no(flow: Flow, text: str, at: float) -> SlotReading:
    """Yes or no, whatever else is said."""
    return parse("yes_no", text, flow.language, now=local_time(flow, at))


def local_time(flow: Flow, at: float) -> datetime:
    """Seconds since the epoch as the time of the flow's callers."""
    return datetime.fromtimestamp(at, ZoneInfo(flow.timezone)).replace(tzinfo=None)


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
    yes_no = ("yes", "no") if conversation.confirming else ()
    named = (*state.answers, *state.means, *state.means.values(), *state.slot_intents, *flow.everywhere, *yes_no)
    return tuple(sorted({intent for intent in named if intent not in flow.faqs}))


def needs_intent(flow: Flow, conversation: Conversation, text: str, at: float) -> bool:
    """False when the text answers by itself (a zip code, a bare yes): the intent service need not be asked."""
    state = flow.states.get(conversation.state)
    if state is None or not state.listens or not _words(flow, text):
        return False
    reading = read_slot(flow, conversation, text, at)
    yes_no = read_yes_no(flow, text, at)
    bare_yes_no = _is_bare(flow, text, yes_no)
    if conversation.confirming:
        return not (reading.complete or bare_yes_no)
    if reading.complete:
        return flow.slots[state.slot].type not in NUMBER_TYPES and not _short(flow, text)
    return not (bare_yes_no and _yes_no_step(flow, state, yes_no) is not None)


def certain(flow: Flow, conversation: Conversation, event: Understood, meaning: Meaning | None = None) -> bool:
    """Whether a guess may be taken before the end of the utterance; `meaning` is what `understand` made of it.

    An open value ("soixante-quinze mille" ...), a sentence that breaks off ("je suis" ...), a no to what was read back
    (a correction may follow) and whatever ends the call wait for the end.
    """
    state = flow.states.get(conversation.state)
    if state is None or not _is_worth_a_thought(flow, state, event):
        return False
    meaning = meaning or understand(flow, conversation, event)
    reading, yes_no = meaning.reading, meaning.yes_no
    match meaning.kind:
        case "value":
            number = flow.slots[state.slot].type in NUMBER_TYPES
            return reading.certain and reading.confidence >= 0.9 and (number or _short(flow, event.text))
        case "confirmed":
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
        case "value" if meaning.reading.confidence >= 0.9:
            if meaning.reading.open:
                return state.listening.open_silence_ms if flow.slots[state.slot].type in NUMBER_TYPES else None
            is_whole = True
        case "confirmed":
            is_whole = not meaning.yes_no.open
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
    said = yes_no.value if yes_no.complete and yes_no.confidence >= (0.0 if not intent else BARE_YES_NO) else None
    if said is True or intent == "yes":
        return Meaning("confirmed", "yes", score or yes_no.confidence)
    if said is False or intent == "no":
        return Meaning("denied", "no", score or yes_no.confidence)
    return None


def _changed(conversation: Conversation, reading: SlotReading) -> bool:
    return value_text(reading) != conversation.tentative


def _intent(flow: Flow, state: State, intent: str, score: float, yes_no: SlotReading) -> Meaning:
    """The step of an intent here; a yes or no in the text counts where the intent says no more than that."""
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
    """Whether a sentence that holds a value is rather one of the other intents."""
    if flow.slots[state.slot].type in NUMBER_TYPES or intent in ("", "yes", "no", *state.slot_intents):
        return False
    return not _short(flow, text) and _step_of(flow, state, intent) is not None


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
