"""The demo model, loaded once, with the model hub forbidden."""

import importlib.util
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the hub's client: the model must need no network

import pytest
from faster_whisper import WhisperModel

from config import ROOT

DEMO_MODEL = ROOT / "models" / "demo-fr"


@pytest.fixture(scope="session")
def demo_model() -> WhisperModel:
    """On one core, as an untouched faster-whisper loads it."""
    return WhisperModel(str(DEMO_MODEL), device="cpu", compute_type="int8", cpu_threads=1)


# Set-up leaves torch out unless TORCH is set; what trains the demo model is tested where it is there.
collect_ignore = [] if importlib.util.find_spec("torch") else ["test_training_pieces.py"]
