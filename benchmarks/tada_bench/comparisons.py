"""Every pair of arms on the prompts that both have: by how much their areas differ, and whether by chance.

Cut-offs belong to the concept and are shared by its arms, so that they are kept as they are in every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import combinations, product
from typing import Any

import numpy as np
from attrs import frozen

from tada_bench.plan import Plan
from tada_bench.protocol.curve import Floats
from tada_bench.protocol.paired import chances, contributions, holm, least
from tada_bench.scores import Group, Score, groups
from tada_bench.suite import Suite
from tada_core.statistics import percentiles, resampled

NAMES = ("positive", "negative", "mean")


@frozen
class Difference:
    """An area of the first arm less that of the second.

    Attributes:
        value: None where one of them is undefined.
        low, high: 95 % interval of a paired bootstrap over prompts, not corrected; None with one prompt.
        p: of the sign-flip test over prompts.
        corrected: after Holm, over the same difference of all pairs of the family.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    corrected: float | None


@frozen
class Comparison:
    """Two arms on one concept.

    Attributes:
        concept, metric, first, second: which.
        ceiling: whether the second one sets the cut-off. Pairs of methods are one family, these are another.
        prompts: how many both have; the areas here are those on these prompts.
        asked: how many the suite asks for.
        least: the smallest p-value, before correction, that so many prompts can give.
        positive, negative, mean: differences of AUC +, of AUC - and of their mean.
    """

    concept: str
    metric: str
    first: str
    second: str
    ceiling: bool
    prompts: int
    asked: int
    least: float
    positive: Difference
    negative: Difference
    mean: Difference


def comparisons(suite: Suite, plan: Plan, scores: Sequence[Score]) -> list[Comparison]:
    """Every pair of methods, and every method against every arm that sets the cut-off, for the metric of `scores`.

    Pairs without a prompt in common are left out.
    """
    ceiling = {arm.name for arm in suite.arms if arm.method == suite.ceiling}
    found = list[Comparison]()
    for group in groups(suite, plan, scores):
        methods = [name for name in group.arms if name not in ceiling]
        families = combinations(methods, 2), product(methods, [name for name in group.arms if name in ceiling])
        measured = cache(partial(_areas, group, suite.resamples))
        for against, pairs in zip((False, True), families, strict=True):
            head = {"concept": group.concept, "metric": group.metric, "ceiling": against, "asked": suite.prompts}
            found += _family(head, [(*pair, _common(group, *pair)) for pair in pairs], measured)
    return found


def _common(group: Group, first: str, second: str) -> tuple[str, ...]:
    others = group.arms[second].prompts
    return tuple(prompt for prompt in group.arms[first].prompts if prompt in others)


@frozen(eq=False)
class _Areas:
    """AUC +, AUC - and their mean of an arm.

    Attributes:
        values: shape [3].
        shares: every prompt's contribution, shape [prompts, 3].
        draws: of the bootstrap, the same prompts for every arm, shape [resamples, 3]; nan with one prompt.
    """

    values: Floats
    shares: Floats
    draws: Floats


def _areas(group: Group, resamples: int, name: str, prompts: tuple[str, ...]) -> _Areas:
    scores = group.arms[name].only(prompts)

    # Every clip has noise of its own (`tada_core.seed_at`): a prompt stands for its seeds, as in the test.
    def areas(prompts: Any, _: Any = None) -> Floats:
        return scores.means(prompts.ravel()).areas(group.limits)

    count = len(prompts)
    draws = resampled(areas, count, 1, resamples) if count > 1 else np.full((1, 3), np.nan)
    return _Areas(scores.means().areas(group.limits), contributions(areas, count), draws)


def _family(
    head: Mapping[str, Any],
    pairs: Iterable[tuple[str, str, tuple[str, ...]]],
    measured: Callable[[str, tuple[str, ...]], _Areas],
) -> list[Comparison]:
    """The pairs with prompts in common, corrected together."""
    pairs = [pair for pair in pairs if pair[-1]]
    both = [(measured(first, prompts), measured(second, prompts)) for first, second, prompts in pairs]
    p = np.array([chances(one.shares - other.shares) for one, other in both]).reshape(-1, 3)
    corrected = np.array([holm(column) for column in p.T]).T
    found = []
    for (first, second, prompts), areas, *chance in zip(pairs, both, p, corrected, strict=True):
        up, down, mean = _differences(*areas, *chance)
        found.append(
            Comparison(
                **head,
                first=first,
                second=second,
                prompts=len(prompts),
                least=least(len(prompts)),
                positive=up,
                negative=down,
                mean=mean,
            )
        )
    return found


def _differences(first: _Areas, second: _Areas, p: Floats, corrected: Floats) -> Iterator[Difference]:
    low, high = percentiles(first.draws - second.draws)
    for numbers in zip(first.values - second.values, low, high, p, corrected, strict=True):
        yield Difference(*(float(one) if np.isfinite(one) else None for one in numbers))
