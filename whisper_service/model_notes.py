"""What a model folder says of itself in `pronto.json`. Pure but for the file that is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config import ROOT
from whisper_service.guards import GuardLimits

FULL_CONTEXT_S: Final = 30.0
HEADS: Final = ROOT / "models" / "heads"


@dataclass(frozen=True)
class ModelNotes:
    """What a model folder says of itself in `pronto.json`; real models have none."""

    context_s: float = FULL_CONTEXT_S
    """Context in which the model is as right as in 30 s."""
    demo: bool = False
    """A demonstration model that knows a closed list of phrases."""
    prompts: bool = True
    """Whether it was trained with text before the transcript, which hints are given as."""
    hear_again_in_full: bool = True
    """Whether a doubtful text is heard again over the full context; else with a little temperature (cheaper)."""
    self_test: str = ""
    """What it must hear in the self-test's utterance; empty: any text."""
    closed_sets: bool = True
    """Whether it can say how likely a given text is (`closed_sets`)."""
    number_head: str = ""
    """Name of the networks that hear number words beside it (`heads`), one per language, of those in HEADS."""
    sound_head: str = ""
    """Name of the networks that hear phonemes beside it (`sound_ear`), one per language, of those in HEADS."""
    limits: GuardLimits = GuardLimits()
    """Where the guards draw their lines for it."""


def read_notes(folder: Path) -> ModelNotes:
    """The notes in a model folder, or those of a real model. Raises ValueError for notes that cannot be meant."""
    file = folder / "pronto.json"
    if not file.is_file():
        return ModelNotes()
    try:
        fields = dict(json.loads(file.read_text(encoding="utf-8")))
        wanted: dict[str, Any] = {key: float(value) for key, value in dict(fields.pop("limits", {})).items()}
        known = {key: value for key, value in fields.items() if key in ModelNotes.__dataclass_fields__}
        notes = ModelNotes(**known, limits=GuardLimits(**wanted))
        if not 1.0 <= float(notes.context_s) <= FULL_CONTEXT_S:
            raise ValueError(f"context_s must be from 1 to 30, not {notes.context_s}")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: {error}") from None
    return notes
