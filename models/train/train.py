"""Shards -> checkpoint, by the clock: warm-up, a constant rate, then a linear decay that ends at the time given.

    python -m models.train.train --shards FOLDER --tokenizer FILE --out FOLDER --minutes 60 --workers 2

Reads shards as they appear, so that synthesis and training run side by side; takes up `--out`/last.pt where it stopped.
A moving average of the weights is saved beside them and is what gets exported.

`--decoder-only` keeps the encoder as it is and says everything several times to the decoder: an encoder that is good
enough (read its phonemes) makes a step five times cheaper, and it is the decoder that has to memorise the phrases.

On CPU, `--workers 2` trains in two single-threaded processes that average their weights every few seconds (local SGD):
on a machine shared with others two threads of one process would mostly wait for each other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed
import torch.nn.functional as functional
from torch import Tensor

from models.train.batches import NO_LABEL, Batch, Pool
from models.train.checkpoints import mean, read
from models.train.corpus import Corpus
from models.train.muon import Muon
from models.train.network import Shape, Whisper
from models.train.phonemes import CLASS_COUNT
from models.train.vocab import Vocabulary

LONGEST_TIMESTAMPS = 476  # 9.5 s: no utterance is longer, so the later timestamps are never said
CONTEXTS = (0, 300, 300, 500, 500, 1500, 1500)  # in encoder positions of 20 ms; 0: the batch's own length
WARM_UP_STEPS = 200
AUGMENT_FROM_STEP = 3000  # masks pay only once the examples have been seen a few times
SHORT_UNTIL_STEP = 500
DECAY_SHARE = 0.6
AVERAGE_DECAY = 0.98
SHARE_EVERY_S, SAVE_EVERY_S, REPORT_EVERY_S = 20.0, 120.0, 60.0
ENCODER_PARTS = ("conv", "encoder", "phoneme_head")
HEARD_BATCHES, REPEATS = 60, 4
WORKER_TIMEOUT = timedelta(minutes=60)  # a paused machine must not end the training


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate and the phoneme head's weight as a function of the share of the time that has passed."""

    peak: float = 2e-3

    def rate(self, share: float, step: int) -> float:
        """Warm-up by steps, decay by time."""
        decay = min(1.0, max(0.02, (1 - share) / DECAY_SHARE))
        return self.peak * decay * min(1.0, (step + 1) / WARM_UP_STEPS)

    def phoneme_weight(self, step: int) -> float:
        """The phonemes first, then mostly the text."""
        return 0.7 if step < 400 else 0.4 if step < 1500 else 0.2


class Trainer:
    """The network, its optimizers and its averaged weights."""

    def __init__(self, shape: Shape, schedule: Schedule, device: str = "cpu", decoder_only: bool = False) -> None:
        self.network, self.schedule = Whisper(shape).to(device), schedule
        self.step_count = self.steps_before = 0  # of this run; of the runs whose weights it began with
        parameters = dict(self.network.named_parameters())
        if decoder_only:
            for name in [name for name in parameters if name.startswith(ENCODER_PARTS)]:
                parameters.pop(name).requires_grad_(False)
        self.heard: deque[tuple[Tensor, Tensor | None, Batch]] = deque(maxlen=HEARD_BATCHES)
        inner = {name for name, p in parameters.items() if name.startswith(("encoder.", "decoder.")) and p.dim() == 2}
        self.muon = Muon([parameters[name] for name in sorted(inner)])
        self.adamw = torch.optim.AdamW(
            [p for name, p in parameters.items() if name not in inner],
            lr=schedule.peak,
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        self.average = {name: p.detach().clone() for name, p in self.network.state_dict().items()}

    @property
    def experience(self) -> int:
        """Steps that the weights have seen, in all runs."""
        return self.steps_before + self.step_count

    def losses(self, batch: Batch, context: int) -> tuple[Tensor, Tensor, Tensor]:
        """Text loss, phoneme loss, and the share of next tokens that are right."""
        memory, bias = self.network.encode(batch.mel, context)
        text, right = self.text_loss(memory, bias, batch)
        heads = self.network.phoneme_head(memory[:, : batch.phonemes.shape[1]])
        phonemes = functional.cross_entropy(heads.flatten(0, 1), batch.phonemes.flatten())
        return text, phonemes, right

    def text_loss(self, memory: Tensor, bias: Tensor | None, batch: Batch) -> tuple[Tensor, Tensor]:
        """Text loss and the share of next tokens that are right."""
        logits = self.network.decode(batch.prompt, memory, bias).flatten(0, 1)
        labels = batch.labels.flatten()
        text = functional.cross_entropy(logits, labels, ignore_index=NO_LABEL, label_smoothing=0.05)
        known = labels != NO_LABEL
        right = (logits.detach().argmax(-1)[known] == labels[known]).float().mean()
        return text, right

    def step(self, batch: Batch, context: int, share: float) -> tuple[float, float, float]:
        """One update -> (text loss, phoneme loss, accuracy)."""
        rate, weight = self.schedule.rate(share, self.step_count), self.schedule.phoneme_weight(self.experience)
        self.network.zero_grad(set_to_none=True)
        text, phonemes, right = self.losses(batch, context)
        ((1 - weight) * text + weight * phonemes).backward()
        self._update(rate)
        return float(text.detach()), float(phonemes.detach()), float(right)

    def decoder_step(self, batch: Batch, context: int, share: float, rng: random.Random) -> tuple[float, float, float]:
        """Encode `batch` once, then train the decoder on it and on batches heard before; as `step`."""
        with torch.no_grad():
            memory, bias = self.network.encode(batch.mel, context)
        self.heard.append((memory, bias, batch))
        count = min(REPEATS, len(self.heard)) - 1
        for memory, bias, batch in [*rng.sample(list(self.heard)[:-1], count), self.heard[-1]]:
            self.network.zero_grad(set_to_none=True)
            text, right = self.text_loss(memory, bias, batch)
            text.backward()
            self._update(self.schedule.rate(share, self.step_count))
        return float(text.detach()), 0.0, float(right)

    def _update(self, rate: float) -> None:
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.adamw.param_groups:
            group["lr"] = rate
        self.adamw.step()
        self.muon.step(rate)
        self.step_count += 1
        keep = min(AVERAGE_DECAY, 1 - 10 / (self.step_count + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)

    def share_weights(self, workers: int, done: bool) -> bool:
        """Average the weights over all workers (torch.distributed must be up); True when any of them is done."""
        with torch.no_grad():
            flat = torch.nn.utils.parameters_to_vector(self.network.parameters())
            flat = torch.cat([flat, flat.new_tensor([float(done)])])
            torch.distributed.all_reduce(flat)
            torch.nn.utils.vector_to_parameters(flat[:-1] / workers, self.network.parameters())
        return bool(flat[-1] > 0)

    def save(self, path: Path, seconds: float) -> None:
        """Everything that a continued run or an export needs."""
        temporary = path.with_suffix(".tmp")
        torch.save(
            {
                "shape": self.network.shape.as_dict(),
                "network": self.network.state_dict(),
                "average": self.average,
                "muon": self.muon.state_dict(),
                "adamw": self.adamw.state_dict(),
                "step": self.step_count,
                "steps_before": self.steps_before,
                "seconds": seconds,
            },
            temporary,
        )
        os.replace(temporary, path)

    def begin_with(self, paths: Sequence[Path]) -> None:
        """Start from the mean of the averaged weights of checkpoints, with fresh optimizers."""
        saved = read(paths, str(next(self.network.parameters()).device))
        self.average = mean(saved)
        self.network.load_state_dict(self.average)
        self.steps_before = max(int(one.get("steps_before", 0)) + int(one["step"]) for one in saved)

    def load(self, path: Path) -> float:
        """Take up a checkpoint; returns the seconds it had been trained."""
        saved = torch.load(path, map_location=next(self.network.parameters()).device)
        self.network.load_state_dict(saved["network"])
        self.average = saved["average"]
        self.muon.load_state_dict(saved["muon"])
        self.adamw.load_state_dict(saved["adamw"])
        self.step_count, self.steps_before = int(saved["step"]), int(saved.get("steps_before", 0))
        return float(saved["seconds"])


def start_workers(arguments: argparse.Namespace) -> None:
    """Rank 0 starts the other ranks with its own command line; all meet through a file."""
    meeting = arguments.out / "workers"
    if arguments.rank == 0:
        meeting.unlink(missing_ok=True)
        for rank in range(1, arguments.workers):
            subprocess.Popen([sys.executable, "-m", "models.train.train", *sys.argv[1:], "--rank", str(rank)])
    torch.distributed.init_process_group(
        "gloo", f"file://{meeting.resolve()}", WORKER_TIMEOUT, arguments.workers, arguments.rank
    )


def learn(trainer: Trainer, pool: Pool, rng: random.Random, before_s: float, arguments: argparse.Namespace) -> None:
    """Train until the time is over; rank 0 saves."""
    started = shared = saved = reported = time.monotonic()
    sums, count, utterances, done = [0.0, 0.0, 0.0], 0, 0, False
    while not done:
        pool.refresh()
        for crops in pool.epoch(
            4000, arguments.frames, not arguments.decoder_only and trainer.experience < SHORT_UNTIL_STEP
        ):
            now = time.monotonic()
            share = (before_s + now - started) / (arguments.minutes * 60)
            done = share >= 1 or trainer.step_count >= arguments.steps
            if arguments.workers > 1:
                due = now - shared > SHARE_EVERY_S
                done = due and trainer.share_weights(arguments.workers, done)  # all workers end together
                shared = time.monotonic() if due else shared
            if arguments.rank == 0 and (done or now - saved > SAVE_EVERY_S):
                trainer.save(arguments.out / "last.pt", before_s + now - started)
                saved = now
            if done:
                break
            augment = not arguments.decoder_only and trainer.experience >= AUGMENT_FROM_STEP
            batch = pool.collate(crops, augment).to(arguments.device)
            context = rng.choice(CONTEXTS)
            if arguments.decoder_only:
                results = trainer.decoder_step(batch, context, share, rng)
            else:
                results = trainer.step(batch, context, share)
            sums, count, utterances = (
                [a + b for a, b in zip(sums, results, strict=True)],
                count + 1,
                utterances + len(crops),
            )
            if now - reported > REPORT_EVERY_S:
                text, phonemes, accuracy = (round(value / count, 4) for value in sums)
                record = {
                    "rank": arguments.rank,
                    "step": trainer.step_count,
                    "seconds": round(before_s + now - started),
                }
                record |= {"utterances": utterances, "pool": len(pool.examples)}
                losses = {"text": text, "phonemes": phonemes, "accuracy": accuracy}
                print(json.dumps(record | losses), flush=True)
                sums, count, reported = [0.0, 0.0, 0.0], 0, now


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60, help="in all, earlier parts of a continued run included")
    parser.add_argument("--frames", type=int, default=6000, help="mel frames per batch and worker")
    parser.add_argument("--steps", type=int, default=10**9, help="stop after so many steps")
    parser.add_argument("--threads", type=int, default=1, help="per worker")
    parser.add_argument("--workers", type=int, default=1, help="processes that share their weights")
    parser.add_argument("--rank", type=int, default=0, help="number of this worker; 0 starts the others")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--favour-phrases", type=float, default=1.8, help="how often a phrase is drawn against the rest"
    )
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument(
        "--init", type=Path, nargs="+", help="checkpoints; begins with the mean of their averaged weights"
    )
    parser.add_argument("--peak", type=float, default=3e-3, help="learning rate")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.workers > 1:
        start_workers(arguments)
    vocabulary = Vocabulary(arguments.tokenizer)
    shape = Shape(vocabulary.first_timestamp + LONGEST_TIMESTAMPS, CLASS_COUNT)
    trainer = Trainer(shape, Schedule(arguments.peak), arguments.device, arguments.decoder_only)
    if arguments.init:
        trainer.begin_with(arguments.init)
    checkpoint = arguments.out / "last.pt"
    before_s = trainer.load(checkpoint) if checkpoint.exists() else 0.0
    seed = 1 + trainer.step_count * arguments.workers + arguments.rank
    phrases = dict.fromkeys((phrase for _, phrase in Corpus().phrases()), arguments.favour_phrases)
    pool, rng = Pool(arguments.shards, vocabulary, seed, phrases), random.Random(seed)
    print(f"{sum(p.numel() for p in trainer.network.parameters())} weights, from step {trainer.step_count}", flush=True)
    learn(trainer, pool, rng, before_s, arguments)


if __name__ == "__main__":
    main()
