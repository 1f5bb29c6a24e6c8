"""The voice gate on real sounds: the shipped utterance is speech, noise and tones are not."""

import numpy as np

from tests.whisper.serving import SPEECH
from whisper_service.audio import decode
from whisper_service.guards import find_voice, refuse_voice
from whisper_service.sound import listen
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
        clip = samples.astype(np.float32)
        assert refuse_voice(find_voice(GATE.probabilities(clip))) == "no_speech"
        assert refuse_voice(find_voice(GATE.excerpt(clip, listen(clip).loudest_at), clip_s=2.0)) == "no_speech"


def test_the_loudest_part_of_speech_is_enough() -> None:
    samples = np.concatenate([np.zeros(80_000, np.float32), decode(SPEECH), np.zeros(40_000, np.float32)])
    sound = listen(samples)
    excerpt = GATE.excerpt(samples, sound.loudest_at)
    assert excerpt.shape == (8,)
    voice, whole = find_voice(excerpt, clip_s=sound.duration_s), find_voice(GATE.probabilities(samples))
    assert refuse_voice(voice) == ""
    assert voice.speech_s <= whole.speech_s
    assert voice.share <= whole.share
    assert abs(sound.loud_s - whole.span_s) < 0.3


def test_an_excerpt_stays_inside_the_clip() -> None:
    samples = decode(SPEECH)
    assert np.array_equal(GATE.excerpt(samples, 0), GATE.excerpt(samples, 5 * STEP))
    assert GATE.excerpt(samples, samples.size).shape == (8,)
    assert GATE.excerpt(samples[:1_000], 900).shape == (2,)


def test_a_clip_shorter_than_a_step_and_the_same_clip_twice() -> None:
    samples = decode(SPEECH)
    assert GATE.probabilities(samples[:100]).shape == (1,)
    assert np.array_equal(GATE.probabilities(samples), GATE.probabilities(samples)), "calls must not share a state"
