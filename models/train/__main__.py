"""The whole recipe in one command: vocabulary, synthesis, training, export, evaluation.

    python -m models.train [--work .pronto/demo-model] [--out models/demo-fr] [--utterances 60000] [--minutes 100]

Every step leaves its result in the work folder and is taken up where it stopped. Two free CPU cores or one GPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import torch

from models.train.vocab import MERGES, build

ROOT = Path(__file__).resolve().parents[2]
SHARD_SIZE = 1000
JOINT_SHARE = 0.6  # of the time: encoder and decoder together, then the decoder alone


def run(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one step in its own process, with one thread for numpy."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT, env=environment)


def wait(*processes: subprocess.Popen[bytes]) -> None:
    """Wait for all; exit with the first failure."""
    for process in processes:
        if process.wait() != 0:
            raise SystemExit(f"{process.args!r} failed with {process.returncode}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / ".pronto" / "demo-model")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "demo-fr")
    parser.add_argument("--utterances", type=int, default=60_000)
    parser.add_argument("--minutes", type=float, default=100, help="of training; 10 on a GPU")
    arguments = parser.parse_args()
    shards, tokenizer = arguments.work / "shards", arguments.work / "tokenizer.json"
    shards.mkdir(parents=True, exist_ok=True)
    if not tokenizer.exists():
        tokenizer.write_text(build(MERGES), "utf-8")
    count, workers = -(-arguments.utterances // SHARD_SIZE), os.cpu_count() or 1
    share = -(-count // workers)
    ranges = [(first, min(share, count - first)) for first in range(0, count, share)]
    wait(*(run("models.train.synth", shards, "--first", first, "--shards", n) for first, n in ranges))
    joint, decoder = arguments.work / "joint", arguments.work / "decoder"
    train = ("--shards", shards, "--tokenizer", tokenizer, "--workers", 1 if torch.cuda.is_available() else workers)
    wait(run("models.train.train", *train, "--out", joint, "--minutes", arguments.minutes * JOINT_SHARE))
    again = ("--init", joint / "last.pt", "--decoder-only", "--frames", 9000, "--peak", 2e-3)
    rest = arguments.minutes * (1 - JOINT_SHARE)
    wait(run("models.train.train", *train, "--out", decoder, "--minutes", rest, *again))
    wait(run("models.train.export", decoder / "last.pt", tokenizer, arguments.out))
    wait(run("models.train.evaluate", arguments.out, "--out", arguments.work / "tables.md"))


if __name__ == "__main__":
    main()
