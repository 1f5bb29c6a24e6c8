"""How well given sounds fit an utterance, by trying every way through the frames; and texts as phonemes."""

from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from config import STATE
from whisper_service.pronunciation import AGAIN_AFTER_S, Pronunciation
from whisper_service.sounds import FRENCH, fits, likeliest, tokens_of_ipa

ESPEAK = STATE / "espeak" / "bin" / "espeak-ng"


def drawn(seed: int, frames: int, tokens: int) -> NDArray[np.float64]:
    """Log probabilities, shape [frames, tokens]."""
    raw = np.random.default_rng(seed).normal(0.0, 2.0, (frames, tokens))
    found: NDArray[np.float64] = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
    return found


def by_every_way(frames: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Row of tokens -> how far its best way is behind the best of all."""
    best: dict[tuple[int, ...], float] = {}
    for way in product(range(frames.shape[1]), repeat=len(frames)):
        row = tuple(token for token, _ in groupby(way) if token)
        score = float(sum(frames[at, token] for at, token in enumerate(way)))
        best[row] = max(score, best.get(row, -np.inf))
    return {row: score - max(best.values()) for row, score in best.items()}


@pytest.mark.parametrize("seed", range(4))
def test_every_row_fits_as_its_best_way_does(seed: int) -> None:
    frames = drawn(seed, 6, 4)
    known = by_every_way(frames)
    rows = [*known, (1,) * 7, (1, 2, 3, 1, 2, 3, 1)]
    assert fits(frames, rows) == pytest.approx([*known.values(), -np.inf, -np.inf])
    assert likeliest(frames) == max(known, key=lambda row: known[row])


def test_nothing_to_compare_is_no_error() -> None:
    assert fits(drawn(0, 5, 3), []) == []
    assert likeliest(drawn(0, 1, 1)) == ()


@pytest.mark.parametrize(
    ("ipa", "sounds"),
    [
        ("wˌi sɛ sˈa", "w i s ɛ s a"),
        ("lə- ɡˈaz", "l ə ɡ a z"),
        ("swasɑ̃tkɛ̃z œ̃ː", "s w a s ɑ̃ t k ɛ̃ z œ̃"),
        ("(en)lˈʊk(fr) wi", "l k w i"),
        ("", ""),
    ],
)
def test_ipa_becomes_tokens(ipa: str, sounds: str) -> None:
    assert [FRENCH[token] for token in tokens_of_ipa(ipa, FRENCH)] == sounds.split()


def test_texts_are_read_one_by_one_whatever_marks_they_hold() -> None:
    reader = Pronunciation(ESPEAK, "fr", FRENCH)
    texts = ["Oui, c'est ça. Merci !", "gaz", "-q", "75", "\n", "...", "oui; non: peut-être…"]
    found = reader.of([*texts, "gaz"])
    assert {text: "".join(FRENCH[token] for token in tokens) for text, tokens in found.items()} == {
        "Oui, c'est ça. Merci !": "wisɛsamɛʁsi",
        "gaz": "ɡaz",
        "-q": "ky",
        "75": "swasɑ̃tkɛ̃z",
        "oui; non: peut-être…": "winɔ̃pøtɛtʁ",
    }
    assert reader.of(["gaz"]) == {"gaz": found["gaz"]}


def test_without_the_program_no_text_has_sounds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Pronunciation(tmp_path / "nothing", "fr", FRENCH).of(["gaz", "bois"]) == {}
    assert "no phonemes" in caplog.text


def test_a_program_that_failed_is_asked_again_later(tmp_path: Path) -> None:
    program, now_s = tmp_path / "espeak-ng", 0.0
    reader = Pronunciation(program, "fr", FRENCH, lambda: now_s)
    assert reader.of(["gaz"]) == {}
    program.symlink_to(ESPEAK)
    now_s = AGAIN_AFTER_S - 1
    assert reader.of(["gaz"]) == {}
    now_s = AGAIN_AFTER_S
    assert list(reader.of(["gaz"])) == ["gaz"]
