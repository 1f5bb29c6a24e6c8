"""The pure pieces of the trainer: numbers, corpus, alignment, line, batches, network."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from models import nospeech
from models.edits import edits
from models.train.batches import NO_LABEL, Pool
from models.train.channel import Line, companded, random_line, resample, through
from models.train.corpus import Corpus, CorpusError, hesitate, is_held_out, read_phrases, transcript
from models.train.french_numbers import number_words, numerals, pair_words, zip_code, zip_code_words
from models.train.muon import orthogonal
from models.train.network import Shape, Whisper
from models.train.phonemes import PAUSE, PHONEMES, UNKNOWN, frame_classes, speech_span_s
from models.train.synth import SynthUtterance, write_shard
from models.train.train import Schedule
from models.train.vocab import Vocabulary

DEMO_MODEL = Path(__file__).resolve().parents[2] / "models" / "demo-fr"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zéro"),
        (17, "dix-sept"),
        (21, "vingt et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (200, "deux cents"),
        (205, "deux cent cinq"),
        (1000, "mille"),
        (21_000, "vingt et un mille"),
        (75_011, "soixante-quinze mille onze"),
        (80_500, "quatre-vingt mille cinq cents"),
    ],
)
def test_numbers_are_written_as_in_france(number: int, words: str) -> None:
    assert number_words(number) == words


@pytest.mark.parametrize("number", [-1, 100_000])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="0 to 99999"):
        number_words(number)


def test_a_zip_code_is_read_in_several_ways() -> None:
    readings = {transcript(zip_code_words("75011", random.Random(seed))) for seed in range(200)}
    assert readings == {
        "soixante-quinze mille onze",
        "soixante-quinze zéro onze",
        "soixante-quinze zéro un un",
        "sept cinq zéro un un",
    }


def test_zip_codes_have_five_digits_and_a_french_department() -> None:
    codes = [zip_code(random.Random(seed)) for seed in range(500)]
    assert all(re.fullmatch(r"\d{5}", code) and 1 <= int(code[:2]) <= 97 for code in codes)


def test_the_numerals_of_a_sentence() -> None:
    assert numerals("non c'est le quatre-vingt mille deux cents à dijon") == [
        "quatre",
        "vingt",
        "mille",
        "deux",
        "cent",
    ]


def test_a_pair_that_starts_with_zero_keeps_it() -> None:
    assert pair_words("07") == "zéro sept"


def test_every_phrase_of_the_flow_is_drawn_and_can_be_written() -> None:
    corpus, vocabulary = Corpus(), Vocabulary(DEMO_MODEL / "tokenizer.json")
    phrases = {phrase for _, phrase in corpus.phrases()}
    assert {f"faq{n}" for n in range(1, 25)} <= set(corpus.faqs)
    for phrase in phrases:
        ids = vocabulary.encode(phrase)
        assert vocabulary.decode(ids) == phrase
        assert vocabulary.bare_space not in ids
    rng = random.Random(1)
    drawn = {corpus.draw(rng).text for _ in range(100_000)}
    assert len(phrases - drawn) < 0.05 * len(phrases)


def test_held_out_sentences_are_never_drawn_for_training() -> None:
    corpus, rng = Corpus(), random.Random(3)
    phrases = {phrase for _, phrase in corpus.phrases()}
    for _ in range(500):
        sentence = corpus.draw(rng, hesitant=False)
        assert sentence.text in phrases or not is_held_out(sentence.text)
        assert is_held_out(corpus.draw(rng, held_out=True).text)


def test_transcripts_are_lower_case_words() -> None:
    corpus, rng = Corpus(), random.Random(4)
    for _ in range(2000):
        assert re.fullmatch(r"[a-zà-ÿœ'-]+( [a-zà-ÿœ'-]+)*", corpus.draw(rng).text)


def test_a_false_start_repeats_the_first_word() -> None:
    spoken = {hesitate("je suis propriétaire", random.Random(seed)) for seed in range(100)}
    assert "je, je suis propriétaire" in spoken
    assert "euh je suis propriétaire" in spoken


def test_a_phrase_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "intents.yaml"
    path.write_text("intents: {greet: {examples: [bonjour]}}", "utf-8")
    with pytest.raises(CorpusError, match=r"intents\.yaml"):
        read_phrases(path)


def test_frames_are_labelled_with_the_phoneme_being_said() -> None:
    phonemes = [(0.10, "w"), (0.14, "i"), (0.20, ""), (0.24, "§")]
    classes = frame_classes(phonemes, positions=14).tolist()
    w, i = PHONEMES.index("w"), PHONEMES.index("i")
    assert classes == [PAUSE] * 5 + [w] * 2 + [i] * 3 + [PAUSE] * 2 + [UNKNOWN] * 2
    assert speech_span_s(phonemes[:3]) == (0.10, 0.20)
    assert speech_span_s([(0.0, "")]) == (0.0, 0.0)


@pytest.mark.parametrize("codec", ["mu-law", "a-law"])
def test_companding_keeps_small_and_large_samples(codec: str) -> None:
    x = np.concatenate([np.linspace(-1, 1, 1001), [0.001, -0.001]])
    assert np.all(np.abs(companded(x, codec) - x) <= 0.03 * np.abs(x) + 0.001)


def test_a_line_adds_lead_tail_and_loses_packets() -> None:
    rng = np.random.default_rng(1)
    speech = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    line = Line(snr_db=None, codec="none", lead_s=0.5, tail_s=0.25)
    clean = through(speech, line, rng)
    assert len(clean) == 16_000 * 1.75
    assert np.abs(clean[:7500]).max() < 0.01 < 0.1 < np.abs(clean[9000:23_000]).max()
    lossy = through(speech, Line(snr_db=None, codec="none", lead_s=0.0, tail_s=0.0, lost_packets=3), rng)
    assert np.count_nonzero(np.abs(lossy) < 1e-6) > 200


def test_random_lines_are_of_both_bands() -> None:
    lines = [random_line(np.random.default_rng(seed)) for seed in range(200)]
    assert {line.sample_rate_hz for line in lines} == {8000, 16_000}
    assert any(line.snr_db is None for line in lines)
    assert {line.codec for line in lines} == {"mu-law", "a-law", "none"}


def test_sounds_without_speech_are_reproducible_and_bounded() -> None:
    first, again = list(nospeech.clips(44, seed=7)), list(nospeech.clips(44, seed=7))
    assert {kind for kind, _ in first} == set(nospeech.KINDS)
    for (kind, samples), (_, same) in zip(first, again, strict=True):
        np.testing.assert_array_equal(samples, same)
        assert samples.dtype == np.float32, kind
        assert np.isfinite(samples).all(), kind
        assert np.abs(samples).max() <= 1, kind


@pytest.mark.parametrize(
    ("reference", "hypothesis", "distance"), [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a", "b c", 2), ("", "a", 1)]
)
def test_word_edits(reference: str, hypothesis: str, distance: int) -> None:
    assert edits(reference.split(), hypothesis.split()) == distance


def test_orthogonal_updates_have_singular_values_near_one() -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(3, 16, 40)))
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_the_rate_warms_up_stays_and_decays() -> None:
    schedule = Schedule(peak=1.0)
    assert schedule.rate(0.1, 0) < 0.01
    assert schedule.rate(0.3, 1000) == 1.0
    assert 0 < schedule.rate(0.99, 1000) < 0.05


def test_virtual_padding_stands_for_real_padding() -> None:
    """The encoder's speech positions with a few weighted padding positions equal those with all of them."""
    torch.manual_seed(0)
    network = Whisper(Shape(tokens=32, phonemes=4, width=32, heads=2, encoder_layers=1, decoder_layers=1)).eval()
    mel = torch.zeros(1, 80, 40)
    mel[:, :, :24] = torch.randn(1, 80, 24)
    with torch.no_grad():
        all_of_them, _ = network.encode(torch.nn.functional.pad(mel, (0, 160)))
        few = torch.stack([network.encode(mel, context=100, padding=40)[0][0, :12] for _ in range(20)]).mean(0)
    torch.testing.assert_close(few, all_of_them[0, :12], atol=0.05, rtol=0.1)


def test_batches_pad_with_zeros_and_label_silence_as_no_speech(tmp_path: Path) -> None:
    vocabulary = Vocabulary(DEMO_MODEL / "tokenizer.json")
    speech = SynthUtterance("oui", np.ones((60, 80), np.float16), np.full(30, 5, np.uint8), (0.1, 0.4))
    nothing = SynthUtterance("", np.ones((50, 80), np.float16), np.zeros(25, np.uint8), (0.0, 0.0))
    write_shard(tmp_path / "shard0000.npz", [speech, nothing])
    pool = Pool(tmp_path, vocabulary, seed=1)
    pool.refresh()
    pool.refresh()
    assert len(pool.examples) == 2
    batch = pool.collate([(60, 0, 0, 60), (50, 1, 0, 50)], augment=False)
    assert batch.mel.shape == (2, 80, 80)
    assert float(batch.mel[1, :, 50:].abs().max()) == 0
    assert batch.phonemes[0, :30].tolist() == [5] * 30
    assert batch.labels[1].tolist()[:4] == [vocabulary.no_speech, NO_LABEL, NO_LABEL, vocabulary.eot]
    assert batch.labels[0, 0] == vocabulary.french
    said = [i for i in batch.labels[0].tolist() if 0 <= i < vocabulary.text_count]
    assert vocabulary.decode(said) == "oui"


@pytest.mark.parametrize("down", [397, 432, 440, 441, 480])
def test_resampling_keeps_the_band_whatever_the_ratio(down: int) -> None:
    tone = np.sin(2 * np.pi * 2500 * np.arange(22_050) / 22_050)
    assert np.std(resample(tone, 160, down)) == pytest.approx(np.std(tone), rel=0.01)
