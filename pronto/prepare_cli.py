"""`pronto prepare`: builds what setup builds once the packages are there; does nothing when all of it is up to date."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config import ROOT, STATE

STEPS = (
    ("prompts", ("-m", "pronto", "prompts", "build")),
    ("sentence encoder, exported for fast serving", ("-m", "intent_service.export")),
    ("intents, trained from their phrases", ("-m", "intent_service.train")),
)
SOURCES = (
    "audio_prompts/**/*.yaml",
    "audio_prompts/**/*.py",
    "audio_prompts/*/recordings/*",
    "flows/**/*.yaml",
    "intent_service/*.py",
    "requirements.txt",
)


def add_parser(subparsers: Any) -> None:
    """Adds `prepare`."""
    subparsers.add_parser("prepare", help="build what setup builds: prompts, the exported encoder, trained intents")


def run(args: argparse.Namespace) -> int:
    """Builds; the first step that fails is the exit status."""
    stamp = STATE / "prepared"
    digest = digest_of(sorted(path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest and _prompts_are_there():
        return 0
    for number, (what, command) in enumerate(STEPS, 1):
        print(f"[prepare] {number}/{len(STEPS)} {what} ...", flush=True)
        status = subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode
        if status:
            print(f"[prepare] failed: {what}", file=sys.stderr)
            return status
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
    return any((ROOT / "audio_prompts").glob("*/*.wav"))
