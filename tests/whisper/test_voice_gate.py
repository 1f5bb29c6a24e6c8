"""The voice gate on real sounds: the shipped utterance is speech, noise and tones are not."""

import numpy as np

from tests.whisper.serving import SPEECH
from whisper_service.audio import decode
from whisper_service.guards import find_voice, refuse_voice
from whisper_service.voice_gate import STEP, VoiceGate

GATE = VoiceGate()


def test_speech_is_found_where_it_is() -> None:
    samples = decode(SPEECH)
    probabilities = GATE.probabilities(samples)
    assert probabilities.shape == (-(-samples.size // STEP),)
    voice = find_voice(probabilities)
    assert refuse_voice(voice) == ""
    assert 1.0 < voice.speech_s < samples.size / 16_000
    assert probabilities[:3].max() < 0.5


def test_noise_and_tones_are_no_speech() -> None:
    random = np.random.default_rng(0)
    for samples in (0.1 * random.standard_normal(32_000), 0.3 * np.sin(np.arange(32_000) * 0.17), np.zeros(32_000)):
        assert refuse_voice(find_voice(GATE.probabilities(samples.astype(np.float32)))) == "no_speech"


def test_a_clip_shorter_than_a_step_and_the_same_clip_twice() -> None:
    samples = decode(SPEECH)
    assert GATE.probabilities(samples[:100]).shape == (1,)
    assert np.array_equal(GATE.probabilities(samples), GATE.probabilities(samples)), "calls must not share a state"
