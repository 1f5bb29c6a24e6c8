"""Measures the intents of a language on phrases that training had not seen.

Leave-one-paraphrase-group-out, dealt into folds: a phrase is judged by a classifier that saw neither it nor any phrase
of its group, with calibration and thresholds fitted on others. The word-for-word rule is off (nothing was seen), the
declared rules (`only`, `has`) are on; the classifier's own figure stands beside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intent_service.encoder import Encoder
from intent_service.language import STRANGER, LanguageData
from intent_service.model import Votes, evidence, probabilities, restrict
from intent_service.noise import TELEPHONE
from intent_service.rules import PhraseRules
from intent_service.thresholds import CertaintyBand, fit_bands
from intent_service.train import fit_decider, own_members, trainer_of
from intent_service.training import TrainingSamples, folds_of, out_of_fold, take_votes

NOISE_SEED = 2026
_PARTS = 3
_CONTRADICTION_OVERLAP = 0.8


@dataclass(frozen=True)
class Judged:
    """Held-out decisions on sentences; arrays have one entry per sentence."""

    top: NDArray[np.int64]
    """The best class of the asked set."""
    believed: NDArray[np.bool_]
    """Whether it was answered (else `no_match`)."""
    sure: NDArray[np.float32]
    """Its score; 1 where a declared rule decided."""


@dataclass(frozen=True)
class Evaluation:
    """What `pronto intents eval` shows; shares are 0 to 1."""

    language: str
    classes: tuple[str, ...]
    main_count: int
    """How many of the classes are intents of the main set; the others are questions."""
    phrases_of: dict[str, int]
    """Phrases of each intent."""
    phrase_count: int
    group_count: int
    accuracy: float
    """Best candidate is the meant intent, clean."""
    accuracy_main: float
    accuracy_faqs: float
    accuracy_without_rules: float
    accuracy_noisy: float
    refused: float
    """In-scope phrases answered `no_match`."""
    wrong: float
    """In-scope phrases answered with another intent."""
    questions_taken_by_main: float
    """Questions that the main set answers instead of leaving them to the questions."""
    stranger_count: int
    stranger_recall: float
    """Out-of-scope sentences answered `no_match` by the main set and by the questions after it."""
    thresholds: dict[str, float]
    bands: dict[str, CertaintyBand]
    """Of clean and of noisy held-out sentences together."""
    confusions: tuple[tuple[str, str, int], ...]
    errors: tuple[tuple[str, str, str], ...]
    """Phrase, meant, taken for."""
    contradictions: tuple[tuple[str, str, str, str], ...]
    """Phrase, its intent, a phrase of nearly the same words, that one's intent."""


def evaluate(data: LanguageData, encoder: Encoder | None, fold_count: int) -> Evaluation:
    """Runs the whole evaluation: `fold_count` trainings."""
    samples = data.samples(encoder)
    noisy = data.samples(encoder, TELEPHONE, NOISE_SEED)
    folds = folds_of(samples, fold_count)
    held_out = out_of_fold(trainer_of(data, samples, encoder), folds, [samples, noisy])
    classes, labels = samples.classes, samples.labels
    judge = _Judge(data, folds, held_out[0], labels)
    own = own_members(data, labels)
    clean = judge.of(samples, held_out[0], own)
    noisy_judged = judge.of(noisy, held_out[1], own)
    thresholds = judge.thresholds_of_all().tolist()
    right = clean.top == labels
    phrases = labels != (classes.index(STRANGER) if STRANGER in classes else -1)
    is_main = phrases & (labels < len(data.main.names))
    is_faq = phrases & ~is_main
    answered = np.zeros(len(labels), bool)
    for one in data.sets:
        answered |= judge.of(samples, held_out[0], np.repeat(data.members(one)[None], len(labels), axis=0)).believed
    asked_of_main = judge.of(samples, held_out[0], np.repeat(data.members(data.main)[None], len(labels), axis=0))

    def accuracy(judged: Judged, rows: NDArray[np.bool_] = phrases) -> float:
        return float((judged.top == labels)[rows].mean()) if rows.any() else float("nan")

    wrong_rows = np.flatnonzero(~right & phrases)
    return Evaluation(
        language=data.name,
        classes=tuple(name for name in classes if name != STRANGER),
        main_count=len(data.main.names),
        phrases_of={name: int((labels == index).sum()) for index, name in enumerate(classes)},
        phrase_count=int(phrases.sum()),
        group_count=len(np.unique(samples.groups[phrases])),
        accuracy=accuracy(clean),
        accuracy_main=accuracy(clean, is_main),
        accuracy_faqs=accuracy(clean, is_faq),
        accuracy_without_rules=accuracy(judge.of(samples, held_out[0], own, rules=False)),
        accuracy_noisy=accuracy(noisy_judged),
        refused=float((~clean.believed)[phrases].mean()),
        wrong=float((clean.believed & ~right)[phrases].mean()),
        questions_taken_by_main=float(asked_of_main.believed[is_faq].mean()) if is_faq.any() else float("nan"),
        stranger_count=int((~phrases).sum()),
        stranger_recall=float((~answered)[~phrases].mean()) if (~phrases).any() else float("nan"),
        thresholds=dict(zip(classes, thresholds, strict=True)),
        bands=fit_bands(
            [name for name in classes if name != STRANGER],
            np.concatenate([labels, labels]),
            np.concatenate([clean.top, noisy_judged.top]),
            np.concatenate([clean.sure, noisy_judged.sure]),
            thresholds,
        ),
        confusions=tuple(
            (meant, taken, times)
            for (meant, taken), times in Counter(
                (classes[labels[row]], classes[clean.top[row]]) for row in wrong_rows
            ).most_common()
        ),
        errors=tuple((samples.texts[row], classes[labels[row]], classes[clean.top[row]]) for row in wrong_rows),
        contradictions=contradictions(samples),
    )


class _Judge:
    """Decides on held-out votes with calibration and thresholds that were fitted on other folds."""

    def __init__(self, data: LanguageData, folds: NDArray[np.int64], votes: Votes, labels: NDArray[np.int64]) -> None:
        self._classes = data.classes
        self._rules = PhraseRules(data.sets, data.normaliser(), word_for_word=False)
        self._parts = folds % _PARTS
        self._deciders = []
        for part in range(_PARTS):
            kept = np.flatnonzero(self._parts != part)
            self._deciders.append(fit_decider(data, take_votes(votes, kept), labels[kept]))
        self._whole = fit_decider(data, votes, labels)

    def thresholds_of_all(self) -> NDArray[np.float32]:
        """Thresholds fitted on everything."""
        return self._whole.thresholds

    def of(self, samples: TrainingSamples, votes: Votes, members: NDArray[np.bool_], rules: bool = True) -> Judged:
        """Decisions; `members` says for every sentence which classes it is asked of."""
        top = np.zeros(len(samples.texts), np.int64)
        believed = np.zeros(len(samples.texts), bool)
        scores = np.zeros(len(samples.texts), np.float32)
        for part, decider in enumerate(self._deciders):
            rows = np.flatnonzero(self._parts == part)
            own = take_votes(votes, rows)
            probability = restrict(probabilities(own, decider.mix), members[rows])
            best = np.where(members[rows], probability, -1.0).argmax(axis=1)
            sure = decider.confidence.of(evidence(own, probability, best, members[rows]))
            top[rows], believed[rows], scores[rows] = best, sure >= decider.thresholds[best], sure
        for row, text in enumerate(samples.texts if rules else ()):
            names = frozenset(name for name, fits in zip(self._classes, members[row], strict=True) if fits)
            ruling = self._rules.decide(text, names)
            if ruling is not None:
                top[row], believed[row], scores[row] = self._classes.index(ruling.intent), True, 1.0
        return Judged(top, believed, scores)


def contradictions(samples: TrainingSamples) -> tuple[tuple[str, str, str, str], ...]:
    """Phrases of different intents with nearly the same words."""
    words = [frozenset(text.split()) for text in samples.texts]
    by_word: dict[str, list[int]] = {}
    found = []
    for row, own in enumerate(words):
        rivals = Counter(other for word in own for other in by_word.get(word, ()))
        for other, shared in rivals.items():
            overlap = shared / (len(own) + len(words[other]) - shared)
            if samples.labels[other] != samples.labels[row] and overlap >= _CONTRADICTION_OVERLAP:
                names = samples.classes
                found.append(
                    (samples.texts[other], names[samples.labels[other]], samples.texts[row], names[samples.labels[row]])
                )
        for word in own:
            by_word.setdefault(word, []).append(row)
    return tuple(dict.fromkeys(found))


def report(result: Evaluation, every_error: bool = False) -> str:
    """The evaluation as text."""
    size = f"{len(result.classes)} intents, {result.phrase_count} phrases in {result.group_count} groups"
    lines = [
        f"{result.language}: {size}, leave-one-paraphrase-group-out",
        f"  clean                         {result.accuracy:.3f}   (main {result.accuracy_main:.3f}, questions "
        f"{result.accuracy_faqs:.3f}; without the declared rules {result.accuracy_without_rules:.3f})",
        f"  simulated recognition errors  {result.accuracy_noisy:.3f}",
        f"  out of scope                  {result.stranger_recall:.3f} of {result.stranger_count} refused by both sets",
        f"  in scope                      {result.refused:.3f} refused, {result.wrong:.3f} answered as another intent",
        f"  questions                     {result.questions_taken_by_main:.3f} answered by the main set",
        "",
        "most confused (meant, taken for, times):",
        *(f"  {meant:16} {taken:16} {times}" for meant, taken, times in result.confusions[:15]),
        "",
        f"phrases that contradict each other: {len(result.contradictions)}",
        *(f"  {one!r} ({intent})  and  {two!r} ({other})" for one, intent, two, other in result.contradictions[:20]),
        "",
        "thresholds:",
    ]
    items = [f"{name} {value:.2f}" for name, value in result.thresholds.items()]
    lines += ["  " + "   ".join(f"{item:22}" for item in items[start : start + 5]) for start in range(0, len(items), 5)]
    lines += ["", "bands: act from (acted on, asked back; of what is asked back, right):"]
    items = [
        f"{name} {band.act:.2f} ({band.acted:.0%}, {band.asked:.0%}; {band.asked_right:.0%})"
        for name, band in result.bands.items()
    ]
    lines += ["  " + "   ".join(f"{item:36}" for item in items[start : start + 3]) for start in range(0, len(items), 3)]
    if every_error:
        lines += ["", "every error (phrase, meant, taken for):"]
        lines += [f"  {phrase!r}  {meant} -> {taken}" for phrase, meant, taken in result.errors]
    return "\n".join(lines)
