"""`pronto doctor`: looks at everything that a call needs and says in one line each what is there, missing or wrong."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config import ROOT, SERVICES, STATE, BadSettings, load

Finding = tuple[bool, str]


def add_parser(subparsers: Any) -> None:
    """Adds `doctor`."""
    subparsers.add_parser("doctor", help="say what is missing or wrong on this machine")


def run(args: argparse.Namespace) -> int:
    """Prints a line per check; 0 when everything is well."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python packages", _packages),
        ("asterisk", lambda: _program("asterisk/bin/asterisk", "-V")),
        ("redis", lambda: _program("redis/bin/redis-server", "--version")),
        ("espeak-ng", lambda: _program("espeak/bin/espeak-ng", "--version")),
        ("speech model", _speech_model),
        ("prompts", _prompts),
        ("flows", _flows),
        ("settings", _settings),
        ("SIP port 5060", lambda: _udp_port(5060)),
        ("disk", _disk),
    ]
    well = True
    for name, check in checks:
        good, finding = check()
        well = well and good
        print(f"{'ok  ' if good else 'BAD '} {name:16} {finding}")
    return 0 if well else 1


def _packages() -> Finding:
    wrong = []
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"([\w.-]+)==([\w.]+)", line.strip())
        if match is None:
            continue
        try:
            installed = importlib.metadata.version(match[1]).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            installed = "missing"
        if installed != match[2]:
            wrong.append(f"{match[1]} is {installed}, pinned is {match[2]}")
    return (False, "; ".join(wrong) + " (run: make setup)") if wrong else (True, "as pinned")


def _program(path: str, flag: str) -> Finding:
    program = STATE / path
    if not program.exists():
        return False, "not there (run: make setup)"
    answer = subprocess.run([str(program), flag], capture_output=True, text=True, timeout=20, check=False)
    first = (answer.stdout + answer.stderr).splitlines()[:1]
    return answer.returncode == 0, first[0] if first else f"exit status {answer.returncode}"


def _speech_model() -> Finding:
    folder = ROOT / "models" / "demo-fr"
    missing = [name for name in ("model.bin", "vocabulary.json", "tokenizer.json") if not (folder / name).exists()]
    return (False, f"{folder} lacks {', '.join(missing)}") if missing else (True, f"{folder} (demo model)")


def _prompts() -> Finding:
    voices = sorted((ROOT / "audio_prompts").glob("*/prompts.yaml"))
    waves = sum(1 for _ in (ROOT / "audio_prompts").glob("*/*.wav"))
    return bool(
        voices
    ) and waves > 0, f"{waves} files for {len(voices)} language(s); `pronto prompts check` looks closer"


def _flows() -> Finding:
    flows = sorted(path.relative_to(ROOT / "flows").as_posix() for path in (ROOT / "flows").glob("*/heating.yaml"))
    return bool(flows), ", ".join(flows) + "; `pronto flow check` looks closer"


def _settings() -> Finding:
    faults = []
    for service, cls in SERVICES.items():
        names = {field.name for field in dataclasses.fields(cls)}
        given = {"ARI_PASSWORD": "x"} if "ari_password" in names else {}
        try:
            load(cls, {**given, **os.environ})
        except BadSettings as error:
            faults.append(f"{service}: {error}")
    return not faults, "; ".join(faults) or "fit"


def _udp_port(port: int) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return True, f"taken ({error.strerror}): `pronto up --sip-port N` takes another"
    return True, "free"


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path(ROOT)).free / 1e9
    return free_gb > 2, f"{free_gb:.0f} GB free"
