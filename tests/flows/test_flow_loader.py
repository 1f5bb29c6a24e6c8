# ruff: noqa: E501 - one fault per line reads as a table
"""A bad flow is refused with every fault at once: file, line, state, reason. A good one is read whole."""

import re

import pytest

from dialogue.flow import Escalation, Flow, Listening, Step
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known

KNOWN = Known(
    intents=frozenset({"yes", "no", "repeat", "human", "ok_owner", "no_owner", "busy"}),
    faqs=frozenset({"faq1"}),
    prompts=dict.fromkeys(("hello", "ask", "again", "sorry", "bye", "moment", *(f"digit_{d}" for d in range(10))), 1000)
    | {"no_audio": None},
    language="fr",
)
FLOW = """\
flow: small
language: fr
start: ask_owner
max_turns: 12
too_long: bye
trouble: {say: sorry, then: bye}
dead_air: {after_ms: 2000, say: moment}
counters: {busy: 1}
slots:
  owner: yes_no
  number: {type: digits}
  colour: {type: choice, choices: {red: [rouge], blue: [bleu]}}
defaults:
  listen: {end_silence_ms: 800}
  keys: {"1": yes}
  no_input: {say: hello, then: bye}
  no_match: {say: [sorry, [sorry, again]], retries: 3, then: bye}
everywhere:
  repeat: {repeat: true}
  human: {transfer: "900", outcome: human}
  busy: {count: busy, say: sorry, over: bye}
faqs:
  faq1: hello
states:
  ask_owner:
    say: [hello, ask]
    ask_again: again
    means: {yes: ok_owner, no: no_owner}
    answers:
      ok_owner: {set: {owner: yes}, goto: ask_number}
      no_owner: bye
  ask_number:
    say: ask
    slot: number
    read_back: [ask, "{number}"]
    filled: between
    filled_as: {"1": bye}
    keypad: {digits: 3, end: "*", pause_ms: 1000}
    listen: {barge_in: false, hints: [un, deux]}
  between:
    say: sorry
    goto: bye
  bye: {say: bye, hangup: true, outcome: done}
"""


def edited(old: str, new: str) -> str:
    assert FLOW.count(old) == 1, f"{old!r} is there {FLOW.count(old)} times"
    return FLOW.replace(old, new)


def faults_of(text: str) -> list[str]:
    with pytest.raises(BadFlow) as caught:
        read_flow(text, "fr/small.yaml", KNOWN)
    return [str(fault) for fault in caught.value.faults]


def small() -> Flow:
    return read_flow(FLOW, "fr/small.yaml", KNOWN, "2026-06-01T10:00:00+00:00")


def test_a_good_flow_is_read_whole() -> None:
    flow = small()
    assert (flow.name, flow.language, flow.start, flow.max_turns) == ("small", "fr", "ask_owner", 12)
    assert flow.states["ask_owner"].say == ("hello", "ask")
    assert flow.states["ask_owner"].ask_again == (("again",),)
    assert flow.states["ask_owner"].answers["ok_owner"] == Step(set={"owner": "yes"}, goto="ask_number")
    assert flow.states["ask_owner"].answers["no_owner"] == Step(goto="bye")
    assert flow.states["ask_owner"].keypad.keys == {"1": "yes"}
    assert flow.states["ask_owner"].no_match == Escalation((("sorry",), ("sorry", "again")), 3, Step(goto="bye"))
    number = flow.states["ask_number"]
    assert number.listening == Listening(end_silence_ms=800, barge_in=False, hints=("un", "deux"))
    assert (number.keypad.digits, number.keypad.end, number.keypad.pause_ms) == (3, "*", 1_000)
    assert number.filled_as == {"1": Step(goto="bye")}
    assert flow.everywhere["busy"] == Step(count="busy", say=("sorry",), over=Step(goto="bye"))
    assert flow.slots["colour"].choices == {"red": ("rouge",), "blue": ("bleu",)}
    assert flow.prompt_ms["hello"] == 1_000
    assert "no_audio" not in flow.prompt_ms


def test_the_version_is_a_hash_of_the_text() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", small().version)
    assert small().version == small().version
    assert read_flow(FLOW + "# note\n", "fr/small.yaml", KNOWN).version != small().version
    assert small().edited_at == "2026-06-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("language: fr", "language: FR", "2: language 'FR' is no language code such as fr or fr-FR"),
        ("language: fr", "language: it", "2: language it in the folder fr: other prompts and intents"),
        ('transfer: "900"', 'transfer: "9 00"', "20: transfer '9 00' is no extension: letters, digits and + * # _ - only"),
        ('transfer: "900"', 'transfer: "900@out"', "20: transfer '900@out' is no extension"),
        ("  between:\n", "\u00a0 between:\n", "no YAML: indented with U+00A0, which is no plain space"),
        ("start: ask_owner", "start: nowhere", "fr/small.yaml:3: unknown state nowhere in start"),
        ("goto: ask_number}", "goto: ask_nunber}", "30: state ask_owner: unknown state ask_nunber in goto, did you mean ask_number?"),
        ("no_owner: bye", "no_owmer: bye", "31: state ask_owner: unknown intent no_owmer, did you mean no_owner?"),
        ("say: [hello, ask]", "say: [helo, ask]", "26: state ask_owner: unknown prompt helo, did you mean hello?"),
        ("say: [hello, ask]", "say: no_audio", "26: state ask_owner: prompt no_audio has no audio: run `pronto prompts build`"),
        ("slot: number", "slot: numbre", "34: state ask_number: unknown slot numbre, did you mean number?"),
        ('"{number}"', '"{numb}"', "35: state ask_number: unknown slot {numb}, did you mean number?"),
        ('"{number}"', '"{colour}"', "{colour} cannot be read out: slot colour needs say_as for each of its values"),
        ("count: busy", "count: bsy", "21: unknown counter bsy, did you mean busy?"),
        ("owner: yes_no", "owner: yesno", "10: slot owner has type yesno; there are yes_no, zip_code"),
        ("set: {owner: yes}", "set: {owner: maybe}", "state ask_owner: slot owner has no value maybe"),
        ("set: {owner: yes}", "set: {ovner: yes}", "state ask_owner: unknown slot ovner, did you mean owner?"),
        ("end_silence_ms: 800", "end_silence_ms: soon", "14: end_silence_ms must be a whole number, not soon"),
        ("end_silence_ms: 800", "end_silence_ms: 90000", "14: end_silence_ms must be from 150 to 5000, not 90000"),
        ("end_silence_ms: 800", "end_silence_ms: 150", "whole_silence_ms must not be above end_silence_ms"),
        ("end_silence_ms: 800", "end_silense_ms: 800", "listen has no key end_silense_ms, did you mean end_silence_ms?"),
        ("end_silence_ms: 800", "commit_confidence: 2", "commit_confidence must be from 0 to 1.01, not 2"),
        ("barge_in: false", "barge_in: perhaps", "39: state ask_number: barge_in must be true or false"),
        ("max_turns: 12", "max_turn: 12", "4: the flow has no key max_turn, did you mean max_turns?"),
        ("max_turns: 12", "timezone: Mars/Base", "4: unknown timezone Mars/Base"),
        ('"1": yes}\n  no_input', '"x": yes}\n  no_input', "there is no key x on a telephone"),
        ('keys: {"1": yes}', 'keys: {"1": no_owner}', "state ask_number: key 1 is no_owner, which has no answer here"),
        ("no: no_owner}", "no: busy, repeat: ok_owner, busy: no}", "means: busy is no, which has no answer here"),
        ("    filled: between\n", "", "34: state ask_number: a slot needs filled: what comes once it is known"),
        ("    slot: number\n", "", "read_back needs a slot"),
        ("outcome: done", "barge_in: no", "state bye: the state has no key barge_in"),
        (", outcome: done", "", "43: state bye: a state that ends the call needs an outcome"),
        (", outcome: human", "", "20: everywhere human ends the call and needs an outcome"),
        ("over: bye", "ask: true", "21: everywhere busy: count and over belong together"),
        ("over: bye", "over: {count: busy, say: sorry, over: bye}", "21: everywhere busy: over counts busy again"),
        ("{repeat: true}", "{repeat: true, goto: bye}", "everywhere repeat cannot have both goto and repeat"),
        ("{repeat: true}", "{ask: false}", "everywhere repeat does nothing: it says nothing and leads nowhere"),
        ("{repeat: true}", "{wait_ms: 5000}", "everywhere repeat waits in silence: it must say something first"),
        ("hello, then: bye}", "hello, then: {say: sorry}}", "no_input then must lead to a state, transfer or hang up"),
        ("hello, then: bye}", "hello}", "16: no_input needs then: what comes after the last step"),
        ("say: hello, then", "ask: false, then", "16: no_input says nothing"),
        ("  faq1: hello", "  faq2: hello", "23: unknown FAQ faq2, did you mean faq1?"),
        ("  faq1: hello", "  {}", "23: no answer for faq1"),
        ("    goto: bye\n  bye", "    goto: bye\n    hangup: true\n  bye", "needs answers or a slot (to listen), or one of goto"),
        ("    goto: bye\n  bye", "    goto: between\n  bye", "state between: goes round for ever: goto leads back here"),
        ("filled: between", "filled: bye", "40: state between: unreachable: nothing leads here"),
        ("say: [hello, ask]", "say: [[hello], ask]", "each entry of say must be a text"),
        ("counters: {busy: 1}", "counters: {busy: 1, busy: 2}", "8: counters has busy twice"),
        ("counters: {busy: 1}", "counters: busy", "8: counters must be a mapping"),
        ("colour: {type: choice, choices: {red: [rouge], blue: [bleu]}}", "colour: choice", "choices belong to the type choice"),
        ("too_long: bye", "too_long: ask_owner", "too_long must lead to the end of the call without asking anything"),
        ("trouble: {say: sorry, then: bye}", "trouble: {say: sorry, then: ask_owner}", "trouble then must lead to the end"),
        ("after_ms: 2000", "after_ms: 9000", "after_ms must be from 500 to 3000, not 9000"),
        ("digits: 3", "digits: many", "digits must be a whole number, not many"),
        ('end: "*"', "end: ende", "end must be one key, not ende"),
        ("language: fr\n", "", "1: the flow needs language"),
        ("language: fr\n", "language: de\n", "2: language de is not understood; there are en, fr, it"),
        ("max_turns: 12", "region: Italy", "4: unknown region ITALY: a country's two letters are needed"),
        ("number: {type: digits}", "number: {type: digits, length: 0}", "length must be from 1 to 24, not 0"),
        ("number: {type: digits}", "number: {type: digits, length: [6, 4]}", "length must be a number of digits, or [fewest, most]"),
        ("number: {type: digits}", "number: {type: zip_code, length: 5}", "length belongs to the types digits and note"),
    ],
)  # fmt: skip
def test_a_bad_edit_is_refused_with_line_state_and_reason(old: str, new: str, fault: str) -> None:
    faults = faults_of(edited(old, new))
    assert any(fault in found for found in faults), faults
    assert all(re.match(r"fr/small\.yaml:\d+: ", found) for found in faults)


def test_all_faults_come_at_once_in_the_order_of_their_lines() -> None:
    text = (
        edited("max_turns: 12", "max_turns: -1")
        .replace("no_owner: bye", "no_owner: by")
        .replace("outcome: done", "x: y")
    )
    faults = faults_of(text)
    assert [fault.split(": ")[0] for fault in faults] == [
        "fr/small.yaml:4",
        "fr/small.yaml:31",
        "fr/small.yaml:43",
        "fr/small.yaml:43",
    ]


def test_a_state_without_a_way_to_an_end_is_refused() -> None:
    text = edited("    filled: between\n", "    filled: ask_owner\n").replace(
        'filled_as: {"1": bye}', 'filled_as: {"1": between}'
    )
    text = text.replace("    goto: bye\n  bye", "    goto: ask_number\n  bye").replace(
        "      no_owner: bye\n", "      no_owner: between\n"
    )
    assert [fault.split(": ", 1)[1] for fault in faults_of(text)] == [
        "state ask_owner: cannot end: no way leads from here to a transfer or hang-up",
        "state ask_number: cannot end: no way leads from here to a transfer or hang-up",
        "state between: cannot end: no way leads from here to a transfer or hang-up",
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "flow: small: no", "\t", "[" * 3_000])
def test_what_is_no_flow_at_all_is_refused(text: str) -> None:
    assert faults_of(text)[0].startswith("fr/small.yaml:")


def test_yes_no_and_on_are_words() -> None:
    flow = read_flow(edited("yes: ok_owner, no: no_owner", "no: no_owner, yes: ok_owner"), "fr/small.yaml", KNOWN)
    assert flow.states["ask_owner"].means == {"no": "no_owner", "yes": "ok_owner"}
    assert flow.states["ask_owner"].answers["ok_owner"].set == {"owner": "yes"}
