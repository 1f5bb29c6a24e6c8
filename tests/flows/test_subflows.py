# ruff: noqa: E501 - one fault per line reads as a table
"""Sub-flows: run by several flows, with typed inputs and outputs; checked, kept with their flow, resumed in the midst."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from dialogue.effects import EffectDone
from dialogue.events import Begun, DialogueEvent, Resumed, StartTimer, Understood
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known, SubFlowText
from dialogue.flow_picture import picture
from dialogue.flow_store import FlowStore
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal
from dialogue.scores import recorded
from dialogue.snapshot import from_json, to_json
from dialogue.voice import Dialogue, handle
from tests.flows.conftest import write_wav
from tests.flows.test_random_walk import any_event, check_step, end_by_timers, latest

IDENTIFY = """\
subflow: identify
takes:
  telephone: {type: telephone, optional: true}
  shop: text
gives:
  found: [client.id, client.first_name, "number?"]
  unknown: [number]
start: begin
slots:
  number: {type: digits, length: 4}
counters: {tries: 1}
actions:
  by_telephone:
    get: "https://shop.example/clients"
    query: {telephone: "{telephone}"}
    gives: &client
      client.id: {type: integer, from: id}
      client.first_name: {type: name, from: name}
  by_number: {get: "https://shop.example/clients/{number}", gives: *client}
states:
  begin:
    choose:
      - {when: telephone is known, goto: look}
    otherwise: ask
  look: {action: by_telephone, outcomes: {ok: {done: found}}, otherwise: ask}
  ask: {say: "Ici {shop}. Votre numéro de client ?", slot: number, filled: look_up}
  look_up:
    action: by_number
    outcomes:
      ok: {done: found}
      not_found: {count: tries, say: "Je ne trouve pas {number:digits}.", goto: ask, over: {done: unknown}}
    otherwise: {done: unknown}
"""
ADDRESS = """\
subflow: address
gives: {done: [zip, street]}
start: form
slots:
  zip: zip_code
  street: {type: choice, choices: {high: [haute], low: [basse]}}
states:
  form:
    form:
      zip: {say: "Quel code postal ?", recap: "Le {zip:digits},"}
      street: {say: "Quelle rue ?", when: zip begins "7", recap: "rue {street}."}
    recap: {question: "C'est juste ?", wrong: "Que changer ?"}
    filled: {when: street is known, goto: end, otherwise: other}
  other: {say: "Rue haute ou basse ?", slot: street, filled: end}
  end: {say: "C'est noté.", done: done}
"""
FLOW = """\
flow: main
language: fr
start: hello
too_long: bye
trouble: {say: sorry, then: bye}
corrections: {say: "C'est corrigé : {corrected}.", unread: "Je n'ai pas compris."}
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 2, then: bye}
everywhere: {repeat: {repeat: true}, go_back: {back: true}, start_again: {restart: hello}}
states:
  hello: {say: "Bonjour, un instant.", goto: who}
  who:
    run: identify
    with: {telephone: "{call.number}", shop: Atelier}
    outcomes:
      found: {say: "Bonjour {who.client.first_name}.", goto: home}
      unknown: {say: "Tant pis pour {who.number:digits}.", goto: other}
    otherwise: bye
  other: {say: "Encore une fois ?", answers: {"yes": again, "no": bye}}
  again:
    run: identify
    with: {shop: "{shop}"}
    outcomes: {found: home}
    otherwise: bye
  home: {run: address, outcomes: {done: tell}}
  tell:
    choose:
      - {when: home.zip begins "75", say: "À Paris, rue {home.street}.", goto: bye}
    otherwise: bye
  bye: {say: bye, hangup: true, outcome: done}
constants: {shop: Chez nous}
"""
KNOWN = Known(
    frozenset({"yes", "no", "repeat", "go_back", "start_again"}),
    frozenset(),
    dict.fromkeys(("sorry", "bye"), 1_000),
    subflows={
        "identify": SubFlowText("fr/identify.yaml", IDENTIFY),
        "address": SubFlowText("fr/address.yaml", ADDRESS),
    },
)
GOOD = {"outcome": "ok", "body": {"id": 7, "name": "Giulia"}}


def read(text: str = FLOW, known: Known = KNOWN) -> Flow:
    return read_flow(text, "fr/main.yaml", known)


def with_(name: str, old: str, new: str) -> Known:
    source = KNOWN.subflows[name]
    assert source.text.count(old) == 1, old
    return replace(KNOWN, subflows={**KNOWN.subflows, name: replace(source, text=source.text.replace(old, new))})


def call_of(*lines: str, number: str = "+33100000000", **answers: object) -> Rehearsal:
    listed = {
        name.replace("__", "."): found if isinstance(found, tuple) else (found,) for name, found in answers.items()
    }
    call = Rehearsal(read(), lambda sentence, allowed: Decision(), world=recorded(listed), number=number)
    for line in lines:
        call.says(line)
    return call


def test_what_a_sub_flow_gives_is_known_after_it() -> None:
    call = call_of(who__by_telephone=GOOD)
    assert call.spoken == ["Bonjour, un instant.", "Bonjour Giulia.", "Quel code postal ?"]
    assert call.asked_for[0].arguments["query"] == {"telephone": "+33100000000"}
    call.says("75011, rue haute")
    assert call.spoken == ["Le 7 5 0 1 1,", "rue haute.", "C'est juste ?"]
    call.says("non, basse")
    call.says("oui")
    assert call.spoken == ["C'est noté.", "À Paris, rue basse.", "bye"]
    assert dict(call.dialogue.conversation.slots) == {"home.zip": "75011", "home.street": "low"}


def test_an_input_that_is_not_there_and_an_outcome_of_its_own() -> None:
    missing = {"outcome": "not_found"}
    call = call_of("1234", number="", who__by_number=missing)
    assert call.spoken == ["Je ne trouve pas 1 2 3 4.", "Ici Atelier. Votre numéro de client ?"]
    call.says("5678")
    assert call.spoken == ["Tant pis pour 5 6 7 8.", "Encore une fois ?"]


def test_each_use_has_its_own_slots_and_begins_anew() -> None:
    call = call_of("1234", "5678", "oui", number="", who__by_number={"outcome": "not_found"}, again__by_number=GOOD)
    assert call.spoken == ["Ici Chez nous. Votre numéro de client ?"]
    assert dict(call.dialogue.conversation.slots) == {"who.number": "5678"}
    call.says("9999")
    assert call.dialogue.state == "home.form.zip"
    assert call.dialogue.conversation.variables["again.client.first_name"] == "Giulia"
    call.says("on recommence", Decision("start_again", 0.95, fallback=False))
    assert call.dialogue.state == "who.ask"
    assert dict(call.dialogue.conversation.slots) == {}


def test_a_flow_that_comes_again_forgets_what_the_sub_flow_knew() -> None:
    text = FLOW.replace('answers: {"yes": again', 'answers: {"yes": who')
    text = text[: text.index("  again:")] + text[text.index("  home:") :]
    call = Rehearsal(
        read(text),
        lambda sentence, allowed: Decision(),
        world=recorded({"who.by_number": ({"outcome": "error"},)}),
        number="",
    )
    call.says("1234")
    assert call.dialogue.conversation.slots == {"who.number": "1234"}
    call.says("oui")
    assert (call.dialogue.state, dict(call.dialogue.conversation.slots)) == ("who.ask", {})


def test_a_call_goes_on_in_the_midst_of_a_sub_flow() -> None:
    call = call_of("1234", number="", who__by_number={"outcome": "not_found"})
    call.dialogue = from_json(to_json(call.dialogue))
    call.feed(Resumed(call.at))
    call.says("5678")
    assert call.spoken == ["Tant pis pour 5 6 7 8.", "Encore une fois ?"]


def test_the_text_of_a_flow_is_whole() -> None:
    """What calls in progress are kept with needs no file beside it, and has the same version."""
    flow = read()
    empty = replace(KNOWN, subflows={})
    again = read(flow.text, empty)
    assert (again.states, again.version, again.text) == (flow.states, flow.version, flow.text)
    edited = with_("address", '"Quelle rue ?"', '"La rue ?"')
    assert read(known=edited).version != flow.version
    assert read(flow.text, edited).states == flow.states  # what was kept counts, not the file
    with pytest.raises(BadFlow, match="unknown sub-flow"):
        read(FLOW, empty)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("run: identify\n    with: {telephone", "run: identfy\n    with: {telephone", "fr/main.yaml:14: state who: unknown sub-flow identfy, did you mean identify?"),
        ("    with: {shop: \"{shop}\"}\n", "", "sub-flow identify needs shop"),
        ("shop: Atelier}", "shop: Atelier, size: 3}", "with has no key size"),
        ('telephone: "{call.number}"', "telephone: bla", "telephone must be a telephone"),
        ('telephone: "{call.number}"', 'telephone: "{shop}"', "telephone is a telephone, shop a text"),
        ('telephone: "{call.number}"', 'telephone: "{call.nmber}"', "unknown variable call.nmber"),
        ("outcomes: {found: home}\n    otherwise: bye", "outcomes: {found: home}", "nothing is said of the outcome unknown"),
        ("outcomes: {done: tell}", "outcomes: {don: tell}", "outcomes has no key don, did you mean done?"),
        ("{who.client.first_name}", "{who.client.name}", "unknown variable who.client.name"),
        ("{who.client.first_name}", "{who.telephone}", "unknown variable who.telephone"),
        ('unknown: {say: "Tant pis pour {who.number:digits}."', 'unknown: {say: "Tant pis {who.client.id}."', "who.client.id may be unset here"),
        ('say: "Encore une fois ?"', 'say: "Encore {again.number} ?"', "again.number may be unset here"),
        ("  home: {run: address", "  now: {run: address, outcomes: {done: tell}}\n  home: {run: address", "a state called now cannot run a sub-flow"),
        ("goto: bye}\n    otherwise: bye\n  bye", "goto: bye}\n    otherwise: {done: found}\n  bye", "done belongs to sub-flows"),
        ("goto: home}", "goto: who.ask}", "unknown state who.ask"),
    ],
)  # fmt: skip
def test_what_is_refused_of_a_run(old: str, new: str, fault: str) -> None:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("identify", "filled: look_up", "filled: look_pu", "fr/identify.yaml:26: state ask: unknown state look_pu"),
        ("identify", "  unknown: [number]", "  unknown: [numbr]", "fr/identify.yaml:7: unknown slot or variable numbr"),
        ("identify", "  unknown: [number]", "  unknown: [number, client.id]", "gives unknown: who.client.id may be unset then"),
        ("identify", '"number?"', '"numbr?"', "unknown slot or variable numbr"),
        ("identify", '"number?"', "number", "gives found: who.number may be unset then"),
        ("identify", "  unknown: [number]\n", "  unknown: [number]\n  never: []\n", "unreachable"),
        ("identify", "ok: {done: found}\n", "ok: {done: fuond}\n", "unknown outcome fuond, did you mean found?"),
        ("identify", "subflow: identify", "subflow: identity", "a sub-flow is called as its file, identify"),
        ("identify", "start: begin\n", "", "the sub-flow needs start"),
        ("identify", "{when: telephone is known, goto: look}", "{when: shop is known, goto: look}", "fr/identify.yaml:15: state who.look: who.telephone may be unset here"),
        ("identify", "  begin:\n", "  alone: {say: \"Et là ?\", goto: ask}\n  begin:\n", "fr/identify.yaml:21: state who.alone: unreachable"),
        ("address", "  other: {say", "  deep: {run: address, outcomes: {done: end}}\n  other: {say", "fr/address.yaml:14: state deep: sub-flow address would run itself: address -> address"),
        ("address", "start: form\n", "start: form\nfacts: {x: text}\n", "the sub-flow has no key facts"),
        ("address", "done: done}", "done: done, hangup: true}", "or one of"),
    ],
)  # fmt: skip
def test_what_is_refused_in_a_sub_flow(name: str, old: str, new: str, fault: str) -> None:
    with pytest.raises(BadFlow) as caught:
        read(known=with_(name, old, new))
    assert fault in str(caught.value)


def test_a_sub_flow_may_run_another_but_not_in_a_circle() -> None:
    outer = SubFlowText(
        "fr/outer.yaml",
        "subflow: outer\ngives: {ok: [inner.zip]}\nstart: inner\nstates:\n  inner: {run: address, outcomes: {done: {done: ok}}}\n",
    )
    text = FLOW.replace("{run: address, outcomes: {done: tell}}", "{run: outer, outcomes: {ok: tell}}").replace(
        "home.zip", "home.inner.zip"
    )
    text = text.replace('say: "À Paris, rue {home.street}.", ', "")
    flow = read(text, replace(KNOWN, subflows={**KNOWN.subflows, "outer": outer}))
    assert "home.inner.form.zip" in flow.states
    call = Rehearsal(flow, lambda sentence, allowed: Decision(), world=recorded({"who.by_telephone": (GOOD,)}))
    call.says("31000")
    call.says("oui")
    assert call.spoken == ["Rue haute ou basse ?"]
    call.says("haute")
    assert call.spoken == ["C'est noté.", "bye"]
    back = replace(
        KNOWN.subflows["address"],
        text=ADDRESS.replace("  end: {", "  more: {run: outer, outcomes: {ok: end}}\n  end: {"),
    )
    with pytest.raises(BadFlow, match="sub-flow outer would run itself: outer -> address -> outer"):
        read(text, replace(KNOWN, subflows={**KNOWN.subflows, "outer": outer, "address": back}))


def test_two_flows_of_a_folder_run_one_sub_flow(tmp_path: Path) -> None:
    folder, prompts = tmp_path / "flows" / "fr", tmp_path / "prompts" / "fr"
    folder.mkdir(parents=True)
    prompts.mkdir(parents=True)
    names = "\n".join(f'  "{name}": {{phrases: [x]}}' for name in KNOWN.intents)
    (folder / "intents.yaml").write_text(f"intents:\n{names}\n")
    (prompts / "prompts.yaml").write_text("language: fr\nprompts:\n  sorry: a\n  bye: b\n")
    for name in ("sorry", "bye"):
        write_wav(prompts / f"{name}.wav")
    (folder / "main.yaml").write_text(FLOW)
    (folder / "second.yaml").write_text(FLOW.replace("flow: main", "flow: second"))
    for name in ("identify", "address"):
        (folder / f"{name}.yaml").write_text(KNOWN.subflows[name].text)
    store = FlowStore(tmp_path / "flows", tmp_path / "prompts")
    loaded = store.load()
    assert (store.names(), loaded.faults) == (("fr/main", "fr/second"), ())
    before = store.current("fr/main").version
    (folder / "address.yaml").write_text(ADDRESS.replace("Quelle rue ?", "Et la rue ?"))
    assert store.refresh().changed == ("fr/main", "fr/second")
    assert store.current("fr/main").version != before
    assert store.recall("fr/main", store.version("fr/main", before).text).version == before  # type: ignore[union-attr]
    (folder / "address.yaml").write_text(ADDRESS.replace("filled: end}", "filled: edn}"))
    faults = store.refresh().faults
    assert len(faults) == 1
    assert faults[0].endswith("fr/address.yaml:14: state other: unknown state edn in filled")
    (folder / "unused.yaml").write_text("subflow: unused\ngives: {ok: []}\nstart: nowhere\nstates:\n  a: {done: ok}\n")
    assert any("unused.yaml:3: unknown state nowhere in start" in fault for fault in store.refresh().faults)


def test_the_picture_frames_a_sub_flow() -> None:
    drawn = picture(read())
    assert drawn.count('class="run"') == 3
    assert "runs the sub-flow identify (identify.yaml)" in drawn
    assert "outcome unknown" in drawn


SAYINGS = ("75011, rue haute", "oui", "non", "1234", "31000", "haute", "non, basse", "le gaz", "", "je corrige : 75012")


def test_random_walks_through_sub_flows_end() -> None:
    flow, chance, events = read(), random.Random(15), 0
    while events < 6_000:
        dialogue, actions = handle(flow, Dialogue(), Begun("c", BEGIN_AT, chance.choice(("", "+33100000000"))))
        timer, at, seen = latest(actions), BEGIN_AT, 0
        while not dialogue.over and not dialogue.conversation.ending and seen < 200:
            seen += 1
            at += chance.random() * 2
            before = dialogue
            dialogue, actions = handle(flow, dialogue, next_event(chance, dialogue, at, timer))
            timer = latest(actions) or timer
            check_step(before, dialogue, actions, timer)
            assert from_json(to_json(dialogue)) == dialogue
        events += seen
        assert end_by_timers(flow, dialogue, at, timer).over


def next_event(chance: random.Random, d: Dialogue, at: float, timer: StartTimer | None) -> DialogueEvent:
    if d.conversation.awaited and chance.random() < 0.5:
        answer = chance.choice((GOOD, {"outcome": "not_found"}, {"outcome": "error"}, {"outcome": "ok", "body": {}}))
        return EffectDone(at, d.conversation.awaited, answer)
    if chance.random() < 0.6:
        intent = chance.choice(("repeat", "go_back", "start_again", "yes", "no"))
        return Understood(
            at, d.turn, d.utterance + 1, chance.choice(SAYINGS), 0.9, intent, 0.9, False, chance.random() < 0.8
        )
    return any_event(chance, d, at, ("repeat", "yes", "go_back"), timer)
