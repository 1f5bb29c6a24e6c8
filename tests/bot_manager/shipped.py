"""The shipped French flows and prompts in a folder of one's own, for bot managers that are started there."""

import os
import shutil
import wave
from pathlib import Path

from audio_prompts.catalogue import read_catalogue
from config import ROOT


def shipped_flows(folder: Path) -> Path:
    """A copy of them, to be edited."""
    shutil.copytree(ROOT / "flows" / "fr", folder / "flows" / "fr")
    return folder / "flows"


def silent_prompts(folder: Path) -> Path:
    """The shipped prompts' names, each a tenth of a second of silence: a flow takes none without audio."""
    target = folder / "audio_prompts" / "fr"
    if not target.exists():
        target.mkdir(parents=True)
        shutil.copy(ROOT / "audio_prompts" / "fr" / "prompts.yaml", target)
        for name in read_catalogue(target / "prompts.yaml").texts:
            with wave.open(str(target / f"{name}.wav"), "wb") as file:
                file.setparams((1, 2, 8_000, 0, "NONE", ""))
                file.writeframes(bytes(1_600))
    return target.parent


def environment_in(folder: Path, cell: str, redis_url: str) -> dict[str, str]:
    """The environment of a bot manager that has flows, prompts and records in `folder`."""
    return {
        **os.environ,
        "PRONTO_CELL": cell,
        "REDIS_URL": redis_url,
        "FLOWS_DIR": str(folder / "flows"),
        "PROMPTS_DIR": str(folder / "audio_prompts"),
        "DATABASE_URL": f"sqlite:///{folder / 'calls.sqlite'}",
        "RECORDS_SPOOL_DIR": str(folder / "records"),
    }
