"""Number words from probabilities per frame, postal codes from number words, and the decision beside free decoding."""

from __future__ import annotations

import math
import random
from datetime import datetime
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from config import STATE
from devstack.recogniser import WHISPER_BASE, is_there
from dialogue.slots import parse
from speech_service.engines.pico import Pico
from tests.slots.spoken import department_then_commune, digit_by_digit, plain, whole_number, zip_code
from whisper_service.audio import Samples
from whisper_service.batcher import Again
from whisper_service.closed_sets import Awaited
from whisper_service.engine import WhisperEngine, load_engine
from whisper_service.heads import EncoderHead, read_head, read_heads
from whisper_service.jobs import Decoded
from whisper_service.model_notes import ModelNotes, read_notes
from whisper_service.number_words import (
    BLANK,
    SaidWords,
    code_in,
    code_of,
    codes_by_likelihood,
    decide_code,
    digits_of,
    likely_rows,
)

NAMES = ("", "", "un", "deux")
NOW = datetime(2026, 11, 20, 15, 40)


def frames(*rows: dict[int, float]) -> NDArray[np.float32]:
    """Log probabilities of four tokens, from probabilities by token."""
    whole = np.full((len(rows), len(NAMES)), 1e-4)
    for row, given in zip(whole, rows, strict=True):
        for token, probability in given.items():
            row[token] = probability
    found: NDArray[np.float32] = np.log(whole / whole.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def test_a_word_twice_needs_a_blank_between() -> None:
    once = likely_rows(frames({2: 1}, {2: 1}, {2: 1}), NAMES)[0]
    twice = likely_rows(frames({2: 1}, {BLANK: 1}, {2: 1}), NAMES)[0]
    assert (once.words, twice.words) == (("un",), ("un", "un"))


def test_rows_have_the_probability_of_all_their_ways() -> None:
    draw = np.random.default_rng(4)
    given = np.log(draw.dirichlet(np.ones(len(NAMES)), 5)).astype(np.float32)
    exact: dict[tuple[str, ...], float] = {}
    for path in product(range(len(NAMES)), repeat=len(given)):
        row = tuple(NAMES[token] for token, _ in groupby(path) if token != BLANK)
        exact[row] = exact.get(row, 0.0) + math.exp(sum(float(given[at, token]) for at, token in enumerate(path)))
    best = likely_rows(given, NAMES)[0]
    assert exact[best.words] == pytest.approx(max(exact.values()))
    assert math.exp(best.logprob) == pytest.approx(exact[best.words], rel=0.1)  # some ways are not looked at


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("soixante quinze mille onze", "75011"),
        ("soixante quinze zéro onze", "75011"),
        ("soixante quinze zéro un un", "75011"),
        ("sept cinq zéro un un", "75011"),
        ("treize mille huit", "13008"),
        ("six mille cent", "06100"),
        ("zéro six cent", "06100"),
        ("zéro un quatre cent", "01400"),
        ("vingt cinq cent", "25100"),
        ("quatre vingt deux cent", "82100"),
        ("soixante et onze mille", "71000"),
        ("quatre vingt dix sept mille quatre cent", "97400"),
        ("soixante quinze", ""),
        ("quatre vingt dix neuf mille", ""),  # there is no such department
        ("cent deux mille", ""),
        ("zéro six douze vingt deux trente trois", ""),
    ],
)
def test_number_words_are_read_as_a_code(said: str, code: str) -> None:
    assert digits_of(said.split()) == code


def test_what_is_read_here_is_what_the_dialogue_reads() -> None:
    draw = random.Random(8)
    differ = []
    for _ in range(400):
        meant = zip_code(draw)
        said = plain(draw.choice((whole_number, department_then_commune, digit_by_digit))(meant, draw))
        words = [word.removesuffix("s") if word in ("vingts", "cents") else word for word in said.split()]
        read, _ = code_of(words)
        assert not read or len(read) == 5
        heard = parse("zip_code", " ".join(words), "fr", now=NOW, region="FR").value
        differ += [(said, read, heard)] if read != heard else []
    assert len(differ) <= 12, differ  # "vingt cinq cent" may be 25100 and 20500


def test_a_code_is_found_among_other_words_and_in_digits() -> None:
    assert code_of(["oui", "", "soixante", "quinze", "mille", "onze", ""])[0] == "75011"
    assert code_of(["soixante", "quinze", "", "zéro", "onze"])[0] == "75011"
    assert code_of(["treize", "double", "zéro", "zéro", "huit"])[0] == ""
    assert code_of(["treize", "double", "zéro", "huit"])[0] == "13008"
    assert code_of(["treize", "mille", "huit", "", "treize", "mille", "neuf"])[0] == ""
    assert code_in("C'est le 75 011.") == code_in("Soixante-quinze mille onze !") == "75011"
    assert code_in("75 11 11") == code_in("treize milliards") == ""


def rows(**shares: float) -> list[SaidWords]:
    """Rows of words by their share of all."""
    return [SaidWords(tuple(said.split("_")), math.log(share)) for said, share in shares.items()]


def test_all_rows_of_a_code_count_for_it() -> None:
    codes = codes_by_likelihood(rows(treize_mille_huit=0.4, treize_zéro_zéro_huit=0.3, treize_mille_neuf=0.3))
    assert [(code.digits, round(code.share, 2)) for code in codes] == [("13008", 0.7), ("13009", 0.3)]
    assert codes[0].words == ("treize", "mille", "huit")


@pytest.mark.parametrize(
    ("decoded", "shares", "verdict", "text"),
    [
        ("13 mililitres.", {"treize_mille_huit": 0.8, "treize_mille": 0.2}, "taken", "treize mille huit"),
        ("13 mililitres.", {"treize_mille_huit": 0.5, "treize_mille": 0.5}, "", ""),
        ("13008", {"treize_mille_huit": 0.5, "treize_mille": 0.5}, "taken", "13008"),
        ("13009", {"treize_mille_huit": 0.6, "treize_mille_neuf": 0.4}, "contested", "13009"),
        ("13009", {"treize_mille_huit": 0.95, "treize_mille_neuf": 0.05}, "taken", "treize mille huit"),
        ("Je ne sais pas.", {"": 0.9, "treize": 0.1}, "", ""),
    ],
)
def test_a_code_is_taken_where_both_agree_or_the_words_are_sure(
    decoded: str, shares: dict[str, float], verdict: str, text: str
) -> None:
    weighed = decide_code(decoded, -0.9, rows(**shares))
    assert (weighed.verdict, weighed.text) == (verdict, text)


def head(seed: int = 0, width: int = 6, states: int = 8) -> EncoderHead:
    draw = np.random.default_rng(seed)
    shapes = {"mean": (states,), "std": (states,), "in": (states, width), "near": (5, width, width)}
    shapes |= {"wide": (7, width, width), "wider": (7, width, width), "out": (width, len(NAMES))}
    shapes |= {f"{name}_bias": (width,) for name in ("in", "near", "wide", "wider")} | {"out_bias": (len(NAMES),)}
    weights = {name: draw.normal(0.0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    return EncoderHead(weights | {"std": np.ones(states, np.float32)}, NAMES)


@pytest.mark.parametrize("states", [1, 2, 7, 50, 51])
def test_frames_are_distributions_one_for_two_states(states: int) -> None:
    found = head().frames(np.random.default_rng(1).normal(size=(states, 8)))
    assert found.shape == (-(-states // 2), len(NAMES))
    assert np.exp(found).sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_word_is_the_same_word_wherever_it_is_said() -> None:
    sound, quiet = np.random.default_rng(2).normal(size=(40, 8)), np.zeros((40, 8))
    early = head().frames(np.concatenate([quiet, sound, quiet, quiet]))
    late = head().frames(np.concatenate([quiet, quiet, sound, quiet]))
    assert early[15:50] == pytest.approx(late[35:70], abs=1e-5)


def test_heads_are_read_by_name_and_language(tmp_path: Path) -> None:
    made = head()
    for name in ("base-fr", "base-it", "other-fr"):
        np.savez(tmp_path / f"{name}.npz", words=np.array('["", "", "un", "deux"]'), **made.weights)  # type: ignore[arg-type]
    assert sorted(read_heads(tmp_path, "base")) == ["fr", "it"]
    assert read_heads(tmp_path, "") == {}
    assert read_head(tmp_path / "base-fr.npz").names == NAMES


def test_the_engine_asks_the_head_where_a_code_is_awaited(random_model: Path, clips: list[Samples]) -> None:
    class Sure(EncoderHead):
        def heard(self, states: NDArray[np.float32], mel_frames: int) -> NDArray[np.float32]:
            assert states.ndim == 2
            return np.log(np.eye(4)[[0, 1, 0, 2, 0, 3]] + 1e-9).astype(np.float32)

    model = WhisperModel(str(random_model), device="cpu")
    engine = WhisperEngine(model, ModelNotes(), context_s=6.0, heads={"fr": Sure({}, ("", "treize", "mille", "huit"))})
    jobs = [engine.prepare(clips[2], "fr", awaited=Awaited(types)) for types in (("zip_code",), ("yes_no", "zip_code"))]
    jobs += [engine.prepare(clips[2], language, awaited=Awaited(("zip_code",))) for language in ("it",)]
    jobs += [engine.prepare(clips[2], "fr")]
    answers = [answer.job.first if isinstance(answer, Again) else answer for answer in engine.run(jobs)]
    assert [answer is not None and answer.text == "treize mille huit" for answer in answers] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched")
@pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched")
def test_bare_codes_of_a_voice_never_trained_on_are_heard() -> None:
    notes = read_notes(WHISPER_BASE)
    assert notes.number_head, "set-up names the head: scripts/fetch_whisper.sh"
    engine = load_engine(str(WHISPER_BASE), device="cpu", beam_size=5)
    said = {
        "dix-neuf mille cinq cents": "19500",
        "trente-quatre mille cent cinquante-neuf": "34159",
        "quarante-trois mille cinq cents": "43500",
    }
    heard = {}
    for words in said:
        spoken = np.frombuffer(b"".join(Pico(STATE / "pico", "fr").speak(words)), "<i2").astype(np.float32) / 32_768
        job = engine.prepare(np.pad(spoken, 4_000), "fr", awaited=Awaited(("zip_code",)))
        (answer,) = engine.run([job])
        assert isinstance(answer, Decoded)
        heard[words] = code_in(answer.text)
    assert heard == said
    stranger = np.frombuffer(b"".join(Pico(STATE / "pico", "fr").speak("je ne sais pas")), "<i2") / np.float32(32_768)
    (answer,) = engine.run([engine.prepare(np.pad(stranger, 4_000), "fr", awaited=Awaited(("zip_code",)))])
    assert not isinstance(answer, Decoded) or not code_in(answer.text)
