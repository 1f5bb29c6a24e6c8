"""Every parser of what comes from outside, with good input to begin from, and the one error that each may raise."""

from __future__ import annotations

import io
import json
import wave
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from ari_controller.ari_errors import error_of
from ari_controller.ari_events import BadEvent, parse_event
from ari_controller.call_legs import CallLegs
from ari_controller.call_snapshot import BadLegs, restore, snapshot_of
from ari_controller.call_states import Rules
from ari_controller.media_legs import Target
from ari_controller.playback import Part, Playback
from ari_controller.reconcile import TrackedCall, decide, seen_from
from audio_prompts.catalogue import BadCatalogue, read_catalogue_text
from callers.script import BadScript, read_script
from callers.sdp import MalformedSdp, audio_target, describe
from callers.sip_message import MalformedSip, options_request, parse
from config import ROOT, SERVICES, BadSettings, key_of, load
from dialogue.conversation import Conversation
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.snapshot import BadSnapshot as BadDialogue
from dialogue.snapshot import from_json, to_json
from dialogue.values.conditions import BadCondition, parse_condition
from dialogue.values.judging import check
from dialogue.values.templates import BadTemplate, fields_of
from dialogue.values.value_types import ValueType
from dialogue.variables import BUILT_IN
from dialogue.voice import Dialogue
from dialogue.voice.state import Early
from intent_service.phrases import BadPhrases, read_phrase_set, read_sentences
from protocol.codec import BadMessage, decode, encode
from rtp_receiver.rtp import BadRtp, RtpPacket
from tests.fuzz.mutations import as_text, mutated_bytes, mutated_json, mutated_text
from tests.fuzz.samples import MESSAGES
from whisper_service.audio import BadAudio
from whisper_service.audio import decode as decode_audio
from whisper_service.phrases import BadGuardPhrases, read_families

RULES = Rules(Target("pronto", "127.0.0.1", 8766), "/prompts", "/recordings", True, True, "handoff", "900", "fr")
CALL = CallLegs("c", RULES, 1.0, "fr/heating")
CALL.playbacks.queue.append(Playback("p-c-1", parts=[Part("p-c-1", [0], began_ms=[5])], heard=[None]))
CALL.stream.source = ("127.0.0.1", 20_000)
SMALL_SET = """\
language: en
intents:
  "yes": {description: A yes., phrases: [[yes of course], [that is right], [go ahead please]]}
  "no": {description: A no., phrases: [[not at all], [that is wrong], [leave me alone]]}
"""
SMALL_CATALOGUE = """\
language: en
settings: {voice: en, speed: 150}
prompts:
  hello: Hello.
  goodbye: {text: Goodbye., speed: 120}
"""
SMALL_FLOW = """\
flow: small
language: fr
start: one
max_turns: 20
slots: {zip_code: zip_code}
constants: {shop: Le Nord, least: {type: money, currency: EUR, value: 50}}
facts: {basket: {type: money, currency: EUR}}
variables: {reason: {type: choice, choices: {late: [en retard]}}}
counters: {refusals: 2}
defaults:
  no_input: {say: [welcome], retries: 1, then: {goto: bye}}
  no_match: {say: [welcome], retries: 1, then: bye}
too_long: bye
trouble: {say: welcome, retries: 1, then: bye}
states:
  one:
    say: [welcome]
    listen: {end_silence_ms: 700, barge_in: true}
    answers:
      "yes": {goto: bye, count: refusals, over: bye}
      "no": {say: [welcome], goto: two}
    slot: zip_code
    read_back: [welcome, "{zip_code}"]
    filled: {goto: bye}
    keypad: {keys: {"1": "yes"}, digits: 5}
  two:
    choose:
      - {when: call.basket is known and call.basket > least, say: "Ici {shop}.", goto: bye}
      - {when: now.time < 9:00, set: {reason: late}, goto: one}
    otherwise: bye
  bye: {say: [welcome], hangup: true, outcome: refused}
"""
CONDITIONS = (
    'call.basket is known and (now.time >= 9:00 or not call.direction == "inbound")',
    'now.weekday in ("sunday", "monday") and now.date + 2 days > 2026-12-03',
    'call.number begins "+33" or now.moment - now.moment < 3 h',
)
TEMPLATES = ("Bonjour {client.name:spelled}, {{ou}} {order.date}.", "{a}{b:digits} }}{{")
EVENTS = ROOT / "tests" / "ari_controller" / "events"


@dataclass(frozen=True)
class Parser:
    """`parse` takes what `make` makes and raises nothing but `refuses`."""

    name: str
    make: Callable[[Random], Any]
    parse: Callable[[Any], object]
    refuses: tuple[type[Exception], ...]


def fuzz(parser: Parser, seed: int, count: int) -> Counter[str]:
    """How many inputs were `accepted` and `refused`. Raises what the parser must not raise, with the input noted."""
    random = Random(f"{parser.name} {seed}")
    done: Counter[str] = Counter()
    for _ in range(count):
        value = parser.make(random)
        try:
            parser.parse(value)
        except parser.refuses:
            done["refused"] += 1
        except BaseException as error:
            error.add_note(f"{parser.name}, seed {seed}: {value!r:.2000}")
            raise
        else:
            done["accepted"] += 1
    return done


@cache
def recorded_events() -> tuple[dict[str, Any], ...]:
    """ARI events as Asterisk sent them."""
    found = [event for path in sorted(EVENTS.glob("*.json")) for event in json.loads(path.read_text("utf-8"))]
    return tuple(event for event in found if isinstance(event, dict) and "type" in event)


@cache
def known_names() -> Known:
    """What the shipped flow may name, with audio for every prompt."""
    folder = ROOT / "flows" / "fr"
    sets = [read_phrase_set((folder / name).read_text("utf-8"), name) for name in ("intents.yaml", "faqs.yaml")]
    texts = read_catalogue_text((ROOT / "audio_prompts" / "fr" / "prompts.yaml").read_text("utf-8"), "x").texts
    return Known(frozenset(sets[0].names), frozenset(sets[1].names), dict.fromkeys(texts, 1_000))


@cache
def pieces_of(pattern: str) -> tuple[str, ...]:
    """Short beginnings of the files of a pattern: quick to read, and a change in one hits something."""
    found: list[str] = []
    for path in sorted(ROOT.glob(pattern)):
        text = path.read_text("utf-8")
        lines = text.splitlines(keepends=True)
        if len(lines) <= 60:
            found.append(text)
        found += ["".join(lines[:end]) for end in (8, 20, 40, 60) if end < len(lines)]
    return tuple(found)


def _texts(pattern: str) -> Callable[[Random], str]:
    return lambda random: mutated_text(random, random.choice(pieces_of(pattern)), random.randint(1, 4))


def _set(random: Random) -> str:
    return mutated_text(random, random.choice([SMALL_SET, *pieces_of("flows/*/intents.yaml")]))


def _prompts(random: Random) -> str:
    return mutated_text(random, random.choice([SMALL_CATALOGUE, *pieces_of("audio_prompts/*/prompts.yaml")]))


def _flow(random: Random) -> str:
    return mutated_text(random, random.choice([SMALL_FLOW, SMALL_FLOW, *pieces_of("flows/fr/heating.yaml")]))


def _condition(random: Random) -> str:
    return mutated_text(random, random.choice(CONDITIONS), random.randint(0, 3))


SCOPE = {name: one.type for name, one in BUILT_IN.items()} | {"call.basket": ValueType("money", currency="EUR")}


def _template(random: Random) -> str:
    return mutated_text(random, random.choice(TEMPLATES), random.randint(0, 4))


def _json_of(values: Callable[[], Sequence[Any]]) -> Callable[[Random], str]:
    return lambda random: as_text(random, mutated_json(random, random.choice(values()), random.randint(0, 3)))


def _settings(random: Random) -> tuple[str, dict[str, str]]:
    service = random.choice(list(SERVICES))
    keys = [key_of(one) for one in SERVICES[service].__dataclass_fields__.values()]
    values = [
        "",
        "0",
        "-1",
        "1e400",
        "nan",
        "true",
        "9" * 5_000,
        "http://x",
        "127.0.0.1",
        "٣",
        "a b",
        "0.5",
        "\n",
        "~/x",
    ]
    chosen = {random.choice(keys): random.choice(values) for _ in range(random.randint(0, 6))}
    return service, chosen


def _wav(random: Random) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((random.choice([1, 2]), random.choice([1, 2, 3, 4]), 8_000, 0, "NONE", ""))
        writer.writeframes(bytes(4_800))
    return mutated_bytes(random, file.getvalue(), random.randint(0, 4))


def _rtp(random: Random) -> bytes:
    packet = RtpPacket(118, 1, 2, 3, bytes(40), True, (1, 2), 0xBEDE, bytes(8))
    return mutated_bytes(random, packet.to_bytes() + bytes([0, 0, 0, 4]), random.randint(0, 6))


def _sip(random: Random) -> bytes:
    return mutated_bytes(random, options_request(("127.0.0.1", 5060), ("127.0.0.1", 5061)), random.randint(1, 6))


def _lists(random: Random) -> Any:
    lists = json.loads((EVENTS / "lists.json").read_text("utf-8"))
    return mutated_json(random, lists, random.randint(1, 5))


def _reconcile(lists: Any) -> object:
    bodies = lists if isinstance(lists, list) else []
    found = seen_from(0.0, "pronto", *(bodies + [None] * 4)[:4])
    return decide(found, {"c": TrackedCall("pbx-1", 0.0)})


def _parse_message(text: str) -> None:
    message = decode(text)
    assert decode(encode(message)) == message
    encode(message).encode()


def _bodies() -> list[Any]:
    return [json.loads(encode(one)) for one in MESSAGES]


def _legs() -> list[Any]:
    return [json.loads(snapshot_of(CALL))]


def _dialogues() -> list[Any]:
    return [json.loads(to_json(Dialogue(early=Early(Conversation(), 1))))]


PARSERS = (
    Parser("rtp", _rtp, RtpPacket.parse, (BadRtp,)),
    Parser("ari events", _json_of(recorded_events), parse_event, (BadEvent,)),
    Parser("ari errors", _json_of(lambda: [{"message": "x"}]), lambda text: error_of(500, text), ()),
    Parser("ari lists", _lists, _reconcile, (BadEvent,)),
    Parser("messages", _json_of(_bodies), _parse_message, (BadMessage,)),
    Parser("controller's snapshots", _json_of(_legs), lambda text: restore("c", text, RULES, 0.0), (BadLegs,)),
    Parser("dialogue's snapshots", _json_of(_dialogues), from_json, (BadDialogue,)),
    Parser("flows", _flow, lambda text: read_flow(text, "x", known_names()), (BadFlow,)),
    Parser("conditions", _condition, lambda text: check(parse_condition(text), SCOPE), (BadCondition,)),
    Parser("templates", _template, fields_of, (BadTemplate,)),
    Parser("intents", _set, lambda text: read_phrase_set(text, "x"), (BadPhrases,)),
    Parser("out of scope", _texts("flows/*/out_of_scope.yaml"), lambda text: read_sentences(text, "x"), (BadPhrases,)),
    Parser(
        "families", _texts("flows/*/hallucinations.yaml"), lambda text: read_families({"x": text}), (BadGuardPhrases,)
    ),
    Parser("prompts", _prompts, lambda t: read_catalogue_text(t, "x"), (BadCatalogue,)),
    Parser("call scripts", _texts("tests/calls/*.yaml"), lambda text: read_script(text, "x"), (BadScript,)),
    Parser("settings", _settings, lambda made: load(SERVICES[made[0]], made[1]), (BadSettings,)),
    Parser("audio", _wav, decode_audio, (BadAudio,)),
    Parser("sip", _sip, parse, (MalformedSip,)),
    Parser("sdp", lambda random: mutated_bytes(random, describe("127.0.0.1", 4000), 3), audio_target, (MalformedSdp,)),
)
