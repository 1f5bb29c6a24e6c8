"""`pronto doctor`: looks at everything that a call needs and says in one line each what is there, missing or wrong."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib.metadata
import logging
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from audio_prompts.catalogue import BadCatalogue, lengths_ms
from config import (
    ROOT,
    SERVICES,
    STATE,
    BadSettings,
    BotSettings,
    ControllerSettings,
    SpeechSettings,
    WhisperSettings,
    load,
)
from devstack.recogniser import WHISPER_BASE, is_there
from dialogue.flow_store import FlowStore
from pronto.voices_cli import speaking
from speech_service.service import SpeechService
from speech_service.voices import UnknownVoice

Finding = tuple[bool, str]


def add_parser(subparsers: Any) -> None:
    """Adds `doctor`."""
    parser = subparsers.add_parser("doctor", help="say what is missing or wrong on this machine")
    parser.add_argument("--sip-port", type=int, default=5_060, help="the UDP port that SIP will want (default 5060)")
    parser.add_argument(
        "--capacity", action="store_true", help="find in about two minutes how many calls this machine carries"
    )


def run(args: argparse.Namespace) -> int:
    """Prints a line per check; 0 when everything is well."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python packages", _packages),
        ("asterisk", lambda: _program("asterisk/bin/asterisk", "-V")),
        ("redis", lambda: _program("redis/bin/redis-server", "--version")),
        ("espeak-ng", lambda: _program("espeak/bin/espeak-ng", "--version")),
        ("speech model", _speech_model),
        ("people's model", _model_for_people),
        ("voices", _voices),
        ("speech parts", _speech_parts),
        ("prompts", _prompts),
        ("flows", _flows),
        ("settings", _settings),
        ("SIP port", lambda: _udp_port(args.sip_port)),
        ("disk", _disk),
    ]
    well = True
    for name, check in checks:
        try:
            good, finding = check()
        except BadSettings as error:
            good, finding = False, str(error)
        well = well and good
        print(f"{'ok  ' if good else 'BAD '} {name:16} {finding}")
    if args.capacity and well:
        from pronto.capacity_cli import find  # the callers and the stack, which nothing else here needs

        return find(lambda line: print(f"     capacity         {line}", flush=True))
    return 0 if well else 1


def _packages() -> Finding:
    wrong = []
    lines = (ROOT / "locks" / "dev.txt").read_text(encoding="utf-8")
    for match in re.finditer(r"^([\w.-]+)==([\w.]+)(?: (?:; (?P<marker>.*) )?\\)?$", lines, re.MULTILINE):
        if match["marker"] and not Marker(match["marker"]).evaluate():
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
    """The one that WHISPER_MODEL names: a folder, or a name of the hub, which is downloaded at the first start."""
    model = load(WhisperSettings).whisper_model
    folder = Path(model)
    if not folder.is_dir():
        is_name = not folder.is_absolute() and model.count("/") <= 1
        return is_name, f"{model}: of the hub, downloaded at the first start" if is_name else f"{model} is not there"
    missing = [name for name in ("model.bin", "tokenizer.json") if not (folder / name).exists()]
    missing += [] if any(folder.glob("vocabulary.*")) else ["vocabulary.json"]
    if missing:
        return False, f"{folder} lacks {', '.join(missing)}"
    return True, str(folder)


def _model_for_people() -> Finding:
    """What `pronto up` understands people with, where no model is chosen; it runs without."""
    return True, str(WHISPER_BASE) if is_there() else "none: the demo model (run: make setup, without PRONTO_SMALL=1)"


def _voices() -> Finding:
    """Each language of SPEECH_VOICES has a voice that speaks; they are tried as the speech service does."""
    try:
        service = asyncio.run(_tried())
    except UnknownVoice as error:
        return False, str(error)
    voices = service.table.voices.values()
    silent = [voice.name for voice in voices if not service.speaks(voice)]
    finding = "speaking: " + (", ".join(voice.name for voice in voices if service.speaks(voice)) or "none")
    return service.ready()[0], finding + (f"; silent: {', '.join(silent)} (run: make setup)" if silent else "")


async def _tried() -> SpeechService:
    logging.getLogger("speech_service").setLevel(logging.CRITICAL)
    service = await speaking(load(SpeechSettings))
    await service.close()
    return service


def _speech_parts() -> Finding:
    """Speech goes to Asterisk by a folder, which should be in memory."""
    folder = load(ControllerSettings, {**os.environ, "ARI_PASSWORD": "x"}).speech_parts_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return False, f"{there} cannot be written to"
    kind = subprocess.run(["stat", "-f", "-c", "%T", str(there)], capture_output=True, text=True, check=False)
    name = kind.stdout.strip()
    return not name.startswith(("nfs", "cifs", "smb", "fuse")), f"{folder}, on {name or 'an unknown file system'}"


def _prompts() -> Finding:
    """Each prompt of each catalogue has audio that Asterisk plays."""
    folder, counted, wanting = load(BotSettings).prompts_dir, 0, []
    for catalogue in sorted(folder.glob("*/prompts.yaml")):
        try:
            lengths = lengths_ms(catalogue.parent)
        except (BadCatalogue, OSError) as error:
            return False, str(error)
        counted += len(lengths)
        wanting += [f"{catalogue.parent.name}/{name}" for name, ms in lengths.items() if ms is None]
    if wanting:
        return False, f"no audio of {', '.join(wanting[:5])}{' ...' * (len(wanting) > 5)} (run: pronto prompts build)"
    return counted > 0, f"{counted} with audio in {folder}"


def _flows() -> Finding:
    """Every flow file is good, and the default flow is one of them."""
    settings = load(BotSettings)
    store = FlowStore(settings.flows_dir, settings.prompts_dir, settings.default_flow)
    faults = store.load().faults
    if faults:
        return False, f"{faults[0]}{f' and {len(faults) - 1} more' * (len(faults) > 1)} (pronto flow check)"
    if settings.default_flow not in store.names():
        return False, f"DEFAULT_FLOW={settings.default_flow} is none of {', '.join(store.names())}"
    return True, ", ".join(store.names())


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
            return False, f"{error.strerror}: `pronto up --sip-port N` takes another"
    return True, "free"


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path(ROOT)).free / 1e9
    return free_gb > 2, f"{free_gb:.0f} GB free"
