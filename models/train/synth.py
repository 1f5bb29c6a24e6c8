"""Corpus -> shards of telephone utterances as log-mel, with transcript, speech span and phoneme alignment.

    python -m models.train.synth OUT_FOLDER --shards 10 --first 0 [--size 1000] [--mix M] [--prosody P]

A shard is one .npz: `mel` (sum of frames, 80) float16, `phonemes` (sum of positions) uint8, `frames` (n), `texts` (n),
`spans` (n, 2) seconds. Written under a temporary name and renamed, so that the trainer may read while we write.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from models import nospeech
from models.train.channel import SAMPLE_RATE_HZ, Line, random_line, resample, through
from models.train.corpus import MIXES, Corpus, Sentence
from models.train.phonemes import frame_classes, speech_span_s
from models.train.voices import LANGUAGES, TRAINED_VARIANTS, Espeak, Prosody

NO_SPEECH_SHARE = 0.06
LONGEST_S = 9.0
FEATURES = FeatureExtractor()


@dataclass(frozen=True, slots=True)
class SynthUtterance:
    """One training example: `mel` (frames, 80), `phonemes` one class per two frames; text "" for no speech."""

    text: str
    mel: NDArray[np.float16]
    phonemes: NDArray[np.uint8]
    span_s: tuple[float, float]


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """16 kHz samples -> (frames, 80) as faster-whisper computes it, without its last frame; frames even."""
    mel = FEATURES(samples)[:, :-1]
    return np.ascontiguousarray(mel[:, : mel.shape[1] // 2 * 2].T).astype(np.float16)


def wide_prosody(rng: random.Random) -> tuple[Prosody, float]:
    """A training voice at any speed, pitch and vocal-tract scale, often a caricature; one in six is the plain voice."""
    if rng.random() < 0.17:
        return Prosody(rng.choice(LANGUAGES), rng.randint(130, 185), rng.randint(35, 65)), rng.uniform(0.97, 1.03)
    voice = f"{rng.choice(LANGUAGES)}+{rng.choice(TRAINED_VARIANTS)}"
    return Prosody(voice, rng.randint(120, 200), rng.randint(15, 85), rng.randint(20, 80)), rng.uniform(0.9, 1.1)


def ordinary_prosody(rng: random.Random) -> tuple[Prosody, float]:
    """A training voice as people speak on the telephone, and a vocal-tract scale; one in six is the plain voice."""
    if rng.random() < 0.17:
        return Prosody(rng.choice(LANGUAGES), rng.randint(130, 185), rng.randint(35, 65)), rng.uniform(0.97, 1.03)
    voice = f"{rng.choice(LANGUAGES)}+{rng.choice(TRAINED_VARIANTS)}"
    return Prosody(voice, rng.randint(130, 185), rng.randint(35, 65), rng.randint(35, 65)), rng.uniform(0.96, 1.04)


PROSODIES = {"wide": wide_prosody, "ordinary": ordinary_prosody}


def say(
    espeak: Espeak, spoken: str, prosody: Prosody, scale: float, line: Line, rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[tuple[float, str]]]:
    """Speech through a line: 16 kHz samples, and the phonemes with their starts in seconds.

    `scale` plays the speech faster (above one): pitch and formants rise together, as with a shorter vocal tract.
    """
    speech = espeak.speak(spoken, prosody)
    up, down = line.sample_rate_hz // 50, round(speech.sample_rate_hz * scale / 50)
    samples = resample(speech.samples, up, down)
    seconds_per_sample = up / down / line.sample_rate_hz
    first, last = 0, len(samples)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    if len(loud):
        first, last = int(loud[0]), int(loud[-1]) + 1
    offset_s = line.lead_s - first / line.sample_rate_hz
    phonemes = [(max(0.0, start * seconds_per_sample + offset_s), name) for start, name in speech.phonemes]
    return through(samples[first:last], line, rng), phonemes


class Synthesizer:
    """Draws utterances from a corpus, one generator per shard."""

    def __init__(self, corpus: Corpus, espeak: Espeak, mix: str = "everything", prosody: str = "wide") -> None:
        """mix: of `corpus.MIXES`; prosody: of `PROSODIES`."""
        self._corpus, self._espeak, self._mix, self._prosody = corpus, espeak, MIXES[mix], PROSODIES[prosody]

    def no_speech(self, rng: np.random.Generator) -> SynthUtterance:
        """Any kind of sound without speech, through a line in half of the cases."""
        samples = nospeech.clip(str(rng.choice(list(nospeech.KINDS))), float(rng.uniform(0.3, 3.0)), rng)
        if rng.random() < 0.5:
            line = random_line(rng)
            narrow = resample(samples, line.sample_rate_hz // 8000, 2)
            samples = through(narrow, line, rng)
        mel = log_mel(samples)
        return SynthUtterance("", mel, np.zeros(len(mel) // 2, np.uint8), (0.0, 0.0))

    def utterance(self, sentence: Sentence, rng: random.Random, noise: np.random.Generator) -> SynthUtterance | None:
        """`sentence` by a training voice on a random line; None when it lasts too long."""
        prosody, scale = self._prosody(rng)
        samples, phonemes = say(self._espeak, sentence.spoken, prosody, scale, random_line(noise), noise)
        if len(samples) > LONGEST_S * SAMPLE_RATE_HZ:
            return None
        mel = log_mel(samples)
        return SynthUtterance(sentence.text, mel, frame_classes(phonemes, len(mel) // 2), speech_span_s(phonemes))

    def shard(self, size: int, seed: int) -> list[SynthUtterance]:
        """`size` utterances, reproducible from `seed`."""
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        phrases = (
            self._corpus.covering(int(seed * size * self._mix.phrases * (1 - NO_SPEECH_SHARE)))
            if self._mix.covering
            else None
        )
        utterances: list[SynthUtterance] = []
        while len(utterances) < size:
            if rng.random() < NO_SPEECH_SHARE:
                utterances.append(self.no_speech(noise))
            elif made := self.utterance(self._corpus.draw(rng, mix=self._mix, phrases=phrases), rng, noise):
                utterances.append(made)
        return utterances


def write_shard(path: Path, utterances: list[SynthUtterance]) -> None:
    """See the module's docstring for the layout."""
    temporary = path.with_suffix(".tmp.npz")
    np.savez(
        temporary,
        mel=np.concatenate([u.mel for u in utterances]),
        phonemes=np.concatenate([u.phonemes for u in utterances]),
        frames=np.array([len(u.mel) for u in utterances]),
        texts=np.array([u.text for u in utterances]),
        spans=np.array([u.span_s for u in utterances]),
    )
    os.replace(temporary, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number (and seed) of the first shard")
    parser.add_argument("--size", type=int, default=1000, help="utterances per shard")
    parser.add_argument("--mix", choices=MIXES, default="everything", help="of sentences")
    parser.add_argument("--prosody", choices=PROSODIES, default="wide")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    espeak = Espeak()
    for number in range(arguments.first, arguments.first + arguments.shards):
        path = arguments.folder / f"shard{number:04d}.npz"
        if path.exists():
            continue
        corpus = Corpus()  # read again: phrases may have been added
        started = time.process_time()
        write_shard(path, Synthesizer(corpus, espeak, arguments.mix, arguments.prosody).shard(arguments.size, number))
        each_ms = (time.process_time() - started) / arguments.size * 1000
        print(f"{path.name} phrases {corpus.digest()} {each_ms:.1f} ms of CPU per utterance", flush=True)


if __name__ == "__main__":
    main()
