"""Which meaning an utterance sounds like: the decision, and the words of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config import STATE
from devstack.recogniser import WHISPER_BASE, is_there
from dialogue.slots import parse
from speech_service.engines.pico import Pico
from whisper_service.batcher import Again
from whisper_service.closed_sets import Awaited, ClosedSet
from whisper_service.engine import load_engine
from whisper_service.model_notes import read_notes
from whisper_service.phrases import normalise
from whisper_service.sound_ear import read_ears
from whisper_service.sound_sets import SoundSet, all_sounds, decide_by_sound, sounds_awaited

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
ENERGY = Awaited(("choice",), ("gaz|au gaz|propane", "électricité|électrique", "bois|bûches|poêle à bois"))
YES_NO = Awaited(("yes_no",))
SET = SoundSet({"oui": "yes", "non": "no", "ah non": "no"}, ClosedSet({}, {}, "on"), is_choice=False)


def test_every_way_to_say_yes_or_no_is_read_as_that() -> None:
    (answers,) = all_sounds(YES_NO, "fr")
    for text, meaning in answers.ways.items():
        reading = parse("yes_no", text, "fr", now=NOW, region="FR")
        assert (reading.complete, reading.value) == (True, meaning == "yes"), text


def test_choices_are_said_in_many_ways_and_written_in_one() -> None:
    (choices,) = all_sounds(ENERGY, "fr")
    ways = choices.ways
    assert {ways[text] for text in ("au gaz", "c'est du gaz", "propane")} == {"gaz"}
    assert ways["l'électricité"] == ways["électrique"] == "électricité"
    assert choices.named == {"gaz": "gaz", "électricité": "électricité", "bois": "bois"}


@pytest.mark.parametrize(
    ("text", "logprob", "asked"),
    [
        ("c'est le gars", -0.8, True),
        ("", 0.0, True),
        ("c'est le gars", -0.1, False),  # sure of itself
        ("au gaz", -0.8, False),  # names one
        ("je ne comprends pas ce que vous dites", -0.8, False),  # a sentence
    ],
)
def test_a_choice_is_looked_for_where_a_short_text_is_in_doubt(text: str, logprob: float, asked: bool) -> None:
    assert bool(list(sounds_awaited(ENERGY, "fr", text, logprob))) is asked


def test_nothing_is_looked_for_where_nothing_of_a_set_is_awaited() -> None:
    assert list(sounds_awaited(Awaited(("zip_code",)), "fr", "oui", -1.0)) == []
    assert list(sounds_awaited(Awaited(("choice",), ("gaz",)), "fr", "gars", -1.0)) == []  # nothing to choose from


@pytest.mark.parametrize(
    ("behind", "text"),
    [
        ({"oui": -1.0, "non": -40.0, "on": -30.0}, "oui"),
        ({"oui": -3.6, "non": -40.0, "on": -30.0}, ""),  # sounds otherwise
        ({"oui": -1.0, "non": -9.0, "on": -30.0}, ""),  # a no is not far enough
        ({"oui": -1.0, "non": -40.0, "on": -2.0}, ""),  # nor is what is neither
        ({"oui": -40.0, "non": -50.0, "ah non": 0.0, "on": -12.0}, "ah non"),
        ({"on": 0.0}, ""),
        ({}, ""),
    ],
)
def test_what_fits_and_fits_far_better_than_all_else_was_said(behind: Mapping[str, float], text: str) -> None:
    weighed = decide_by_sound(SET, behind, len)
    assert (weighed.text, weighed.verdict) == (text, "taken" if text else "")
    assert weighed.logprob <= 0.0


def test_ears_need_their_program(tmp_path: Path) -> None:
    assert read_ears(tmp_path, "base", tmp_path / "espeak-ng") == {}


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
@pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched")
def test_short_answers_of_a_voice_never_trained_on_are_heard_and_others_are_not() -> None:
    assert read_notes(WHISPER_BASE).sound_head, "set-up names the head: scripts/fetch_whisper.sh"
    engine = load_engine(str(WHISPER_BASE), device="cpu", beam_size=5)
    pico = Pico(STATE / "pico", "fr")

    def heard(text: str, awaited: Awaited) -> str:
        spoken = np.frombuffer(b"".join(pico.speak(text)), "<i2").astype(np.float32) / 32_768
        (answer,) = engine.run([engine.prepare(np.pad(spoken, 4_000), "fr", awaited=awaited)])
        decoded = answer.job.first if isinstance(answer, Again) else answer
        return "" if decoded is None else normalise(decoded.text)

    said = {"oui c'est ça": "oui c est ca", "le gaz": "gaz", "le bois": "bois"}
    for text, meant in said.items():
        # said anew each time, a little differently; what is near the bound depends on the number of threads, too
        answers = [heard(text, YES_NO if text.startswith("oui") else ENERGY) for _ in range(4)]
        assert sum(meant in answer for answer in answers) >= 2, (text, answers)
        others = {"gaz", "electricite", "bois"} - {meant}
        assert not [answer for answer in answers if others & set(answer.split())], text
    for text in ("le garage", "pardon", "attendez"):
        assert not [one for one in ("gaz", "electri", "bois") if one in heard(text, ENERGY).split()], text
