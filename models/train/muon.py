"""Muon: momentum whose matrix updates are made orthogonal (Newton-Schulz), in float32 and batched over equal shapes.

torch's own version computes in bfloat16, which a CPU without it emulates slowly.
Source: K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024; update scale of Liu et al.,
arXiv 2502.16982.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(x: Tensor, steps: int = 5) -> Tensor:
    """x (N, rows <= columns) -> about U V^T of each matrix's singular value decomposition."""
    a, b, c = COEFFICIENTS
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x


class Muon:
    """The optimizer of the inner matrices; the learning rate is on AdamW's scale."""

    def __init__(self, matrices: list[Tensor], momentum: float = 0.95, weight_decay: float = 0.05) -> None:
        self._groups: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
        for matrix in matrices:
            self._groups[min(matrix.shape), max(matrix.shape)].append(matrix)
        self._buffers = {shape: group[0].new_zeros(len(group), *shape) for shape, group in self._groups.items()}
        self._momentum, self._weight_decay = momentum, weight_decay

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, learning_rate: float) -> None:
        """One update from the gradients that are there."""
        for (rows, columns), group in self._groups.items():
            gradient = torch.stack([m.grad if m.shape[0] == rows else m.grad.T for m in group if m.grad is not None])
            buffer = self._buffers[rows, columns]
            buffer.mul_(self._momentum).add_(gradient)
            update = orthogonal(gradient + self._momentum * buffer) * (0.2 * columns**0.5)
            for matrix, delta in zip(group, update, strict=True):
                matrix.mul_(1 - learning_rate * self._weight_decay)
                matrix.sub_(learning_rate * (delta if matrix.shape[0] == rows else delta.T))

    def state_dict(self) -> dict[str, Any]:
        """Momentum by shape."""
        return {f"{rows}x{columns}": buffer for (rows, columns), buffer in self._buffers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        for (rows, columns), buffer in self._buffers.items():
            buffer.copy_(state[f"{rows}x{columns}"])
