"""One hour of sounds without speech must give no text; two hundred short answers must not be lost.

    python -m benchmarks.whisper_sounds [--minutes 60] [--answers 200] [--model FOLDER]

Sounds and answers go the way of a call: the receiver's voice detector and endpointer, then, for every guess and every
end of an utterance, the Whisper service's own path (decoding, voice gate, engine, guards), without the sockets between
them. The sounds also go to the service directly, as if a receiver had taken each for an utterance.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.spoken import HELD_OUT_VOICES, VOICES, Samples, say, wav
from config import ROOT
from models import nospeech
from rtp_receiver.decisions import End, Faint, Guess
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.endpointing import Endpointer
from rtp_receiver.silero import SileroVad
from whisper_service.batcher import Batcher
from whisper_service.engine import load_engine
from whisper_service.jobs import Decoded, Job
from whisper_service.phrases import normalise
from whisper_service.service import load_families
from whisper_service.transcriber import Transcriber, Transcript, TranscriptionRequest

RATE_HZ = 16_000
ANSWERS = ("oui", "non", "ok", "merci", "allô")


def keyboard(seconds: float, random: np.random.Generator) -> Samples:
    """Somebody types: two short knocks per key, six keys a second."""
    samples = np.zeros(int(seconds * RATE_HZ))
    at = 0.0
    while at < seconds:
        for delay_s, level in ((0.0, 1.0), (0.09, 0.5)):
            first = int((at + delay_s) * RATE_HZ)
            length = min(int(0.02 * RATE_HZ), samples.size - first)
            if length > 0:
                t = np.arange(length) / RATE_HZ
                knock = np.sin(2 * np.pi * random.uniform(900, 2_800) * t) + 0.6 * random.standard_normal(length)
                samples[first : first + length] += level * random.uniform(0.3, 1.0) * knock * np.exp(-t * 250)
        at += random.exponential(1 / 6)
    level_db = random.uniform(-35, -12)
    return np.clip(samples * 10 ** (level_db / 20) + 3e-4 * random.standard_normal(samples.size), -1, 1).astype("f4")


def sounds(minutes: float, seed: int) -> Iterator[tuple[str, Samples]]:
    """Clips of 2 to 12 s, all kinds in turn, together `minutes` long."""
    random = np.random.default_rng(seed)
    kinds = [*nospeech.KINDS, "keyboard"]
    left_s, number = 60 * minutes, 0
    while left_s > 0:
        kind = kinds[number % len(kinds)]
        seconds = float(random.uniform(2, 12))
        yield kind, keyboard(seconds, random) if kind == "keyboard" else nospeech.clip(kind, seconds, random)
        left_s -= seconds
        number += 1


class Receiver:
    """The receiver's voice detector and endpointer on one stream of samples."""

    def __init__(self) -> None:
        self._vad = SileroVad()

    def segments(self, samples: Samples) -> list[tuple[str, Samples]]:
        """What would be posted for this audio, heard after a second of silence and before one: guesses, ends, and what
        may be a faint word."""
        quiet = np.zeros(RATE_HZ, np.float32)
        padded = np.concatenate([quiet, samples, quiet])
        pcm: NDArray[np.int16] = (np.clip(padded, -1, 1) * 32_767).astype(np.int16)
        pcm = pcm[: pcm.size // 512 * 512].reshape(-1, 512)
        endpointer, stream = Endpointer(EndpointRules()), self._vad.open()
        endpointer.listen(1, EndpointRules())
        found = []
        for chunk in pcm:
            for decision in endpointer.step(float(self._vad.step([stream], chunk[None]).ravel()[0])):
                if isinstance(decision, Guess | Faint) or (isinstance(decision, End) and not decision.guess):
                    cut = pcm[decision.span.first_chunk : decision.span.last_chunk + 1]
                    way = "receiver, faint" if isinstance(decision, Faint) else "receiver"
                    found.append((way, cut.reshape(-1).astype(np.float32) / np.float32(32_768)))
        self._vad.close(stream)
        return found


async def hour(transcriber: Transcriber, minutes: float, seed: int, direct: bool) -> None:
    """The sounds, through the receiver and, if wanted, directly."""
    receiver = Receiver()
    posted: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {"receiver": Counter(), "receiver, faint": Counter(), "direct": Counter()}
    leaks: list[str] = []
    seconds: Counter[str] = Counter()
    for kind, samples in sounds(minutes, seed):
        seconds[kind] += samples.size
        for way, clip in (*receiver.segments(samples), *([("direct", samples)] if direct else [])):
            posted[way] += 1
            said = await transcriber.transcribe(TranscriptionRequest(wav(clip)))
            reasons[way][said.reason or "TEXT"] += 1
            if said.text:
                leaks.append(f"{way}: {kind}: {said.text!r} confidence {said.confidence:.2f}")
            if sum(posted.values()) % 50 == 0:
                print(f"  {sum(seconds.values()) / RATE_HZ / 60:.1f} minutes, {dict(posted)} posted", flush=True)
    lengths = ", ".join(f"{kind} {count / RATE_HZ / 60:.1f}" for kind, count in seconds.items())
    print(f"no speech, {sum(seconds.values()) / RATE_HZ / 60:.1f} minutes ({lengths})")
    for way, counts in reasons.items():
        print(f"  {way}: {posted[way]} posted, {counts['TEXT']} with text; {dict(counts.most_common())}")
    for leak in leaks:
        print(f"  {leak}")


async def answers(transcriber: Transcriber, count: int) -> None:
    """Short answers by trained and held-out voices, through the receiver (its last post counts) and directly."""
    receiver = Receiver()
    lost: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for number in range(count):
        text = ANSWERS[number % len(ANSWERS)]
        samples = say(text, 1_000 + number, VOICES + HELD_OUT_VOICES)
        last = [clip for _, clip in receiver.segments(samples)[-1:]]
        for way, clips in (("receiver", last), ("direct", [samples])):
            said: Transcript | None = None
            for clip in clips:
                said = await transcriber.transcribe(TranscriptionRequest(wav(clip)))
            if said is None or not said.text:
                lost[way] += 1
                print(f"  {way}: {text!r} lost: {said.reason if said else 'the receiver heard no speech'}")
            elif not re.match(normalise(text)[:2], normalise(said.text)):
                wrong[way] += 1
                print(f"  {way}: {text!r} heard as {said.text!r} ({said.confidence:.2f})")
    print(f"short answers, {count}: lost {dict(lost) or 0}, heard as something else {dict(wrong) or 0}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--no-direct", action="store_true", help="sounds only through the receiver")
    arguments = parser.parse_args()
    engine = load_engine(arguments.model)
    batcher = Batcher[Job, Decoded](engine)
    transcriber = Transcriber(engine, batcher, load_families(ROOT / "flows"), engine.notes.limits, 30.0)
    print(f"model {Path(arguments.model).name}")
    if arguments.minutes:
        asyncio.run(hour(transcriber, arguments.minutes, arguments.seed, not arguments.no_direct))
    if arguments.answers:
        asyncio.run(answers(transcriber, arguments.answers))
    transcriber.close()


if __name__ == "__main__":
    main()
