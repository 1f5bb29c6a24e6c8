"""The recogniser of a stack that people call: Whisper base where set-up brought it, else the demo model.

The demo model knows a closed list of phrases said by espeak-ng; Whisper base knows people and near-human voices, and
not espeak-ng. So simulated callers and people need different ones (docs/whisper.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from config import STATE

WHISPER_BASE = STATE / "whisper-base"
MOST_THREADS = 2
CONTEXT_S = "10"
"""What Whisper base needs for an utterance, and a third of the cost of the whole 30 s (benchmarks/recognisers.md)."""


def is_there() -> bool:
    """Whether set-up brought Whisper base, whole."""
    return (WHISPER_BASE / ".sha256").is_file()


def settings_for_people(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of the Whisper service; none where `environment` chooses a model itself, or there is only the demo."""
    return _base_as("WHISPER_MODEL", environment)


def settings_for_language(language: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The same for calls in one language (`it`): every other one keeps the model that the service has."""
    found = _base_as(f"WHISPER_MODEL_{language.upper()}", environment)
    return found and {**found, "WHISPER_CONTEXT_S": environment.get("WHISPER_CONTEXT_S", CONTEXT_S)}


def _base_as(key: str, environment: Mapping[str, str]) -> dict[str, str]:
    if key in environment or not is_there():
        return {}
    found = {
        key: str(WHISPER_BASE),
        "WHISPER_CPU_THREADS": str(min(MOST_THREADS, os.cpu_count() or 1)),
        "WHISPER_BEAM_SIZE": "5",
    }
    return {name: value for name, value in found.items() if name not in environment}
