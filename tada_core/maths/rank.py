"""Rank correlation."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ranks(values: Float[Array, " n"]) -> Float[Array, " n"]:
    """Ranks from 0, equal values sharing the mean of theirs."""
    below, equal = ((values[:, None] > values).sum(1), (values[:, None] == values).sum(1))
    shared: Array = below + (equal - 1) / 2
    return shared


def spearman(one: Float[Array, " n"], other: Float[Array, " n"]) -> float:
    """Spearman's rank correlation: Pearson's of the ranks; NaN where either is constant."""
    a, b = (ranks(values) - ranks(values).mean() for values in (one, other))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")
