"""The grammar of a dialogue flow, as frozen dataclasses. Pure: `flow_loader` makes them of YAML, `dialogue` runs them.

A flow is states. A state says its prompts, then listens for answers, passes on, transfers or hangs up. `docs/flows.md`
explains every key to the people who write flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dialogue.slots import SlotType

Wording: TypeAlias = tuple[str, ...]  # prompt names; "{slot}" stands for a slot's value, read out in prompts


@dataclass(frozen=True)
class Step:
    """What is done on an answer: say something, then go somewhere, or stay and ask again.

    Without `goto`, `transfer` and `hangup` the dialogue stays; it asks the question again unless `ask` is False.
    `repeat` says the last prompts once more. `wait_ms` stays silent for so long ("hold on"). With `count`, the step is
    done while the counter is within its limit, `over` beyond it.
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
    count: str = ""
    over: Step | None = None

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
    """Something the caller is asked for. `choices` maps a value to the words for it, `say_as` a value to its prompt."""

    name: str
    type: SlotType
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    say_as: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """One state. It listens when it has `answers` or a `slot`; otherwise exactly one of goto, transfer, hangup is set.

    `ask_again` is what is said, in rotation, each time the question is asked again (empty: `say`). `means` gives yes
    and no (and other intents) their meaning here. A slot with `read_back` is confirmed before `filled`; a value in
    `filled_as` has its own step. `slot_intents` are the intents that merely announce a value.
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
    listening: Listening = Listening()
    keypad: Keypad = Keypad()
    no_input: Escalation | None = None
    no_match: Escalation | None = None
    goto: str = ""
    transfer: str = ""
    hangup: bool = False
    outcome: str = ""

    @property
    def listens(self) -> bool:
        """Whether the caller is asked something here."""
        return bool(self.answers) or bool(self.slot)


@dataclass(frozen=True)
class Flow:
    """One flow, checked. `prompt_ms` is the length of every prompt; `version` a hash, `edited_at` the file's time."""

    name: str
    language: str
    start: str
    states: Mapping[str, State]
    trouble: Escalation
    too_long: Step
    timezone: str = "Europe/Paris"
    slots: Mapping[str, Slot] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    everywhere: Mapping[str, Step] = field(default_factory=dict)
    faqs: Mapping[str, Wording] = field(default_factory=dict)
    dead_air_ms: int = 1_800
    dead_air: Wording = ()
    transfer_failed: Wording = ()
    max_turns: int = 40
    prompt_ms: Mapping[str, int] = field(default_factory=dict, repr=False)
    file: str = ""
    version: str = ""
    edited_at: str = ""
