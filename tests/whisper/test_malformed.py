"""Four hundred malformed requests over real HTTP: each gets its 4xx, none crashes the service, the next is answered."""

from collections.abc import Iterator

import httpx
import pytest

from tests.whisper.malformed import good_wav, requests, whisper
from tests.whisper.serving import service_on, serving
from whisper_service.engine import WhisperEngine


@pytest.fixture(scope="module")
def url(engine: WhisperEngine) -> Iterator[str]:
    with serving(service_on(engine, WHISPER_DEADLINE_MS="60000")) as base:
        yield base


def test_each_of_400_malformed_requests_gets_the_right_status(url: str) -> None:
    wrong = []
    count = 0
    with httpx.Client(base_url=url, timeout=30) as client:
        for malformed in requests(good_wav(), huge_bytes=20 * 1024 * 1024):
            count += 1
            answer = client.request(malformed.method, malformed.path, content=malformed.body, headers=malformed.headers)
            if answer.status_code != malformed.status:
                wrong.append(
                    f"{malformed.name}: {answer.status_code} instead of {malformed.status}: {answer.text[:150]}"
                )
            elif malformed.path in ("/whisper", "/transcribe") and "error" not in answer.json():
                wrong.append(f"{malformed.name}: no reason given: {answer.text[:150]}")
        assert not wrong, "\n".join(wrong)
        assert count == 400
        assert (
            client.post(
                "/whisper", content=whisper(good_wav()), headers={"Content-Type": "application/json"}
            ).status_code
            == 200
        )
        assert client.get("/ready").status_code == 200


def test_a_body_of_unknown_length_is_stopped_at_the_limit(url: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(65_536)

    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{url}/whisper", content=endless(), headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
