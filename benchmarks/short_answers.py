"""Bare "oui", "no", "yes": how many of them does the receiver take for something that was said?

    python -m benchmarks.short_answers development            # the voices that thresholds are chosen with
    python -m benchmarks.short_answers held-out --json .pronto/short_answers.json
    python -m benchmarks.short_answers held-out --recogniser .pronto/whisper-base --of 40

Each word is spoken at eight alignments within the detector's chunks, at five levels, on four lines: quiet, with noise,
with mains hum, and on a speaker phone, where the question's echo comes first and the room answers the caller's voice.
Every clip goes through G.711 and then, packet by packet and faster than real time, through the receiver's own pieces:
reordering, buffer, detector, endpointing. A word is lost when nothing is posted to the recogniser that holds most of
it. With `--recogniser`, every so-manieth word that is posted is recognised, through the Whisper service's own path.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from benchmarks.listening import PACKET, heard_on
from benchmarks.spoken import wav
from benchmarks.word_voices import RATE_HZ, SETS, Floats, Word, words
from callers.rtp_audio import from_ulaw, to_ulaw
from config import ROOT
from rtp_receiver.call_stream import CallStream, Segment
from rtp_receiver.silero import SileroVad
from whisper_service.batcher import Batcher
from whisper_service.engine import load_engine
from whisper_service.jobs import Decoded, Job
from whisper_service.phrases import normalise
from whisper_service.service import load_families
from whisper_service.transcriber import Transcriber, TranscriptionRequest

LINE_HZ = 8_000
LEVELS_DBFS = (-20, -25, -30, -35, -40)
ALIGNMENTS = 8
LINES = ("quiet", "noise", "hum", "speaker phone")
BEFORE_S, AFTER_S = 2.0, 1.2
PAUSE_S = 0.3
"""Between the end of the question and the answer."""
NOISE_DB, HUM_DB, ECHO_DB = -15, -12, -24
"""Noise and hum against the word; the question's echo against the question, which is said at `QUESTION_DBFS`."""
QUESTION_DBFS = -20
ECHO_DELAY_S = 0.15
MOST_OF_IT = 0.7
AT_ONCE = 256
BAND = butter(4, (300, 3_400), "bandpass", fs=LINE_HZ, output="sos")


@dataclass(frozen=True)
class Case:
    """One word on one line. `samples` int16 at 16 kHz as Asterisk sends them, the word from `first` to `last`; the bot
    speaks until `question_end`."""

    word: Word
    line: str
    level_dbfs: int
    alignment: int
    samples: NDArray[np.int16]
    first: int
    last: int
    question_end: int


@dataclass(frozen=True)
class Heard:
    """What came of a case: the audio that would be posted last, empty when nothing would be."""

    case: Case
    posted: NDArray[np.int16]
    faint: bool


def on_line(
    word: Word, line: str, level_dbfs: int, alignment: int, question: Floats, draw: np.random.Generator
) -> Case:
    """A word as it arrives. `question`: at 8 kHz, loudest 1; `alignment` in eighths of a chunk."""
    said = sosfilt(BAND, soxr.resample(word.samples, RATE_HZ, LINE_HZ))
    length = len(said)  # without the room's answer
    if line == "speaker phone":
        said = fftconvolve(said, room(draw))
    said = said * (10 ** (level_dbfs / 20) / active_rms(said))
    at = round((BEFORE_S + PAUSE_S) * LINE_HZ) + alignment * 32
    audio = np.zeros(at + len(said) + round(AFTER_S * LINE_HZ))
    audio[at : at + len(said)] += said
    word_level = 10 ** (level_dbfs / 20)
    t = np.arange(len(audio)) / LINE_HZ
    audio += draw.normal(0, 10 ** (-70 / 20), len(audio))
    if line == "noise":
        noise = sosfilt(BAND, draw.normal(0, 1, len(audio)))
        audio += noise * (word_level * 10 ** (NOISE_DB / 20) / float(np.sqrt(np.mean(noise**2))))
    elif line == "hum":
        hum = np.sum([np.sin(2 * np.pi * 50 * k * t + draw.uniform(0, 6)) / k for k in range(1, 12)], axis=0)
        audio += hum * (word_level * 10 ** (HUM_DB / 20) / float(np.sqrt(np.mean(hum**2))))
    elif line == "speaker phone":
        end = round((BEFORE_S + ECHO_DELAY_S) * LINE_HZ)
        echo = fftconvolve(question, room(draw))[-end:]
        audio[end - len(echo) : end] += echo * 10 ** ((QUESTION_DBFS + ECHO_DB) / 20) / active_rms(question)
    pcm = np.round(np.clip(audio, -1, 1) * 32_767).astype(np.int16)
    line_audio = from_ulaw(to_ulaw(pcm)).astype(np.float64)
    arrived = np.clip(np.round(soxr.resample(line_audio, LINE_HZ, RATE_HZ)), -32_768, 32_767).astype(np.int16)
    return Case(word, line, level_dbfs, alignment, arrived, 2 * at, 2 * (at + length), round(BEFORE_S * RATE_HZ))


def room(draw: np.random.Generator, seconds: float = 0.25) -> Floats:
    """The answer of a room to a click: the sound itself, and echoes that fade to a thousandth in that time."""
    t = np.arange(int(seconds * LINE_HZ)) / LINE_HZ
    echoes = draw.normal(0, 1, len(t)) * 10 ** (-3 * t / seconds)
    echoes *= 0.7 / float(np.sqrt(np.sum(echoes**2)))
    echoes[0] += 1.0
    return np.asarray(echoes)


def active_rms(samples: Floats) -> float:
    """Level of what is louder than a twentieth of the loudest."""
    active = samples[np.abs(samples) > 0.05 * np.abs(samples).max()]
    return float(np.sqrt(np.mean(active**2))) + 1e-12


def cases(name: str, seed: int) -> Iterator[Case]:
    """All words of a set of voices, on all lines."""
    found = list(words(name))
    question = sosfilt(BAND, soxr.resample(_question(), RATE_HZ, LINE_HZ))
    for number, word in enumerate(found):
        draw = np.random.default_rng([seed, number])
        for line in LINES:
            for level_dbfs in LEVELS_DBFS:
                for alignment in range(ALIGNMENTS):
                    yield on_line(word, line, level_dbfs, alignment, question, draw)


def _question() -> Floats:
    from benchmarks.word_voices import spoken, trimmed

    return trimmed(spoken("espeak", "fr+f3", "Bonjour, voulez-vous savoir si votre maison a droit à une aide ?"))


def listen_to(vad: SileroVad, batch: Sequence[Case]) -> list[Heard]:
    """What the receiver makes of each case, fed packet by packet."""
    posted: list[Segment | None] = [None] * len(batch)

    def ask(number: int, at: int, stream: CallStream) -> None:
        if at == 0:
            stream.bot_speaks(True)
        if batch[number].question_end <= at < batch[number].question_end + PACKET:
            stream.bot_speaks(False)

    for number, event in heard_on(vad, [case.samples for case in batch], ask):
        if isinstance(event, Segment) and holds(event, batch[number]):
            posted[number] = event
    nothing = np.zeros(0, np.int16)
    return [
        Heard(case, nothing if segment is None else segment.samples, segment is not None and segment.faint)
        for case, segment in zip(batch, posted, strict=True)
    ]


def holds(segment: Segment, case: Case) -> bool:
    """Whether most of the word is in the audio: found by where the audio lies in the stream."""
    middle = (case.first + case.last) // 2
    needle = case.samples[middle - 160 : middle + 160]
    at = _find(segment.samples, needle)
    if at < 0:
        return False
    start = middle - 160 - at
    inside = min(case.last, start + len(segment.samples)) - max(case.first, start)
    return inside >= MOST_OF_IT * (case.last - case.first)


def _find(hay: NDArray[np.int16], needle: NDArray[np.int16]) -> int:
    return hay.tobytes().find(needle.tobytes()) // 2


# --- the report ---


def report(heard: Sequence[Heard]) -> dict[str, dict[str, tuple[int, int]]]:
    """Lost and all, by whatever may explain it."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for one in heard:
        case = one.case
        keys = {
            "all": "all",
            "line": case.line,
            "level": f"{case.level_dbfs} dBFS",
            "word": f"{case.word.language} {case.word.text}",
            "voice": case.word.voice,
        }
        for kind, key in keys.items():
            lost, count = found.setdefault(kind, {}).get(key, (0, 0))
            found[kind][key] = (lost + (not len(one.posted)), count + 1)
    return found


def show(figures: dict[str, dict[str, tuple[int, int]]]) -> None:
    """The tables of a report."""
    for kind, rows in figures.items():
        print(f"\n{kind}")
        for key, (lost, count) in rows.items():
            print(f"  {key:24} {lost:6d} of {count:6d} lost  {100 * lost / count:6.2f} %")


async def recognise(folder: Path, heard: Sequence[Heard], every: int) -> None:
    """What the Whisper service makes of every so-manieth posted word."""
    engine = load_engine(str(folder))
    batcher = Batcher[Job, Decoded](engine)
    transcriber = Transcriber(engine, batcher, load_families(ROOT / "flows"), engine.notes.limits, 30.0)
    came: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    posted = [one for one in heard if len(one.posted)][::every]
    for number, one in enumerate(posted):
        language = one.case.word.language if one.case.word.language in engine.languages else "fr"
        audio = wav(one.posted.astype(np.float32) / np.float32(32_768))
        said = await transcriber.transcribe(TranscriptionRequest(audio, language))
        is_right = normalise(one.case.word.text) in normalise(said.text).split()
        came["right" if is_right else "other words" if said.text else said.reason] += 1
        if said.text and not is_right:
            texts[f"{one.case.word.text}: {said.text}"] += 1
        if number % 25 == 24:
            print(f"  recognised {number + 1} of {len(posted)}: {dict(came)}", flush=True)
    print(f"\n{folder.name}: {len(posted)} posted words: {dict(came.most_common())}")
    print(f"  other words: {dict(texts.most_common(20))}")
    transcriber.close()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voices", choices=tuple(SETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    parser.add_argument("--recogniser", type=Path, help="a model folder: what it makes of the posted words")
    parser.add_argument("--of", type=int, default=40, help="of so many posted words one is recognised")
    args = parser.parse_args()
    vad, heard, batch = SileroVad(), list[Heard](), list[Case]()
    began = time.monotonic()
    for case in cases(args.voices, args.seed):
        batch.append(case)
        if len(batch) == AT_ONCE:
            heard += listen_to(vad, batch)
            batch = []
            lost = sum(not len(one.posted) for one in heard)
            if len(heard) % (8 * AT_ONCE) == 0:
                print(f"{time.monotonic() - began:5.0f} s: {len(heard)} heard, {lost} lost", flush=True)
    if batch:
        heard += listen_to(vad, batch)
    figures = report(heard)
    print(f"\n{args.voices} voices, {sum(one.faint for one in heard)} of {len(heard)} heard as faint")
    show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False), "utf-8")
    if args.recogniser:
        asyncio.run(recognise(args.recogniser, heard, args.of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
