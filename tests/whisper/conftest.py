"""A tiny Whisper of random weights, made once per test run, and clips that it hears differently."""

from pathlib import Path

import numpy as np
import pytest

from tests.whisper.random_model import make_random_model
from whisper_service.audio import Samples
from whisper_service.engine import WhisperEngine, load_engine


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_random_model(tmp_path_factory.mktemp("random-whisper"), seed=2)


@pytest.fixture(scope="session")
def engine(random_model: Path) -> WhisperEngine:
    return load_engine(str(random_model), device="cpu", context_s=6.0)


@pytest.fixture(scope="session")
def clips() -> list[Samples]:
    """Twelve clips of 0.4 to 5 s: warbling tones in noise."""
    random = np.random.default_rng(0)
    clips = []
    for i in range(12):
        t = np.arange(int(16_000 * (0.4 + 0.4 * i))) / 16_000
        clip = 0.3 * np.sin(2 * np.pi * t * (200 + 130 * i)) * np.sin(2 * np.pi * t * (1 + i))
        clips.append((clip + 0.01 * random.standard_normal(t.size)).astype(np.float32))
    return clips
