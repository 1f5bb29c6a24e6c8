"""Audio files to samples and back: any format to mono at 8 kHz, samples to the WAV that Asterisk plays and to Opus."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import soxr

from audio_prompts.catalogue import SAMPLE_RATE_HZ, BadPromptAudio
from audio_prompts.loudness import Samples

OPUS_BITS_PER_S = 32_000
CANCELLED_DB = 20.0
"""A mix that is so far below the louder channel is no mix: the channels cancel each other out."""


def read_audio(file: Path) -> Samples:
    """Any audio file as mono float32 samples at 8 kHz. Raises BadPromptAudio."""
    try:
        with av.open(str(file)) as container:
            if not container.streams.audio:
                raise BadPromptAudio(f"{file}: holds no audio")
            rate_hz = int(container.streams.audio[0].rate)
            planes = av.AudioResampler(format="fltp", rate=rate_hz)
            frames = [piece for frame in container.decode(audio=0) for piece in planes.resample(frame)]
            frames += planes.resample(None)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadPromptAudio(f"{file}: {error}") from error
    if not frames:
        raise BadPromptAudio(f"{file}: is empty")
    samples = mono(np.concatenate([frame.to_ndarray() for frame in frames], axis=1).astype(np.float32))
    if not np.isfinite(samples).all():
        raise BadPromptAudio(f"{file}: holds numbers that are none")
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    return resampled


def mono(channels: Samples) -> Samples:
    """Channels (rows) as one: their mean, or the loudest alone where they cancel each other out (one is wired the wrong
    way round)."""
    mixed: Samples = channels.mean(axis=0, dtype=np.float32)
    powers = (channels.astype(np.float64) ** 2).mean(axis=1)
    loudest: Samples = channels[int(powers.argmax())]
    is_cancelled = float((mixed.astype(np.float64) ** 2).mean()) < powers.max() * 10 ** (-CANCELLED_DB / 10)
    return loudest if is_cancelled else mixed


def wav_bytes(samples: Samples) -> bytes:
    """The file that Asterisk plays without conversion: 8 kHz, 16 bit, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(samples * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def opus_bytes(samples: Samples, rate_hz: int) -> bytes:
    """Samples in [-1, 1] as an Ogg Opus file, 32 kbit/s: 4 kB a second, and more than a telephone lets through."""
    buffer = io.BytesIO()
    # without bitexact each file would have a number of its own in it, and differ from render to render
    with av.open(buffer, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout="mono", options={"application": "voip"})
        stream.bit_rate = OPUS_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(np.round(samples * 32_767).astype(np.int16)[None, :], "s16", "mono")
        frame.sample_rate = rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return buffer.getvalue()
