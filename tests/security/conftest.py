"""What tests of other areas have made already: a Whisper of random weights."""

from tests.whisper.conftest import engine, random_model

__all__ = ["engine", "random_model"]
