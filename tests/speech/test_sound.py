"""What an engine makes becomes what a telephone plays."""

import io
import wave

import numpy as np
import pytest

from audio_prompts.loudness import LEVEL_DBFS, level_dbfs
from speech_service.sound import Samples, TelephoneLine, gain_for, mulaw, silence, wav


def tone(hz: float, seconds: float, rate_hz: int = 16_000, size: float = 6_000) -> Samples:
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.round(size * np.sin(2 * np.pi * hz * times)).astype(np.int16)


def through(line: TelephoneLine, samples: Samples, rate_hz: int, step: int) -> Samples:
    out = [line.push(samples[at : at + step], rate_hz) for at in range(0, len(samples), step)]
    return np.concatenate([*out, line.end()])


@pytest.mark.parametrize("step", [37, 640, 100_000])
def test_the_same_sound_whatever_the_pieces(step: int) -> None:
    made = np.concatenate([silence(200, 16_000), tone(1_000, 1.0), silence(300, 16_000), tone(700, 0.5)])
    whole = through(TelephoneLine(8_000, 0.0), made, 16_000, 10**6)
    pieces = through(TelephoneLine(8_000, 0.0), made, 16_000, step)
    assert len(pieces) == pytest.approx(len(whole), abs=2)
    size = min(len(pieces), len(whole))
    assert np.abs(pieces[:size].astype(int) - whole[:size]).max() < 300


def test_silence_around_goes_and_silence_inside_stays() -> None:
    made = np.concatenate(
        [silence(700, 16_000), tone(1_000, 1.0), silence(300, 16_000), tone(700, 0.5), silence(900, 16_000)]
    )
    out = through(TelephoneLine(8_000, 0.0), made, 16_000, 640)
    assert len(out) / 8 == pytest.approx(10 + 1_000 + 300 + 500, abs=25)


def test_what_a_telephone_does_not_carry_is_gone() -> None:
    for hz in (60.0, 120.0, 3_800.0):
        out = through(
            TelephoneLine(8_000, 0.0), np.concatenate([tone(1_000, 0.2), tone(hz, 1.0), tone(1_000, 0.2)]), 16_000, 640
        )
        middle = out[len(out) // 2 - 1_000 : len(out) // 2 + 1_000].astype(float)
        assert np.sqrt((middle**2).mean()) < 0.06 * 6_000, hz


@pytest.mark.parametrize("size", [800, 3_000, 20_000])
@pytest.mark.parametrize("tilt_db", [0.0, 9.0])
def test_a_gain_brings_a_voice_to_the_level_of_the_prompts(size: int, tilt_db: float) -> None:
    noise = np.random.default_rng(3).normal(0, size / 4, 32_000).clip(-32_768, 32_767).astype(np.int16)
    gain = gain_for([(noise, 16_000)], 8_000, tilt_db)
    out = through(TelephoneLine(8_000, gain, tilt_db), noise, 16_000, 640)
    assert level_dbfs(out.astype(np.float32) / np.float32(32_768), 8_000) == pytest.approx(LEVEL_DBFS, abs=1.0)


def test_mulaw_is_that_of_the_recommendation() -> None:
    # ITU-T G.711: the ends and the middle of its table
    assert mulaw(np.array([0, -1, 32_767, -32_768, 1_000, -1_000], np.int16)) == bytes(
        [0xFF, 0x7F, 0x80, 0x00, 0xCE, 0x4E]
    )


def test_a_wav_says_what_it_is() -> None:
    with wave.open(io.BytesIO(wav(tone(500, 0.5), 16_000))) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 8_000)
