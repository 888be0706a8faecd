"""Layer impact: how much of a prompt swap one layer carries."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Array = NDArray[np.float64]

Mode = Literal["denoising", "noising", "ablation"]
"""denoising: the source run with a part of the target in it; noising: the target run with a part of the source in it;
ablation: the target run with a part of it removed."""


def impact(
    patched: Float[Array, "layers *b"],
    source: Float[Array, "*b"],
    target: Float[Array, "*b"],
    mode: Mode = "denoising",
) -> Float[Array, " layers"]:
    """Share of the prompt swap that a layer brings (denoising) or takes away (noising, ablation).

    Denoising: I(l, c) = (sim(l <- c) - sim(~c)) / (sim(c) - sim(~c)), means over prompts and seeds (TADA eq. 9).
    Otherwise: (sim(c) - sim(patched)) / (sim(c) - sim(~c)), the same question from the other end (Heimersheim and
    Nanda, arXiv 2404.15255). Full precision and not clipped to [0, 1]; NaN when the swap itself changes nothing.
    """
    effect = target.mean() - source.mean()
    runs = patched.reshape(len(patched), -1).mean(1)
    moved = runs - source.mean() if mode == "denoising" else target.mean() - runs
    return moved / effect if effect != 0 else np.full(len(patched), np.nan)
