"""Numbers with their bootstrap intervals over prompts and seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen

from tada_bench.protocol.curve import Floats
from tada_core.statistics import bootstrap


@frozen
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: the estimate from all clips; None where it is undefined.
        low, high: the bounds; None where the number is undefined, or there is only one prompt to draw from.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def estimates(
    statistic: Callable[[Any, Any], Floats], prompts: int, seeds: int, resamples: int = 1000
) -> list[Estimate]:
    """Several numbers at once, each with its percentile interval, on the same seeded draws of prompts and seeds.

    Args:
        statistic: from prompt indices [prompts, 1] and seed indices [1, seeds] to the numbers, nan where undefined.
        prompts, seeds: how many of each there are.
        resamples: number of draws.
    """
    values = statistic(np.arange(prompts)[:, None], np.arange(seeds)[None, :])
    if prompts == 1:
        return [Estimate(known(value)) for value in values]
    low, high = bootstrap(statistic, prompts, seeds, resamples)
    return [
        Estimate(known(value), *(() if np.isnan(value) else (known(lo), known(hi))))
        for value, lo, hi in zip(values, low, high, strict=True)
    ]


def known(value: float) -> float | None:
    """A number, None where it is undefined."""
    return float(value) if np.isfinite(value) else None
