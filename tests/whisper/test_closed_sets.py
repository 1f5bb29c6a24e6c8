"""What a state can accept, beside what was decoded: what is taken, what is asked again, and what is left alone."""

from __future__ import annotations

import asyncio
import io
import math
import os
import wave

import httpx
import numpy as np
import pytest

from config import STATE
from devstack.recogniser import is_there, settings_for_people
from speech_service.engines.pico import RATE_HZ, Pico
from tests.whisper.processes import replica
from tests.whisper.serving import FAMILIES, SPEECH
from tests.whisper.test_transcriber import Gate, Parrot
from whisper_service.audio import Samples
from whisper_service.batcher import Batcher
from whisper_service.closed_sets import (
    SURE,
    Awaited,
    choice_set,
    closed_set,
    decide,
    decide_choice,
    is_choice_worth_scoring,
    is_worth_scoring,
)
from whisper_service.engine import WhisperEngine
from whisper_service.guards import GuardLimits
from whisper_service.jobs import Decoded, Job, judge
from whisper_service.phrases import normalise
from whisper_service.transcriber import Transcriber, TranscriptionRequest

FRENCH = closed_set(["yes_no"], "fr")
assert FRENCH is not None
FAR = -12.0
YES_NO = Awaited(("yes_no",))


def scores(**likely: float) -> dict[str, float]:
    """Scores of the French set: very unlikely, but for the words that are given, with any mark behind."""
    assert FRENCH is not None
    given = {normalise(text): score for text, score in likely.items()}
    return {text: given.get(normalise(text), FAR) for text in FRENCH.texts}


def test_a_meaning_far_above_everything_else_is_taken_whatever_was_decoded() -> None:
    assert FRENCH is not None
    weighed = decide(FRENCH, "On...", {"On...": -4.0}, scores(oui=-1.5, non=-9.0))
    assert weighed.verdict == "taken"
    assert normalise(weighed.text) == "oui"
    assert -0.2 < weighed.logprob < 0


def test_what_was_decoded_is_kept_as_it_is_where_it_has_that_meaning() -> None:
    assert FRENCH is not None
    weighed = decide(FRENCH, "Ok, d'accord !", {"Ok, d'accord !": -2.0}, scores(oui=-9.0, non=-9.0))
    assert (weighed.verdict, weighed.text) == ("taken", "Ok, d'accord !")


@pytest.mark.parametrize(
    ("said", "likely"),
    [
        ("Non.", {"oui": -2.0, "non": -1.0}),  # which of the two?
        ("Non.", {"hein": -1.5, "non": -4.0}),  # or neither of them?
        ("Oui.", {"oui": -6.0, "non": -3.0}),  # rather the other
    ],
)
def test_a_yes_or_no_that_may_as_well_be_something_else_is_contested(said: str, likely: dict[str, float]) -> None:
    assert FRENCH is not None
    assert decide(FRENCH, said, {said: -8.0}, scores(**likely)).verdict == "contested"


def test_what_was_decoded_stands_where_nothing_speaks_against_it_though_little_speaks_for_it() -> None:
    assert FRENCH is not None
    assert decide(FRENCH, "Oui.", {"Oui.": -8.0}, scores(oui=-7.0)).verdict == ""


def test_what_is_neither_yes_nor_no_is_left_alone() -> None:
    assert FRENCH is not None
    assert decide(FRENCH, "Demain.", {"Demain.": -1.0}, scores(oui=-8.0, non=-7.0)).verdict == ""
    assert decide(FRENCH, "Hmm.", {}, {}).verdict == ""


def test_nobody_is_asked_about_a_sure_yes_or_about_a_sentence() -> None:
    assert FRENCH is not None
    assert not is_worth_scoring(FRENCH, "Oui.", SURE)
    assert is_worth_scoring(FRENCH, "Oui.", SURE - 0.1)
    assert not is_worth_scoring(FRENCH, "Oui je suis propriétaire de ma maison", -0.3)
    assert is_worth_scoring(FRENCH, "Où est-ce que vous avez fait ça", -1.4)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_every_text_of_a_set_has_the_meaning_it_stands_under(language: str) -> None:
    expected = closed_set(["zip_code", "yes_no"], language)
    assert expected is not None
    for meaning, texts in expected.written.items():
        assert {expected.meaning_of.get(normalise(text)) for text in texts.split("|")} == {meaning}
    assert not [text for text in expected.rivals.split("|") if normalise(text) in expected.meaning_of]


def test_there_is_no_set_for_what_is_not_known() -> None:
    assert closed_set(["zip_code"], "fr") is None
    assert closed_set(["yes_no"], "de") is None
    assert closed_set(["what a newer dialogue awaits", "yes_no"], "fr") is FRENCH


def test_scores_of_texts_do_not_depend_on_the_others_nor_on_the_batch(
    engine: WhisperEngine, clips: list[Samples]
) -> None:
    jobs = [engine.prepare(clip, "fr", awaited=YES_NO) for clip in clips[:3]]
    together = [answer for answer in engine.run(jobs) if isinstance(answer, Decoded)]
    alone = [answer for job in jobs for answer in engine.run([job]) if isinstance(answer, Decoded)]
    assert [(answer.text, answer.verdict) for answer in together] == [(answer.text, answer.verdict) for answer in alone]


def test_what_was_weighed_is_not_heard_again(engine: WhisperEngine, clips: list[Samples]) -> None:
    job = engine.prepare(clips[0], "fr", awaited=YES_NO)
    doubtful = Decoded("Non.", "fr", -1.6, 0.1, 1.0)
    assert not isinstance(judge(job, doubtful), Decoded)
    contested = Decoded("Non.", "fr", -math.inf, 0.1, 1.0, verdict="contested")
    assert judge(job, contested) == contested


def test_a_contested_answer_is_no_text_and_somebody_spoke() -> None:
    class Torn(Parrot):
        def __init__(self) -> None:
            super().__init__("Non.")
            self.answer = Decoded("Non.", "fr", -math.inf, 0.05, 1.0, verdict="contested")

    engine = Torn()
    batcher = Batcher[Job, Decoded](engine)
    transcriber = Transcriber(engine, batcher, FAMILIES, GuardLimits(), 30.0, Gate())  # type: ignore[arg-type]
    try:
        transcript = asyncio.run(transcriber.transcribe(TranscriptionRequest(SPEECH, awaited=YES_NO)))
    finally:
        transcriber.close()
    assert (transcript.text, transcript.reason, transcript.flags) == ("", "unsure", ("contested",))


def said_by_pico(text: str, level: float, language: str = "fr") -> bytes:
    """A word between two silences as a WAV at telephone rate; `level` of full scale."""
    spoken = np.frombuffer(b"".join(Pico(STATE / "pico", language).speak(text)), "<i2").astype(np.float64)
    spoken *= level * 32_767 / np.abs(spoken).max()
    samples = np.concatenate([np.zeros(RATE_HZ // 4), spoken, np.zeros(RATE_HZ // 4)])
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        wav.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
@pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched")
def test_a_bare_yes_of_a_voice_never_tuned_on_is_never_taken_for_a_no() -> None:
    settings = settings_for_people({name: text for name, text in os.environ.items() if name != "WHISPER_MODEL"})
    model = settings.pop("WHISPER_MODEL")
    heard = {}
    with replica(model, WHISPER_DEADLINE_MS="60000", **settings) as (_, port):
        for word in ("oui", "non", "d'accord", "oui oui", "non merci"):
            for level in (0.5, 0.1):
                answer = httpx.post(
                    f"http://127.0.0.1:{port}/transcribe",
                    files={"audio": ("word.wav", said_by_pico(word, level))},
                    data={"language": "fr", "awaited": ["yes_no"]},
                    timeout=60,
                )
                heard[word, level] = normalise(answer.json()["text"])
    assert FRENCH is not None
    for (word, _), text in heard.items():
        meant = FRENCH.meaning_of[normalise(word)]
        assert FRENCH.meaning_of.get(text, meant) == meant, heard


@pytest.mark.parametrize(
    ("text", "bare"),
    [("Sì", True), ("sì, sì!", True), ("No.", True), ("Sì, claro.", False), ("Grazie", False), ("Sì, no.", False)],
)
def test_one_word_of_the_set_is_a_bare_answer(text: str, bare: bool) -> None:
    expected = closed_set(("yes_no",), "it")
    assert expected is not None
    assert expected.is_bare(text) == bare


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
@pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched")
def test_a_bare_italian_yes_or_no_is_not_taken_for_another_language() -> None:
    settings = settings_for_people({name: text for name, text in os.environ.items() if name != "WHISPER_MODEL"})
    model = settings.pop("WHISPER_MODEL")
    with replica(model, WHISPER_DEADLINE_MS="60000", **settings) as (_, port):
        for word, meaning in (("sì", "yes"), ("no", "no")):
            for level in (0.5, 0.1):
                answer = httpx.post(
                    f"http://127.0.0.1:{port}/transcribe",
                    files={"audio": ("word.wav", said_by_pico(word, level, "it"))},
                    data={"language": "it", "awaited": ["yes_no"]},
                    timeout=60,
                ).json()
                assert answer["flags"] != ["other_language"], answer
                expected = closed_set(("yes_no",), "it")
                assert expected is not None
                # asked again at worst, never turned into its opposite
                assert expected.meaning_of.get(normalise(answer["text"]), meaning) == meaning, answer


HEATING = ("gaz|gaz de ville|au gaz", "fioul|au fioul|mazout", "bois|poêle à bois")


def of_choices(**likely: float) -> dict[str, float]:
    """Scores of every text of the heating set: very unlikely, but for those that are given."""
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    given = {text.replace("_", " "): score for text, score in likely.items()}
    assert given.keys() <= set(expected.texts)
    return {text: given.get(text, -18.0) for text in expected.texts}


def test_a_choice_far_above_the_others_is_taken_for_the_nonsense_that_was_decoded() -> None:
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    scores = of_choices(au_gaz=-5.1, bois=-11.1)
    weighed = decide_choice(expected, {"on garde": -2.9}, scores, of_choices(gaz=-9.0, pourquoi=-10.0))
    assert (weighed.verdict, weighed.text) == ("taken", "au gaz")
    assert -0.2 < weighed.logprob < 0


@pytest.mark.parametrize(
    ("free", "likely"),
    [
        (-5.0, {"au_gaz": -6.0, "bois": -7.0}),  # which of the two?
        (-2.8, {"bois": -2.8, "pourquoi": -3.0}),  # or a word that is no choice
        (-1.0, {"au_gaz": -9.0}),  # what was decoded is far likelier
        (-9.0, {"au_gaz": -12.0}),  # nobody said any of it
    ],
)
def test_a_choice_that_may_as_well_be_something_else_is_not_taken(free: float, likely: dict[str, float]) -> None:
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    scores = of_choices(**likely)
    assert decide_choice(expected, {"quelque chose": free}, scores, scores).verdict == ""


def test_a_choice_is_not_taken_for_its_hint_alone() -> None:
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    prompted, unprompted = of_choices(bois=-3.6, pourquoi=-7.2), of_choices(bois=-7.1, pourquoi=-4.4)
    assert decide_choice(expected, {"bouscola": -5.3}, prompted, unprompted).verdict == ""
    assert decide_choice(expected, {"bouscola": -5.3}, prompted, prompted).text == "bois"


def test_nobody_is_asked_about_a_text_that_names_a_choice_or_is_sure_or_a_sentence() -> None:
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    assert not is_choice_worth_scoring(expected, "C'est du bois.", -1.2)
    assert not is_choice_worth_scoring(expected, "Attendez.", -0.2)
    assert not is_choice_worth_scoring(expected, "Je ne sais pas trop ce que c'est", -0.9)
    assert not is_choice_worth_scoring(expected, "", -0.9)
    assert is_choice_worth_scoring(expected, "On garde", -0.98)


def test_there_is_no_set_of_one_choice_nor_in_a_language_without_words_for_it() -> None:
    assert choice_set((), "fr") is None
    assert choice_set(("gaz",), "fr") is None
    assert choice_set(HEATING, "pt") is None


def test_a_choice_is_scored_with_the_words_before_it_and_few_of_its_phrases() -> None:
    expected = choice_set(HEATING, "fr")
    assert expected is not None
    assert expected.written["fioul"] == "fioul|au fioul|le fioul|mazout"
    many = choice_set([f"{name}|{name} blanc|{name} noir" for name in "abcdefg"], "fr")
    assert many is not None
    assert many.written["b"] == "b|au b"
