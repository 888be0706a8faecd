"""Quantiles of Student's t."""

from __future__ import annotations

import math

import numpy as np


def t_quantile(level: float, freedom: int) -> float:
    """The value below which a t variable of so many degrees of freedom lies with probability `level`, 0.5 to 1.

    With x = sqrt(f) tan(u) the density becomes a multiple of cos(u)^(f - 1), which is summed up on a fine grid.
    """
    u = np.linspace(0.0, math.pi / 2, 20001)
    density = np.cos(u) ** (freedom - 1)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    at = float(np.interp((level - 0.5) * 2 * below[-1], below, u))
    return math.sqrt(freedom) * math.tan(at)
