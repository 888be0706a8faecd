"""Elimination: which parts can be left out of a search for the best ones."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from tada_core.maths.student import t_quantile

Array = NDArray[np.float64]


def by_confidence(
    gains: Float[Array, "parts n"], top: int, level: float = 0.95, margin: float = 0.0
) -> Bool[NDArray[np.bool_], " parts"]:
    """Which parts stay: the `top` best, and whatever may be better than the last of these by more than `margin`.

    The difference of a part to that last one is taken prompt by prompt, which leaves out what they share; its upper
    bound is one-sided, mean + t s / sqrt(n) with t of n - 1 degrees of freedom, so that it holds for few prompts too.
    With one prompt there is no bound, and every part stays.

    Args:
        gains: share of the prompt swap of each part on each prompt.
        top: how many are looked for.
        level: confidence of each comparison; there is no correction for many of them.
        margin: share of the swap that is not worth another clip (an indifference zone, Kim and Nelson 2001).
    """
    order = np.argsort(-gains.mean(1), kind="stable")
    stays, n = np.ones(len(gains), dtype=bool), gains.shape[1]
    if n > 1:
        apart = gains[order[top:]] - gains[order[top - 1]]
        upper = apart.mean(1) + t_quantile(level, n - 1) * apart.std(1, ddof=1) / math.sqrt(n)
        stays[order[top:]] = ~(upper < margin)
    return stays


def by_halves(gains: Float[Array, "parts n"], top: int) -> Bool[NDArray[np.bool_], " parts"]:
    """Which parts stay: the better half, never fewer than `top` (sequential halving, Karnin et al. 2013)."""
    stays = np.zeros(len(gains), dtype=bool)
    stays[np.argsort(-gains.mean(1), kind="stable")[: max(top, math.ceil(len(gains) / 2))]] = True
    return stays
