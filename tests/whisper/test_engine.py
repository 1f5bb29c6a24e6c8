"""A batch gives what one by one gives, and what plain faster-whisper gives; on a Whisper of random weights."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper import WhisperModel

from tests.whisper.serving import HeldEngine
from whisper_service.audio import Samples
from whisper_service.batcher import Again, Batcher, OutOfMemory
from whisper_service.engine import MAX_HINT_TOKENS, WhisperEngine, choose_device, load_engine
from whisper_service.guards import GuardLimits
from whisper_service.jobs import Decoded, Job, judge
from whisper_service.model_notes import ModelNotes, read_notes


def first_answer(engine: WhisperEngine, job: Job) -> Decoded:
    """What the first run says, whether or not a second one is wanted."""
    (answer,) = engine.run([job])
    decoded = answer.job.first if isinstance(answer, Again) else answer
    assert decoded is not None
    return decoded


def texts(engine: WhisperEngine, jobs: list[Job]) -> list[str]:
    """The texts of jobs of one key, second runs included."""
    answers = []
    for answer in engine.run(jobs):
        second = engine.run([answer.job])[0] if isinstance(answer, Again) else answer
        assert isinstance(second, Decoded)
        answers.append(second.text)
    return answers


def jobs_of(engine: WhisperEngine, clips: list[Samples], **how: object) -> list[Job]:
    return [engine.job(engine.features(clip), "fr", **how) for clip in clips]  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [2, 4, 12])
def test_a_batch_equals_one_by_one(engine: WhisperEngine, clips: list[Samples], size: int) -> None:
    jobs = jobs_of(engine, clips)
    one_by_one = [texts(engine, [job])[0] for job in jobs]
    batched = [text for i in range(0, len(jobs), size) for text in texts(engine, jobs[i : i + size])]
    assert batched == one_by_one
    assert len(set(one_by_one)) >= 5, "the random model must tell clips apart, or equality proves nothing"


def test_full_context_equals_faster_whisper(random_model: Path, clips: list[Samples]) -> None:
    engine = load_engine(str(random_model), device="cpu", context_s=30.0)
    plain = WhisperModel(str(random_model), device="cpu", compute_type="int8", cpu_threads=1)
    for clip in clips[:6]:
        wanted = jobs_of(engine, [clip])[0].max_tokens
        segments, _ = plain.transcribe(
            clip, language="fr", beam_size=1, temperature=0, without_timestamps=True, max_new_tokens=2 * wanted - 4
        )
        (segment,) = segments
        decoded = first_answer(engine, jobs_of(engine, [clip])[0])
        assert decoded.text == segment.text.strip()
        assert decoded.avg_logprob == pytest.approx(segment.avg_logprob, abs=1e-3)
        assert decoded.no_speech_prob == pytest.approx(segment.no_speech_prob, abs=1e-3)


def test_languages_may_be_mixed_in_a_batch_and_hint_lengths_may_not(
    engine: WhisperEngine, clips: list[Samples]
) -> None:
    mel = engine.features(clips[3])
    french, italian = engine.job(mel, "fr"), engine.job(mel, "it")
    hinted = engine.job(mel, "fr", ["gaz", "bois"])
    assert engine.key(french) == engine.key(italian)
    assert engine.key(hinted) != engine.key(french)
    assert texts(engine, [french, italian]) == [*texts(engine, [french]), *texts(engine, [italian])]
    groups = defaultdict(list)
    for job in (french, hinted, italian, engine.job(mel, "en", ["maison"]), engine.job(mel, "en", ["oui", "non"])):
        groups[engine.key(job)].append(job)
    for group in groups.values():
        assert texts(engine, group) == [text for job in group for text in texts(engine, [job])]


def test_a_burst_of_hints_of_different_lengths_is_answered_in_real_batches(
    engine: WhisperEngine, clips: list[Samples]
) -> None:
    hints: list[list[str]] = [[], ["gaz"], ["pompe à chaleur", "bois"], [], ["oui", "non", "merci"]]
    jobs = [
        engine.job(engine.features(clip), ("fr", "it", "en")[number % 3], hints[number % 5])
        for number, clip in enumerate(clips)
    ]
    held = HeldEngine(engine, is_open=False)
    batcher = Batcher[Job, Decoded](held, max_batch=8)
    first = batcher.submit(jobs[0], float("inf"))
    assert held.entered.acquire(timeout=20)
    burst = [batcher.submit(job, float("inf")) for job in jobs]
    held.gate.set()
    answers = [future.result(60).text for future in (first, *burst)]
    batcher.close()
    assert answers == [texts(engine, [job])[0] for job in (jobs[0], *jobs)]
    sizes = [len(batch) for batch in held.batches]
    assert max(sizes) >= 4, "jobs with prompts of one length were not run together"
    assert all(len({engine.key(job) for job in batch}) == 1 for batch in held.batches)
    assert len({len(job.hints) for job in jobs}) >= 3, "the hints must differ in length, or nothing is shown"


def test_hints_are_cut_at_a_hints_end(engine: WhisperEngine, clips: list[Samples]) -> None:
    mel = engine.features(clips[0])
    one = engine.job(mel, "fr", ["pompe à chaleur"]).hints
    many = engine.job(mel, "fr", ["pompe à chaleur"] * 50).hints
    assert 0 < len(one) < len(many) <= MAX_HINT_TOKENS
    assert (len(many) - len(one)) % (len(one) + 1) == 0


def test_a_model_without_prompts_ignores_hints(random_model: Path, clips: list[Samples]) -> None:
    model = WhisperModel(str(random_model), device="cpu", compute_type="int8")
    engine = WhisperEngine(model, ModelNotes(prompts=False))
    assert engine.job(engine.features(clips[0]), "fr", ["gaz"]).hints == ()


@pytest.mark.parametrize(("seconds", "context_s"), [(0.5, 6), (5.4, 6), (5.6, 12), (12, 24), (24, 30), (30, 30)])
def test_the_context_is_the_least_that_holds_the_utterance(
    engine: WhisperEngine, seconds: float, context_s: float
) -> None:
    mel = np.zeros((80, int(seconds * 100)), np.float32)
    assert engine.job(mel, "fr").context_s == context_s


def test_an_unsure_answer_is_run_again_over_the_full_context(engine: WhisperEngine) -> None:
    job = Job(np.zeros((80, 100), np.float32), "fr", context_s=6.0)
    unsure = Decoded("oui", "fr", -1.2, 0.1, 0.5)
    again = judge(job, unsure)
    assert isinstance(again, Again)
    assert (again.job.context_s, again.job.first) == (30.0, unsure)
    assert judge(again.job, Decoded("non", "fr", -0.2, 0.1, 0.5)) == Decoded("non", "fr", -0.2, 0.1, 0.5, runs=2)
    assert judge(again.job, Decoded("non", "fr", -1.9, 0.1, 0.5)) == Decoded("oui", "fr", -1.2, 0.1, 0.5, runs=2)


def test_a_model_that_gains_nothing_by_it_is_asked_again_in_its_short_context() -> None:
    job = Job(np.zeros((80, 100), np.float32), "fr", context_s=10.0)
    again = judge(job, Decoded("oui", "fr", -1.2, 0.1, 0.5), in_full=False)
    assert isinstance(again, Again)
    assert again.job.context_s == 10.0
    assert again.job.temperature > 0


def test_silence_is_not_run_again_and_a_loop_is(engine: WhisperEngine) -> None:
    job = Job(np.zeros((80, 100), np.float32), "fr", context_s=30.0)
    silence = Decoded("merci", "fr", -1.5, 0.9, 0.5)
    assert judge(job, silence) == silence
    nothing = Decoded("", "fr", 0.0, 0.1, 0.0)
    assert judge(job, nothing) == nothing
    loop = judge(job, Decoded("oui " * 40, "fr", -0.1, 0.1, 9.0))
    assert isinstance(loop, Again)
    assert loop.job.temperature > 0


def test_the_language_is_detected_only_when_asked(engine: WhisperEngine, clips: list[Samples]) -> None:
    mel = engine.features(clips[3])
    assert first_answer(engine, engine.job(mel, "it")).language == "it"
    detected = first_answer(engine, engine.job(mel, "auto")).language
    assert detected in {"fr", "it", "en"}
    forced = first_answer(engine, engine.job(mel, detected))
    assert first_answer(engine, engine.job(mel, "auto")).text == forced.text


class SmallDevice:
    """The real model, on a device that holds the encoder's output of `room` utterances; it says so as `words` say."""

    def __init__(self, model: Any, room: int, words: str) -> None:
        self._model, self._room, self._words = model, room, words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any) -> Any:
        if features.shape[0] > self._room:
            raise RuntimeError(self._words)
        return self._model.encode(features)


def small_engine(folder: Path, room: int, words: str = "CUDA failed with error out of memory") -> WhisperEngine:
    model = WhisperModel(str(folder), device="cpu", compute_type="int8")
    model.model = SmallDevice(model.model, room, words)
    return WhisperEngine(model, ModelNotes(), context_s=6.0)


@pytest.mark.parametrize(
    "words", ["CUDA failed with error out of memory", "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"]
)
def test_out_of_memory_of_the_device_is_told_apart(random_model: Path, clips: list[Samples], words: str) -> None:
    engine = small_engine(random_model, 0, words)
    with pytest.raises(OutOfMemory):
        engine.run(jobs_of(engine, clips[:1]))


def test_a_batch_that_the_device_cannot_hold_is_answered_in_halves(random_model: Path, clips: list[Samples]) -> None:
    held = HeldEngine(small_engine(random_model, 2), is_open=False)
    batcher = Batcher[Job, Decoded](held, max_batch=8)
    jobs = [held.prepare(clip, "fr") for clip in clips[:8]]
    first = batcher.submit(jobs[0], float("inf"))
    assert held.entered.acquire(timeout=20)
    burst = [batcher.submit(job, float("inf")) for job in jobs]
    held.gate.set()
    roomy = load_engine(str(random_model), device="cpu", context_s=6.0)
    assert [future.result(60).text for future in (first, *burst)] == [
        texts(roomy, [job])[0] for job in (jobs[0], *jobs)
    ]
    assert batcher.max_batch == 2
    batcher.close()


@pytest.mark.parametrize(
    ("asked", "gpus", "chosen"),
    [
        (("auto", "auto"), 0, ("cpu", "int8")),
        (("auto", "auto"), 2, ("cuda", "float16")),
        (("cpu", "auto"), 1, ("cpu", "int8")),
        (("cuda", "int8_float16"), 1, ("cuda", "int8_float16")),
    ],
)
def test_device_and_compute_type(asked: tuple[str, str], gpus: int, chosen: tuple[str, str]) -> None:
    assert choose_device(*asked, gpus) == chosen


def test_the_languages_are_those_of_the_vocabulary(engine: WhisperEngine) -> None:
    assert engine.languages == {"fr", "it", "en"}


def test_notes_of_a_model(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == ModelNotes()
    (tmp_path / "pronto.json").write_text(json.dumps({"context_s": 8, "demo": True, "made_by": "someone"}))
    assert read_notes(tmp_path) == ModelNotes(context_s=8, demo=True)
    (tmp_path / "pronto.json").write_text(json.dumps({"limits": {"min_logprob": -0.7}}))
    assert read_notes(tmp_path).limits == GuardLimits(min_logprob=-0.7)


@pytest.mark.parametrize(
    ("notes", "complaint"),
    [
        ({"context_s": 0.1}, "context_s"),
        ({"limits": {"min_logprop": -0.7}}, "min_logprop"),
        ({"limits": {"min_logprob": "low"}}, "low"),
        (["context_s"], "pronto.json"),
    ],
)
def test_notes_that_cannot_be_meant_are_refused(tmp_path: Path, notes: object, complaint: str) -> None:
    (tmp_path / "pronto.json").write_text(json.dumps(notes))
    with pytest.raises(ValueError, match=complaint):
        read_notes(tmp_path)
