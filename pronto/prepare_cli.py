"""`pronto prepare`: builds what setup builds once the packages are there; does nothing when all of it is up to date."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from audio_prompts.catalogue import PLAYED
from config import ROOT, STATE

STEPS = (
    ("prompts", ("-m", "pronto", "prompts", "build")),
    ("intents, trained from their phrases", ("-m", "intent_service.train")),
)
SOURCES = (
    "audio_prompts/**/*.yaml",
    "audio_prompts/**/*.py",
    "audio_prompts/*/recordings/*",
    "audio_prompts/*/rendered/*",
    "flows/**/*.yaml",
    "intent_service/*.py",
    "locks/intent.txt",
    "locks/prompts.txt",
)


def add_parser(subparsers: Any) -> None:
    """Adds `prepare`."""
    subparsers.add_parser("prepare", help="build what setup builds: prompts, trained intents")


def run(args: argparse.Namespace) -> int:
    """Builds; the first step that fails is the exit status."""
    stamp = STATE / "prepared"
    digest = digest_of(sorted(path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest and _prompts_are_there():
        return 0
    for number, (what, command) in enumerate(STEPS, 1):
        print(f"[prepare] {number}/{len(STEPS)} {what}", flush=True)
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode:
            sys.stderr.write(f"{done.stdout.decode(errors='replace')}\n[prepare] failed: {what}\n")
            return done.returncode
    stamp.write_text(digest, encoding="utf-8")
    return 0


def digest_of(files: Iterable[Path]) -> str:
    """A hash of the files' names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _prompts_are_there() -> bool:
    return any((ROOT / "audio_prompts" / PLAYED).glob("*/*.wav"))
