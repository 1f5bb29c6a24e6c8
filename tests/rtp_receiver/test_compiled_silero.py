"""The compiled network beside the one in Python: the same probabilities, states and decisions, whatever the batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from compiled.library import library
from rtp_receiver.silero import SileroVad
from tests.rtp_receiver.test_silero import AUDIO, chunks_of, whole_file
from voice_activity.compiled_silero import CompiledSilero
from voice_activity.silero_model import load_network

LIBRARY = library()
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="nothing was compiled: no C compiler at set-up")
NETWORK = load_network()


@pytest.fixture(scope="module")
def fast() -> CompiledSilero:
    assert LIBRARY is not None
    return CompiledSilero(LIBRARY, NETWORK)


def places(chunks: NDArray[np.int16]) -> NDArray[np.uint64]:
    return np.array([row.ctypes.data for row in chunks], dtype=np.uint64)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.0, 40_000.0), st.booleans())
@settings(deadline=None, max_examples=40)
def test_one_step_gives_what_python_gives(
    fast: CompiledSilero, streams: int, seed: int, level: float, swapped: bool
) -> None:
    random = np.random.default_rng(seed)
    chunks = np.clip(random.normal(0, level, (streams, 512)), -32_768, 32_767).astype(np.int16)
    h, c = (random.normal(0, 0.5, (streams + 3, 128)).astype(np.float32) for _ in range(2))
    context = np.clip(random.normal(0, 0.3, (streams + 3, 64)), -1, 1).astype(np.float32)
    rows = random.permutation(streams + 3)[:streams]
    windows = np.concatenate([context[rows], chunks * np.float32(1 / 32_768)], axis=1)
    expected, expected_h, expected_c = NETWORK(windows, h[rows], c[rows])
    before = h.copy()
    sent = chunks.byteswap() if swapped else chunks
    found = fast.step(rows, places(sent), swapped, h, c, context)
    assert np.allclose(found, expected, atol=2e-5)
    assert np.allclose(h[rows], expected_h, atol=2e-5)
    assert np.allclose(c[rows], expected_c, atol=1e-4)
    assert np.array_equal(context[rows], windows[:, -64:])
    others = np.setdiff1d(np.arange(streams + 3), rows)
    assert np.array_equal(h[others], before[others])


def test_sentences_give_what_the_model_as_shipped_gives() -> None:
    for audio in AUDIO:
        vad = SileroVad(rests=False)
        stream = vad.open()
        heard = [vad.step([stream], chunk[None])[0] for chunk in chunks_of(audio)]
        assert np.allclose(heard, whole_file(audio), atol=1e-5)


def test_with_rests_both_say_the_same_of_long_calls() -> None:
    """Rounding does not add up over a call with pauses; each stream is decided as in Python at every chunk."""
    long = np.concatenate([chunks_of(np.concatenate([audio, np.zeros(40 * 512, np.int16)])) for audio in AUDIO])
    fast, slow = SileroVad(), SileroVad(compiled=False)
    ours, theirs = fast.open(), slow.open()
    pairs = np.array([(fast.step([ours], chunk[None])[0], slow.step([theirs], chunk[None])[0]) for chunk in long])
    assert pairs[:, 1].max() > 0.9
    assert np.allclose(pairs[:, 0], pairs[:, 1], atol=1e-5)


def test_a_stream_does_not_depend_on_its_neighbours(fast: CompiledSilero) -> None:
    random = np.random.default_rng(5)
    chunks = random.normal(0, 4_000, (70, 512)).astype(np.int16)
    h, c, context = (np.zeros((70, size), np.float32) for size in (128, 128, 64))
    together = fast.step(np.arange(70), places(chunks), False, h, c, context)
    for n in (0, 31, 32, 69):
        alone = [np.zeros((1, size), np.float32) for size in (128, 128, 64)]
        one = fast.step(np.zeros(1, np.int64), places(chunks[n : n + 1]), False, *alone)
        assert abs(one[0] - together[n]) < 1e-6
        assert np.allclose(alone[0][0], h[n], atol=1e-6)
