"""The service over HTTP, with the engines that set-up fetched: OpenAI's client, pieces, refusals, a killed engine."""

import asyncio
import io
import json
import os
import signal
import wave
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from audio_prompts.loudness import LEVEL_DBFS, level_dbfs
from speech_service.engines.process import EngineProcess
from tests.speech.serving import HAS_PICO, VOICES, service_of, serving

SENTENCE = "Bonjour Madame Mwangi, votre rendez-vous est confirmé pour mardi prochain."


async def blocks(base: str, **body: Any) -> list[tuple[dict[str, Any], bytes]]:
    """What /speech answers."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{base}/speech", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    stream = io.BytesIO(answer.content)
    found: list[tuple[dict[str, Any], bytes]] = []
    while line := stream.readline():
        head = json.loads(line)
        if head.get("over"):
            assert not stream.read()
            return found
        found.append((head, stream.read(head["bytes"])))
    raise AssertionError("the answer has no end")


def samples(found: list[tuple[dict[str, Any], bytes]]) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"".join(data for _, data in found), "<i2")


async def test_openai_s_client_gets_wav_pcm_and_mulaw() -> None:
    async with serving(service_of()) as base:
        client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0)
        create = client.audio.speech.create
        file = await create(model="tts-1", voice="alloy", input=SENTENCE, response_format="wav")
        with wave.open(io.BytesIO(file.content), "rb") as sound:
            assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (24_000, 2, 1)
            seconds = sound.getnframes() / 24_000
        assert 2.0 < seconds < 8.0
        raw = await create(model="tts-1", voice="alloy", input=SENTENCE, response_format="pcm")
        assert len(raw.content) == pytest.approx(seconds * 48_000, abs=2_000)
        async with client.audio.speech.with_streaming_response.create(
            model="tts-1",
            voice="it",
            input="Buongiorno, la chiamo per il suo appuntamento.",
            response_format="mulaw",  # type: ignore[arg-type]
            speed=1.1,
        ) as stream:
            pieces = [piece async for piece in stream.iter_bytes()]
        assert len(b"".join(pieces)) > 8_000
        with pytest.raises(openai.BadRequestError, match="wav, pcm or mulaw"):
            await create(model="tts-1", voice="alloy", input=SENTENCE, response_format="mp3")
        with pytest.raises(openai.BadRequestError, match="there are"):
            await create(model="tts-1", voice="nobody", input=SENTENCE, response_format="wav")


async def test_pieces_tell_their_place_and_a_sentence_said_before_is_the_same_sound_from_the_cache() -> None:
    text = f"Oui. {SENTENCE}"
    async with serving(service_of()) as base:
        first = await blocks(base, text=text, language="fr")
        again = await blocks(base, text=text, language="fr")
        rest = await blocks(base, text=text, language="fr", skip_ms=1_000)
        other = await blocks(base, text=text, language="fr", speed=1.25)
    assert next(text[head["begin"] : head["end"]] for head, _ in first) == "Oui."
    assert text[first[-1][0]["begin"] : first[-1][0]["end"]] == SENTENCE
    assert sum(head["ms"] for head, _ in first) == pytest.approx(len(samples(first)) / 8, abs=30)
    assert all(head["cached"] for head, _ in again)
    assert np.array_equal(samples(first), samples(again))
    assert np.array_equal(samples(first)[8_000:], samples(rest))
    assert len(samples(other)) < 0.9 * len(samples(first))


@pytest.mark.parametrize("voice", VOICES.split(","))
async def test_every_voice_has_the_level_of_the_prompts(voice: str) -> None:
    texts = {
        "fr": ("Monsieur Lefèvre habite à Clermont-Ferrand.", "Souhaitez-vous garder cette date ?", "Non."),
        "it": ("Il signor Rossi abita a Reggio Emilia.", "Vuole tenere questa data?", "No."),
    }
    async with serving(service_of(voice)) as base:
        for text in texts[voice[-2:]]:
            found = samples(await blocks(base, text=text)).astype(np.float32) / np.float32(32_768)
            assert level_dbfs(found, 8_000) == pytest.approx(LEVEL_DBFS, abs=2.0), text


@pytest.mark.skipif(not HAS_PICO, reason="set-up could not fetch Pico")
async def test_an_engine_that_is_killed_costs_no_text() -> None:
    service = service_of()
    async with serving(service) as base:
        engine = service.speaker.engines["pico"]
        assert isinstance(engine, EngineProcess)
        for number in range(5):
            killed = engine.pid
            os.killpg(killed, signal.SIGKILL)
            found = await blocks(base, text=f"La commande numéro {number} est prête, merci.", language="fr")
            assert len(samples(found)) > 8_000
            async with asyncio.timeout(20):
                while not engine.is_up or engine.pid == killed:  # noqa: ASYNC110 - whose end nobody tells
                    await asyncio.sleep(0.01)


async def test_what_cannot_be_said_is_refused_in_words() -> None:
    async with serving(service_of()) as base, httpx.AsyncClient(base_url=base) as client:

        async def refused(**body: Any) -> tuple[int, str]:
            answer = await client.post("/speech", json=body)
            return answer.status_code, answer.json()["error"]

        assert await refused(text="") == (422, "invalid")
        assert await refused(text="Oui", speed=9) == (422, "invalid")
        assert await refused(text="Oui", sample_rate=11_025) == (400, "sample_rate")
        assert await refused(text="Oui", language="zz") == (400, "voice")
        assert await refused(text="😀 --- **") == (400, "nothing_to_say")
        assert (await client.post("/speech", content=b"{")).status_code == 400
        voices = (await client.get("/voices")).json()["voices"]
        assert [voice["name"] for voice in voices if voice["speaks"]] == VOICES.split(",")
        assert (await client.get("/ready")).status_code == 200
        assert "pronto_speech_first_audio_seconds_bucket" in (await client.get("/metrics")).text


async def test_a_full_service_says_so_at_once() -> None:
    service = service_of(SPEECH_QUEUE="1")
    async with serving(service) as base, httpx.AsyncClient(base_url=base) as client:
        service.inside = 1
        answer = await client.post("/speech", json={"text": SENTENCE, "language": "fr"})
        assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "busy", "1")
        service.inside = 0
        assert (await client.post("/speech", json={"text": SENTENCE, "language": "fr"})).status_code == 200
