"""Sentences become encoder outputs with their tokens: spoken, distorted as lines do, encoded by Whisper base.

python -m models.heads.speak numbers|sounds mbrola|kokoro COUNT SEED FOLDER
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import ctranslate2
import numpy as np
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from audio_prompts.catalogue import PromptVoice
from audio_prompts.espeak import EspeakVoice, speak, telephone_band
from audio_prompts.kokoro import RATE_HZ as KOKORO_HZ
from audio_prompts.kokoro import Kokoro
from audio_prompts.loudness import Samples
from callers.rtp_audio import from_ulaw, to_ulaw
from config import STATE
from models.heads import sounds, texts
from whisper_service.heads import BEHIND_FRAMES

Floats = NDArray[np.float64]
MBROLA = ("mb-fr1", "mb-fr3", "mb-fr5", "mb-fr7")
HELD_OUT = {"ff_siwis", "am_michael", "bm_george", "if_sara"}
LINE_HZ, WIDE_HZ = 8_000, 16_000
CONTEXT = 1_000
"""Mel frames that are encoded: ten seconds, as at run time."""
LONGEST_S = 9.0
PART = 160


class AccentedKokoro(Kokoro):
    """Kokoro's speakers reading French; `speakers` is two of them and the share of the second."""

    speakers: tuple[str, str, float] = ("", "", 0.0)

    def _styles(self, voice: str) -> Samples:
        one, other, share = self.speakers
        mixed = (1 - share) * super()._styles(one) + share * super()._styles(other)
        return mixed.astype(np.float32)


class TrainingVoices:
    """Sentences in the voices of an engine, at 8 kHz after a line."""

    def __init__(self, engine: str, seed: int) -> None:
        self.draw, self._noise = random.Random(seed), np.random.default_rng(seed)
        self._reader = AccentedKokoro(threads=1) if engine == "kokoro" else None
        self._speakers = sorted({p.stem for p in (STATE / "voices" / "kokoro").glob("*.bin")} - HELD_OUT)

    def say(self, sentence: str) -> tuple[str, NDArray[np.float32]]:
        """The voice, and samples at 16 kHz."""
        if self._reader is None:
            voice = self.draw.choice(MBROLA)
            how = EspeakVoice(voice, self.draw.randint(115, 170), self.draw.randint(35, 65))
            return voice, self._on_line(speak(sentence, how, WIDE_HZ) / 32_768, WIDE_HZ)
        one, other = self.draw.sample(self._speakers, 2)
        self._reader.speakers = (one, other, self.draw.choice((0.0, 0.0, 0.3, 0.5)))
        return one, self._on_line(self._reader.speak(sentence, PromptVoice("ff_siwis")).astype(np.float64), KOKORO_HZ)

    def _on_line(self, wide: Floats, rate_hz: int) -> NDArray[np.float32]:
        draw, noise = self.draw, self._noise
        pace = 1.0 if draw.random() < 0.3 else draw.uniform(0.88, 1.14)  # and pitch with it
        said = telephone_band(np.asarray(soxr.resample(wide, rate_hz * pace, LINE_HZ), np.float64))
        loud = np.flatnonzero(np.abs(said) > 0.02 * np.abs(said).max())
        said = said[max(0, loud[0] - 160) : loud[-1] + 480]
        if draw.random() < 0.25:
            length = int(LINE_HZ * draw.uniform(0.08, 0.25))
            room = noise.normal(0, 1, length) * np.exp(-np.arange(length) / (length / 5))
            room[0] = draw.uniform(8, 25)
            said = np.convolve(said, room / room[0])[: len(said) + 400]
        if draw.random() < 0.3:
            said = np.convolve(said, [1, draw.uniform(-0.5, 0.5)])[: len(said)]
        level = 10 ** (draw.uniform(-30, -16) / 20)
        said *= level / np.sqrt(np.mean(said[np.abs(said) > 0.05 * np.abs(said).max()] ** 2))
        around = (int(LINE_HZ * draw.uniform(0.05, 0.5)), int(LINE_HZ * draw.uniform(0.08, 0.7)))
        whole = np.pad(said, around)
        whole += noise.normal(0, level * 10 ** (-draw.choice((50, 50, 45, 35, 28, 22)) / 20), len(whole))
        coded = from_ulaw(to_ulaw(np.round(np.clip(whole, -1, 1) * 32_767).astype(np.int16)))
        return np.asarray(soxr.resample(np.asarray(coded, np.float32) / 32_768, LINE_HZ, WIDE_HZ), np.float32)


def encoded(model: WhisperModel, samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """The encoder output of one utterance, as much as a head is given of it."""
    mel = model.feature_extractor(samples)[:, :-1]
    padded = np.zeros((1, mel.shape[0], CONTEXT), np.float32)
    frames = min(CONTEXT, mel.shape[1])
    padded[0, :, :frames] = mel[:, :frames]
    states = model.model.encode(ctranslate2.StorageView.from_array(padded)).to_device(ctranslate2.Device.cpu)
    return np.asarray(np.asarray(states)[0, : frames // 2 + BEHIND_FRAMES], np.float16)


def main() -> None:
    """Command line."""
    kind, engine, count, seed, folder = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    text, tokens_of = (sounds.text, sounds.tokens_of) if kind == "sounds" else (texts.text, texts.tokens_of)
    speaker = TrainingVoices(engine, seed)
    model = WhisperModel(str(STATE / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=1)
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, count, PART):
        states, tokens, voices = [], [], []
        for _ in range(first, min(count, first + PART)):
            sentence = text(speaker.draw)
            voice, samples = speaker.say(sentence)
            if len(samples) < LONGEST_S * WIDE_HZ:
                states.append(encoded(model, samples))
                tokens.append(" ".join(map(str, tokens_of(sentence))))
                voices.append(voice)
        lengths = [len(one) for one in states]
        file = folder / f"{engine}_{seed}_{first}.npz"
        np.savez(file, states=np.concatenate(states), lengths=lengths, tokens=tokens, voices=voices)
        print(f"{file}: {len(states)} sentences", flush=True)


if __name__ == "__main__":
    main()
