"""Rehearsal scores: YAML in, what came of playing them against a flow out. No audio, no services, milliseconds.

flow: fr/heating
scores:
  - name: The owner gives everything
    steps:
      - hears: [welcome, ask_eligibility]
      - says: oui bonjour           # resolved by the flow's own phrases; or with `intent: yes`, `score: 0.9`
      - state: ask_zip_code
      - presses: "75011#"
      - slots: {zip_code: "75011"}
      - silence                     # one no-input
      - ends: not_owner             # the outcome, when the call is over
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from dialogue.effects import Effect, EffectDone
from dialogue.flow import Flow
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal, Resolver, World
from protocol.messages import TransferCall

MOST_AFTER_MS = 60_000
OPTIONS = ("intent", "score", "after_ms", "recognition")
ACTIONS = (
    "says", "guesses", "continues", "interrupts", "coughs", "mumbles", "presses", "silence", "hangs_up",
    "recogniser_fails", "holds", "plays_on_hold", "takes_back", "intents_fail", "understanding_hangs", "playback_fails",
    "refuses", "listens",
)  # fmt: skip
CHECKS = (
    "hears", "hears_not", "state", "slots", "counters", "confirming", "committed", "intent_was", "noted", "ends",
    "transferred_to", "still_on", "variables", "asked", "acted",
)  # fmt: skip


MORE = ("from", "answers", "facts", "number", "at")


class BadScore(ValueError):
    """A score that cannot be played; names the file and the score."""


@dataclass(frozen=True)
class Score:
    """One conversation; `steps` as in the file."""

    file: str
    name: str
    flow: str
    steps: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    number: str = "+33100000000"
    at: datetime | None = None
    begin: str = ""
    way: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of a score: nothing in `faults` when all was as written."""

    score: Score
    faults: tuple[str, ...]
    conversation: Rehearsal


def read_scores(path: Path) -> list[Score]:
    """The scores of a file. Raises BadScore, OSError."""
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # every scalar is text
    except yaml.YAMLError as error:
        raise BadScore(f"{path}: no YAML: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("scores"), list) or set(body) - {"flow", "way", "scores"}:
        raise BadScore(f"{path}: must have flow and scores")
    found = []
    for entry in body["scores"]:
        if not isinstance(entry, dict) or set(entry) - {*MORE} != {"name", "steps"}:
            raise BadScore(f"{path}: each score needs name and steps, not {entry!r}")
        steps = tuple({step: ""} if isinstance(step, str) else step for step in entry["steps"])
        for step in steps:
            known = [key for key in step if key in (*ACTIONS, *CHECKS)]
            strange = [key for key in step if key not in (*ACTIONS, *CHECKS, *OPTIONS)]
            if len(known) != 1 or strange:
                raise BadScore(f"{path}: {entry['name']}: what is {step!r}?")
        flow, way = str(body.get("flow", "fr/heating")), tuple(body.get("way", ()))
        answers = {name: _answers(path, value) for name, value in (entry.get("answers") or {}).items()}
        facts, number = dict(entry.get("facts") or {}), str(entry.get("number", Score.number))
        begin, at = entry.get("from", ""), _at(path, entry["at"]) if "at" in entry else None
        found.append(Score(str(path), str(entry["name"]), flow, steps, answers, facts, number, at, begin, way))
    return found


def _at(path: Path, text: Any) -> datetime:
    """When a call begins, by the clock of the flow's callers."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=None)
    except ValueError as error:
        raise BadScore(f"{path}: at must be a date and time such as 2026-12-24T18:30, not {text!r}") from error


def _answers(path: Path, value: Any) -> tuple[Mapping[str, Any], ...]:
    """The recorded answers of an action, one after the other; the last is given again."""
    found = tuple(value) if isinstance(value, list) else (value,)
    for answer in found:
        if not isinstance(answer, dict) or set(answer) - {"outcome", "body", "after_ms"} or "outcome" not in answer:
            raise BadScore(f"{path}: an answer has outcome, body and after_ms, not {answer!r}")
    return found


def recorded(answers: Mapping[str, tuple[Mapping[str, Any], ...]]) -> World:
    """A world that answers as it was written down; an outcome `nothing` never comes."""
    given: dict[str, int] = {}

    def answer(effect: Effect) -> tuple[EffectDone | None, float]:
        name = effect.arguments["action"]
        listed = answers.get(name, ())
        if not listed:
            return EffectDone(0.0, effect.id, {"outcome": "error"}), 0.0
        one = listed[min(given.get(name, 0), len(listed) - 1)]
        given[name] = given.get(name, 0) + 1
        after_s = min(float(one.get("after_ms", 100)), MOST_AFTER_MS) / 1_000
        if one["outcome"] == "nothing":
            return None, after_s
        return EffectDone(0.0, effect.id, {"outcome": one["outcome"], "body": one.get("body")}), after_s

    return answer


def phrases_resolver(flows_dir: Path, language: str, faqs: Mapping[str, Any]) -> Resolver:
    """Intents by exact phrase, from the files of a language: what a perfect classifier would say of a known phrase."""
    main = _phrases(flows_dir / language / "intents.yaml")
    asked = _phrases(flows_dir / language / "faqs.yaml") if faqs else {}

    def resolve(text: str, allowed: tuple[str, ...]) -> Decision:
        for intent in main.get(text, ()):
            if intent in allowed:
                return Decision(intent, 0.95, faq_set=False, fallback=False)
        for intent in asked.get(text, ()):
            return Decision(intent, 0.95, faq_set=True, fallback=False)
        return Decision()

    return resolve


def play(score: Score, flow: Flow, resolve: Resolver, line: type[Rehearsal] = Rehearsal) -> Result:
    """Plays a score to its end, or to the first step that comes out otherwise; over that `line`."""
    at = score.at.replace(tzinfo=ZoneInfo(flow.timezone)).timestamp() if score.at else BEGIN_AT
    world = recorded(score.answers)
    conversation = line(flow, resolve, at, world=world, facts=score.facts, number=score.number)
    way = iter(score.way)
    while score.begin and conversation.dialogue.state != score.begin:
        said = next(way, None)
        if said is None or conversation.over:
            return Result(score, (f"{score.file}: {score.name}: the way does not lead to {score.begin}",), conversation)
        conversation.says(said)
    for number, step in enumerate(score.steps, 1):
        fault = _step(conversation, step)
        if fault:
            return Result(score, (f"{score.file}: {score.name}: step {number} {dict(step)}: {fault}",), conversation)
    return Result(score, (), conversation)


@dataclass(frozen=True)
class Coverage:
    """What scores have gone through of a flow, as `state: what`."""

    covered: tuple[str, ...]
    missing: tuple[str, ...]


def coverage(flow: Flow, results: list[Result]) -> Coverage:
    """Every state, answer, counter limit, FAQ, slot value, confirmation and escalation of a flow: which were seen."""
    wanted: set[str] = {f"state {name}" for name, state in flow.states.items() if state.otherwise is None}
    wanted |= {f"counter {name} over" for name in flow.counters}
    wanted |= {f"anywhere: {intent}" for intent in flow.everywhere} | {f"faq {name}" for name in flow.faqs}
    wanted |= {"trouble", "trouble: the end", "too long"}
    for state in flow.states.values():
        if state.listens:
            wanted |= {f"{state.name}: {intent}" for intent in state.answers}
            wanted |= {
                f"{state.name}: {what}" for what in ("no_input", "no_input: the end", "no_match", "no_match: the end")
            }
        if state.refused is not None:
            wanted.add(f"{state.name}: refused")
        if state.read_back:
            wanted |= {f"{state.name}: confirmed", f"{state.name}: corrected"}
        if state.action and not flow.actions[state.action].note:
            wanted |= {f"{state.name}: {outcome}" for outcome in state.outcomes}
        if state.keypad.digits:
            wanted.add(f"{state.name}: keypad")
    seen: set[str] = set()
    for result in results:
        seen |= _seen(flow, result.conversation)
    return Coverage(tuple(sorted(wanted & seen)), tuple(sorted(wanted - seen)))


def _seen(flow: Flow, conversation: Rehearsal) -> set[str]:
    seen = {f"state {flow.start}"} | {f"state {name}" for name in conversation.states}
    noted = {(note.what, note.detail) for note in conversation.noted}
    seen |= {f"counter {detail} over" for what, detail in noted if what == "counter_over"}
    if any(what == "too_many_turns" for what, _ in noted):
        seen.add("too long")
    for note in conversation.noted:
        if note.what == "action":
            name, _, outcome = note.detail.split(" ")
            seen |= {f"state {name}", f"{name}: {outcome}"}
    read_back = ""
    for turn in conversation.turns:
        state, moved = flow.states[turn.state], turn.next_state != turn.state
        seen.add(f"state {turn.next_state}")
        seen |= {f"faq {turn.intent}"} if turn.intent in flow.faqs else set()
        if turn.intent in state.answers:
            seen.add(f"{turn.state}: {turn.intent}")
        elif turn.intent == "refused" and state.refused is not None:
            seen.add(f"{turn.state}: refused")
        elif turn.intent in flow.everywhere:
            seen.add(f"anywhere: {turn.intent}")
        if turn.committed in ("no_input", "no_speech"):
            seen.add(f"{turn.state}: no_input: the end" if moved else f"{turn.state}: no_input")
        elif turn.committed == "trouble":
            seen.add("trouble: the end" if moved else "trouble")
        elif turn.committed == "dtmf" and turn.intent == "slot_value":
            seen.add(f"{turn.state}: keypad")
        elif not turn.intent:
            seen.add(f"{turn.state}: no_match: the end" if moved else f"{turn.state}: no_match")
        if turn.intent == "slot_value" and read_back == turn.state:
            seen.add(f"{turn.state}: corrected")
        elif turn.intent == "yes" and read_back == turn.state:
            seen.add(f"{turn.state}: confirmed")
        read_back = turn.state if turn.intent == "slot_value" and not moved else ""
    return seen


def _step(conversation: Rehearsal, step: Mapping[str, Any]) -> str:
    """Does or checks one step; what is wrong, or nothing."""
    key = next(key for key in step if key in (*ACTIONS, *CHECKS))
    if key in CHECKS:
        return _check(conversation, key, step[key])
    if conversation.over:
        return "the call is over"
    decision = None
    if "intent" in step:
        intent, faqs = step["intent"], conversation.flow.faqs
        decision = Decision(intent, float(step.get("score", 0.95)), intent in faqs, fallback=intent == "none")
    _act(conversation, key, step, decision)
    return ""


def _act(conversation: Rehearsal, key: str, step: Mapping[str, Any], decision: Decision | None) -> None:
    text = step[key]
    match key:
        case "says":
            conversation.says(text, decision)
        case "guesses":
            conversation.guessed(text, decision, float(step.get("recognition", 0.9)))
        case "continues":
            conversation.continues(text, decision)
        case "interrupts":
            conversation.interrupts(text, int(step.get("after_ms", 800)), decision)
        case "presses":
            conversation.presses(text)
        case "holds":
            conversation.holds(int(step.get("after_ms", 0)))
        case "plays_on_hold":
            conversation.plays_on_hold(text)
        case "intents_fail":
            conversation.intents_fail(text)
        case "understanding_hangs":
            conversation.understanding_hangs()
        case "refuses":
            conversation.refuses(text)
        case _:
            simple: dict[str, Callable[[], None]] = {
                "coughs": conversation.coughs,
                "mumbles": conversation.mumbles,
                "silence": conversation.is_silent,
                "takes_back": conversation.takes_back,
                "hangs_up": conversation.hangs_up,
                "recogniser_fails": conversation.recogniser_fails,
                "playback_fails": conversation.playback_fails,
                "listens": conversation.listen,
            }
            simple[key]()


def _check(conversation: Rehearsal, key: str, wanted: Any) -> str:
    dialogue = conversation.dialogue
    match key:
        case "hears":
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            left = iter(conversation.spoken)
            return "" if all(name in left for name in names) else f"heard {conversation.spoken}"
        case "hears_not":
            return f"heard {conversation.spoken}" if wanted in conversation.spoken else ""
        case "state":
            return "" if dialogue.state == wanted else f"the state is {dialogue.state}"
        case "slots":
            have = {name: dialogue.conversation.slots.get(name) for name in wanted}
            return "" if have == dict(wanted) else f"the slots are {dict(dialogue.conversation.slots)}"
        case "variables":
            kept = dialogue.conversation.variables
            have_variables = {name: kept.get(name, "") for name in wanted}
            return "" if have_variables == dict(wanted) else f"the variables are {dict(kept)}"
        case "asked":
            sent = conversation.asked_for[-1].arguments if conversation.asked_for else {}
            have_asked = {name: str(sent.get(name)) for name in wanted}
            return "" if have_asked == {n: str(v) for n, v in dict(wanted).items()} else f"asked for {dict(sent)}"
        case "acted":
            done = [note.detail for note in conversation.noted if note.what == "action"]
            return "" if done and done[-1].endswith(wanted) else f"the actions were {done}"
        case "counters":
            have_counts = {name: str(dialogue.conversation.counters.get(name, 0)) for name in wanted}
            return "" if have_counts == dict(wanted) else f"the counters are {dict(dialogue.conversation.counters)}"
        case "confirming":
            return (
                ""
                if dialogue.conversation.tentative == wanted
                else f"{dialogue.conversation.tentative} is to be confirmed"
            )
        case "committed":
            last = conversation.turns[-1].committed if conversation.turns else "nothing"
            return "" if last == wanted else f"the last turn was committed {last}"
        case "intent_was":
            last = conversation.turns[-1].intent if conversation.turns else "nothing"
            return "" if last == wanted else f"the last intent was {last}"
        case "noted":
            return "" if any(note.what == wanted for note in conversation.noted) else f"noted {conversation.noted}"
        case "still_on":
            return "the call is over" if conversation.over or dialogue.conversation.ending else ""
        case "transferred_to":
            conversation.listen()
            end = conversation.ended_by
            extension = end.extension if isinstance(end, TransferCall) else "nowhere"
            return "" if extension == wanted else f"transferred to {extension}"
    conversation.listen()
    if not conversation.over:
        return f"the call goes on in {dialogue.state}"
    outcome = conversation.concluded.outcome if conversation.concluded else "nothing"
    return "" if outcome == wanted else f"the outcome is {outcome}"


def _phrases(path: Path) -> dict[str, list[str]]:
    """phrase -> intents that it stands for."""
    found: dict[str, list[str]] = {}
    body = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    for intent, entry in body["intents"].items():
        for group in entry["phrases"]:
            for phrase in [group] if isinstance(group, str) else group:
                found.setdefault(phrase, []).append(intent)
    return found
