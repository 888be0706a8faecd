"""Whether two arms that were measured on the same prompts differ by more than chance.

An area is a statistic of a mean curve, not a mean over prompts, and every arm has strengths of its own, so that one
arm's scores of a prompt cannot stand in the curve of another. A prompt's contribution to the difference is therefore
measured by leaving the prompt out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np

from tada_bench.protocol.curve import Floats
from tada_core.statistics import Indices

EXACT, DRAWS = 13, 9999
"""Up to so many prompts all signs are tried, 8192 at most; with more so many random ones, few enough to be quick, and
enough that 50 pairs can be corrected."""

Statistic = Callable[[Indices], Floats]
"""From prompt indices [n] to numbers [k], nan where undefined."""


def contributions(statistic: Statistic, prompts: int) -> Floats:
    """Every prompt's share of a statistic T: T + (n - 1) (mean of T without a prompt - T without this one).

    Of a mean over prompts they are the prompts' own values, exactly, and their mean is T, always. The jackknife's plain
    pseudo-values n T - (n - 1) T' are not used: at the cut-off, where most curves end, area is lost to the left and
    none is won to the right, which pushes all of them to one side.

    Returns:
        Shape [prompts, k]; nan where the statistic is undefined with or without some prompt.
    """
    every = np.arange(prompts)
    whole = statistic(every)
    if prompts == 1:
        return whole[None]
    rest = np.stack([statistic(np.delete(every, place)) for place in every])
    shares: Floats = whole + (prompts - 1) * (rest.mean(0) - rest)
    return shares


def chances(differences: Floats) -> Floats:
    """Two-sided p-values of a sign-flip test: how often chance makes a mean difference as large as the one found.

    If neither arm is better, a prompt's difference might as well have the other sign. With at most EXACT prompts all
    signs are tried; with more, DRAWS random ones, always the same, beside those found: p = (1 + hits) / (1 + DRAWS).

    Args:
        differences: contributions of one arm less those of the other, shape [prompts, k].

    Returns:
        Shape [k]; nan where a contribution is undefined.
    """
    sums = abs(_signs(len(differences)) @ np.nan_to_num(differences))
    # What is as large but for rounding is as large.
    hits = sums >= sums[0] * (1 - 1e-9)
    return np.where(np.isnan(differences).any(0), np.nan, hits.mean(0))


@cache
def _signs(count: int) -> Floats:
    """Signs [draws, count], those found first."""
    if count <= EXACT:
        return np.array(list(product((1.0, -1.0), repeat=count)))
    drawn = np.random.default_rng(0).choice((1.0, -1.0), (DRAWS, count))
    return np.concatenate([np.ones((1, count)), drawn])


def least(prompts: int) -> float:
    """The smallest p-value that `chances` can give."""
    return 2.0 ** (1 - prompts) if prompts <= EXACT else 1 / (1 + DRAWS)


def holm(values: Floats) -> Floats:
    """P-values corrected for being several, so that one false difference among them is as rare as p says.

    Holm 1979: the k-th smallest (from 0) of m times m - k, never below the one before, 1 at most.

    Args:
        values: shape [m]; nan is undefined, stays so and does not count.
    """
    found, order = values.copy(), values.argsort()[: np.isfinite(values).sum()]
    factors = np.arange(len(order), 0, -1)
    found[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return found
