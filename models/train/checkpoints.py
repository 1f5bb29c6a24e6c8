"""Checkpoints of train.py -> the mean of their weights, which is often better than each of a line of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def read(paths: Sequence[Path], device: str = "cpu") -> list[dict[str, Any]]:
    """What `Trainer.save` wrote, in order."""
    return [torch.load(path, map_location=device) for path in paths]


def mean(checkpoints: Sequence[dict[str, Any]], weights: str = "average") -> dict[str, Tensor]:
    """`weights` is "average" (moving averages) or "network" (the last step's); all of one shape."""
    states: list[dict[str, Tensor]] = [checkpoint[weights] for checkpoint in checkpoints]
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
