"""People's voices: how many recordings the receiver hears at four levels, and what recognisers make of them.

    python -m benchmarks.people hear
    python -m benchmarks.people recognise --model .pronto/whisper-base [--count 100] [--languages fr,it,en]

`hear` sends every recording with words through G.711 and the receiver's own pieces (reordering, buffer, detector,
endpointing), packet by packet. It is heard when what is posted covers 70 % of what is loud in it. `recognise` takes
those with four words and more, of at most 25 s, in an order of a seed. benchmarks/people.md has the figures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.listening import RATE_HZ, heard_on
from benchmarks.people_recordings import LANGUAGES, LINE_HZ, Recording, loud_parts, on_line, recordings
from benchmarks.whisper_context import errors
from rtp_receiver.call_stream import Segment
from rtp_receiver.silero import SileroVad
from whisper_service.batcher import Again
from whisper_service.engine import WhisperEngine, load_engine
from whisper_service.phrases import normalise

LEVELS_DBFS = (-20, -26, -32, -38)
BEFORE_S, AFTER_S = 1.0, 1.5
MOST_OF_IT = 0.7
AT_ONCE = 128
LONGEST_S = 25.0


def shares_heard(vad: SileroVad, batch: Sequence[Recording], level_dbfs: float) -> list[float]:
    """Of each recording, the share of what is loud that the receiver posts to the recogniser."""
    lines = [_wide(on_line(one.samples, level_dbfs, BEFORE_S, AFTER_S, number)) for number, one in enumerate(batch)]
    spans: list[dict[int, tuple[float, float]]] = [{} for _ in batch]
    for number, event in heard_on(vad, lines):
        if isinstance(event, Segment):
            began = spans[number].get(event.utterance, (event.speech_started_at, 0.0))[0]  # of the first post
            spans[number][event.utterance] = (min(began, event.speech_started_at), event.speech_ended_at)
    return [_covered(one, list(span.values())) for one, span in zip(batch, spans, strict=True)]


def _covered(recording: Recording, spans: Sequence[tuple[float, float]]) -> float:
    times = BEFORE_S + 0.02 * (np.flatnonzero(loud_parts(recording.samples)) + 0.5)
    inside = np.zeros(len(times), bool)
    for start, end in spans:
        inside |= (start <= times) & (times <= end + 0.1)
    return float(inside.mean()) if len(times) else 0.0


def _wide(line: NDArray[np.int16]) -> NDArray[np.int16]:
    wide = soxr.resample(line.astype(np.float64), LINE_HZ, RATE_HZ)
    whole: NDArray[np.int16] = np.clip(np.round(wide), -32_768, 32_767).astype(np.int16)
    return whole


def heard_texts(engine: WhisperEngine, batch: Sequence[Recording]) -> Iterator[tuple[Recording, str, float]]:
    """Each recording with what the recogniser writes and the CPU seconds that it took."""
    for number, one in enumerate(batch):
        line = _wide(on_line(one.samples, -20.0, 0.1, 0.3, number)).astype(np.float32) / np.float32(32_768)
        began = time.process_time()
        (answer,) = engine.run([engine.job(engine.features(line), one.language)])
        if isinstance(answer, Again):
            (answer,) = engine.run([answer.job])
        yield one, "" if isinstance(answer, Again) else answer.text, time.process_time() - began


def sentences(language: str, count: int) -> list[Recording]:
    """Recordings to recognise: four words and more, not too long for one utterance."""
    found = recordings(language, least_words=4)
    return [one for one in found if len(one.samples) <= LONGEST_S * LINE_HZ][: count or None]


def hear() -> None:
    """A row per language and level."""
    vad = SileroVad()
    print("| language | recordings | level | heard | lost |\n|---|---|---|---|---|")
    for language in LANGUAGES:
        found = sorted(recordings(language), key=lambda one: len(one.samples))  # a batch lasts as long as its longest
        for level in LEVELS_DBFS:
            lost = []
            for start in range(0, len(found), AT_ONCE):
                part = found[start : start + AT_ONCE]
                shares = shares_heard(vad, part, level)
                lost += [one for one, share in zip(part, shares, strict=True) if share < MOST_OF_IT]
            names = ", ".join(f"{one.name} ({one.text[:30]})" for one in lost[:12])
            print(
                f"| {language} | {len(found)} | {level} dBFS | {1 - len(lost) / len(found):.2%} | {names} |", flush=True
            )


def recognise(model: str, languages: Sequence[str], count: int, context_s: float, beam: int, show: bool) -> None:
    """A row per language."""
    engine = load_engine(model, beam_size=beam, context_s=context_s)
    print("| language | recordings | words | word error | exact | CPU each p50, p95 |\n|---|---|---|---|---|---|")
    for language in languages:
        wrong = words = exact = 0
        costs: list[float] = []
        for one, text, cost_s in heard_texts(engine, sentences(language, count)):
            distance = errors(one.text, text)
            if distance and show:
                print(f"    {one.text}\n    {text}", flush=True)
            wrong, words, exact = wrong + distance, words + len(normalise(one.text).split()), exact + (not distance)
            costs.append(cost_s)
        p50, p95 = np.quantile(costs, [0.5, 0.95])
        print(
            f"| {language} | {len(costs)} | {words} | {wrong / words:.1%} | {exact} | {p50:.2f}, {p95:.2f} s |",
            flush=True,
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("hear", "recognise"))
    parser.add_argument("--model", default=".pronto/whisper-base")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--count", type=int, default=0, help="recordings per language; 0: all")
    parser.add_argument("--context", type=float, default=10.0, help="seconds")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    arguments = parser.parse_args()
    if arguments.what == "hear":
        hear()
    else:
        recognise(
            arguments.model,
            arguments.languages.split(","),
            arguments.count,
            arguments.context,
            arguments.beam,
            arguments.show,
        )


if __name__ == "__main__":
    main()
