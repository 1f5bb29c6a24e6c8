"""What a turn says of the other questions of a form: values that are taken at once, and clauses that wait. Pure.

A value is taken where it is certain, or said with the name of its question ("douze pièces"), needs no confirmation and
merely goes on in the form. What is less certain, must be read back or leads elsewhere waits until its question comes.
What two questions could mean is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dialogue.conversation import Conversation, Volunteered
from dialogue.flow import Flow, Form, Member, State, Step
from dialogue.meaning import ASKED_BELOW, Meaning, kept_text, read_as, reads, value_text
from dialogue.over_answering import LEAST_WORDS, MOST_CLAUSES, clauses
from dialogue.slots import FREE_TYPES, NUMBER_TYPES
from dialogue.slots.lexicon import lexicon_of
from dialogue.slots.numbers import is_number_word
from dialogue.slots.reading import SlotReading
from dialogue.slots.words import find_phrase, fold, texts, words_of

CERTAIN = 0.9


@dataclass(frozen=True)
class Beside:
    """What was said beside the open question: slots with their values, and clauses that wait for their question."""

    filled: tuple[tuple[str, str], ...] = ()
    waiting: tuple[Volunteered, ...] = ()


NOTHING_BESIDE = Beside()


def beside(
    flow: Flow, c: Conversation, text: str, meaning: Meaning, looked_up: Sequence[Volunteered], at: float
) -> Beside:
    """What a turn in a form says of its missing questions besides the open one."""
    state, form = flow.states[c.state], flow.forms[flow.states[c.state].form]
    missing = [member for member in form.members if member.slot not in c.slots and member.slot != state.slot]
    if not missing:
        return NOTHING_BESIDE
    units = clauses(text, flow.language)
    intents = {one.text: one for one in looked_up}
    if meaning.kind == "no_match" and meaning.intent and len(units) < 2:
        intents.update({unit: Volunteered(unit, meaning.intent, meaning.score) for unit in units})
    used = _used(flow, c, state, meaning, units, at)
    filled: dict[str, str] = {}
    waiting: list[Volunteered] = []
    for unit in units:
        readings = list(_readings(flow, c, missing, unit, unit in used, at))
        for member, reading in readings:
            value = value_text(reading)
            least = ASKED_BELOW if named(flow, [member], unit) else CERTAIN
            if reading.confidence >= least and _is_taken_at_once(flow, form, member, value, reading.confidence):
                filled.setdefault(member.slot, value)
            elif flow.states[member.state].read_back or reading.confidence >= CERTAIN:
                waiting.append(Volunteered(unit))
        if not readings and unit in intents:
            _by_intent(flow, form, missing, intents[unit], filled, waiting)
    return Beside(tuple(filled.items()), tuple(dict.fromkeys(waiting)))


def unread(flow: Flow, c: Conversation, text: str, at: float) -> tuple[str, ...]:
    """The clauses of a turn in a form whose intent may answer one of its questions: those that are read as no value."""
    state, form = flow.states[c.state], flow.forms[flow.states[c.state].form]
    missing = [member for member in form.members if member.slot not in c.slots and member.slot != state.slot]
    units = clauses(text, flow.language)
    if len(units) < 2 or not any(flow.states[member.state].answers for member in missing):
        return ()
    found = []
    for unit in units:
        is_open = bool(state.slot) and read_as(flow, c, flow.slots[state.slot], unit, at).complete
        is_read = is_open or any(True for _ in _readings(flow, c, missing, unit, False, at))
        if not is_read and len(words_of(unit)) >= LEAST_WORDS and not _has_number(flow, unit):
            found.append(unit)
    return tuple(found[:MOST_CLAUSES])


def _used(flow: Flow, c: Conversation, state: State, meaning: Meaning, units: list[str], at: float) -> set[str]:
    """The clauses that gave the value of the open slot."""
    if not state.slot or meaning.kind not in ("value", "confirmed"):
        return set()
    slot = flow.slots[state.slot]
    if slot.type in ("yes_no", "choice"):  # such words stand beside anything
        return set()
    readings = {unit: reading for unit in units if (reading := read_as(flow, c, slot, unit, at)).complete}
    found = {unit for unit, reading in readings.items() if value_text(reading) == meaning.value} or set(readings)
    if not found and slot.type in NUMBER_TYPES:  # a number that is spread over several
        found = {unit for unit in units if _has_number(flow, unit)}
    return found or (set(units) if meaning.kind == "value" else set())


def _has_number(flow: Flow, text: str) -> bool:
    lexicon = lexicon_of(flow.language)
    return any(is_number_word(word, lexicon) and word.text not in lexicon.articles for word in words_of(text))


def _readings(
    flow: Flow, c: Conversation, missing: list[Member], unit: str, is_used: bool, at: float
) -> Iterator[tuple[Member, SlotReading]]:
    """What a clause says of missing slots. One that two slots could read is read by neither."""
    found: list[tuple[Member, SlotReading]] = []
    for member in missing:
        slot = flow.slots[member.slot]
        is_free = slot.type in FREE_TYPES and not named(flow, [member], unit)  # nearly any words could be a value
        if slot.type == "yes_no" or is_free or (is_used and slot.type != "choice"):
            continue
        reading = read_as(flow, c, slot, unit, at)
        if reading.complete and reading.confidence >= ASKED_BELOW:
            found.append((member, reading))
    others = [one for one in found if flow.slots[one[0].slot].type != "choice"]
    if len(others) > 1:
        others = [one for one in others if one[1].confidence >= CERTAIN]
    yield from others if len(others) == 1 else ()
    chosen = [one for one in found if flow.slots[one[0].slot].type == "choice"]
    for member, reading in chosen:
        words = _words_of_choice(flow, member, reading)
        if not any(words & _words_of_choice(flow, *one) for one in chosen if one[0] is not member):
            yield member, reading


def _words_of_choice(flow: Flow, member: Member, reading: SlotReading) -> set[str]:
    value = value_text(reading)
    return {fold(phrase) for phrase in (value, *flow.slots[member.slot].choices.get(value, ()))}


def _is_taken_at_once(flow: Flow, form: Form, member: Member, value: str, confidence: float) -> bool:
    """Whether a value needs no confirmation, and its question would merely go on in the form."""
    state = flow.states[member.state]
    step = state.step_for(value)
    is_plain = step is not None and _goes_on(step, form)
    is_confirmed = bool(state.read_back) and confidence < state.read_back_below
    return is_plain and not is_confirmed


def _goes_on(step: Step, form: Form) -> bool:
    return step.goto == form.name and not step.count and step.when is None


def _by_intent(
    flow: Flow,
    form: Form,
    missing: list[Member],
    said: Volunteered,
    filled: dict[str, str],
    waiting: list[Volunteered],
) -> None:
    for member in missing:
        state = flow.states[member.state]
        step = step_of(state, said.intent)
        if step is None or said.score < state.listening.commit_confidence:
            continue
        value = step.set.get(member.slot, "")
        if value and _goes_on(step, form) and len(step.set) == 1:
            filled.setdefault(member.slot, value)
        elif value or step.goto:
            waiting.append(said)
        return


def step_of(state: State, intent: str) -> Step | None:
    """The step that an intent has in a question of a form, for whoever was not asked it; none of a bare yes or no."""
    if intent in ("", "yes", "no"):
        return None
    step = state.answers.get(state.means.get(intent, intent))
    return step if step is not None and state.slot in step.set else None


# --- the recap --------------------------------------------------------------------------------------------------------


def changes(flow: Flow, c: Conversation, form: Form, text: str, at: float) -> tuple[tuple[str, str], ...]:
    """What a recap is answered with that is not what it said: slots and their new values."""
    known = [member for member in form.members if member.slot in c.slots]
    found: dict[str, str] = {}
    for unit in clauses(text, flow.language):
        called = named(flow, known, unit)
        of = [member for member in known if flow.slots[member.slot].type not in FREE_TYPES or member is called]
        different: dict[str, str] = {}
        is_same = False
        for member in of:
            if flow.slots[member.slot].type == "yes_no":
                continue
            value = reads(flow, c, member.slot, unit, at, c.slots[member.slot])
            if value and kept_text(flow, c, member.slot, value, at) == c.slots[member.slot]:
                is_same = True
            elif value:
                different[member.slot] = value
        if called is not None and called.slot in different:
            different = {called.slot: different[called.slot]}
        choices = all(flow.slots[name].type == "choice" and not flow.slots[name].source for name in different)
        if (len(different) == 1 or choices) and not (is_same and not choices):
            found |= different
    return tuple(found.items())


def changed_by_intent(flow: Flow, c: Conversation, form: Form, meaning: Meaning) -> tuple[Member, Step] | None:
    """The answer to one of its questions that a recap is answered with, where it is another than before."""
    for member in form.members:
        step = step_of(flow.states[member.state], meaning.intent)
        if step is not None and meaning.score >= flow.states[member.state].listening.commit_confidence:
            return (member, step) if step.set[member.slot] != c.slots.get(member.slot) else None
    return None


def named(flow: Flow, members: Sequence[Member], text: str) -> Member | None:
    """The one question that is called by its name ("le code postal est faux")."""
    words = texts(words_of(text))
    found = [
        member
        for member in members
        if any(find_phrase(words, (fold(phrase),), start) for phrase in member.called for start in range(len(words)))
    ]
    return found[0] if len(found) == 1 else None
