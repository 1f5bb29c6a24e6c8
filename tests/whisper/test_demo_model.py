"""The model that ships, with the settings that ship: the whole service really recognises speech."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from tests.whisper.malformed import whisper
from tests.whisper.serving import FAMILIES, SPEECH, serving, settings_of
from whisper_service.audio import decode
from whisper_service.service import Service

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    service = Service(settings_of(WHISPER_DEVICE="cpu", WHISPER_DEADLINE_MS="30000"), FAMILIES)
    service.load()
    assert service.state == "ready", service.reason
    with serving(service) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_it_hears_the_shipped_utterance_whatever_the_hints(client: httpx.Client) -> None:
    for hints in ([], ["oui", "non"]):
        fields = client.post("/whisper", content=whisper(SPEECH, hints=hints), headers=JSON).json()
        assert (fields["transcription"], fields["reason"]) == ("oui je suis propriétaire", "")
        assert fields["confidence"] > 0.7


def test_it_says_that_it_is_a_demo_model(client: httpx.Client) -> None:
    health = client.get("/health").json()
    assert (health["model"], health["demo"], health["languages"]) == ("demo-fr", True, ["fr"])


def test_speech_played_backwards_is_not_taken_for_a_sure_answer(client: httpx.Client) -> None:
    samples = decode(SPEECH)[::-1]
    pcm = (samples * 32767).astype("<i2").tobytes()
    header = whisper_header(len(pcm))
    fields = client.post("/whisper", content=whisper(header + pcm), headers=JSON).json()
    assert fields["transcription"] == "" or fields["confidence"] < 0.8


def whisper_header(size: int) -> bytes:
    """The 44 bytes before `size` bytes of 16 kHz 16-bit samples."""
    head = np.array([16, 0x10001, 16_000, 32_000, 0x100002], "<u4").tobytes()
    return b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVEfmt " + head + b"data" + size.to_bytes(4, "little")
