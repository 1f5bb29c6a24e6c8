"""The turn model: its picture of the sound, the file as fetched, and what its verdict does to a guess."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from config import STATE
from protocol.messages import EndUtterance, Event, Listen, UtteranceGuessed, UtteranceTranscribed
from rtp_receiver.call_stream import Segment
from rtp_receiver.log_mel import hz_of, log_mel, mel_of
from rtp_receiver.recognition import Recognition
from rtp_receiver.slin16 import Samples
from rtp_receiver.turn_judge import Judge
from rtp_receiver.turn_model import SmartTurn, TurnModelUnusable, features, load_turn_model
from rtp_receiver.whisper import RecognisedText, Utterance

FILE = STATE / "turn" / "smart-turn-v3.2-cpu.onnx"
SPEECH = (np.random.default_rng(1).normal(0, 3_000, 16_000)).astype(np.int16)
LISTEN = Listen("c1", 0.0, 3, "fr", turn_model=True, whole_silence_ms=333)
GUESS = Segment(LISTEN, 5, 2, False, "guess", SPEECH, 1.0, 2.0, 2.2)


def test_the_mel_scale_is_linear_and_then_logarithmic() -> None:
    hz = np.array([0.0, 200.0, 1_000.0, 6_400.0])
    assert mel_of(hz) == pytest.approx([0.0, 3.0, 15.0, 42.0])
    assert hz_of(mel_of(hz)) == pytest.approx(hz)


def test_a_tone_is_a_line_in_the_picture() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)
    picture = log_mel(tone)
    assert picture.shape == (80, 100)
    bands = picture[:, 10:90].argmax(axis=0)
    assert set(bands.tolist()) == {int(bands[0])}
    edges = hz_of(np.linspace(0.0, mel_of(np.array([8_000.0]))[0], 82))
    assert edges[bands[0]] < 1_000 < edges[bands[0] + 2]
    assert picture.max() - picture.min() == pytest.approx(2.0)  # 80 dB


def test_the_model_sees_the_last_eight_seconds_however_loud() -> None:
    long = np.concatenate([SPEECH] * 9)
    assert features(long).shape == (80, 800)
    assert np.array_equal(features(long), features(long[16_000:]))
    assert features(SPEECH // 2) == pytest.approx(features(SPEECH), abs=0.02)
    assert features(SPEECH)[:, :690].max() < features(SPEECH)[:, 700:].max()  # what is missing is silence in front


@pytest.mark.skipif(not FILE.is_file(), reason="scripts/fetch_turn_model.sh got no file")
def test_the_fetched_model_gives_a_probability() -> None:
    model = SmartTurn(FILE)
    known = model.finished(SPEECH)
    assert 0.0 <= known <= 1.0
    assert model.finished(SPEECH) == known
    assert model.finished(np.zeros(16_000, dtype=np.int16)) != known


def test_without_a_usable_file_there_is_no_model(tmp_path: Path) -> None:
    assert load_turn_model(tmp_path / "none.onnx") is None
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    assert load_turn_model(broken) is None
    with pytest.raises(TurnModelUnusable, match=r"broken\.onnx"):
        SmartTurn(broken)


class Melody:
    """A turn model that says what it is told, and keeps what it was asked."""

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self.asked: list[Samples] = []
        self.answered = threading.Event()

    def finished(self, samples: Samples) -> float:
        self.asked.append(samples)
        self.answered.set()
        if np.isnan(self.probability):
            raise RuntimeError("the model is broken")
        return self.probability


class SaysYes:
    async def transcribe(self, utterance: Utterance) -> RecognisedText:
        return RecognisedText("oui", 0.9, "", 0.0)


async def told(melody: Melody, *segments: Segment) -> tuple[Event, list[EndUtterance]]:
    """The first event that comes of segments that follow each other, and how soon the model lets the guess end."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    ends: list[EndUtterance] = []
    recognition = Recognition(SaysYes(), events.put_nowait, Judge(melody, ends.append))
    async with asyncio.timeout(5):
        for segment in segments:
            recognition.take("c1", segment)
            if segment.listen.turn_model:
                await asyncio.to_thread(melody.answered.wait, 5)
        first = await events.get()
    await recognition.close()
    return first, ends


async def test_who_sounds_finished_is_answered_and_ends_sooner() -> None:
    event, ends = await told(Melody(0.9), GUESS)
    assert isinstance(event, UtteranceGuessed)
    assert [structs.replace(end, at=0.0) for end in ends] == [EndUtterance("c1", 0.0, 3, 5, 2, 333)]


async def test_who_does_not_sound_finished_is_given_the_whole_silence() -> None:
    end = replace(GUESS, is_end=True, cause="silence")
    event, ends = await told(Melody(0.1), GUESS, end)
    assert isinstance(event, UtteranceTranscribed)  # nothing before the end
    assert ends == []


async def test_a_model_that_fails_has_no_say() -> None:
    event, ends = await told(Melody(float("nan")), GUESS)
    assert isinstance(event, UtteranceGuessed)
    assert ends == []


async def test_a_turn_that_does_not_want_it_is_not_judged() -> None:
    melody = Melody(0.1)
    event, _ = await told(melody, replace(GUESS, listen=structs.replace(LISTEN, turn_model=False)))
    assert isinstance(event, UtteranceGuessed)
    assert melody.asked == []
