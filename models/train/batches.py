"""Shards -> padded batches of equal length for the trainer, with cropping and SpecAugment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.train.vocab import TIMESTAMP_S, Vocabulary

FRAMES_PER_S = 100
NO_LABEL = -1
TIMESTAMP_SHARE = 0.2
CROP_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Example:
    """As synth.Utterance, with the text as ids (None for no speech)."""

    mel: NDArray[np.float16]
    phonemes: NDArray[np.uint8]
    ids: list[int] | None
    span_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Batch:
    """mel (B, 80, T) float32; phonemes (B, T/2); prompt (B, L) and labels (B, L), NO_LABEL where nothing is learnt."""

    mel: Tensor
    phonemes: Tensor
    prompt: Tensor
    labels: Tensor

    def to(self, device: str) -> Batch:
        """The same on another device."""
        return Batch(*(x.to(device) for x in (self.mel, self.phonemes, self.prompt, self.labels)))


class Pool:
    """All examples of the shards in a folder; `refresh` adds the shards that have appeared."""

    def __init__(
        self, folder: Path, vocabulary: Vocabulary, seed: int, favoured: dict[str, float] | None = None
    ) -> None:
        """favoured: how many times as often a transcript is drawn (1 when absent): only repetition teaches a phrase."""
        self.examples: list[Example] = []
        self._weights: list[float] = []
        self._favoured = favoured or {}
        self._folder, self._vocabulary, self._rng = folder, vocabulary, random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._seen: set[Path] = set()

    def refresh(self) -> None:
        """Read the new shards."""
        for path in sorted(self._folder.glob("shard????.npz")):
            if path in self._seen:
                continue
            self._seen.add(path)
            with np.load(path) as shard:
                mel, phonemes, frames = shard["mel"], shard["phonemes"], shard["frames"]
                texts, spans = shard["texts"].tolist(), shard["spans"].tolist()
            ends = np.cumsum(frames)
            for end, count, text, span in zip(ends, frames, texts, spans, strict=True):
                ids = self._vocabulary.encode(text) if text else None
                self._weights.append(self._favoured.get(text, 1.0))
                first = int(end - count)
                self.examples.append(Example(mel[first:end], phonemes[first // 2 : end // 2], ids, (span[0], span[1])))

    def epoch(self, examples: int, frames_per_batch: int, shorter_half: bool) -> list[list[tuple[int, int, int, int]]]:
        """Random examples as batches of (frames, index, first frame, last frame), nearly equal in length, shuffled."""
        rng, crops = self._rng, []
        for index in rng.choices(range(len(self.examples)), self._weights, k=min(len(self.examples), examples)):
            example = self.examples[index]
            first, last = 0, len(example.mel)
            if example.ids is not None:  # most of the silence goes: a fifth fewer frames
                start_s, end_s = example.span_s
                if rng.random() < CROP_SHARE:
                    first = max(0, int(start_s * FRAMES_PER_S) - rng.randint(3, 25)) // 2 * 2
                if rng.random() < CROP_SHARE:
                    last = min(last, int(end_s * FRAMES_PER_S) + rng.randint(4, 30)) // 2 * 2
            crops.append((last - first, index, first, last))
        crops.sort()
        if shorter_half:  # alignments are learnt on short utterances first
            crops = crops[: len(crops) // 2]
        batches: list[list[tuple[int, int, int, int]]] = [[]]
        for crop in crops:
            if (len(batches[-1]) + 1) * crop[0] > frames_per_batch:
                batches.append([])
            batches[-1].append(crop)
        rng.shuffle(batches)
        return [batch for batch in batches if batch]

    def _target(self, ids: list[int] | None, span_s: tuple[float, float]) -> tuple[list[int], list[int]]:
        """Decoder input and labels."""
        v = self._vocabulary
        if ids is None:
            return [v.sot, v.french, v.transcribe, v.no_timestamps], [v.no_speech, NO_LABEL, NO_LABEL, v.eot]
        if self._rng.random() < TIMESTAMP_SHARE:
            start, end = (v.first_timestamp + round(t / TIMESTAMP_S) for t in span_s)
            sequence = [v.sot, v.french, v.transcribe, start, *ids, end, v.eot]
        else:
            sequence = [v.sot, v.french, v.transcribe, v.no_timestamps, *ids, v.eot]
        return sequence[:-1], sequence[1:]

    def collate(self, crops: list[tuple[int, int, int, int]], augment: bool) -> Batch:
        """One batch; the padding is zero, as faster-whisper pads."""
        rng = self._rng
        length = (max(crop[0] for crop in crops) + 8 + 15) // 16 * 16
        mel = np.zeros((len(crops), length, 80), np.float32)
        phonemes = np.zeros((len(crops), length // 2), np.int64)
        targets = []
        for row, (frames, index, first, last) in enumerate(crops):
            example = self.examples[index]
            x = mel[row, :frames]
            x[:] = example.mel[first:last]
            phonemes[row, : frames // 2] = example.phonemes[first // 2 : last // 2]
            if augment:
                mean = x.mean()
                for _ in range(rng.choice((0, 1, 2))):
                    low = rng.randrange(0, 70)
                    x[:, low : low + rng.randint(1, 10)] = mean
                for _ in range(rng.choice((0, 1, 2))):
                    at = rng.randrange(0, frames)
                    x[at : at + rng.randint(1, 12)] = mean
                x += self._noise.normal(0, 0.06)
            shift_s = first / FRAMES_PER_S
            targets.append(
                self._target(
                    example.ids, (max(0.0, example.span_s[0] - shift_s), max(0.0, example.span_s[1] - shift_s))
                )
            )
        longest = max(len(prompt) for prompt, _ in targets)
        prompts = np.full((len(crops), longest), self._vocabulary.eot)
        labels = np.full((len(crops), longest), NO_LABEL)
        for row, (prompt, label) in enumerate(targets):
            prompts[row, : len(prompt)], labels[row, : len(label)] = prompt, label
        return Batch(
            torch.from_numpy(mel).transpose(1, 2).contiguous(),
            torch.from_numpy(phonemes),
            torch.from_numpy(prompts),
            torch.from_numpy(labels),
        )
