"""The service over real HTTP, with faster-whisper on a model of random weights: contracts, bounds, errors."""

import base64
import io
import threading
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest

from tests.whisper.serving import FAMILIES, SPEECH, HeldEngine, service_on, serving, settings_of
from whisper_service.audio import SAMPLE_RATE_HZ, Samples, decode
from whisper_service.engine import WhisperEngine
from whisper_service.guards import GuardLimits
from whisper_service.service import Service

LENIENT = GuardLimits(min_logprob=-99, weak_logprob=-99, max_chars_per_s=1e9, repeats=999)
"""The random model babbles; these limits let everything through that comes from a voice."""
Body = dict[str, object]
CLIENT = httpx.Client(verify=False, timeout=60)
"""One for all: a client takes a tenth of a second to make."""


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def body(audio: bytes = SPEECH, **fields: object) -> Body:
    return {"audio": base64.b64encode(audio).decode(), "filename": "a.wav", "connection_id": "1", **fields}


@pytest.fixture(scope="module")
def url(engine: WhisperEngine) -> Iterator[str]:
    """A service that lets all babble through, shared by the tests that only ask."""
    with serving(service_on(engine, LENIENT, WHISPER_DEADLINE_MS="60000", WHISPER_MAX_BATCH="8")) as base:
        yield base


def voices() -> list[bytes]:
    """The shipped utterance at eight speeds: eight clips that the model hears differently."""
    speech = decode(SPEECH)
    clips = []
    for i in range(8):
        at = np.arange(0, speech.size - 1, 0.8 + 0.06 * i)
        clips.append(wav(np.interp(at, np.arange(speech.size), speech).astype(np.float32)))
    return clips


# --- contracts --------------------------------------------------------------------------------------------------------


def test_whisper_answers_with_text_confidence_and_time(url: str) -> None:
    answer = CLIENT.post(f"{url}/whisper", json=body())
    assert answer.status_code == 200
    fields = answer.json()
    assert fields["transcription"]
    assert 0 < fields["confidence"] <= 1
    assert (fields["reason"], fields["language"]) == ("", "fr")
    assert fields["processing_time"] > 0
    assert fields["duration"] == pytest.approx(decode(SPEECH).size / 16_000, abs=0.01)


def test_every_endpoint_gives_the_same_text(url: str) -> None:
    text = CLIENT.post(f"{url}/whisper", json=body()).json()["transcription"]
    form = CLIENT.post(f"{url}/transcribe", files={"audio": ("b.wav", SPEECH)}, data={"language": "fr"})
    assert form.json()["text"] == text
    assert form.json()["filename"] == "b.wav"
    assert form.json()["processing_time"] > 0
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
    create = client.audio.transcriptions.create
    file = ("c.wav", SPEECH)
    assert create(file=file, model="whisper-1", language="fr").text == text
    assert create(file=file, model="whisper-1", language="fr", response_format="text").strip() == text
    verbose = create(file=file, model="whisper-1", language="fr", response_format="verbose_json", temperature=0)
    assert (verbose.text, verbose.language) == (text, "fr")
    assert verbose.segments
    assert verbose.segments[0].text == text
    assert verbose.segments[0].end == pytest.approx(float(verbose.duration))


def test_openai_clients_see_openai_errors(url: str) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.BadRequestError, match="no audio"):
        client.audio.transcriptions.create(file=("c.wav", b"not audio"), model="whisper-1")
    with pytest.raises(openai.BadRequestError, match="response_format"):
        client.audio.transcriptions.create(file=("c.wav", SPEECH), model="whisper-1", response_format="srt")
    with pytest.raises(openai.UnprocessableEntityError, match="does not speak"):
        client.audio.transcriptions.create(file=("c.wav", SPEECH), model="whisper-1", language="de")


def test_the_openai_prompt_is_a_hint(url: str) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
    prompted = client.audio.transcriptions.create(file=("c.wav", SPEECH), model="m", language="fr", prompt="gaz bois")
    hinted = CLIENT.post(f"{url}/whisper", json=body(hints=["gaz bois"])).json()
    assert prompted.text == hinted["transcription"]


def test_health_ready_and_metrics(url: str) -> None:
    health = CLIENT.get(f"{url}/health").json()
    assert (health["status"], health["device"]) == ("ok", "cpu")
    assert "demo" not in health
    assert CLIENT.get(f"{url}/ready").json() == {"ready": True, "reason": ""}
    CLIENT.post(f"{url}/whisper", json=body())
    metrics = CLIENT.get(f"{url}/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for series in ('requests_total{endpoint="/whisper"', "queue_depth", "batch_size_bucket", "seconds_count"):
        assert f"pronto_whisper_{series}" in metrics.text


def test_a_burst_of_mixed_languages_and_hints_is_answered_as_each_alone(url: str) -> None:
    hints: list[list[str]] = [[], ["gaz"], ["pompe à chaleur", "bois"], ["oui", "non"]]
    bodies = [
        body(voice, language=("fr", "it", "en")[i % 3], hints=hints[i % 4])
        for i, voice in enumerate((voices() * 2)[:12])
    ]

    def ask(fields: Body) -> str:
        answer = CLIENT.post(f"{url}/whisper", json=fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["transcription"] or answer.json()["reason"])

    alone = [ask(fields) for fields in bodies]
    with ThreadPoolExecutor(len(bodies)) as pool:
        together = list(pool.map(ask, bodies))
    assert together == alone
    assert len(set(alone)) >= 5


def test_silence_and_tones_are_answered_without_text_and_without_the_engine(engine: WhisperEngine) -> None:
    held = HeldEngine(engine, is_open=False)
    t = np.arange(16_000) / 16_000
    sounds: dict[str, Samples] = {
        "silent": np.zeros(16_000, np.float32),
        "tone": (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32),
        "no_speech": 0.1 * np.random.default_rng(0).standard_normal(16_000, np.float32),
        "too_short": decode(SPEECH)[8_000:9_600],
    }
    with serving(service_on(held)) as url:
        for reason, samples in sounds.items():
            fields = CLIENT.post(f"{url}/whisper", json=body(wav(samples))).json()
            assert (fields["transcription"], fields["reason"], fields["confidence"]) == ("", reason, 0.0)
    assert held.jobs == 0


# --- bounds, deadlines, failures --------------------------------------------------------------------------------------


def in_thread(url: str, fields: Body, answers: list[httpx.Response]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(CLIENT.post(f"{url}/whisper", json=fields)))
    thread.start()
    return thread


def wait_until(condition: object, *, within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "never came about"
        time.sleep(0.005)


def test_the_one_too_many_gets_503_with_retry_after_and_the_others_their_text(engine: WhisperEngine) -> None:
    held = HeldEngine(engine, is_open=False)
    service = service_on(held, LENIENT, WHISPER_MAX_BATCH="1", WHISPER_DEADLINE_MS="60000")
    answers: list[httpx.Response] = []
    with serving(service) as url:
        threads = [in_thread(url, body(), answers)]
        assert held.entered.acquire(timeout=20)  # from now on two may wait
        threads += [in_thread(url, body(), answers) for _ in range(2)]
        wait_until(lambda: service.transcriber and service.transcriber.inside == 3)
        refused = CLIENT.post(f"{url}/whisper", json=body())
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"] == "busy"
        assert CLIENT.get(f"{url}/health").status_code == 200
        held.gate.set()
        for thread in threads:
            thread.join(60)
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert CLIENT.post(f"{url}/whisper", json=body()).status_code == 200


def test_a_missed_deadline_is_504_and_the_request_never_reaches_the_engine(engine: WhisperEngine) -> None:
    held = HeldEngine(engine, is_open=False)
    answers: list[httpx.Response] = []
    with serving(service_on(held, LENIENT, WHISPER_DEADLINE_MS="60000")) as url:
        first = in_thread(url, body(), answers)
        assert held.entered.acquire(timeout=20)
        for late in (
            CLIENT.post(f"{url}/whisper", json=body(deadline_ms=50)),
            CLIENT.post(f"{url}/whisper", json=body(), headers={"X-Deadline-Ms": "50"}),
            CLIENT.post(f"{url}/transcribe", files={"audio": SPEECH}, data={"deadline_ms": "50"}),
        ):
            assert late.status_code == 504
            assert late.json()["error"] == "too_late"
        held.gate.set()
        first.join(60)
    assert [answer.status_code for answer in answers] == [200]
    assert held.jobs == 1


def test_a_caller_who_hangs_up_never_reaches_the_engine(engine: WhisperEngine) -> None:
    held = HeldEngine(engine, is_open=False)
    service = service_on(held, LENIENT, WHISPER_DEADLINE_MS="60000")
    answers: list[httpx.Response] = []
    with serving(service) as url:
        first = in_thread(url, body(), answers)
        assert held.entered.acquire(timeout=20)
        with httpx.Client(verify=False) as impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post(f"{url}/whisper", json=body(), timeout=0.3)
        wait_until(lambda: service.transcriber and service.transcriber.inside == 1)
        held.gate.set()
        first.join(60)
    assert held.jobs == 1


def test_a_broken_engine_is_500_and_the_next_request_lives(engine: WhisperEngine) -> None:
    held = HeldEngine(engine)
    with serving(service_on(held, LENIENT)) as url:
        held.fail = True
        assert CLIENT.post(f"{url}/whisper", json=body()).status_code == 500
        held.fail = False
        assert CLIENT.post(f"{url}/whisper", json=body()).status_code == 200


# --- life -------------------------------------------------------------------------------------------------------------


def test_nothing_is_answered_before_the_model_is_loaded() -> None:
    with serving(Service(settings_of(), FAMILIES)) as url:
        assert CLIENT.get(f"{url}/health").json()["state"] == "starting"
        assert CLIENT.get(f"{url}/ready").status_code == 503
        refused = CLIENT.post(f"{url}/whisper", json=body())
        assert (refused.status_code, refused.json()["error"]) == (503, "not_ready")


def test_draining_is_begun_seen_and_taken_back_over_http(engine: WhisperEngine) -> None:
    with serving(service_on(engine, LENIENT)) as url:
        begun = CLIENT.post(f"{url}/drain").json()
        assert (begun["draining"], begun["left"]) == (True, 0)
        assert CLIENT.get(f"{url}/health").json()["state"] == "draining"
        assert CLIENT.get(f"{url}/ready").status_code == 503
        assert "pronto_draining 1.0" in CLIENT.get(f"{url}/metrics").text
        assert CLIENT.get(f"{url}/drain").json()["draining"] is True
        assert CLIENT.delete(f"{url}/drain").json()["draining"] is False
        assert CLIENT.get(f"{url}/ready").status_code == 200


def test_draining_says_not_ready_and_still_answers(engine: WhisperEngine) -> None:
    service = service_on(engine, LENIENT)
    with serving(service) as url:
        service.drain.begin()
        assert CLIENT.get(f"{url}/ready").status_code == 503
        assert CLIENT.get(f"{url}/health").status_code == 200
        assert CLIENT.post(f"{url}/whisper", json=body()).status_code == 200


def test_loading_ends_ready_after_the_self_test(random_model: Path) -> None:
    service = Service(settings_of(WHISPER_MODEL=str(random_model), WHISPER_DEVICE="cpu"), FAMILIES)
    service.load()
    assert (service.state, service.is_ready, service.device) == ("ready", True, "cpu")
    assert service.health()["model"] == random_model.name
    service.close()
    assert not service.is_ready


@pytest.mark.parametrize(
    ("notes", "complaint"), [('{"self_test": "bonjour"}', "instead of 'bonjour'"), ('{"context_s": 99}', "context_s")]
)
def test_a_model_that_does_not_hear_the_self_test_never_becomes_ready(
    random_model: Path, tmp_path: Path, notes: str, complaint: str
) -> None:
    for file in random_model.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "pronto.json").write_text(notes)
    service = Service(settings_of(WHISPER_MODEL=str(tmp_path), WHISPER_DEVICE="cpu"), FAMILIES)
    service.load()
    assert service.state == "failed"
    assert complaint in service.reason
    with serving(service) as url:
        assert CLIENT.get(f"{url}/health").status_code == 503
        assert CLIENT.post(f"{url}/whisper", json=body()).status_code == 503


def test_the_demo_model_says_what_it_is(random_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for file in random_model.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "pronto.json").write_text('{"demo": true, "context_s": 8, "prompts": false}')
    service = Service(settings_of(WHISPER_MODEL=str(tmp_path), WHISPER_DEVICE="cpu"), FAMILIES)
    service.load()
    service.close()
    assert service.health()["demo"] is True
    assert "WHISPER_MODEL" in str(service.health()["warning"])
    assert any("demo model" in record.getMessage() for record in caplog.records)
