"""A model per language: who is heard by which, that two never share a batch, and what cannot be meant."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from config import BadSettings, WhisperSettings, load
from tests.whisper.random_model import Shape, make_random_model
from tests.whisper.serving import FAMILIES, SPEECH, serving, settings_of
from whisper_service.audio import decode
from whisper_service.batcher import Again
from whisper_service.engine import WhisperEngine, load_engine
from whisper_service.engines import EngineByLanguage
from whisper_service.jobs import Decoded
from whisper_service.languages import AUTO
from whisper_service.service import Service


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows English only, and more mel bands than the usual one, as large-v3 does."""
    return make_random_model(tmp_path_factory.mktemp("english"), Shape(mels=128, languages=("en",)), seed=5)


@pytest.fixture(scope="module")
def english_engine(english: Path) -> WhisperEngine:
    return load_engine(str(english), device="cpu", context_s=6.0)


def heard(engine: WhisperEngine | EngineByLanguage, language: str) -> Decoded | None:
    answer = engine.run([engine.prepare(decode(SPEECH), language)])[0]
    return answer.job.first if isinstance(answer, Again) else answer


def test_a_job_goes_to_the_model_of_its_language(engine: WhisperEngine, english_engine: WhisperEngine) -> None:
    both = EngineByLanguage(engine, {"en": english_engine})
    assert both.languages == {"fr", "it", "en"}
    assert heard(both, "en") == heard(english_engine, "en") != heard(engine, "en")
    assert heard(both, "it") == heard(engine, "it")
    assert both.of(AUTO) is engine


def test_jobs_of_two_models_never_share_a_batch(engine: WhisperEngine, english_engine: WhisperEngine) -> None:
    both = EngineByLanguage(engine, {"en": english_engine})
    french, italian, english = (both.key(both.prepare(decode(SPEECH), code)) for code in ("fr", "it", "en"))
    assert french == italian != english


def test_a_model_that_does_not_speak_the_language_is_refused(
    engine: WhisperEngine, english_engine: WhisperEngine
) -> None:
    with pytest.raises(ValueError, match="the model for fr speaks en only"):
        EngineByLanguage(engine, {"fr": english_engine})


def test_the_service_answers_each_call_with_the_model_of_its_language(random_model: Path, english: Path) -> None:
    alone = settings_of(WHISPER_MODEL=str(random_model), WHISPER_DEVICE="cpu")
    with_english = settings_of(WHISPER_MODEL=str(random_model), WHISPER_MODEL_EN=str(english), WHISPER_DEVICE="cpu")
    answered_by = {}
    for name, settings in (("alone", alone), ("with English", with_english)):
        service = Service(settings, FAMILIES)
        service.load()
        assert service.state == "ready", service.reason
        assert service.health().get("models") == ({"en": english.name} if settings is with_english else None)
        with serving(service) as url:
            for language in ("en-GB", "fr-FR"):
                answer = httpx.post(
                    f"{url}/transcribe", files={"audio": ("a.wav", SPEECH)}, data={"language": language}, timeout=60
                )
                assert answer.status_code == 200, answer.text
                answered_by[name, language] = answer.json()["model"]
    assert answered_by == {
        ("alone", "en-GB"): random_model.name,
        ("alone", "fr-FR"): random_model.name,
        ("with English", "en-GB"): english.name,
        ("with English", "fr-FR"): random_model.name,
    }


def test_a_model_of_the_wrong_language_never_becomes_ready(random_model: Path, english: Path) -> None:
    settings = settings_of(WHISPER_MODEL=str(random_model), WHISPER_MODEL_FR=str(english), WHISPER_DEVICE="cpu")
    service = Service(settings, FAMILIES)
    service.load()
    assert service.state == "failed"
    assert "the model for fr" in service.reason


def test_settings_name_a_model_per_language() -> None:
    settings = load(WhisperSettings, {"WHISPER_MODEL_EN": "tiny.en", "WHISPER_MODEL_PT_BR": "large-v3"})
    assert settings.whisper_models == (("en", "tiny.en"), ("pt-br", "large-v3"))
    assert load(WhisperSettings, {}).whisper_models == ()


@pytest.mark.parametrize(("key", "value"), [("WHISPER_MODEL_ENGLISH", "tiny.en"), ("WHISPER_MODEL_EN", " ")])
def test_settings_that_cannot_be_meant_are_refused(key: str, value: str) -> None:
    with pytest.raises(BadSettings, match=key):
        load(WhisperSettings, {key: value})
