"""The arithmetic of Silero VAD v6: audio windows and LSTM states in, speech probabilities and states out.

One step of many streams, or many steps of one. The network as matrix products, one row per window: a short-time Fourier
transform (256 samples every 128, given as a matrix with its Hann window), its magnitude, four convolutions along time,
an LSTM cell, one output. A convolution over four, two or one steps of time is a product with its taps laid side by
side; taps that would only meet padding are left out. Same weights and results as the ONNX file; a general runtime needs
three times as long for it, because its convolutions are made for long inputs. Pure: numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

CONTEXT_SAMPLES = 64
CHUNK_SAMPLES = 512
STATE = 128
"""Size of the LSTM state, h and c each."""

SHAPES = {
    "encoder.feature_extractor.forward_basis_buffer": (258, 1, 256),
    "encoder.conv_layers.0.weight": (128, 129, 3),
    "encoder.conv_layers.0.bias": (128,),
    "encoder.conv_layers.1.weight": (64, 128, 3),
    "encoder.conv_layers.1.bias": (64,),
    "encoder.conv_layers.2.weight": (64, 64, 3),
    "encoder.conv_layers.2.bias": (64,),
    "encoder.conv_layers.3.weight": (128, 64, 3),
    "encoder.conv_layers.3.bias": (128,),
    "onnx::LSTM_209": (1, 512, 128),
    "onnx::LSTM_210": (1, 512, 128),
    "onnx::LSTM_211": (1, 1024),
    "decoder.conv1d.weight": (1, 128, 1),
    "decoder.conv1d.bias": (1,),
}
"""Names and shapes of the weights, as in the file."""

_WINDOW = CONTEXT_SAMPLES + CHUNK_SAMPLES
_PADDED = _WINDOW + 64  # reflected at the end, so that there are four frames
_FRAMES, _FRAME, _HOP, _BINS = 4, 256, 128, 129


class WrongWeights(ValueError):
    """The weights are not those of this network; the text says which."""


class SileroNetwork:
    """Holds the weights, laid out for products. Calls do not change it."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """Raises WrongWeights."""
        for name, shape in SHAPES.items():
            if name not in weights or weights[name].shape != shape:
                found = weights[name].shape if name in weights else "missing"
                raise WrongWeights(f"{name} should be {shape} and is {found}")
        taps = [weights[f"encoder.conv_layers.{layer}.weight"].transpose(2, 1, 0) for layer in range(4)]
        self._biases = [weights[f"encoder.conv_layers.{layer}.bias"] for layer in range(4)]
        self._basis = np.ascontiguousarray(weights["encoder.feature_extractor.forward_basis_buffer"][:, 0].T)
        self._conv0 = np.ascontiguousarray(taps[0].reshape(3 * _BINS, 128))
        self._conv1 = np.ascontiguousarray(taps[1].reshape(3 * 128, 64))
        self._conv2 = np.ascontiguousarray(
            taps[2][1:].reshape(2 * 64, 64)
        )  # two steps of time: the first tap is padding
        self._conv3 = np.ascontiguousarray(taps[3][1])  # one step: only the middle tap is not
        # sigmoid(x) is 0.5 * tanh(x / 2) + 0.5: with the halves in the weights, all gates are one tanh
        halves = np.repeat(np.array([0.5, 1.0], dtype=np.float32), [3 * STATE, STATE])
        lstm = np.concatenate([weights["onnx::LSTM_209"][0], weights["onnx::LSTM_210"][0]], axis=1) * halves[:, None]
        self._lstm = np.ascontiguousarray(lstm.T)  # gates in ONNX order: input, output, forget, cell
        bias = weights["onnx::LSTM_211"][0]
        self._lstm_bias = (bias[:512] + bias[512:]) * halves
        self._out = np.ascontiguousarray(weights["decoder.conv1d.weight"][0, :, 0])
        self._out_bias = weights["decoder.conv1d.bias"][0]

    def __call__(self, windows: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """One step of n streams: probabilities [n] and the new h and c [n, 128].

        `windows` [n, 576] in [-1, 1); h and c are the states before.
        """
        gates = np.concatenate([self._features(windows), h], axis=1) @ self._lstm
        gates += self._lstm_bias
        h, c = _cell(gates, c)
        return self._speech(h), h, c

    def along(self, windows: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """n steps of one stream: probabilities [n], and h and c [128] after the last; h and c are those before."""
        heard = self._features(windows) @ self._lstm[:STATE]
        heard += self._lstm_bias
        remember = self._lstm[STATE:]
        states = np.empty((len(windows), STATE), dtype=np.float32)
        for gates, state in zip(heard, states, strict=True):
            gates += h @ remember
            h, c = _cell(gates, c)
            state[:] = h
        return self._speech(states), h, c

    def _features(self, windows: Floats) -> Floats:
        """What the convolutions make of windows [n, 576]: [n, 128]. Depends on no state."""
        n = len(windows)
        spectrum = _frames(windows) @ self._basis
        spectrum *= spectrum
        magnitude = np.sqrt(spectrum[:, :_BINS] + spectrum[:, _BINS:]).reshape(n, _FRAMES, _BINS)

        beside = np.zeros((n, _FRAMES, 3, _BINS), dtype=np.float32)
        beside[:, 1:, 0] = magnitude[:, :-1]
        beside[:, :, 1] = magnitude
        beside[:, :-1, 2] = magnitude[:, 1:]
        four = _relu(beside.reshape(n * _FRAMES, 3 * _BINS) @ self._conv0, self._biases[0]).reshape(n, _FRAMES, 128)

        beside = np.zeros((n, 2, 3, 128), dtype=np.float32)
        beside[:, 0, 1:] = four[:, :2]
        beside[:, 1] = four[:, 1:]
        two = _relu(beside.reshape(n * 2, 3 * 128) @ self._conv1, self._biases[1]).reshape(n, 2 * 64)
        return _relu(_relu(two @ self._conv2, self._biases[2]) @ self._conv3, self._biases[3])

    def _speech(self, h: Floats) -> Floats:
        """Probabilities [n] from states [n, 128]."""
        result: Floats = np.tanh((np.maximum(h, 0) @ self._out + self._out_bias) * np.float32(0.5))
        result *= np.float32(0.5)
        result += np.float32(0.5)
        return result


def windows_of(samples: Floats) -> Floats:
    """Windows [n, 576] of one stream: 512 samples each with the 64 before them; silence around the whole."""
    count = -(-samples.size // CHUNK_SAMPLES)
    padded = np.zeros(CONTEXT_SAMPLES + count * CHUNK_SAMPLES, dtype=np.float32)
    padded[CONTEXT_SAMPLES : CONTEXT_SAMPLES + samples.size] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::CHUNK_SAMPLES]


def _cell(gates: Floats, c: Floats) -> tuple[Floats, Floats]:
    """New h and c of an LSTM whose `gates` [..., 512] (input, output and forget halved, cell) are changed in place."""
    np.tanh(gates, out=gates)
    opened = gates[..., : 3 * STATE]
    opened += np.float32(1)
    opened *= np.float32(0.5)
    c = opened[..., 2 * STATE :] * c
    c += opened[..., :STATE] * gates[..., 3 * STATE :]
    h: Floats = np.tanh(c)
    h *= opened[..., STATE : 2 * STATE]
    return h, c


def _frames(windows: Floats) -> Floats:
    """[4 n, 256] overlapping pieces of windows [n, 576] that are continued by their mirror image."""
    n = len(windows)
    padded = np.empty((n, _PADDED), dtype=np.float32)
    padded[:, :_WINDOW] = windows
    padded[:, _WINDOW:] = windows[:, _WINDOW - 2 : _WINDOW - 66 : -1]
    strides = (padded.strides[0], _HOP * 4, 4)
    return np.lib.stride_tricks.as_strided(padded, (n, _FRAMES, _FRAME), strides).reshape(n * _FRAMES, _FRAME)


def _relu(values: Floats, bias: Floats) -> Floats:
    values += bias
    return np.maximum(values, 0, out=values)
