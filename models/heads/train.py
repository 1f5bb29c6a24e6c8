"""Encoder outputs with their tokens become a head: CTC over four layers, in JAX, which is in no lock of ours.

PYTHONPATH=. python -m models.heads.train numbers|sounds FOLDER HEAD.npz [EPOCHS [VOICE,VOICE]]

FOLDER is what `speak` filled; the voices are left out of training and say after every fourth epoch how many of their
sentences come out whole.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from models.edits import edits
from models.heads.texts import NAMES
from whisper_service.sounds import FRENCH

WIDTH, STATES = 144, 512
BATCH = 16
LENGTHS = (160, 240, 340, 640)
"""States that a batch is padded to: each is compiled once."""
MOST_TOKENS = 64
RATE, DECAY, WARM_UP = 3e-3, 0.02, 0.15
LAYERS = {"in": (STATES, WIDTH), "near": (5, WIDTH, WIDTH), "wide": (7, WIDTH, WIDTH), "wider": (7, WIDTH, WIDTH)}


@dataclass(frozen=True)
class EncodedSentence:
    """One sentence: encoder output, shape [states, width], and its tokens."""

    states: NDArray[np.float16]
    tokens: tuple[int, ...]
    voice: str


def read(folder: Path, stride: int) -> list[EncodedSentence]:
    """All sentences of a folder that are not too long for their tokens."""
    found = []
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as part:
            states = np.split(part["states"], np.cumsum(part["lengths"])[:-1])
            said = zip(states, part["tokens"], part["voices"], strict=True)
            found += [
                EncodedSentence(one, tuple(map(int, str(tokens).split())), str(voice)) for one, tokens, voice in said
            ]
    return [one for one in found if len(one.tokens) <= MOST_TOKENS and len(one.states) > stride * len(one.tokens) + 6]


def new_weights(key: Any, tokens: int) -> dict[str, Any]:
    """Weights before training."""
    shapes = LAYERS | {"out": (WIDTH, tokens)}
    keys = dict(zip(shapes, jax.random.split(key, len(shapes)), strict=True))
    made = {
        name: jax.random.normal(keys[name], shape) * np.sqrt((0.4 if name == "out" else 1.6) / np.prod(shape[:-1]))
        for name, shape in shapes.items()
    }
    return made | {f"{name}_bias": jnp.zeros(shape[-1]) for name, shape in shapes.items()}


def logits(w: dict[str, Any], x: Any, stride: int, key: Any = None) -> Any:
    """What `whisper_service.heads` computes, one frame for `stride` states; with `key` as in training, where units fall
    out."""
    keys = iter(jax.random.split(key, 5)) if key is not None else None

    def dropped(h: Any, share: float, whole: bool = False) -> Any:
        if keys is None:
            return h
        kept = jax.random.bernoulli(next(keys), 1 - share, (h.shape[0], 1, h.shape[2]) if whole else h.shape)
        return h * kept / (1 - share)

    def convolved(h: Any, name: str, stride: int) -> Any:
        numbers = ("NWC", "WIO", "NWC")
        found = jax.lax.conv_general_dilated(h, w[name], (stride,), "SAME", dimension_numbers=numbers)
        return jax.nn.relu(found + w[f"{name}_bias"])

    h = jax.nn.relu(dropped(x, 0.15, whole=True) @ w["in"] + w["in_bias"])
    h = convolved(dropped(h, 0.15), "near", stride)
    h = dropped(h, 0.15)
    h = h + convolved(h, "wide", 1)
    h = dropped(h, 0.15)
    h = h + convolved(h, "wider", 1)
    return dropped(h, 0.2) @ w["out"] + w["out_bias"]


class Batches:
    """Sentences side by side; each a little faster or slower, louder, masked and noisy."""

    def __init__(self, mean: NDArray[np.float32], std: NDArray[np.float32], stride: int) -> None:
        self._mean, self._std, self._stride, self._draw = mean, std, stride, np.random.default_rng(0)

    def of(self, sentences: Sequence[EncodedSentence], is_training: bool) -> tuple[Any, Any, Any, Any]:
        """States, padding of the frames (`stride` states each), tokens, padding of the tokens."""
        rows = [self._changed(one) if is_training else self._plain(one) for one in sentences]
        states = next(length for length in LENGTHS if length >= max(map(len, rows)))
        x, rest = np.zeros((len(rows), states, STATES), np.float32), np.ones((len(rows), states), np.float32)
        y, y_rest = np.zeros((len(rows), MOST_TOKENS), np.int32), np.ones((len(rows), MOST_TOKENS), np.float32)
        for at, (row, one) in enumerate(zip(rows, sentences, strict=True)):
            x[at, : len(row)], rest[at, : len(row)] = row, 0
            y[at, : len(one.tokens)], y_rest[at, : len(one.tokens)] = one.tokens, 0
        return x, rest[:, :: self._stride], y, y_rest

    def shuffled(self, sentences: Sequence[EncodedSentence]) -> list[list[EncodedSentence]]:
        """Batches of about equally long sentences, in any order."""
        order = sorted(sentences, key=lambda one: len(one.states) + self._draw.uniform(0, 30))
        batches = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)]
        self._draw.shuffle(batches)
        return batches

    def _plain(self, one: EncodedSentence) -> NDArray[np.float32]:
        return (one.states.astype(np.float32) - self._mean) / self._std

    def _changed(self, one: EncodedSentence) -> NDArray[np.float32]:
        x, draw = self._plain(one), self._draw
        if draw.random() < 0.6:
            length = max(int(len(x) * draw.uniform(0.85, 1.2)), self._stride * len(one.tokens) + 8)
            at = np.linspace(0, len(x) - 1, length)
            low = at.astype(int)
            part = (at - low)[:, None]
            x = (x[low] * (1 - part) + x[np.minimum(low + 1, len(x) - 1)] * part).astype(np.float32)
        x = np.asarray(
            x * draw.uniform(0.9, 1.1) + draw.normal(0, 0.15, STATES) + draw.normal(0, 0.25, x.shape), np.float32
        )
        for _ in range(2):
            if draw.random() < 0.5:
                first = draw.integers(0, len(x))
                x[first : first + draw.integers(1, 5)] = 0
        return x.astype(np.float32)


def told(w: dict[str, Any], batches: Batches, sentences: Sequence[EncodedSentence], forward: Any, stride: int) -> str:
    """How many sentences come out with every token, and how many tokens are wrong, the blank and OTHER apart."""
    right = errors = tokens = 0
    for one in sentences:
        frames = (len(one.states) + stride - 1) // stride
        best = np.asarray(forward(w, batches.of([one], False)[0]))[0][:frames].argmax(1)
        heard = [int(token) for at, token in enumerate(best) if token > 0 and (at == 0 or best[at - 1] != token)]
        wrong = edits(heard, one.tokens)
        right, errors, tokens = right + (wrong == 0), errors + wrong, tokens + len(one.tokens)
    return f"{right} of {len(sentences)} whole, {100 * errors / max(1, tokens):.1f} % of the tokens wrong"


def train(
    sentences: Sequence[EncodedSentence], names: Sequence[str], stride: int, epochs: int, left_out: set[str]
) -> dict[str, Any]:
    """The weights, with mean and deviation of the states."""
    known = [one for one in sentences if one.voice not in left_out]
    others = [one for one in sentences if one.voice in left_out]
    some = np.concatenate([one.states[::7] for one in known[::3]]).astype(np.float32)
    mean, std = some.mean(0), some.std(0) + 1e-3
    batches = Batches(mean, std, stride)
    w = new_weights(jax.random.PRNGKey(0), len(names))
    schedule = optax.cosine_onecycle_schedule(epochs * (len(known) // BATCH), RATE, WARM_UP)
    optimiser = optax.adamw(schedule, weight_decay=DECAY)
    state, key = optimiser.init(w), jax.random.PRNGKey(1)

    def loss(w: Any, x: Any, rest: Any, y: Any, y_rest: Any, key: Any) -> Any:
        each = optax.ctc_loss(logits(w, x, stride, key), rest, y, y_rest, blank_id=0)
        return jnp.mean(each / (MOST_TOKENS - y_rest.sum(1)))

    def step(w: Any, state: Any, x: Any, rest: Any, y: Any, y_rest: Any, key: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(w, x, rest, y, y_rest, key)
        change, state = optimiser.update(slope, state, w)
        return optax.apply_updates(w, change), state, value

    forward, compiled = jax.jit(partial(logits, stride=stride)), jax.jit(step)
    for epoch in range(1, epochs + 1):
        values = []
        for batch in batches.shuffled(known):
            key, used = jax.random.split(key)
            w, state, value = compiled(w, state, *batches.of(batch, True), used)
            values.append(float(value))
        check = told(w, batches, others, forward, stride) if others and epoch % 4 == 0 else ""
        print(f"epoch {epoch}: loss {np.mean(values):.3f} {check}", flush=True)
    return {name: np.asarray(value) for name, value in w.items()} | {"mean": mean, "std": std}


def main() -> None:
    """Command line."""
    kind, folder, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    epochs = int(sys.argv[4]) if len(sys.argv) > 4 else 24
    left_out = set(sys.argv[5].split(",")) if len(sys.argv) > 5 else set()
    names, stride = (FRENCH, 1) if kind == "sounds" else (NAMES, 2)
    trained = train(read(folder, stride), names, stride, epochs, left_out)
    stored = {name: value.astype(np.float16) for name, value in trained.items()}
    named = np.array(json.dumps(names, ensure_ascii=False))
    np.savez_compressed(file, words=named, stride=np.array(stride), **stored)


if __name__ == "__main__":
    main()
