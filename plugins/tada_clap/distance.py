"""LPAPS: how far apart two clips are in the stages of a network that listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

TOKENS: Final = 1
CHANNELS: Final = 2
"""Axes of a stage's output [windows, tokens, channels]."""

TINY: Final = 1e-10


def lpaps(first: Sequence[Tensor], other: Sequence[Tensor], axis: int) -> Tensor:
    """d = sum over stages of the mean over the rest of sum over `axis` of (u - v)^2, [windows], from 0 to 16.

    u = x / (|x| + 1e-10), the norm along `axis`. LPAPS (Iashin and Rahtu, arXiv 2110.08791, after LPIPS, Zhang et al.,
    arXiv 1801.03924) without learned weights, as Manor and Michaeli (arXiv 2402.10009) compute it with CLAP.

    Args:
        first, other: outputs of the four stages, each [windows, tokens, channels], equal shapes.
        axis: `TOKENS` or `CHANNELS`.
    """
    pairs = zip(first, other, strict=True)
    stages = [(_unit(a, axis) - _unit(b, axis)).square().sum(axis).mean(-1) for a, b in pairs]
    return torch.stack(stages).sum(0)


def _unit(stage: Tensor, axis: int) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(stage, dim=axis, keepdim=True)
    return stage / (norm + TINY)
