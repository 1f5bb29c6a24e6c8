"""The shipped recogniser on people: Asterisk's prompts over a telephone line, word by word."""

import pytest

from benchmarks.people import heard_texts, sentences
from benchmarks.people_recordings import are_there
from benchmarks.whisper_context import errors
from devstack import recogniser
from whisper_service.engine import load_engine
from whisper_service.phrases import normalise

COUNT = 12
MOST_WRONG = {"fr": 0.25, "it": 0.25, "en": 0.15}
"""Share of words; benchmarks/people.md has the figures of all recordings."""
pytestmark = pytest.mark.skipif(
    not (are_there() and recogniser.is_there()), reason="recordings or model were left out or could not be fetched"
)


def test_words_of_people_are_recognised() -> None:
    engine = load_engine(str(recogniser.WHISPER_BASE), beam_size=5, context_s=10.0)
    shares: dict[str, float] = {}
    for language in MOST_WRONG:
        heard = [(normalise(one.text), text) for one, text, _ in heard_texts(engine, sentences(language, COUNT))]
        shares[language] = sum(errors(*pair) for pair in heard) / sum(len(text.split()) for text, _ in heard)
    assert {language for language, share in shares.items() if share > MOST_WRONG[language]} == set(), shares
