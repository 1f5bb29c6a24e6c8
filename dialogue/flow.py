"""The grammar of a dialogue flow, as frozen dataclasses. Pure: `flow_loader` makes them of YAML, `dialogue` runs them.

A flow is states. A state says its prompts, then listens for answers, passes on, transfers or hangs up. `docs/flows.md`
explains every key to the people who write flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from dialogue.hours.opening_hours import Hours
from dialogue.slots import MOST_DIGITS, MOST_INTEGER, SlotType
from dialogue.values.conditions import When
from dialogue.values.value_types import Locale, ValueType

Wording: TypeAlias = tuple[str, ...]
"""Prompt names, "{slot}" for a slot's value read out in prompts, and texts that are spoken, with variables in them."""


@dataclass(frozen=True)
class Step:
    """What is done on an answer: say something, then go somewhere, or stay and ask again.

    Without `goto`, `transfer` and `hangup` the dialogue stays; it asks the question again unless `ask` is False.
    `repeat` says the last prompts once more. `wait_ms` stays silent for so long ("hold on"). With `count`, the step is
    done while the counter is within its limit, `over` beyond it; with `when`, it is done where that is true, else
    `otherwise`. `set` fills slots and variables (also with texts that have variables in them), `forget` empties them,
    `add` puts the records of one list behind those of another. `back` asks the question before again,
    without its answer; `restart` forgets what was answered, but for what it is to `keep`, and goes to a state. `resume`
    goes on where an earlier conversation of this flow stopped, which a variable holds; where that does not fit,
    `otherwise` is done. `returns`: the question that was open comes again.
    """

    say: Wording = ()
    goto: str = ""
    transfer: str = ""
    hangup: bool = False
    outcome: str = ""
    ask: bool = True
    repeat: bool = False
    wait_ms: int = 0
    set: Mapping[str, str] = field(default_factory=dict)
    resume: str = ""
    count: str = ""
    over: Step | None = None
    when: When | None = None
    otherwise: Step | None = None
    back: bool = False
    returns: bool = False
    restart: str = ""
    keep: tuple[str, ...] = ()
    copy: Mapping[str, str] = field(default_factory=dict)
    """Variable -> the one whose value it is given. `forget`: what begins so is forgotten before."""
    forget: str = ""
    skip: bool = False
    """In a form: the question stays without an answer. Gone once the file is read."""
    empties: tuple[str, ...] = ()
    """`forget` of the file."""
    add: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether this step itself ends the call."""
        return bool(self.transfer) or self.hangup


@dataclass(frozen=True)
class Escalation:
    """What is said, step by step, when an answer is missing; after `retries` steps comes `then`.

    With more retries than wordings they are said in rotation. `ask`: the question follows each step.
    """

    say: tuple[Wording, ...]
    retries: int
    then: Step
    ask: bool = True


@dataclass(frozen=True)
class Listening:
    """How a state listens: endpointing, barge-in, the wait for an answer, and when an answer is taken early.

    After `eager_silence_ms` what was said so far goes to the recogniser. A guess that is a certain answer is taken at
    `commit_silence_ms`, one that is a whole sentence at `whole_silence_ms`, a number that is whole but may go on
    ("soixante-quinze mille" ...) at `open_silence_ms`, anything else at `end_silence_ms`.
    `commit_confidence` is the intent score from which a guess counts as sure, `commit_recognition` the recogniser's
    confidence that this needs as well. `ending_recognition`: an intent that hangs up, of words that were recognised
    with less, is asked about once before it is believed. `turn_model`: the receiver's turn model, if there is one, has
    a say as well.
    """

    eager_silence_ms: int = 100
    commit_silence_ms: int = 160
    whole_silence_ms: int = 350
    open_silence_ms: int = 600
    end_silence_ms: int = 700
    max_utterance_ms: int = 15_000
    barge_in: bool = True
    barge_in_ms: int = 100
    no_input_ms: int = 5_000
    commit_confidence: float = 0.8
    commit_recognition: float = 0.4
    ending_recognition: float = 0.85
    hints: tuple[str, ...] = ()
    turn_model: bool = False


@dataclass(frozen=True)
class Keypad:
    """Answers by DTMF. `keys` maps a key to an intent; `digits` collects that many for the slot of the state.

    An entry is complete when it is full, at the key `end`, or after `pause_ms` without a key; `*` clears it.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    digits: int = 0
    end: str = "#"
    pause_ms: int = 3_000


@dataclass(frozen=True)
class Slot:
    """Something the caller is asked for. `choices` maps a value to the words for it, `say_as` a value to its prompt.

    `length`: the fewest and the most digits of a slot of the type digits, the most characters of a note. `range`: the
    least and the most of an integer or of money in `currency`. `corrected`: the state that is gone to when callers
    correct it later; empty: the dialogue goes on where it was. A choice may be one from a list that an action brought
    (`source`): `by` are the fields of its records that it may be named by, `offer` is how one is said, and what one
    `needs` besides to be on offer; `several` may be chosen at once.
    """

    name: str
    type: SlotType
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    say_as: Mapping[str, str] = field(default_factory=dict)
    length: tuple[int, int] = (1, MOST_DIGITS)
    corrected: str = ""
    range: tuple[int, int] = (0, MOST_INTEGER)
    currency: str = ""
    source: str = ""
    by: tuple[str, ...] = ()
    offer: str = ""
    needs: tuple[str, ...] = ()
    several: bool = False


Origin: TypeAlias = Literal["constant", "fact", "set", "action", "input"]


@dataclass(frozen=True)
class Variable:
    """Something that is remembered: its type, where it comes from, and what it is while nobody gave it a value.

    `always`: it is never unset. The value of a constant is its `default`.
    """

    type: ValueType
    origin: Origin
    default: str = ""
    always: bool = False


Outcome: TypeAlias = Literal["ok", "not_found", "refused", "timeout", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class Given:
    """A value that an answer gives: the variable, where it stands in the JSON body, and with which outcome it comes."""

    name: str
    path: tuple[str, ...]
    type: ValueType
    optional: bool = False
    outcome: Outcome = "ok"


@dataclass(frozen=True)
class Action:
    """A request to the world, by template. `body` is JSON of texts; a key that ends in `?` is left out while unset.

    `retries` only repeat what does no harm twice. `purpose`, with call and state, makes the idempotency key: what is
    asked twice for the same purpose is done once; empty: each visit of the state is a purpose of its own. An answer is
    kept for `cache_s`. A `note` goes into the call record and asks nobody. A `message` is a text for `to`. `knowledge`
    is a file that is asked: the `question`, or what the caller said last.
    """

    name: str
    method: str = "GET"
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    gives: tuple[Given, ...] = ()
    timeout_ms: int = 2_000
    retries: int = 0
    purpose: str = ""
    cache_s: int = 0
    note: str = ""
    message: str = ""
    to: str = ""
    knowledge: str = ""
    question: str = ""
    line: int = 0


@dataclass(frozen=True)
class State:
    """One state. It listens when it has `answers` or a `slot`; otherwise exactly one of goto, transfer, hangup, choose
    and action is set. `action` asks the world and takes the step of the outcome; when that takes longer than
    `filler_ms`, `filler` is said once. `choose` takes the first step whose `when` is true, else `otherwise`; it says
    nothing itself.

    `ask_again` is what is said, in rotation, each time the question is asked again (empty: `say`). `means` gives yes
    and no (and other intents) their meaning here. A slot with `read_back` is confirmed before `filled`; a value in
    `filled_as` ("980*": one that begins so) has its own step. `slot_intents` merely announce a value. With
    `read_back_below` only values of less confidence are read back. `refused` is done
    where a slot that is chosen from a list is not chosen: nothing suits, or there is nothing. `also`: other slots that
    an answer may fill instead, and what comes then. `completes`: an answer changes only the part of a moment
    that it names.
    """

    name: str
    line: int
    say: Wording
    ask_again: tuple[Wording, ...] = ()
    answers: Mapping[str, Step] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    slot: str = ""
    slot_intents: tuple[str, ...] = ()
    read_back: Wording = ()
    read_back_retries: int = 3
    filled: Step | None = None
    filled_as: Mapping[str, Step] = field(default_factory=dict)
    refused: Step | None = None
    unasked: Step | None = None
    """Done in the place of the question where its `when` is true and nothing that was said before answers it."""
    completes: bool = False
    also: Mapping[str, Step] = field(default_factory=dict)
    listening: Listening = Listening()
    keypad: Keypad = Keypad()
    no_input: Escalation | None = None
    no_match: Escalation | None = None
    goto: str = ""
    transfer: str = ""
    hangup: bool = False
    outcome: str = ""
    choose: tuple[Step, ...] = ()
    otherwise: Step | None = None
    action: str = ""
    outcomes: Mapping[str, Step] = field(default_factory=dict)
    filler: Wording = ()
    filler_ms: int = 700
    file: str = ""
    """Where it stands; empty: in the flow's own file."""
    form: str = ""
    """The form that it belongs to; its own name where it is one."""
    read_back_below: float = 1.01

    @property
    def listens(self) -> bool:
        """Whether the caller is asked something here."""
        return bool(self.answers) or bool(self.slot)

    @property
    def is_form(self) -> bool:
        """Whether it is a form: it chooses the question that is asked next."""
        return self.form == self.name

    def step_for(self, value: str) -> Step | None:
        """What comes once the slot has `value`."""
        if value in self.filled_as:
            return self.filled_as[value]
        begins = [key for key in self.filled_as if key.endswith("*") and value.startswith(key[:-1])]
        return self.filled_as[max(begins, key=len)] if begins else self.filled


@dataclass(frozen=True)
class Member:
    """A question of a form: its slot, its state, when it is asked, what callers call it, and how the recap says it."""

    slot: str
    state: str
    when: When | None = None
    called: tuple[str, ...] = ()
    recap: Wording = ()


@dataclass(frozen=True)
class Form:
    """Questions of which any may be answered in any turn. With a `question` all is said again before `filled`: `say`,
    then every value, then the question; `wrong` is asked when it is not right."""

    name: str
    members: tuple[Member, ...]
    filled: Step
    say: Wording = ()
    question: Wording = ()
    wrong: Wording = ()

    @property
    def recap(self) -> str:
        """The state of the recap; empty where there is none."""
        return f"{self.name}.recap" if self.question else ""

    def member(self, state: str) -> Member | None:
        """The question that a state asks."""
        return next((member for member in self.members if member.state == state), None)


@dataclass(frozen=True)
class SubFlowRun:
    """A sub-flow within a flow: the state that runs it, its name and file, the states that it became, what is known
    after each outcome, and the inputs that may be left out."""

    name: str
    subflow: str
    file: str
    states: tuple[str, ...]
    gives: Mapping[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Corrections:
    """Callers may correct what they said before. `say` with the new value (`{corrected}`), `unread` when it was not
    understood and the question is asked again."""

    say: Wording
    unread: Wording


@dataclass(frozen=True)
class Band:
    """From a score of `act` on an intent is acted on, from `ask` on `say` asks whether it is meant, below it is not
    believed."""

    act: float
    say: Wording
    ask: float = 0.0


@dataclass(frozen=True)
class Flow:
    """One flow, checked. `text` is the YAML it was read from, `version` its hash, `edited_at` the file's time.

    `prompt_ms` is the length of every prompt that has audio, `prompt_texts` what it says.
    `region` is the country whose telephone numbers, postal codes and clock its callers use (ISO 3166: "FR").
    """

    name: str
    language: str
    start: str
    states: Mapping[str, State]
    trouble: Escalation
    too_long: Step
    timezone: str = "Europe/Paris"
    region: str = "FR"
    slots: Mapping[str, Slot] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    hours: Hours | None = None
    """What `hours.open` and its like are told by; None: the flow names none."""
    counters: Mapping[str, int] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    runs: Mapping[str, SubFlowRun] = field(default_factory=dict)
    everywhere: Mapping[str, Step] = field(default_factory=dict)
    corrections: Corrections | None = None
    bands: Mapping[str, Band] = field(default_factory=dict)
    """Intent -> how sure it must be; others are acted on whenever the intent service believes them."""
    turns: Action | None = None
    """Where each turn is told, once the bot has answered it."""
    at_end: tuple[str, ...] = ()
    """Actions that are asked for when the call is over, whatever it was over: those whose variables are known."""
    faqs: Mapping[str, Wording] = field(default_factory=dict)
    dead_air_ms: int = 1_800
    dead_air: Wording = ()
    transfer_failed: Wording = ()
    adviser_away: str = ""
    """The state of a caller whom no adviser took; empty: they hear `transfer_failed`, and the call ends."""
    max_turns: int = 40
    prompt_ms: Mapping[str, int] = field(default_factory=dict, repr=False)
    prompt_texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: str = ""
    text: str = field(default="", repr=False)
    version: str = ""
    edited_at: str = ""

    @property
    def where(self) -> Locale:
        """Where its callers live, for values."""
        return Locale(self.language, self.region, self.timezone)
