"""Call scripts: YAML text in, a list of what the caller does and what must then be heard or reached out.

Pure: knows nothing of SIP, audio or clocks. A script is read as a whole and every fault is reported with its line.

    about: The caller is qualified.
    caller: {voice: fr+m3, speed: 150, pitch: 45, number: "+33612345678"}
    steps:
      - hear: welcome               # a prompt of this name was begun since the caller's last action (or several, in
                                    # one breath: `noted digit_7 digit_5`)
      - hear_text: votre commande   # these words were begun since then, in speech made at run time
      - say: oui bonjour            # spoken by espeak-ng; or {wav: file.wav}
      - say: je suis <600> à la retraite    # with a pause of 600 ms
      - state: ask_zip_code         # the dialogue is in this state
      - interrupt_after: 0.8        # the next action comes 0.8 s after the bot began to speak
      - press: "75011#"             # DTMF keys
      - silence: 3                  # says nothing for 3 s
      - hold: 20                    # puts the call on hold for 20 s and sends nothing; or {seconds: 20, say: oui}, what
                                    # the bot is let hear meanwhile
      - mute: 35                    # sends no packet for 35 s, as some telephones do when they are muted
      - slot: {zip_code: "75011"}   # a slot has this value
      - hangup
      - end: caller_hung_up         # how the call ended
      - either:                     # goes on with the steps of which the first is heard first
          - [{hear_text: riepilogo}, {say: sì}]
          - [{hear_text: occupato}, hangup]
      - call_again                  # the same caller places another call; all that follows is in that one
    expect: {outcome: qualified, lead: {zip_code: "75011", callback_slot: "*T14:00*"}}     # values may have wildcards

Calls to another flow than the stack's own name it (`flow: it/booking`); one with a shop behind it says what is in that
(`shop:`, see script_shop). Days ahead may then be written as in script_days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import yaml

from callers.script_days import SIGN, dated
from callers.script_shop import AFTER, BadShop, ShopAfter, ShopBefore, read_after, read_before


class BadScript(ValueError):
    """A script that cannot be played: one line per fault, `file:line: reason`."""


@dataclass(frozen=True)
class SpokenLine:
    """Speak `text` with the synthesiser, or play the file `wav`."""

    text: str = ""
    wav: str = ""


@dataclass(frozen=True)
class Press:
    """Press keys, one after the other."""

    keys: str


@dataclass(frozen=True)
class Silence:
    """Say nothing for so long."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Put the call on hold for so long; where `text` is given, that is heard from the line meanwhile."""

    seconds: float
    text: str = ""


@dataclass(frozen=True)
class Mute:
    """Send no packet for so long."""

    seconds: float


@dataclass(frozen=True)
class InterruptAfter:
    """Do the next action this long after the bot's next voice, instead of after its prompt."""

    seconds: float


@dataclass(frozen=True)
class HangUpNow:
    """Put the receiver down."""


@dataclass(frozen=True)
class CallAgain:
    """Place another call, when the one before is over."""


@dataclass(frozen=True)
class Hear:
    """This prompt was begun since the last action; or these, one right after the other, with blanks between them."""

    prompt: str


@dataclass(frozen=True)
class HearText:
    """These words were begun since the last action, within a text that is spoken; letters great and small are one."""

    text: str


@dataclass(frozen=True)
class Either:
    """One of these, each of which begins with words to hear: the one whose words come first."""

    branches: tuple[tuple[ScriptStep, ...], ...]


@dataclass(frozen=True)
class ReachState:
    """The dialogue is in this state."""

    state: str


@dataclass(frozen=True)
class SlotIs:
    """A slot of the lead has this value."""

    name: str
    value: str


@dataclass(frozen=True)
class Ended:
    """The call is over, for this reason."""

    reason: str


ScriptStep: TypeAlias = (
    SpokenLine
    | Press
    | Silence
    | Hold
    | Mute
    | InterruptAfter
    | HangUpNow
    | CallAgain
    | Hear
    | HearText
    | Either
    | ReachState
    | SlotIs
    | Ended
)
ACTIONS = (SpokenLine, Press, Silence, Hold, Mute, HangUpNow)


@dataclass(frozen=True)
class Caller:
    """How the simulated caller sounds. `voice`: one of espeak-ng's, or `pico-it` and the like. `reaction_ms`: from the
    end of the bot's prompt to the first word. `number`: that they call from; empty: any."""

    voice: str = "fr"
    speed: int = 150
    pitch: int = 50
    reaction_ms: int = 250
    number: str = ""


@dataclass(frozen=True)
class Script:
    """One call script."""

    name: str
    about: str
    steps: tuple[ScriptStep, ...]
    caller: Caller = field(default_factory=Caller)
    extension: str = ""
    outcome: str = ""
    lead: tuple[tuple[str, str], ...] = ()
    flow: str = ""
    """The flow that it talks to; empty: the default one."""
    shop: ShopBefore | None = None
    """The shop behind the flow, where there is one."""
    shop_after: ShopAfter | None = None

    def calls(self) -> tuple[Script, ...]:
        """The script of each call that the caller places, in their order; what is expected of the outcome and the lead
        is of the last one."""
        ends = [at for at, step in enumerate(self.steps) if isinstance(step, CallAgain)] + [len(self.steps)]
        begins = [0, *(end + 1 for end in ends)]
        parts = [self.steps[begin:end] for begin, end in zip(begins, ends, strict=False)]
        return (
            *(replace(self, steps=part, outcome="", lead=()) for part in parts[:-1]),
            replace(self, steps=parts[-1]),
        )


class _Reader:
    """Collects faults with their lines while it turns YAML nodes into values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[str] = []

    def fault(self, node: yaml.Node, reason: str) -> None:
        self.faults.append(f"{self.file}:{node.start_mark.line + 1}: {reason}")

    def mapping(self, node: yaml.Node, what: str, known: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, f"{what} must be a mapping")
            return {}
        entries = {str(key.value): value for key, value in node.value}
        for key, _ in node.value:
            if known and key.value not in known:
                self.fault(key, f"unknown key {key.value!r} in {what}; known: {', '.join(known)}")
        return entries

    def text(self, node: yaml.Node | None, what: str) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fault(node, f"{what} must be some text")
            return ""
        return str(node.value).strip()

    def number(self, node: yaml.Node, what: str, low: float, high: float) -> float:
        try:
            value = float(self.text(node, what))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.fault(node, f"{what} must be a number from {low:g} to {high:g}")
            return low
        return value


def read_script(text: str, file: str, now: datetime | None = None) -> Script:
    """The script of a YAML text; `file` is only for messages. `now`: the clock on the wall where the flow is, for days
    that are written by their distance. Raises BadScript with every fault."""
    if now is not None:
        language = re.search(r"^flow: *([a-z]+)/", text, re.MULTILINE)
        text = dated(text, language[1] if language else "fr", now)
    elif sign := SIGN.search(text):
        line = text[: sign.start()].count("\n") + 1
        raise BadScript(f"{file}:{line}: {sign[0]} is a day that only a call has")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise BadScript(f"{file}:1: no YAML: nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadScript(
            f"{file}:{mark.line + 1 if mark else 1}: no YAML: {getattr(error, 'problem', error)}"
        ) from error
    reader = _Reader(file)
    if root is None:
        raise BadScript(f"{file}:1: the script is empty")
    top = reader.mapping(root, "a script", ("about", "caller", "extension", "flow", "shop", "steps", "expect"))
    steps = _steps(reader, top.get("steps"), root)
    of_shop = AFTER if "shop" in top else ()
    expect = reader.mapping(top["expect"], "expect", ("outcome", "lead", *of_shop)) if "expect" in top else {}
    before, after = None, None
    try:
        if "shop" in top:
            before = read_before(top["shop"])
            after = read_after(expect, before)
    except BadShop as error:
        reader.fault(error.node, str(error))
    lead = reader.mapping(expect["lead"], "lead") if "lead" in expect else {}
    score = Script(
        name=re.sub(r".*/|\.ya?ml$", "", file),
        about=reader.text(top.get("about"), "about"),
        steps=tuple(steps),
        caller=_caller(reader, top.get("caller")),
        extension=reader.text(top.get("extension"), "extension"),
        outcome=reader.text(expect.get("outcome"), "outcome"),
        lead=tuple((name, reader.text(node, name)) for name, node in lead.items()),
        flow=reader.text(top.get("flow"), "flow"),
        shop=before,
        shop_after=after,
    )
    if reader.faults:
        raise BadScript("\n".join(reader.faults))
    return score


def _caller(reader: _Reader, node: yaml.Node | None) -> Caller:
    if node is None:
        return Caller()
    entries = reader.mapping(node, "caller", ("voice", "speed", "pitch", "reaction_ms", "number"))
    values: dict[str, Any] = {}
    if "voice" in entries:
        values["voice"] = reader.text(entries["voice"], "voice")
    if "number" in entries:
        values["number"] = reader.text(entries["number"], "number")
    for key, low, high in (("speed", 80, 400), ("pitch", 0, 99), ("reaction_ms", 0, 10_000)):
        if key in entries:
            values[key] = int(reader.number(entries[key], key, low, high))
    return Caller(**values)


def _steps(reader: _Reader, node: yaml.Node | None, root: yaml.Node) -> list[ScriptStep]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        reader.fault(node or root, "steps must be a list of what the caller does and hears")
        return []
    steps = []
    for item in node.value:
        step = _step(reader, item)
        if step is not None:
            steps.append(step)
    if reader.faults == [] and not any(isinstance(step, ACTIONS) for step in steps):
        reader.fault(node, "nobody does anything in this script")
    if reader.faults == []:
        for item, before, step, after in zip(node.value, [None, *steps], steps, [*steps[1:], None], strict=False):
            if isinstance(step, CallAgain) and (not isinstance(before, Ended) or after is None):
                reader.fault(item, "call_again stands behind the end of a call (end: caller_hung_up), before the next")
    return steps


def _step(reader: _Reader, node: yaml.Node) -> ScriptStep | None:
    if isinstance(node, yaml.ScalarNode):
        if node.value == "hangup":
            return HangUpNow()
        if node.value == "call_again":
            return CallAgain()
        reader.fault(node, f"unknown step {node.value!r}")
        return None
    entries = reader.mapping(node, "a step")
    if len(entries) != 1:
        reader.fault(node, "a step has exactly one key")
        return None
    ((key, value),) = entries.items()
    match key:
        case "say":
            if isinstance(value, yaml.MappingNode):
                wav = reader.mapping(value, "say", ("wav",)).get("wav")
                return SpokenLine(wav=reader.text(wav, "wav"))
            return SpokenLine(text=reader.text(value, "say"))
        case "wav":
            return SpokenLine(wav=reader.text(value, "wav"))
        case "press":
            keys = reader.text(value, "press")
            if not re.fullmatch(r"[0-9*#]+", keys):
                reader.fault(value, "press takes keys of a telephone: 0-9 * #")
            return Press(keys)
        case "silence":
            return Silence(reader.number(value, "silence", 0.05, 600))
        case "mute":
            return Mute(reader.number(value, "mute", 0.05, 600))
        case "hold":
            if isinstance(value, yaml.MappingNode):
                parts = reader.mapping(value, "hold", ("seconds", "say"))
                seconds = reader.number(parts["seconds"], "seconds", 0.05, 600) if "seconds" in parts else 1.0
                return Hold(seconds, reader.text(parts.get("say"), "say"))
            return Hold(reader.number(value, "hold", 0.05, 600))
        case "interrupt_after":
            return InterruptAfter(reader.number(value, "interrupt_after", 0, 60))
        case "hear":
            return Hear(reader.text(value, "hear"))
        case "hear_text":
            return HearText(reader.text(value, "hear_text"))
        case "either":
            return _either(reader, value)
        case "state":
            return ReachState(reader.text(value, "state"))
        case "slot":
            slot = reader.mapping(value, "slot")
            if len(slot) != 1:
                reader.fault(value, "slot takes one name and its value")
                return None
            ((name, content),) = slot.items()
            return SlotIs(name, reader.text(content, name))
        case "end":
            return Ended(reader.text(value, "end"))
        case "hangup":
            return HangUpNow()
    reader.fault(node, f"unknown step {key!r}")
    return None


def _either(reader: _Reader, node: yaml.Node) -> Either | None:
    lists = node.value if isinstance(node, yaml.SequenceNode) else []
    if len(lists) < 2 or not all(isinstance(one, yaml.SequenceNode) for one in lists):
        reader.fault(node, "either takes two lists of steps or more")
        return None
    branches = [tuple(step for item in one.value if (step := _step(reader, item)) is not None) for one in lists]
    for one, branch in zip(lists, branches, strict=True):
        if not branch or not isinstance(branch[0], HearText) or any(isinstance(step, CallAgain) for step in branch):
            reader.fault(one, "steps of either begin with hear_text, and are of one call")
    return Either(tuple(branches))
