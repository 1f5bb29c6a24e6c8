"""A loud caller on an overdriven line: clipped before G.711, and still heard by receiver and Whisper service."""

import numpy as np
import pytest

from callers.rtp_audio import from_ulaw, to_ulaw
from rtp_receiver.call_stream import Segment
from rtp_receiver.silero import softened
from rtp_receiver.slin16 import Samples
from tests.rtp_receiver.speech import say
from tests.rtp_receiver.test_loudspeaker import heard
from whisper_service.guards import find_voice, refuse_sound, refuse_voice
from whisper_service.sound import listen
from whisper_service.voice_gate import VoiceGate

ANSWERS = ("oui", "non", "je suis propriétaire", "au gaz", "demain à quatorze heures")


def overdriven(text: str, gain_db: float) -> Samples:
    """A sentence at 16 kHz with silence around it, so much too loud, through G.711."""
    spoken = say(text).astype(np.float64) / 32_768
    loud = np.clip(spoken * 10 ** (gain_db / 20), -1, 1)
    coded = from_ulaw(to_ulaw(np.round(loud * 32_767).astype(np.int16)))  # both at 16 kHz: only the clipping matters
    return np.concatenate([np.zeros(16_000, np.int16), coded.astype(np.int16), np.zeros(16_000, np.int16)])


@pytest.mark.parametrize("gain_db", [0, 20, 30])
@pytest.mark.parametrize("text", ANSWERS)
def test_an_overdriven_answer_is_heard(text: str, gain_db: float) -> None:
    segments = [event for event in heard(overdriven(text, gain_db), []) if isinstance(event, Segment) and event.is_end]
    assert segments
    assert len(segments[0].samples) >= len(say(text))


@pytest.mark.parametrize("gain_db", [0, 20, 30])
@pytest.mark.parametrize("text", ANSWERS[2:])
def test_the_voice_gate_hears_an_overdriven_sentence(text: str, gain_db: float) -> None:
    clip = overdriven(text, gain_db).astype(np.float32) / np.float32(32_768)
    assert not refuse_voice(find_voice(VoiceGate().probabilities(clip)))
    assert not refuse_sound(listen(clip))


def test_only_overdriven_chunks_are_softened() -> None:
    usual = np.round(3_000 * np.sin(np.arange(512) / 9)).astype(np.int16)
    click = np.zeros(512, np.int16)
    click[100] = 32_767
    square = (30_000 * np.sign(np.sin(np.arange(512) / 9))).astype(np.int16)
    chunks = np.stack([usual, square, click])
    result = softened(chunks)
    assert np.array_equal(result[[0, 2]], chunks[[0, 2]])
    assert np.sqrt(np.mean(result[1].astype(float) ** 2)) == pytest.approx(3_277, abs=2)
    assert chunks[1, 1] == 30_000, "what was given stays as it was"
