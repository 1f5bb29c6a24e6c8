"""Sentences that training never saw, through the shipped phrases and the configured encoder.

Uses what set-up trained; trains when the phrases or the code changed since.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config import IntentSettings, load
from intent_service.bundle import bundle_path, open_bundle, save, version_of
from intent_service.encoder import open_encoder
from intent_service.language import read_language
from intent_service.recogniser import Recogniser
from intent_service.train import train

HERE = Path(__file__).parent
FILES = ("unseen_fr_a.yaml", "unseen_fr_b.yaml")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    settings = load(IntentSettings)
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    data = read_language(settings.flows_dir, "fr")
    version = version_of(data.source, opened.encoder.identity if opened.encoder is not None else "none")
    path = bundle_path(settings.intent_cache_dir, "fr", version)
    if not path.exists():
        save(train(data, opened.encoder, version), path)
    return Recogniser(data, open_bundle(path), opened.encoder)


def sentences(file: str, part: str) -> list[tuple[str, str]]:
    content = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))[part]
    return [(sentence, intent) for intent, group in content.items() for sentence in group]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", FILES)
def test_sentences_that_were_never_seen(recogniser: Recogniser, file: str) -> None:
    main = [(text, intent, recogniser.decide(text)) for text, intent in sentences(file, "main")]
    wrong = [(text, intent, found.top3[0].intent) for text, intent, found in main if found.top3[0].intent != intent]
    assert len(wrong) <= 0.05 * len(main), wrong
    refused = [text for text, _, found in main if found.fallback]
    assert len(refused) <= 0.08 * len(main), refused
    faqs = [(text, intent, recogniser.decide(text, faqs=True)) for text, intent in sentences(file, "faqs")]
    wrong = [(text, intent, found.top3[0].intent) for text, intent, found in faqs if found.top3[0].intent != intent]
    assert len(wrong) <= 0.05 * len(faqs), wrong


@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", FILES)
def test_strangers_are_refused(recogniser: Recogniser, file: str) -> None:
    strangers = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))["none"]
    taken = [
        text
        for text in strangers
        if not (recogniser.decide(text).fallback and recogniser.decide(text, faqs=True).fallback)
    ]
    assert len(taken) <= 0.25 * len(strangers), taken


@pytest.mark.timeout(900)
def test_no_match_costs_no_yes(recogniser: Recogniser) -> None:
    for sentence in (
        "oui",
        "Oui.",
        "non",
        "Non merci.",
        "75011",
        "je suis propriétaire",
        "un conseiller s'il vous plaît",
    ):
        assert not recogniser.decide(sentence).fallback, sentence
