"""LPAPS: how far apart two clips are in the stages of a network that listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

TINY: Final = 1e-10


def lpaps(first: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """d = sum over stages of the mean over channels of the sum over places of (u - v)^2, [windows], 0 to 4 a stage.

    u = x / (|x| + 1e-10), the norm of a channel over its places: LPAPS (Iashin and Rahtu, arXiv 2110.08791) without
    learned weights, normalised as TADA's public code (arXiv 2602.11910) does.

    Args:
        first, other: outputs of the stages, each [windows, channels, bands, frames], equal shapes.
    """
    pairs = zip(first, other, strict=True)
    return torch.stack([(_unit(a) - _unit(b)).square().sum((2, 3)).mean(1) for a, b in pairs]).sum(0)


def _unit(stage: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(stage, dim=(2, 3), keepdim=True)
    return stage / (norm + TINY)
