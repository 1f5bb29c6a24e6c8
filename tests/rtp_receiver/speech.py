"""Real speech for tests: espeak-ng, at 16 kHz."""

import functools
import io
import subprocess
import wave

import numpy as np
import soxr

from config import STATE
from rtp_receiver.slin16 import Samples


@functools.cache
def say(text: str, voice: str = "fr") -> Samples:
    """`text` spoken, from its first to its last sound."""
    program = STATE / "espeak" / "bin" / "espeak-ng"
    command = [str(program), "-v", voice, "-s", "150", "--stdout", text]
    spoken = subprocess.run(command, capture_output=True, check=True, timeout=20).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        samples = np.frombuffer(file.readframes(-1), dtype="<i2")
        resampled: Samples = soxr.resample(samples, file.getframerate(), 16_000)
    loud = np.flatnonzero(np.abs(resampled) > 300)
    return resampled[loud[0] : loud[-1] + 1]
