"""The arithmetic of Silero VAD v6: audio windows and LSTM states in, speech probabilities and states out.

One step of many streams, or many steps of one. The network as matrix products: a short-time Fourier transform (256
samples every 128, given as a matrix with its Hann window), its magnitude, four convolutions along time, an LSTM cell,
one output. Cosines are even and sines odd around the middle of a frame, so the two samples at the same distance from it
are added, or subtracted, before the products, which are half as large then. In all of this a row is one sample or
feature and a column one window: what the convolutions see of three steps of time lies in one piece of memory, and
nothing is copied for it; taps that would only meet padding are left out. Same weights and results as the ONNX file; a
general runtime needs three times as long for it, because its convolutions are made for long inputs. Pure: numpy only.
"""

from __future__ import annotations

import threading
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
MOST_AT_ONCE = 128
"""More windows are done in pieces, whose intermediate results stay in the processor's cache."""


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
        basis = weights["encoder.feature_extractor.forward_basis_buffer"][:, 0]
        cosines, sines = basis[:_BINS], basis[_BINS:]
        if not (np.array_equal(cosines[:, 1:], cosines[:, :0:-1]) and np.array_equal(sines[:, 1:], -sines[:, :0:-1])):
            raise WrongWeights("the Fourier transform is not even in its cosines and odd in its sines")
        # the first sample of a frame has no weight, nor has the middle one in a sine; two sines are 0 everywhere
        self._cosines = np.ascontiguousarray(cosines[:, 1 : _HOP + 1])
        self._sines = np.ascontiguousarray(sines[1:-1, 1:_HOP])
        # [out, 3 in]: the taps side by side, as three steps of time lie one below the other
        taps = [
            np.concatenate(list(weights[f"encoder.conv_layers.{layer}.weight"].transpose(2, 0, 1)), axis=1)
            for layer in range(4)
        ]
        self._conv0 = taps[0]
        self._conv0_first = np.ascontiguousarray(taps[0][:, _BINS:])  # nothing comes before the first step
        self._conv0_last = np.ascontiguousarray(taps[0][:, : 2 * _BINS])
        self._conv1 = taps[1]
        self._conv1_first = np.ascontiguousarray(taps[1][:, 128:])
        self._conv2 = np.ascontiguousarray(taps[2][:, 64:])  # two steps of time: the first tap is padding
        self._conv3 = np.ascontiguousarray(taps[3][:, 64:128].T)  # one step: only the middle tap is not
        self._biases = [weights[f"encoder.conv_layers.{layer}.bias"][:, None].copy() for layer in range(4)]
        self._rooms = _Rooms()
        # sigmoid(x) is 0.5 * tanh(x / 2) + 0.5: with the halves in the weights, all gates are one tanh
        halves = np.repeat(np.array([0.5, 1.0], dtype=np.float32), [3 * STATE, STATE])
        lstm = np.concatenate([weights["onnx::LSTM_209"][0], weights["onnx::LSTM_210"][0]], axis=1) * halves[:, None]
        self._lstm = np.ascontiguousarray(lstm.T)  # gates in ONNX order: input, output, forget, cell
        bias = weights["onnx::LSTM_211"][0]
        self._lstm_bias = (bias[:512] + bias[512:]) * halves
        self._out = np.ascontiguousarray(weights["decoder.conv1d.weight"][0, :, 0])
        self._out_bias = weights["decoder.conv1d.bias"][0]

    def packed(self) -> Floats:
        """All weights in a row, in panels of 16 outputs, as compiled/silero.c has them."""
        matrices = (self._sines, self._conv0, self._conv1, self._conv2, self._conv3.T, self._lstm.T)
        panels = [_panels(self._cosines[:_HOP]), self._cosines[_HOP], *map(_panels, matrices)]
        biases = [bias.ravel() for bias in self._biases]
        return np.concatenate([*panels, *biases, self._lstm_bias, self._out, [self._out_bias]]).astype(np.float32)

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
        if len(windows) <= MOST_AT_ONCE:
            return self._features_of_few(windows)
        pieces = np.array_split(windows, -(-len(windows) // MOST_AT_ONCE))  # of about the same size
        return np.concatenate([self._features_of_few(piece) for piece in pieces])

    def _features_of_few(self, windows: Floats) -> Floats:
        n = len(windows)
        room = self._rooms.first, self._rooms.second, self._rooms.third
        padded = room[0][: _PADDED * n].reshape(_PADDED, n)
        padded[:_WINDOW] = windows.T
        padded[_WINDOW:] = padded[_WINDOW - 2 : _WINDOW - 66 : -1]
        frames = _overlapping(padded, _FRAMES, _FRAME, _HOP)
        before, middle, after = frames[:, 1:_HOP], frames[:, _HOP], frames[:, :_HOP:-1]
        folded = room[0][_PADDED * n : (_PADDED + _FRAMES * _HOP) * n].reshape(_FRAMES, _HOP, n)
        imaginary = room[1][: _FRAMES * (_HOP - 1) * n].reshape(_FRAMES, _HOP - 1, n)
        magnitudes = room[2][: _FRAMES * _BINS * n].reshape(_FRAMES * _BINS, n)
        real = magnitudes.reshape(_FRAMES, _BINS, n)
        np.matmul(self._sines, np.subtract(before, after, out=folded[:, :-1]), out=imaginary)
        np.add(before, after, out=folded[:, :-1])
        folded[:, -1] = middle
        np.matmul(self._cosines, folded, out=real)
        np.multiply(magnitudes, magnitudes, out=magnitudes)
        np.multiply(imaginary, imaginary, out=imaginary)
        real[:, 1:-1] += imaginary
        np.sqrt(magnitudes, out=magnitudes)

        four = room[0][: 512 * n].reshape(512, n)  # the windows are not needed any more
        np.matmul(self._conv0_first, magnitudes[: 2 * _BINS], out=four[:128])
        np.matmul(self._conv0, _overlapping(magnitudes, 2, 3 * _BINS, _BINS), out=four[128:384].reshape(2, 128, n))
        np.matmul(self._conv0_last, magnitudes[2 * _BINS :], out=four[384:])
        _relu(four.reshape(_FRAMES, 128, n), self._biases[0])
        two = room[1][: 128 * n].reshape(128, n)
        np.matmul(self._conv1_first, four[:256], out=two[:64])
        np.matmul(self._conv1, four[128:], out=two[64:])
        _relu(two.reshape(2, 64, n), self._biases[1])
        one = _relu(self._conv2 @ two, self._biases[2])
        return _relu(one.T @ self._conv3, self._biases[3].T)

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


def _panels(matrix: Floats) -> Floats:
    """[out, in] as [panel][in][16], the last panel filled up with zeros, in one row."""
    out, inputs = matrix.shape
    filled = np.zeros((-(-out // 16) * 16, inputs), dtype=np.float32)
    filled[:out] = matrix
    return filled.reshape(-1, 16, inputs).transpose(0, 2, 1).ravel()


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


class _Rooms(threading.local):
    """Where the intermediate results of up to `MOST_AT_ONCE` windows are written, again and again, by each thread."""

    def __init__(self) -> None:
        self.first = np.empty((_PADDED + _FRAMES * _HOP) * MOST_AT_ONCE, dtype=np.float32)
        self.second = np.empty(_FRAMES * (_HOP - 1) * MOST_AT_ONCE, dtype=np.float32)
        self.third = np.empty(_FRAMES * _BINS * MOST_AT_ONCE, dtype=np.float32)


def _overlapping(rows: Floats, count: int, length: int, step: int) -> Floats:
    """A view [count, length, n] of contiguous rows [.., n]: `length` of them, `step` after the ones before."""
    across, along = rows.strides
    return np.ndarray((count, length, rows.shape[1]), rows.dtype, rows, 0, (step * across, across, along))


def _relu(values: Floats, bias: Floats) -> Floats:
    values += bias
    return np.maximum(values, 0, out=values)
