"""Callers who speak another language than the line: told to hear French, the recogniser would translate them."""

from __future__ import annotations

import io
import os
import wave

import httpx
import numpy as np
import pytest

from config import STATE
from devstack.recogniser import is_there, settings_for_people
from speech_service.engines.pico import RATE_HZ, Pico
from tests.whisper.processes import replica
from whisper_service.jobs import Decoded, Job, judge
from whisper_service.language_check import is_foreign_perhaps, other_language


def test_a_language_that_is_clearly_another_one_is_told() -> None:
    assert other_language("fr", {"en": 0.94, "fr": 0.025}) == "en"
    assert other_language("fr", {"es": 0.61, "en": 0.29, "fr": 0.004}) == "es"


@pytest.mark.parametrize(
    "shares",
    [
        {"fr": 0.98, "en": 0.01},
        {"ko": 0.50, "ja": 0.11, "fr": 0.065},  # a French "c'est ça" over a bad line
        {"en": 0.30, "nl": 0.28, "fr": 0.001},  # it may be anything
    ],
)
def test_what_wavers_is_left_alone(shares: dict[str, float]) -> None:
    assert other_language("fr", shares) == ""


def test_it_is_asked_of_doubtful_texts_only() -> None:
    doubtful, sure = Decoded("Oui, claro.", "fr", -1.4, 0.1, 1.0), Decoded("Oui.", "fr", -0.2, 0.1, 1.0)
    assert is_foreign_perhaps(2.0, doubtful)
    assert not is_foreign_perhaps(2.0, sure)
    assert not is_foreign_perhaps(0.8, doubtful)


def test_what_is_foreign_is_not_heard_again() -> None:
    job = Job(np.zeros((80, 200), np.float32), "fr")
    foreign = Decoded("Merci pour l'unisation.", "fr", -1.2, 0.1, 1.0, other_language="de")
    assert judge(job, foreign) == foreign


FOREIGN = {
    "en": ("I don't speak French, can someone help me?", "What is this about?"),
    "es": ("No hablo francés, ¿alguien puede ayudarme?", "Sí, claro."),
    "de": ("Vielen Dank für die Einladung.",),
    "it": ("Non parlo francese, qualcuno può aiutarmi?", "Sì, va bene."),
}
FRENCH = ("Oui, je suis propriétaire.", "Demain à quatorze heures.", "Je voudrais parler à un conseiller.")


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
@pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched")
def test_who_speaks_another_language_is_not_understood_and_who_speaks_the_lines_is() -> None:
    settings = settings_for_people({name: text for name, text in os.environ.items() if name != "WHISPER_MODEL"})
    model = settings.pop("WHISPER_MODEL")
    with replica(model, WHISPER_DEADLINE_MS="60000", **settings) as (_, port):
        for language, sentences in (*FOREIGN.items(), ("fr", FRENCH)):
            for sentence in sentences:
                answer = httpx.post(
                    f"http://127.0.0.1:{port}/transcribe",
                    files={"audio": ("a.wav", said(sentence, language))},
                    data={"language": "fr", "awaited": ["yes_no"]},
                    timeout=60,
                ).json()
                outcome = (answer["reason"], answer["flags"])
                expected = ("unsure", ["other_language"]) if language != "fr" else ("", answer["flags"])
                assert outcome == expected, (sentence, answer)


def said(text: str, language: str) -> bytes:
    """A sentence of Pico's between two silences, as a WAV."""
    spoken = np.frombuffer(b"".join(Pico(STATE / "pico", language).speak(text)), "<i2")
    silence = np.zeros(RATE_HZ // 4, np.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        wav.writeframes(np.concatenate([silence, spoken, silence]).astype("<i2").tobytes())
    return file.getvalue()
