"""The two attentions of a block: linear over the frames, softmax over the text; both with ACE-Step's rotary."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, scaled_dot_product_attention

TINY = 1e-15
"""Keeps the denominator of the linear attention from zero."""


@lru_cache(maxsize=16)
def rotary_table(length: int, width: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines [length, width] of the angles; feature j has the frequency j mod width / 2."""
    frequency = 1.0 / theta ** (torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), torch.cat([frequency, frequency]))
    return angles.cos().to(device), angles.sin().to(device)


def rotate(x: Tensor, theta: float) -> Tensor:
    """x [batch, heads, length, width] turned by its positions 0, 1, ...

    Differs from the rotary of Su et al. 2021: neighbouring features are paired although their frequencies differ (the
    table is laid out for the other pairing), so this is not a rotation. The published weights were trained with it.
    """
    cosine, sine = rotary_table(x.shape[2], x.shape[3], theta, x.device)
    wide = x.float()
    paired = torch.stack([-wide[..., 1::2], wide[..., 0::2]], -1).flatten(-2)
    return (wide * cosine + paired * sine).to(x.dtype)


class Projections(nn.Module):
    """Queries, keys, values and output of an attention of `heads` heads."""

    def __init__(self, width: int, heads: int, theta: float) -> None:
        super().__init__()
        self.heads, self.theta = heads, theta
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def split(self, x: Tensor) -> Tensor:
        """[batch, length, width] to [batch, heads, length, width / heads]."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def merge(self, x: Tensor) -> Tensor:
        """[batch, heads, length, width / heads] through the output projection, [batch, length, width]."""
        merged: Tensor = self.to_out[0](x.transpose(1, 2).flatten(2))
        return merged


class LinearAttention(Projections):
    """Self-attention with relu features: cost linear in the number of frames; computed in float32."""

    def forward(self, hidden: Tensor, frame_mask: Tensor | None = None, query_gain: float = 1.0) -> Tensor:
        """Output [batch, frames, width] of hidden (same shape); `frame_mask` [batch, frames] is 1 at real frames."""
        q = rotate(self.split(self.to_q(hidden) * query_gain), self.theta).float()
        k = rotate(self.split(self.to_k(hidden)), self.theta).float()
        v = self.split(self.to_v(hidden)).float()
        if frame_mask is not None:
            kept = frame_mask[:, None, :, None].float()
            q, k, v = q * kept, k * kept, v * kept
        q, k = relu(q), relu(k)
        summed = q @ (k.transpose(2, 3) @ v)
        weight = q @ k.sum(2, keepdim=True).transpose(2, 3)
        return self.merge((summed / (weight + TINY)).to(hidden.dtype))


class CrossAttention(Projections):
    """Softmax attention of the frames on the context, which is patched as one unit: states and mask together."""

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor,
        frame_mask: Tensor | None = None,
        query_gain: float = 1.0,
    ) -> Tensor:
        """Output [batch, frames, width].

        Args:
            hidden: [batch, frames, width].
            encoder_hidden_states: the context, [batch, tokens, width].
            attention_mask: [batch, tokens], non-zero at tokens that may be seen.
            frame_mask: [batch, frames], 1 at real frames; None: all are.
            query_gain: factor of the queries (entropy rectifying guidance).
        """
        q = rotate(self.split(self.to_q(hidden) * query_gain), self.theta)
        k = rotate(self.split(self.to_k(encoder_hidden_states)), self.theta)
        v = self.split(self.to_v(encoder_hidden_states))
        seen = (attention_mask != 0)[:, None, None, :]
        if frame_mask is not None:
            seen = seen & (frame_mask != 0)[:, None, :, None]
        return self.merge(scaled_dot_product_attention(q, k, v, seen))
