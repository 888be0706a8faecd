"""The centre of a cloud of activations."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from tada_sae.settings import Centre

ROUNDS = 50


def centre_of(h: Float[Tensor, "tokens d"], kind: Centre = "mean") -> Float[Tensor, " d"]:
    """The mean, or the geometric median: the point with the smallest sum of distances (Weiszfeld's iteration)."""
    centre = h.mean(0)
    for _ in range(ROUNDS if kind == "median" else 0):
        nearness = 1 / (h - centre).norm(dim=1, keepdim=True).clamp_min(1e-8)
        centre = (nearness * h).sum(0) / nearness.sum()
    return centre
