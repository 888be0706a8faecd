"""The lyric encoder: a conformer without its convolutions, with relative positions in both directions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

WEAKENED = range(4, 6)
"""Layers whose queries entropy rectifying guidance scales."""


def relative_positions(length: int, width: int) -> Tensor:
    """Sinusoids [2 length - 1, width] of the distances length - 1, ..., 1 - length (Dai et al. 2019)."""
    distance = torch.arange(length - 1, -length, -1, dtype=torch.float32)
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    angles = torch.outer(distance, rate)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


def shift_relative(scores: Tensor) -> Tensor:
    """Scores [..., length, 2 length - 1] by distance, as scores [..., length, length] by key."""
    length = scores.shape[-2]
    place = torch.arange(length, device=scores.device)
    index = length - 1 - place[:, None] + place[None, :]
    return scores.gather(-1, index.expand(*scores.shape[:-1], length))


class RelativeAttention(nn.Module):
    """Self-attention with relative positions (Dai et al. 2019, section 3.3)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q, self.linear_k, self.linear_v, self.linear_out = (nn.Linear(width, width) for _ in range(4))
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(heads, width // heads))
        self.pos_bias_v = nn.Parameter(torch.zeros(heads, width // heads))

    def forward(self, x: Tensor, mask: Tensor, positions: Tensor, query_gain: float = 1.0) -> Tensor:
        """Output [batch, length, width]; a row whose mask [batch, length] is all 0 gets the output's bias alone."""
        q = (self.linear_q(x) * query_gain).unflatten(-1, (self.heads, -1))
        k, v, p = (
            part.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for part in (self.linear_k(x), self.linear_v(x), self.linear_pos(positions))
        )
        content = (q + self.pos_bias_u).transpose(1, 2) @ k.transpose(-2, -1)
        place = shift_relative((q + self.pos_bias_v).transpose(1, 2) @ p.transpose(-2, -1))
        scores = (content + place) / math.sqrt(q.shape[-1])
        hidden = (mask == 0)[:, None, None, :]
        weights = scores.masked_fill(hidden, -math.inf).softmax(-1).masked_fill(hidden, 0.0)
        out: Tensor = self.linear_out((weights @ v).transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """Two linear layers with a SiLU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w_1, self.w_2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, width] to the same."""
        out: Tensor = self.w_2(silu(self.w_1(x)))
        return out


class LyricLayer(nn.Module):
    """Attention, then feed-forward, each after a norm."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = RelativeAttention(width, heads)
        self.feed_forward = FeedForward(width, hidden)
        self.norm_mha, self.norm_ff = nn.LayerNorm(width, eps=1e-5), nn.LayerNorm(width, eps=1e-5)

    def forward(self, x: Tensor, mask: Tensor, positions: Tensor, query_gain: float = 1.0) -> Tensor:
        """[batch, length, width] to the same."""
        x = x + self.self_attn(self.norm_mha(x), mask, positions, query_gain)
        out: Tensor = x + self.feed_forward(self.norm_ff(x))
        return out


class Embed(nn.Module):
    """Linear and norm in front of the layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width, eps=1e-5))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, width] to the same, times the square root of the width."""
        out: Tensor = self.out(x) * math.sqrt(x.shape[-1])
        return out


class LyricEncoder(nn.Module):
    """Embedded lyrics to states of the same width; every token sees every other."""

    def __init__(self, width: int, layers: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.embed = Embed(width)
        self.encoders = nn.ModuleList(LyricLayer(width, heads, hidden) for _ in range(layers))
        self.after_norm = nn.LayerNorm(width, eps=1e-5)

    def forward(self, embedded: Tensor, mask: Tensor, query_gain: float = 1.0) -> Tensor:
        """States [batch, length, width] of embedded tokens (same shape), mask [batch, length]."""
        x = self.embed(embedded)
        positions = relative_positions(x.shape[1], x.shape[2]).to(x)
        for index, layer in enumerate(self.encoders):
            x = layer(x, mask, positions, query_gain if index in WEAKENED else 1.0)
        out: Tensor = self.after_norm(x)
        return out
