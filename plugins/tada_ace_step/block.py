"""One transformer block: linear self-attention, cross-attention without norm or gate, convolutional feed-forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm, silu

from tada_ace_step.attention import CrossAttention, LinearAttention

EPS = 1e-6


def norm(x: Tensor) -> Tensor:
    """RMS norm over the features, without weight."""
    return rms_norm(x, (x.shape[-1],), eps=EPS)


class Conv(nn.Module):
    """A convolution under the name that the checkpoint gives it."""

    def __init__(self, into: int, out: int, kernel: int, groups: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(into, out, kernel, padding=kernel // 2, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames] to the same."""
        out: Tensor = self.conv(x)
        return out


class GatedConv(nn.Module):
    """Feed-forward: widen, look at the neighbouring frames, gate, narrow."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.inverted_conv = Conv(width, 2 * hidden, 1)
        self.depth_conv = Conv(2 * hidden, 2 * hidden, 3, groups=2 * hidden)
        self.point_conv = Conv(hidden, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, frames, width] to the same."""
        value, gate = self.depth_conv(silu(self.inverted_conv(x.transpose(1, 2)))).chunk(2, 1)
        out: Tensor = self.point_conv(value * silu(gate)).transpose(1, 2)
        return out


class Block(nn.Module):
    """One layer of the transformer."""

    def __init__(self, width: int, heads: int, hidden: int, theta: float) -> None:
        super().__init__()
        self.attn = LinearAttention(width, heads, theta)
        self.cross_attn = CrossAttention(width, heads, theta)
        self.ff = GatedConv(width, hidden)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, width))

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor,
        time: Tensor,
        frame_mask: Tensor | None = None,
        query_gain: float = 1.0,
    ) -> Tensor:
        """Hidden states [batch, frames, width] of the same; `time` [batch, 6, width] is what all tables share."""
        shift, scale, gate, ff_shift, ff_scale, ff_gate = (self.scale_shift_table + time).unsqueeze(2).unbind(1)
        hidden = hidden + gate * self.attn(norm(hidden) * (1 + scale) + shift, frame_mask, query_gain)
        hidden = hidden + self.cross_attn(
            hidden,
            encoder_hidden_states=encoder_hidden_states,
            attention_mask=attention_mask,
            frame_mask=frame_mask,
            query_gain=query_gain,
        )
        fed: Tensor = self.ff(norm(hidden) * (1 + ff_scale) + ff_shift)
        return hidden + ff_gate * fed
