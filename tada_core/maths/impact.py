"""Layer impact: how much of a prompt swap one layer carries."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Array = NDArray[np.float64]


def impact(
    patched: Float[Array, "layers *b"], source: Float[Array, "*b"], target: Float[Array, "*b"]
) -> Float[Array, " layers"]:
    """I(l, c) = (sim(l <- c) - sim(~c)) / (sim(c) - sim(~c)), means over prompts and seeds (TADA eq. 9).

    Full precision and not clipped to [0, 1]; NaN when the swap itself changes nothing.
    """
    effect = target.mean() - source.mean()
    gained = patched.reshape(len(patched), -1).mean(1) - source.mean()
    return gained / effect if effect != 0 else np.full(len(patched), np.nan)
