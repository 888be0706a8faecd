"""Bootstrap intervals over prompts and seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def bootstrap(
    statistic: Callable[[Indices, Indices], Array],
    prompts: int,
    seeds: int,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Percentile interval of a statistic of data indexed [prompt, seed].

    Prompts and seeds are resampled with replacement, each on its own (two-way), so that both count as random.

    Args:
        statistic: given prompt indices [prompts, 1] and seed indices [1, seeds], the statistic on that resample.
        prompts, seeds: how many of each there are.
        resamples, level, seed: number of resamples, coverage, and seed of the generator.

    Returns:
        Lower and upper bound, shaped like the statistic; NaN where the statistic is undefined on every resample.
    """
    return percentiles(resampled(statistic, prompts, seeds, resamples, seed), level)


def resampled(
    statistic: Callable[[Indices, Indices], Array], prompts: int, seeds: int, resamples: int = 2000, seed: int = 0
) -> Array:
    """The statistic on every resample, shape [resamples, ...]; the same seed draws the same prompts and seeds.

    Arguments as `bootstrap`.
    """
    draw = np.random.default_rng(seed)
    return np.stack(
        [
            statistic(draw.integers(0, prompts, (prompts, 1)), draw.integers(0, seeds, (1, seeds)))
            for _ in range(resamples)
        ]
    )


def percentiles(values: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper bound of what `resampled` gave; NaN where it is undefined on every resample."""
    tail = (1 - level) / 2
    undefined = np.isnan(values).all(axis=0)
    filled = np.where(undefined, 0.0, values)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
