"""ReNorm: give every frame back the norm it had."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def renorm(new: Float[Tensor, "*b d"], old: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
    """ReNorm(h', h) = h' (|h| / |h'|), the norm over the width of each frame (TADA eq. 3).

    Where either norm is zero the frame stays as `new` has it.
    """
    before, after = old.norm(dim=-1, keepdim=True), new.norm(dim=-1, keepdim=True)
    usable = (before > 0) & (after > 0)
    return torch.where(usable, new * (before / after), new)
