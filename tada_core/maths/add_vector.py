"""Activation addition: move every frame along a direction."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def add_vector(
    h: Float[Tensor, "*b d"], v: Float[Tensor, "*#b d"], strength: float | Float[Tensor, "*#b 1"], unit: str = "raw"
) -> Float[Tensor, "*b d"]:
    """h + a v ("raw"), h + a |h| v with |h| the norm of each frame ("norm"), or h + a h v feature by feature ("scale").

    "raw" is TADA eq. 3 before ReNorm; "scale" is the multiplicative form of AUSteer.
    """
    if unit == "scale":
        return h * (1 + strength * v)
    size = strength if unit == "raw" else strength * h.norm(dim=-1, keepdim=True)
    return h + size * v
