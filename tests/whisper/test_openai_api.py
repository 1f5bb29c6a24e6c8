"""OpenAI's own client against the service: models, languages by any name, refusals in words."""

from collections.abc import Iterator
from typing import Any, Literal

import httpx
import numpy as np
import openai
import pytest

from tests.whisper.serving import SPEECH, service_on, serving
from tests.whisper.test_http_api import LENIENT, wav
from whisper_service.engine import WhisperEngine


@pytest.fixture(scope="module")
def client(engine: WhisperEngine) -> Iterator[openai.OpenAI]:
    with serving(service_on(engine, LENIENT, WHISPER_DEADLINE_MS="60000", WHISPER_MODEL="large-v3")) as base:
        yield openai.OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0)


def test_a_client_asks_for_the_models_first(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.object) == ("large-v3", "model")
    assert client.models.retrieve("large-v3").id == "large-v3"
    with pytest.raises(openai.NotFoundError, match="there is 'large-v3'"):
        client.models.retrieve("gpt-4o-transcribe")
    assert client.audio.transcriptions.create(file=("a.wav", SPEECH), model=model.id, language="fr").text


@pytest.mark.parametrize("language", ["fr", "fr-FR", "FR", "fr_CA", "French", "français", "fra"])
def test_a_language_has_many_names(client: openai.OpenAI, language: str) -> None:
    answer = client.audio.transcriptions.create(
        file=("a.wav", SPEECH), model="m", language=language, response_format="verbose_json"
    )
    assert answer.language == "fr"


@pytest.mark.parametrize("fields", [{}, {"language": ""}, {"language": "auto"}])
def test_no_language_means_that_the_model_tells(
    client: openai.OpenAI, engine: WhisperEngine, fields: dict[str, Any]
) -> None:
    create = client.audio.transcriptions.create
    answer = create(file=("a.wav", SPEECH), model="m", response_format="verbose_json", **fields)
    assert answer.language in engine.languages
    assert answer.text == create(file=("a.wav", SPEECH), model="m", language=answer.language).text
    silent = create(
        file=("a.wav", wav(np.zeros(16_000, np.float32))), model="m", response_format="verbose_json", **fields
    )
    assert (silent.text, silent.language) == ("", "und")


def test_segments_have_times_and_words_are_refused(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    segments = create(
        file=("a.wav", SPEECH), model="m", response_format="verbose_json", timestamp_granularities=["segment"]
    )
    assert segments.segments
    all_wanted: list[list[Literal["word", "segment"]]] = [["word"], ["segment", "word"], ["word", "segment"]]
    for wanted in all_wanted:
        with pytest.raises(openai.BadRequestError, match="words have no times"):
            create(
                file=("a.wav", SPEECH),
                model="m",
                response_format="verbose_json",
                timestamp_granularities=wanted,
            )


def test_what_openai_offers_and_we_do_not_is_said(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    with pytest.raises(openai.BadRequestError, match="log-probabilities"):
        create(file=("a.wav", SPEECH), model="m", include=["logprobs"])
    with pytest.raises(openai.BadRequestError, match="speakers"):
        create(file=("a.wav", SPEECH), model="m", extra_body={"known_speaker_names": ["agent"]})
    with pytest.raises(openai.BadRequestError, match="name one in `language`"):
        create(file=("a.wav", SPEECH), model="m", languages=["fr", "it"])
    with pytest.raises(openai.BadRequestError, match="response_format"):
        create(file=("a.wav", SPEECH), model="m", response_format="diarized_json")
    assert create(file=("a.wav", SPEECH), model="m", chunking_strategy="auto").text


def test_keywords_are_hints(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    prompted = create(file=("a.wav", SPEECH), model="m", language="fr", prompt="gaz bois")
    assert create(file=("a.wav", SPEECH), model="m", language="fr", keywords=["gaz bois"]).text == prompted.text
    assert create(file=("a.wav", SPEECH), model="m", language="fr").text != prompted.text


def test_the_specification_s_endpoints_take_the_same_names_and_french_when_none_is_named(
    client: openai.OpenAI,
) -> None:
    url = str(client.base_url).removesuffix("/v1/") + "/transcribe"
    for data in ({}, {"language": "fr-FR"}, {"language": "FRENCH"}):
        answer = httpx.post(url, files={"audio": SPEECH}, data=data, timeout=60).json()
        assert answer["language"] == "fr"
    assert httpx.post(url, files={"audio": SPEECH}, data={"language": "it_IT"}, timeout=60).json()["language"] == "it"
    refused = httpx.post(url, files={"audio": SPEECH}, data={"language": "tlh"}, timeout=60)
    assert (refused.status_code, refused.json()["error"]) == (422, "language")
