"""Whisper's network in plain torch (what CTranslate2's WhisperSpec computes), and a phoneme head for training only.

Virtual padding: faster-whisper pads every utterance to 30 s, about 1400 equal encoder positions that would cost 12
times the speech. Here a few padding positions are drawn from the whole range and weighted by log(multiplicity) in
every softmax, so that 6 s to 30 s of context all work at the cost of none.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

CONTEXT_POSITIONS = 1500


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; `tokens` is the number of ids that are trained (the later timestamps are not)."""

    tokens: int
    phonemes: int
    width: int = 160
    heads: int = 5
    encoder_layers: int = 4
    decoder_layers: int = 2
    mels: int = 80
    longest_text: int = 448

    def as_dict(self) -> dict[str, int]:
        """For a checkpoint."""
        return asdict(self)


def sinusoids(length: int, width: int) -> Tensor:
    """Whisper's encoder positions: sines, then cosines."""
    frequency = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * frequency[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Attention(nn.Module):  # type: ignore[misc]
    """Multi-head attention; the key has no bias, as in Whisper."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads: int = heads
        self.query, self.value, self.out = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None, causal: bool) -> Tensor:
        """x (B, T, W), memory (B, S, W), bias (S) added to the scores of each memory position."""
        batch, length, width = x.shape
        q, k, v = (
            y.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)
            for y in (self.query(x), self.key(memory), self.value(memory))
        )
        mask = None if bias is None else bias.view(1, 1, 1, -1).expand(batch, 1, length, -1)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return torch.as_tensor(self.out(y.transpose(1, 2).reshape(batch, length, width)))


class Layer(nn.Module):  # type: ignore[misc]
    """Pre-norm layer; a decoder layer is causal and also attends to the encoder."""

    def __init__(self, width: int, heads: int, decoder: bool) -> None:
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(width), Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if decoder else None
        self.cross_attention = Attention(width, heads) if decoder else None
        self.feed_norm, self.feed_in, self.feed_out = (
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        )

    def forward(self, x: Tensor, memory: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """x (B, T, W) -> (B, T, W)."""
        y = self.self_norm(x)
        decoder = self.cross_attention is not None
        x = x + self.self_attention(y, y, None if decoder else bias, decoder)
        if self.cross_attention is not None and self.cross_norm is not None and memory is not None:
            x = x + self.cross_attention(self.cross_norm(x), memory, bias, False)
        return torch.as_tensor(x + self.feed_out(functional.gelu(self.feed_in(self.feed_norm(x)))))


class Whisper(nn.Module):  # type: ignore[misc]
    """Encoder, decoder with tied output, and the phoneme head that the export drops."""

    positions: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.conv1, self.conv2 = (
            nn.Conv1d(shape.mels, width, 3, padding=1),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
        )
        # default init leaves the sound at std 0.03 under positions at std 0.6: only a language model is learnt then
        with torch.no_grad():
            self.conv1.weight *= 3
            self.conv2.weight *= 6
        self.register_buffer("positions", 0.3 * sinusoids(CONTEXT_POSITIONS, width))
        self.encoder = nn.ModuleList(Layer(width, shape.heads, False) for _ in range(shape.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(shape.tokens, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.text_positions = nn.Parameter(torch.randn(shape.longest_text, width) * 0.02)
        self.decoder = nn.ModuleList(Layer(width, shape.heads, True) for _ in range(shape.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.phoneme_head = nn.Linear(width, shape.phonemes)

    def front(self, mel: Tensor) -> Tensor:
        """mel (B, 80, T) -> (B, T/2, W)."""
        return functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)

    def encode(self, mel: Tensor, context: int = 0, padding: int = 8) -> tuple[Tensor, Tensor | None]:
        """mel (B, 80, T), T even -> (B, S, W) and the score bias (S); `context` is the length that is imitated."""
        x = self.front(mel)
        length = x.shape[1]
        positions, bias = self.positions[:length], None
        if context > length:
            count = min(padding, context - length)
            drawn = torch.randperm(context - length, device=x.device)[:count].sort().values + length
            pad = self.front(mel.new_zeros(1, mel.shape[1], 12))[:, 3:4]
            x = torch.cat([x, pad.expand(x.shape[0], count, -1)], 1)
            positions = torch.cat([positions, self.positions[drawn]])
            bias = torch.cat([x.new_zeros(length), x.new_full((count,), math.log((context - length) / count))])
        x = x + positions
        for layer in self.encoder:
            x = layer(x, bias=bias)
        return self.encoder_norm(x), bias

    def decode(self, ids: Tensor, memory: Tensor, bias: Tensor | None = None) -> Tensor:
        """ids (B, L) -> logits (B, L, tokens)."""
        x = self.embedding(ids) + self.text_positions[: ids.shape[1]]
        for layer in self.decoder:
            x = layer(x, memory, bias)
        return functional.linear(self.decoder_norm(x), self.embedding.weight)
