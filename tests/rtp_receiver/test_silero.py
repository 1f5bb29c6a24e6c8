"""Silero on real speech: many streams in one call give what one stream alone gives, and what the whole file gives."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtp_receiver.silero import SileroVad
from rtp_receiver.slin16 import Samples, to_float
from scripts.take_silero import ONNX_FILE, weights_of
from tests.rtp_receiver.packets import silence
from tests.rtp_receiver.speech import say
from voice_activity.silero_model import WEIGHTS, ModelUnusable, load_network
from voice_activity.silero_network import (
    CHUNK_SAMPLES,
    CONTEXT_SAMPLES,
    SHAPES,
    SileroNetwork,
    WrongWeights,
    windows_of,
)

SESSION = onnxruntime.InferenceSession(str(ONNX_FILE), providers=["CPUExecutionProvider"])
"""The model as shipped, in a runtime of others: what ours is compared with."""
NETWORK = load_network()


def chunks_of(samples: Samples) -> NDArray[np.int16]:
    return samples[: len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES].reshape(-1, CHUNK_SAMPLES)


def whole_file(samples: Samples) -> NDArray[np.float32]:
    """All steps in one call of the model as shipped: its first axis is time."""
    new = to_float(chunks_of(samples))
    context = np.vstack([np.zeros((1, CONTEXT_SAMPLES), np.float32), new[:-1, -CONTEXT_SAMPLES:]])
    zero = np.zeros((1, 1, 128), np.float32)
    result: NDArray[np.float32] = SESSION.run(None, {"input": np.hstack([context, new]), "h": zero, "c": zero})[0]
    return result


SENTENCES = ["oui bonjour", "je suis propriétaire d'une maison", "soixante-quinze mille onze", "non merci au revoir"]
AUDIO = [np.concatenate([silence(0.3 + 0.1 * n), say(text), silence(1.5)]) for n, text in enumerate(SENTENCES)]


def test_streaming_gives_what_the_whole_file_gives() -> None:
    vad = SileroVad(rests=False)
    stream = vad.open()
    streamed = [vad.step([stream], chunk[None])[0] for chunk in chunks_of(AUDIO[1])]
    assert np.allclose(streamed, whole_file(AUDIO[1]), atol=1e-5)


def test_streams_in_one_batch_do_not_mix() -> None:
    vad = SileroVad(rests=False)
    streams = [vad.open() for _ in AUDIO]
    pieces = [chunks_of(audio) for audio in AUDIO]
    got: list[list[float]] = [[] for _ in AUDIO]
    for step in range(max(map(len, pieces))):
        live = [n for n in reversed(range(len(AUDIO))) if step < len(pieces[n])]
        probabilities = vad.step([streams[n] for n in live], np.stack([pieces[n][step] for n in live]))
        for n, probability in zip(live, probabilities, strict=True):
            got[n].append(float(probability))
    for audio, streamed in zip(AUDIO, got, strict=True):
        assert np.allclose(streamed, whole_file(audio), atol=1e-5)


def test_speech_is_speech_and_silence_is_not() -> None:
    probabilities = whole_file(AUDIO[1])
    assert probabilities[:8].max() < 0.2
    assert probabilities.max() > 0.9
    assert probabilities[-20:].max() < 0.2
    vad = SileroVad()
    stream = vad.open()
    noise = np.random.default_rng(1).normal(0, 300, 32 * CHUNK_SAMPLES).astype(np.int16)
    assert max(float(vad.step([stream], chunk[None])[0]) for chunk in chunks_of(noise)) < 0.35


def test_a_number_that_is_used_again_starts_fresh() -> None:
    vad = SileroVad(rests=False)
    first = vad.open()
    for chunk in chunks_of(AUDIO[0]):
        vad.step([first], chunk[None])
    vad.close(first)
    again = vad.open()
    assert again == first
    assert vad.step([again], chunks_of(AUDIO[2])[:1])[0] == pytest.approx(whole_file(AUDIO[2])[0], abs=1e-6)


def test_more_streams_than_expected_keep_their_state() -> None:
    vad, pieces = SileroVad(rests=False), chunks_of(AUDIO[3])
    early = vad.open()
    got = [float(vad.step([early], pieces[:1])[0])]
    others = [vad.open() for _ in range(40)]
    assert len({early, *others}) == 41
    got += [float(vad.step([early], chunk[None])[0]) for chunk in pieces[1:]]
    assert np.allclose(got, whole_file(AUDIO[3]), atol=1e-5)


def test_the_weights_are_those_of_the_file_that_faster_whisper_ships() -> None:
    with np.load(WEIGHTS) as ours:
        theirs = weights_of(ONNX_FILE)
        assert set(ours) == set(theirs)
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", None])
def test_another_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.npz"
    if content is None:
        np.savez(path, x=np.zeros(1))
    else:
        path.write_bytes(content)
    with pytest.raises(ModelUnusable, match="other"):
        load_network(path)


def test_a_transform_that_cannot_be_folded_is_refused() -> None:
    weights = {name: np.ones(shape, dtype=np.float32) for name, shape in SHAPES.items()}
    with pytest.raises(WrongWeights, match="even in its cosines"):
        SileroNetwork(weights)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1), st.floats(0.0, 3.0))
@settings(deadline=None, max_examples=40)
def test_the_network_gives_what_the_onnx_file_gives(streams: int, seed: int, level: float) -> None:
    random = np.random.default_rng(seed)
    windows = np.clip(random.normal(0, level, (streams, 576)), -1, 1).astype(np.float32)
    h, c = (random.normal(0, 0.5, (streams, 128)).astype(np.float32) for _ in range(2))
    found = NETWORK(windows, h, c)
    for n in range(streams):
        feed = {"input": windows[n : n + 1], "h": h[None, n : n + 1], "c": c[None, n : n + 1]}
        expected = SESSION.run(None, feed)
        # the cell state is a sum without bound: float32 rounds it at its own size
        for mine, theirs, atol in zip(found, expected, (2e-5, 2e-5, 1e-4), strict=True):
            assert np.allclose(mine[n], np.squeeze(theirs), atol=atol)


def test_many_steps_of_one_stream_at_once_give_what_the_whole_file_gives() -> None:
    zero = np.zeros(128, np.float32)
    samples = to_float(chunks_of(AUDIO[2])).reshape(-1)
    windows = windows_of(samples)
    whole, h, c = NETWORK.along(windows, zero, zero)
    assert np.allclose(whole, whole_file(AUDIO[2]), atol=1e-5)
    first, first_h, first_c = NETWORK.along(windows[:20], zero, zero)
    rest, rest_h, rest_c = NETWORK.along(windows[20:], first_h, first_c)
    assert np.allclose(np.concatenate([first, rest]), whole, atol=1e-6)
    assert np.allclose(rest_h, h, atol=1e-6)
    assert np.allclose(rest_c, c, atol=1e-5)


@pytest.mark.parametrize("silence_s", [1.0, 12.0, 40.0])
def test_a_short_answer_after_a_long_silence_is_heard(silence_s: float) -> None:
    """The prompts of a call are silence on the caller's side; the detector must not drift meanwhile."""
    vad = SileroVad()
    for text in ("oui", "non", "si", "bonjour"):
        stream = vad.open()
        audio = np.concatenate([silence(silence_s), say(text), silence(0.3)])
        heard = [float(vad.step([stream], chunk[None])[0]) for chunk in chunks_of(audio)]
        assert sum(probability >= 0.4 for probability in heard) >= 3, (text, max(heard))
        assert max(heard[: int(silence_s * 31)]) < 0.2
        vad.close(stream)
