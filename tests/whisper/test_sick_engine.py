"""An engine that fails, hangs or never came up: the service takes itself out of the rotation and ends with status 1."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import pytest

from config import ROOT
from tests.whisper.processes import free_port
from tests.whisper.serving import HeldEngine, service_on, serving, settings_of
from tests.whisper.test_http_api import CLIENT, LENIENT, body, wait_until
from whisper_service.__main__ import run
from whisper_service.engine import WhisperEngine
from whisper_service.service import FAILURES, Service


def post(url: str) -> httpx.Response:
    return CLIENT.post(f"{url}/whisper", json=body())


def test_an_engine_that_fails_at_everything_is_out_of_the_rotation(engine: WhisperEngine) -> None:
    held = HeldEngine(engine)
    with serving(service_on(held, LENIENT)) as url:
        held.fail = True
        for _ in range(FAILURES):
            assert CLIENT.get(f"{url}/ready").status_code == 200
            assert post(url).status_code == 500
        ready, health = CLIENT.get(f"{url}/ready"), CLIENT.get(f"{url}/health")
        assert (ready.status_code, health.status_code) == (503, 503)
        assert "in a row" in ready.json()["reason"]
        assert (post(url).status_code, post(url).json()["error"]) == (503, "not_ready")
    assert held.jobs == FAILURES


def test_jobs_that_fail_between_others_make_nobody_sick(engine: WhisperEngine) -> None:
    held = HeldEngine(engine)
    with serving(service_on(held, LENIENT)) as url:
        for fails in (True, True, False) * 3:
            held.fail = fails
            assert post(url).status_code == (500 if fails else 200)
        assert CLIENT.get(f"{url}/ready").status_code == 200


def test_an_engine_that_hangs_is_out_of_the_rotation(engine: WhisperEngine) -> None:
    held = HeldEngine(engine, is_open=False)
    service = service_on(held, LENIENT, WHISPER_STUCK_S="0.3", WHISPER_DEADLINE_MS="60000")
    with serving(service) as url:
        answers: list[httpx.Response] = []
        caller = threading.Thread(target=lambda: answers.append(post(url)))
        caller.start()
        assert held.entered.acquire(timeout=20)
        wait_until(service.sickness)
        assert "has not answered for 0.3 s" in CLIENT.get(f"{url}/ready").json()["reason"]
        held.gate.set()
        caller.join(60)
        assert answers[0].status_code == 200
        wait_until(lambda: CLIENT.get(f"{url}/ready").status_code == 200)


SILENCE = np.zeros(16_000, np.float32)


class Loaded(Service):
    """A service whose model is there already."""

    def load(self) -> None:
        return


async def test_a_sick_service_ends_with_status_1(engine: WhisperEngine) -> None:
    held = HeldEngine(engine)
    held.fail = True
    ready = service_on(held, LENIENT, WHISPER_PORT=str(free_port()))
    service = Loaded(**{name: getattr(ready, name) for name in ready.__dataclass_fields__ if name != "drain"})
    assert service.batcher is not None
    job = engine.job(engine.features(SILENCE), "fr")
    for _ in range(FAILURES):
        with pytest.raises(RuntimeError, match="broken"):
            service.batcher.submit(job, float("inf")).result(20)
    loading = Thread(target=service.load)
    loading.start()
    assert await run(ready.settings, service, loading) == 1


@pytest.mark.parametrize("model", ["no-such-folder/model", "empty"])
def test_a_model_that_cannot_be_loaded_ends_the_process_with_status_1(tmp_path: Path, model: str) -> None:
    (tmp_path / "empty").mkdir()
    port = str(free_port())
    environment = {**os.environ, "WHISPER_MODEL": str(tmp_path / model), "WHISPER_PORT": port, "HF_HUB_OFFLINE": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "whisper_service"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert b"cannot start" in ended.stdout + ended.stderr


def test_the_limit_is_a_setting() -> None:
    assert settings_of(WHISPER_STUCK_S="5").whisper_stuck_s == 5.0
