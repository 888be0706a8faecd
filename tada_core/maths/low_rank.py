"""Low-rank change of a projection, applied to rows instead of weights."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def low_rank(
    y: Float[Tensor, "*b d"],
    x: Float[Tensor, "*b i"],
    down: Float[Tensor, "r i"],
    up: Float[Tensor, "d r"],
    strength: float | Float[Tensor, "*#b 1"],
) -> Float[Tensor, "*b d"]:
    """y + a up(down(x)): what a LoRA of weight a on the projection y = W x + b gives (Hu et al. 2021, eq. 3)."""
    return y + strength * (x @ down.T) @ up.T
