"""From phrases to decisions in memory: training, calibration, thresholds, the bundle on disk, noise, evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intent_service.bundle import open_bundle, save
from intent_service.evaluation import evaluate, report
from intent_service.language import STRANGER, LanguageData, read_language
from intent_service.noise import HARD, HOMOPHONES, TELEPHONE, Noise, garble
from intent_service.phonetic import sound_of
from intent_service.recogniser import Recogniser, UnknownIntent
from intent_service.thresholds import ACT_PRECISION, fit_bands, fit_thresholds
from intent_service.train import train
from intent_service.training import folds_of


@pytest.fixture
def data(flows: Path) -> LanguageData:
    return read_language(flows, "fr")


@pytest.fixture
def recogniser(data: LanguageData) -> Recogniser:
    return Recogniser(data, train(data, None, "v1"), None)


def test_a_trained_language_is_the_same_after_disk(data: LanguageData, tmp_path: Path) -> None:
    bundle = train(data, None, "v1")
    save(bundle, tmp_path / "fr.npz")
    again = open_bundle(tmp_path / "fr.npz")
    for sentence in ("je voudrais un conseiller", "il y a du bruit dehors", "oui d'accord", "le chat dort"):
        one, two = (Recogniser(data, each, None).decide(sentence) for each in (bundle, again))
        assert one == two


def test_a_torn_bundle_is_an_error_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK torn")
    with pytest.raises(ValueError, match=r"x\.npz"):
        open_bundle(tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError):
        open_bundle(tmp_path / "y.npz")


@pytest.mark.parametrize(
    "sentence", ["PASSEZ-MOI UN CONSEILLER !", "passez moi un conseiller", "Passez-moi un conseillé"]
)
def test_case_accents_and_homophones_do_not_matter(recogniser: Recogniser, sentence: str) -> None:
    assert recogniser.decide(sentence).top3[0].intent == "human"


def test_decisions_explain_themselves(recogniser: Recogniser) -> None:
    decision = recogniser.decide("je voudrais parler à un humain madame")
    assert decision.normalised == "je voudrais parler a un humain madame"
    assert decision.lexical[0].intent == "human"
    assert decision.semantic == ()
    assert STRANGER not in {one.intent for one in decision.top3}
    assert STRANGER not in recogniser.thresholds()
    with pytest.raises(UnknownIntent, match="maybe"):
        recogniser.decide("oui", allowed=["maybe"])


def test_strict_intents_ask_for_more() -> None:
    labels = np.array([0] * 20 + [1] * 20)
    confidence = np.concatenate([np.linspace(0.4, 0.95, 20), np.linspace(0.4, 0.95, 20)]).astype(np.float32)
    doubts_top, doubts = np.array([0] * 4 + [1] * 4), np.full(8, 0.5, np.float32)
    loose, strict = fit_thresholds(["a", "b"], labels, labels, confidence, doubts_top, doubts, {"b"})
    assert strict >= loose
    assert (confidence[labels == 0] >= loose).mean() >= 0.9


def test_folds_never_split_a_group(data: LanguageData) -> None:
    samples = data.samples(None)
    folds = folds_of(samples, 4)
    for group in np.unique(samples.groups):
        assert len(set(folds[samples.groups == group])) == 1


def test_noise_is_repeatable_and_of_the_named_kinds() -> None:
    sentence = "je veux être rappelé demain matin à propos de la prime"
    one, two = (garble(sentence, TELEPHONE, np.random.default_rng(5)) for _ in range(2))
    assert one == two
    silent = Noise(drop=0.0, homophone=0.0, accents_lost=0.0, filler=0.0)
    assert garble(sentence, silent, np.random.default_rng(5)) == sentence
    assert (
        garble("oui", Noise(drop=1.0, homophone=0.0, accents_lost=0.0, filler=0.0), np.random.default_rng(1)) == "oui"
    )
    assert "rappelé" in HOMOPHONES["rappelez"]
    assert garble(sentence, HARD, np.random.default_rng(3)) != sentence


@pytest.mark.parametrize(
    "words",
    [
        ("rappeler", "rappelez", "rappele"),
        ("peux", "peut", "peu"),
        ("chaudiere", "chaudieres"),
        ("appelle", "appelles"),
    ],
)
def test_homophones_sound_alike(words: tuple[str, ...]) -> None:
    assert len({sound_of(word) for word in words}) == 1


def test_the_evaluation_holds_out_and_reports(data: LanguageData) -> None:
    result = evaluate(data, None, 4)
    assert result.phrase_count == sum(len(intent.phrases) for one in data.sets for intent in one.intents)
    assert result.stranger_count == 6
    assert 0.0 <= result.accuracy_noisy <= 1.0
    assert sum(times for _, _, times in result.confusions) == len(result.errors)
    assert result.accuracy == pytest.approx(1 - len(result.errors) / result.phrase_count)
    text = report(result, every_error=True)
    assert "leave-one-paraphrase-group-out" in text
    assert "thresholds:" in text
    assert set(result.bands) <= set(result.classes)
    assert "bands: act from" in text


def test_a_band_begins_where_what_is_taken_for_an_intent_nearly_always_is_it() -> None:
    labels = np.array([0] * 200 + [1] * 10)
    top = np.zeros(210, np.int64)
    rising = np.linspace(0.5, 0.999, 200, dtype=np.float32)
    confidence = np.concatenate([rising, np.linspace(0.5, 0.8, 10, dtype=np.float32)])
    bands = fit_bands(["a", "b"], labels, top, confidence, [0.6, 0.6])
    taken = confidence >= bands["a"].act
    assert (labels[taken] == 0).mean() >= ACT_PRECISION
    below = confidence >= bands["a"].act - 0.05
    assert (labels[below] == 0).mean() < ACT_PRECISION
    assert bands["a"].acted + bands["a"].asked == pytest.approx((rising >= 0.6).mean(), abs=0.01)
    assert 0.5 < bands["a"].asked_right < 1.0
    assert "b" not in bands  # nothing was taken for it
