"""Text to the symbols that the near-human voice was trained on, with the real espeak-ng."""

import pytest

from audio_prompts.espeak import ipa
from audio_prompts.phonemes import LONGEST, SYMBOLS, clauses_of, is_near_human, numbers_of


@pytest.mark.parametrize(
    ("voice", "text", "symbols"),
    [
        ("ff_siwis", "Bonjour, ici Camille.", "bɔ̃ʒˈuʁ, isˈi kamˈij."),
        ("ff_siwis", "C'est bien ça ?", "sɛ bjˈɛ̃ sˈa?"),
        ("if_sara", "Ciao, grazie!", "ʧˈao, ɡrˈaʦje!"),
        ("af_heart", "Today at eight.", "tədˈA æT ˈAt."),
    ],
)
def test_symbols_of_a_text(voice: str, text: str, symbols: str) -> None:
    assert clauses_of(text, voice, ipa) == [symbols]


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("ff_siwis", "L'été dernier, où étiez-vous ? Le parking, le week-end, un œuf, des bœufs, l'agneau !"),
        ("if_sara", "Gli gnocchi, la scienza; perché? Il weekend, lo zucchero: quindici euro."),
        ("bf_emma", "Whether the weather, jumping, pleasure, thirty-three, the sure lure of rural air?"),
    ],
)
def test_every_sound_of_a_language_has_a_symbol(voice: str, text: str) -> None:
    """What has none is left out of the speech, silently."""
    (symbols,) = clauses_of(text, voice, ipa)
    assert {symbol for symbol in symbols if symbol not in SYMBOLS} == set()
    assert len(numbers_of(symbols)) == len(symbols)


def test_marks_within_a_number_are_no_pause() -> None:
    heard: list[str] = []

    def reader(clause: str, voice: str) -> str:
        heard.append(clause.strip())
        return "a"

    assert clauses_of("À 14:30, pour 1,5 euro.", "ff_siwis", reader) == ["a, a."]
    assert heard == ["À 14:30", "pour 1,5 euro"]


def test_a_long_text_is_spoken_in_parts_at_clauses() -> None:
    text = "Bonjour, " * 120
    parts = clauses_of(text, "ff_siwis", lambda clause, voice: "bɔ̃ʒˈuʁ")
    assert len(parts) > 1
    assert max(map(len, parts)) <= LONGEST
    assert "".join(part.replace(" ", "") for part in parts) == "bɔ̃ʒˈuʁ," * 120


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ff_siwis", True), ("im_nicola", True), ("bf_emma", True), ("fr", False), ("fr+f4", False), ("zf_xiaoyi", False)],
)
def test_near_human_voices_are_told_by_their_names(name: str, expected: bool) -> None:
    assert is_near_human(name) is expected
