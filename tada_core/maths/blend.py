"""Shifts along the difference of two prompts, in text space and in score space."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def shift(
    base: Float[Tensor, "*b"],
    positive: Float[Tensor, "*b"],
    negative: Float[Tensor, "*b"],
    strength: float | Float[Tensor, "..."],
) -> Float[Tensor, "*b"]:
    """base + a (positive - negative).

    On text embeddings this is the text-embedding shift; on predictions it is FreeSliders' blended score.
    """
    return base + strength * (positive - negative)
