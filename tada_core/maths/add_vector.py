"""Activation addition: move every frame along a direction."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def add_vector(
    h: Float[Tensor, "*b d"], v: Float[Tensor, "*#b d"], strength: float | Float[Tensor, "*#b 1"], unit: str = "raw"
) -> Float[Tensor, "*b d"]:
    """h + a v ("raw"), or h + a |h| v with |h| the norm of each frame ("norm") (TADA eq. 3 before ReNorm)."""
    scale = strength if unit == "raw" else strength * h.norm(dim=-1, keepdim=True)
    return h + scale * v
