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


def is_there() -> bool:
    """Whether set-up brought Whisper base, whole."""
    return (WHISPER_BASE / ".sha256").is_file()


def settings_for_people(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of the Whisper service; none where `environment` chooses a model itself, or there is only the demo."""
    if "WHISPER_MODEL" in environment or not is_there():
        return {}
    found = {
        "WHISPER_MODEL": str(WHISPER_BASE),
        "WHISPER_CPU_THREADS": str(min(MOST_THREADS, os.cpu_count() or 1)),
        "WHISPER_BEAM_SIZE": "5",
    }
    return {name: value for name, value in found.items() if name not in environment}
