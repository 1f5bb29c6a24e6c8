"""Does the turn model tell a pause from an end? Its verdict at every pause and end of the simulated callers' lines.

    python -m benchmarks.turn_model

Each line is heard as the receiver hears it after a little silence: at every pause up to there, at its end as a whole.
The lines are those of the caller's seat (`seat_callers`), spoken by espeak-ng, over G.711.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import soxr

from benchmarks.seat_analysis import RATE_HZ, Samples
from benchmarks.seat_callers import HESITANT, PLAIN
from callers.caller_voice import PAUSE, speak
from callers.rtp_audio import from_ulaw, to_ulaw
from callers.script import Caller, SpokenLine
from config import ReceiverSettings, load
from rtp_receiver.turn_model import load_turn_model

VOICES = ("fr", "fr+f2", "fr+m3")
BEFORE_MS, AFTER_MS = 250, 200


def heard(samples: Samples) -> Samples:
    """8 kHz as said to 16 kHz as posted, with pre-roll and the silence that made us ask."""
    line = from_ulaw(to_ulaw(samples)).astype(np.float64)
    padded = np.pad(line, (RATE_HZ * BEFORE_MS // 1_000, RATE_HZ * AFTER_MS // 1_000))
    resampled: Samples = soxr.resample(padded, RATE_HZ, 16_000).astype(np.int16)
    return resampled


def main() -> int:
    """Prints how well the two are told apart."""
    model = load_turn_model(load(ReceiverSettings).turn_model)
    if model is None:
        print("no turn model: scripts/fetch_turn_model.sh", file=sys.stderr)
        return 1
    pauses: list[float] = []
    ends: list[float] = []
    began = time.monotonic()
    lines = {line for kind in (PLAIN, HESITANT) for answers in kind.values() for line in answers}
    for line in sorted(lines):
        pieces = PAUSE.split(line.replace("<*>", "<400>"))
        for voice in VOICES:
            caller = Caller(voice)
            for end in range(1, len(pieces), 2):
                begin = "".join(f"<{piece}>" if n % 2 else piece for n, piece in enumerate(pieces[:end]))
                pauses.append(model.finished(heard(speak(SpokenLine(begin + "<20>"), caller))))
            ends.append(model.finished(heard(speak(SpokenLine(line.replace("<*>", "<400>")), caller))))
    took_ms = (time.monotonic() - began) * 1_000 / (len(pauses) + len(ends))
    at_end, at_pause = np.array(ends), np.array(pauses)
    higher = (at_end[:, None] > at_pause[None]).mean() + 0.5 * (at_end[:, None] == at_pause[None]).mean()
    print(f"{len(ends)} ends, {len(pauses)} pauses, {took_ms:.0f} ms each with all preparation")
    print(f"an end is given the higher probability than a pause in {100 * higher:.0f} % of all pairs (50 %: by chance)")
    for threshold in (0.1, 0.3, 0.5, 0.7, 0.9):
        taken, cut = 100 * (at_end >= threshold).mean(), 100 * (at_pause >= threshold).mean()
        print(f"finished from {threshold:.1f}: {taken:3.0f} % of the ends, {cut:3.0f} % of the pauses")
    return 0


if __name__ == "__main__":
    sys.exit(main())
