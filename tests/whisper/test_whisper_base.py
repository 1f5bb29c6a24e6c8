"""The recogniser that people meet: Whisper base, as set-up fetches it and `pronto up` runs it, on a person's voice.

The recordings are prompts of Asterisk's English set (telephone quality, GSM), which set-up fetches with Asterisk.
"""

from __future__ import annotations

import io
import os
import subprocess
import wave
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from config import ROOT, STATE
from devstack.recogniser import WHISPER_BASE, is_there, settings_for_people
from tests.whisper.processes import replica
from whisper_service.phrases import normalise

SAID = {
    "conf-onlyperson": "You are currently the only person in this conference.",
    "vm-goodbye": "Goodbye.",
    "queue-thankyou": "Thank you for your patience.",
    "agent-pass": "Please enter your password followed by the pound key.",
    "ss-noservice": "The number you have dialed is not in service. Please check the number and try again.",
    "vm-sorry": "I'm sorry I did not understand your response.",
    "conf-getpin": "Please enter the conference pin number.",
}


def recording(name: str) -> bytes:
    """A prompt of Asterisk as a WAV."""
    sounds = STATE / "asterisk" / "data" / "sounds" / "en"
    with av.open(str(sounds / f"{name}.gsm"), format="gsm") as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    samples = np.concatenate(frames)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 8_000, 0, "NONE", ""))
        wav.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
def test_people_are_understood() -> None:
    settings = settings_for_people({name: text for name, text in os.environ.items() if name != "WHISPER_MODEL"})
    heard: dict[str, str] = {}
    model = settings.pop("WHISPER_MODEL")
    with replica(model, WHISPER_DEADLINE_MS="60000", **settings) as (_, port):
        for name in SAID:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/transcribe",
                files={"audio": (f"{name}.wav", recording(name))},
                data={"language": "en"},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
            body = answer.json()
            heard[name] = body.get("transcription") or body.get("text") or ""
    assert {name: normalise(text) for name, text in heard.items()} == {n: normalise(t) for n, t in SAID.items()}


def test_who_chooses_a_model_gets_it() -> None:
    assert settings_for_people({"WHISPER_MODEL": "large-v3"}) == {}


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
def test_other_settings_stay_the_operators() -> None:
    found = settings_for_people({"WHISPER_BEAM_SIZE": "1"})
    assert found["WHISPER_MODEL"] == str(WHISPER_BASE)
    assert "WHISPER_BEAM_SIZE" not in found


def test_small_set_up_fetches_nothing(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "fetch_whisper.sh"
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / script.name).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        ["sh", str(tmp_path / "scripts" / script.name)],
        env={**os.environ, "PRONTO_SMALL": "1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tmp_path / ".pronto").exists()
