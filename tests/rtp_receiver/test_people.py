"""Voice detection and endpointing on people: Asterisk's prompts in three languages, from loud to faint."""

import pytest

from benchmarks.people import LEVELS_DBFS, MOST_OF_IT, shares_heard
from benchmarks.people_recordings import are_there, recordings
from rtp_receiver.silero import SileroVad

COUNT = 100
pytestmark = pytest.mark.skipif(not are_there(), reason="the recordings were left out or could not be fetched")


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@pytest.mark.parametrize("level_dbfs", LEVELS_DBFS)
def test_people_are_heard(language: str, level_dbfs: int) -> None:
    """One in a hundred may be lost: single words of a quarter of a second are among them."""
    found = sorted(recordings(language, COUNT), key=lambda one: len(one.samples))
    shares = shares_heard(SileroVad(), found, level_dbfs)
    lost = [(one.name, one.text, share) for one, share in zip(found, shares, strict=True) if share < MOST_OF_IT]
    assert len(found) == COUNT
    assert len(lost) <= COUNT // 100, lost


def test_a_level_at_which_nobody_can_be_heard_is_not_counted_as_heard() -> None:
    """The measure itself: what is under the line's noise is lost."""
    found = recordings("fr", 20)
    assert max(shares_heard(SileroVad(), found, -95)) < MOST_OF_IT
