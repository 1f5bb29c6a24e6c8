"""Sample formats."""

import io
import wave

import numpy as np

from rtp_receiver.slin16 import payload_of, samples_of, to_float, wav_bytes

SAMPLES = np.array([0, 1, -1, 32_767, -32_768, 258], dtype=np.int16)


def test_payloads_are_big_endian() -> None:
    assert payload_of(SAMPLES[[1, 5]]) == b"\x00\x01\x01\x02"
    assert samples_of(payload_of(SAMPLES)).tolist() == SAMPLES.tolist()


def test_floats_are_from_minus_one_to_just_below_one() -> None:
    floats = to_float(SAMPLES)
    assert floats.dtype == np.float32
    assert floats.tolist() == [0, 1 / 32_768, -1 / 32_768, 32_767 / 32_768, -1, 258 / 32_768]


def test_a_wav_is_what_the_standard_library_reads() -> None:
    with wave.open(io.BytesIO(wav_bytes(SAMPLES))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert np.frombuffer(file.readframes(100), dtype="<i2").tolist() == SAMPLES.tolist()
