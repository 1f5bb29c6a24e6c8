"""The recognisers in force: what is trained, when, and what happens when that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from intent_service.bundle import bundle_path, save, version_of
from intent_service.catalogue import Recognisers, Training
from intent_service.encoder import OpenedEncoder
from intent_service.language import read_language
from intent_service.train import train


class Trainer:
    """Trains in this process; fails as long as it is told to."""

    def __init__(self, flows: Path, cache: Path) -> None:
        self.flows, self.cache = flows, cache
        self.failing = True
        self.asked = 0
        self.awaited: list[bool] = []

    def __call__(self, language: str, awaited: bool) -> str:
        self.asked += 1
        self.awaited.append(awaited)
        if self.failing:
            return "no memory"
        data = read_language(self.flows, language)
        version = version_of(data.source, "none")
        save(train(data, None, version), bundle_path(self.cache, language, version))
        return ""


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def trainer(flows: Path, tmp_path: Path) -> Trainer:
    return Trainer(flows, tmp_path / "cache")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(trainer: Trainer, clock: Clock) -> Recognisers:
    nothing = OpenedEncoder(None, "none", "")
    return Recognisers(trainer.flows, trainer.cache, ("fr",), nothing, trainer, clock=clock)


def test_a_failed_training_is_tried_again_with_longer_and_longer_pauses(
    catalogue: Recognisers, trainer: Trainer, clock: Clock
) -> None:
    tried_at = []
    for second in range(100):
        clock.now_s = float(second)
        before = trainer.asked
        catalogue.refresh()
        if trainer.asked > before:
            tried_at.append(second)
    assert tried_at == [0, 15, 45]
    assert "no memory" in catalogue.refused["fr"]
    trainer.failing = False
    clock.now_s = 200.0
    catalogue.refresh()
    assert catalogue.complete
    assert catalogue.refused == {}
    asked = trainer.asked
    clock.now_s = 10_000.0
    catalogue.refresh()
    assert trainer.asked == asked


def test_callers_wait_for_the_first_training_alone(catalogue: Recognisers, trainer: Trainer, flows: Path) -> None:
    catalogue.refresh()
    trainer.failing = False
    main = flows / "fr" / "intents.yaml"
    for name in ("moving", "leaving"):
        phrases = f"[je pars {name}, on part {name}, nous partons {name}]"
        main.write_text(f"{main.read_text(encoding='utf-8')}  {name}:\n    phrases: {phrases}\n", encoding="utf-8")
        catalogue.refresh()
    assert trainer.awaited == [True, True, False]


def test_a_training_without_end_is_ended(flows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intent_service.catalogue._TRAINING_CPU_S", 1)  # the libraries alone take longer to load
    for name, value in {"FLOWS_DIR": flows, "INTENT_ENCODER": "none", "INTENT_CACHE_DIR": tmp_path / "cache"}.items():
        monkeypatch.setenv(name, str(value))
    assert "ended after 1 s of the processor" in Training()("fr", awaited=True)


def test_phrases_that_are_bad_are_read_again_only_when_they_change(
    catalogue: Recognisers, trainer: Trainer, clock: Clock, flows: Path
) -> None:
    main = flows / "fr" / "intents.yaml"
    good = main.read_text(encoding="utf-8")
    main.write_text("language: fr\n", encoding="utf-8")
    catalogue.refresh()
    refusals = catalogue.reloads["refused"]
    clock.now_s = 10_000.0
    catalogue.refresh()
    assert catalogue.reloads["refused"] == refusals
    trainer.failing = False
    main.write_text(good, encoding="utf-8")
    catalogue.refresh()
    assert catalogue.complete


def test_another_languages_shared_intents_are_learnt_from(
    catalogue: Recognisers, trainer: Trainer, flows: Path
) -> None:
    trainer.failing = False
    catalogue.refresh()
    version = catalogue.recognisers["fr"].version
    (flows / "en").mkdir()
    (flows / "en" / "intents.yaml").write_text(
        "language: en\nintents:\n  human:\n    phrases: [a person please, an operator, let me talk to someone]\n"
        "  other:\n    phrases: [one, two, three]\n",
        encoding="utf-8",
    )
    catalogue.refresh()
    assert catalogue.recognisers["fr"].version != version
    [kin] = catalogue.recognisers["fr"].data.kin
    assert [intent.name for intent in kin.intents] == ["human"]
