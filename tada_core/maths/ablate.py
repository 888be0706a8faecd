"""Ablation: remove an activation, or its component along a direction."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def ablate(
    h: Float[Tensor, "*b d"],
    v: Float[Tensor, "*#b d"] | None,
    strength: float | Float[Tensor, "*#b 1"] = 1.0,
    rectified: bool = False,
) -> Float[Tensor, "*b d"]:
    """h (1 - a) without a direction; h - a <h, v> v / |v|^2 with one (directional ablation, a = 1 removes it).

    Rectified, only frames that point along v are changed: h - a relu(<h, v>) v / |v|^2 (CASteer's removal, a = 2).
    """
    if v is None:
        return h * (1 - strength)
    along = (h * v).sum(-1, keepdim=True) / (v * v).sum(-1, keepdim=True)
    return h - strength * (along.relu() if rectified else along) * v
