"""The whole recipe in one command: vocabulary, synthesis, training in stages, export, evaluation.

    python -m models.train [--work .pronto/demo-model] [--out models/demo-fr] [--thousands 100] [--minutes 160]

Every step leaves its result in the work folder and is taken up where it stopped. Two free CPU cores or one GPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from models.train.vocab import MERGES, build

ROOT = Path(__file__).resolve().parents[2]
SHARD_SIZE = 1000
DECODER_ONLY = ("--decoder-only", "--frames", "9000")


@dataclass(frozen=True, slots=True)
class ShardSet:
    """Shards of one kind: `share` of all utterances, and what synth.py is told."""

    folder: str
    share: float
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of train.py: `share` of the time, on `corpus`, from the mean of the `mean_of` stages before it."""

    name: str
    corpus: str
    share: float
    peak: float
    mean_of: int
    options: tuple[str, ...] = ()


FIRST = ShardSet("everything", 0.6, ("--mix", "everything", "--prosody", "wide"))
THEN = ShardSet("phrases-and-pairs", 0.4, ("--mix", "phrases-and-pairs", "--prosody", "ordinary"))
STAGES = (
    Stage("joint", FIRST.folder, 0.41, 3e-3, 0),
    Stage("decoder", FIRST.folder, 0.25, 2e-3, 1, DECODER_ONLY),
    Stage("joint-again", FIRST.folder, 0.14, 2e-3, 1),
    Stage("decoder-again", THEN.folder, 0.20, 1.5e-3, 2, DECODER_ONLY),
)
# exported: the mean of these, so two thirds of the last stage and one third of what it began with. The last alone
# knows more phrases and pairs, but heard "oui oui" for "oui"
EXPORTED = ("decoder-again",) * 4 + ("decoder", "joint-again")


def run(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one step in its own process, with one thread for numpy."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT, env=environment)


def wait(*processes: subprocess.Popen[bytes]) -> None:
    """Wait for all; exit with the first failure."""
    for process in processes:
        if process.wait() != 0:
            raise SystemExit(f"{process.args!r} failed with {process.returncode}")


def synthesise(shards: Path, corpus: ShardSet, thousands: int, workers: int) -> None:
    """The shards of one corpus, by all cores."""
    shards.mkdir(parents=True, exist_ok=True)
    count = max(1, round(thousands * 1000 * corpus.share / SHARD_SIZE))
    each = -(-count // workers)
    ranges = [(first, min(each, count - first)) for first in range(0, count, each)]
    wait(*(run("models.train.synth", shards, "--first", f, "--shards", n, *corpus.options) for f, n in ranges))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / ".pronto" / "demo-model")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "demo-fr")
    parser.add_argument("--thousands", type=int, default=100, help="of utterances")
    parser.add_argument("--minutes", type=float, default=160, help="of training; 20 on a GPU")
    arguments = parser.parse_args()
    tokenizer, workers = arguments.work / "tokenizer.json", os.cpu_count() or 1
    arguments.work.mkdir(parents=True, exist_ok=True)
    if not tokenizer.exists():
        tokenizer.write_text(build(MERGES), "utf-8")
    for corpus in (FIRST, THEN):
        synthesise(arguments.work / corpus.folder, corpus, arguments.thousands, workers)
    checkpoints: list[Path] = []  # of the stages, in order
    for stage in STAGES:
        begin = ("--init", *checkpoints[-stage.mean_of :]) if stage.mean_of else ()
        train = (
            "--shards",
            arguments.work / stage.corpus,
            "--tokenizer",
            tokenizer,
            "--out",
            arguments.work / stage.name,
        )
        pace = ("--minutes", arguments.minutes * stage.share, "--peak", stage.peak)
        together = ("--workers", 1 if torch.cuda.is_available() else workers)
        wait(run("models.train.train", *train, *begin, *pace, *together, *stage.options))
        checkpoints.append(arguments.work / stage.name / "last.pt")
    exported = [arguments.work / name / "last.pt" for name in EXPORTED]
    wait(run("models.train.export", *exported, tokenizer, arguments.out))
    wait(run("models.train.evaluate", arguments.out, "--out", arguments.work / "tables.md"))


if __name__ == "__main__":
    main()
