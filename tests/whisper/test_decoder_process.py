"""Foreign files are decoded elsewhere: the same samples, and nothing that a file does to its decoder reaches us."""

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from tests.whisper.test_audio import coded, tone, wav
from whisper_service.audio import BadAudio, decode
from whisper_service.decoder_process import DecoderProcess


@pytest.fixture
def decoder() -> Iterator[DecoderProcess]:
    decoder = DecoderProcess()
    yield decoder
    decoder.close()


def process_of(decoder: DecoderProcess) -> int:
    assert decoder.pid is not None
    return decoder.pid


def test_the_samples_are_the_same_as_here(decoder: DecoderProcess) -> None:
    for file in (coded("flac", "flac", 16_000), coded("wav", "adpcm_ima_wav", 8_000), coded("flac", "flac", 16_000)):
        assert np.array_equal(decode(file, read=decoder.read), decode(file))


def test_plain_wav_needs_no_process(decoder: DecoderProcess) -> None:
    assert decode(wav(tone()), read=decoder.read).size == tone().size
    assert decoder.pid is None


def test_faults_come_back_as_they_were(decoder: DecoderProcess) -> None:
    for data, fault in ((b"no audio", "not_audio"), (coded("flac", "flac", 16_000)[:60], "not_audio")):
        with pytest.raises(BadAudio) as caught:
            decode(data, read=decoder.read)
        assert caught.value.fault == fault
    with pytest.raises(BadAudio) as caught:
        decode(coded("flac", "flac", 16_000), 0.1, decoder.read)
    assert caught.value.fault == "too_long"


def test_a_decoder_that_hangs_is_ended_and_the_next_file_is_read() -> None:
    decoder = DecoderProcess(longest_s=0.5)
    file = coded("flac", "flac", 16_000)
    decode(file, read=decoder.read)
    os.kill(process_of(decoder), signal.SIGSTOP)
    with pytest.raises(BadAudio) as caught:
        decode(file, read=decoder.read)
    assert caught.value.fault == "too_slow"
    assert decode(file, read=decoder.read).size
    decoder.close()


def test_a_decoder_that_dies_takes_nobody_along(decoder: DecoderProcess) -> None:
    file = coded("flac", "flac", 16_000)
    decode(file, read=decoder.read)
    pid = process_of(decoder)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert decode(file, read=decoder.read).size
    assert process_of(decoder) != pid
