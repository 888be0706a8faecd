"""Every pair of arms on the prompts that both have: by how much their areas differ, and whether by chance.

Cut-offs belong to the concept and are shared by its arms, so that they are kept as they are in every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from attrs import frozen

from tada_bench.areas import Areas, Measured
from tada_bench.protocol.bootstrap import known
from tada_bench.protocol.curve import Floats
from tada_bench.protocol.paired import chances, holm, least
from tada_bench.suite import Suite
from tada_core.statistics import percentiles

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


def comparisons(suite: Suite, found: Iterable[Measured]) -> list[Comparison]:
    """Every pair of methods, and every method against every arm that sets the cut-off, on every concept.

    Pairs without a prompt in common are left out.
    """
    return [
        pair
        for one in found
        for pair in compared(suite, one.group.concept, one.group.metric, list(one.group.arms), suite.prompts, one.both)
    ]


def compared(
    suite: Suite,
    concept: str,
    metric: str,
    arms: Sequence[str],
    asked: int,
    both: Callable[[str, str], tuple[Areas, ...]],
) -> list[Comparison]:
    """Two families of pairs, each corrected together.

    Args:
        suite: says which arms set the cut-off.
        concept, metric, asked: of all comparisons.
        arms: names.
        both: from two names to the areas of both on the same prompts, nothing where they have none in common.
    """
    ceiling = {arm.name for arm in suite.arms if arm.method == suite.ceiling}
    methods = [name for name in arms if name not in ceiling]
    families = combinations(methods, 2), product(methods, [name for name in arms if name in ceiling])
    found = list[Comparison]()
    for against, pairs in zip((False, True), families, strict=True):
        head = {"concept": concept, "metric": metric, "ceiling": against, "asked": asked}
        found += _family(head, [(pair, measured) for pair in pairs if (measured := both(*pair))])
    return found


def _family(head: Mapping[str, Any], pairs: Sequence[tuple[tuple[str, str], tuple[Areas, ...]]]) -> list[Comparison]:
    p = np.array([chances(one.shares - other.shares) for _, (one, other) in pairs]).reshape(-1, 3)
    corrected = np.array([holm(column) for column in p.T]).T
    found = []
    for ((first, second), (one, other)), *chance in zip(pairs, p, corrected, strict=True):
        up, down, mean = _differences(one, other, *chance)
        found.append(
            Comparison(
                **head,
                first=first,
                second=second,
                prompts=len(one.prompts),
                least=least(len(one.prompts)),
                positive=up,
                negative=down,
                mean=mean,
            )
        )
    return found


def _differences(first: Areas, second: Areas, p: Floats, corrected: Floats) -> Iterator[Difference]:
    low, high = percentiles(first.draws - second.draws)
    for numbers in zip(first.values - second.values, low, high, p, corrected, strict=True):
        yield Difference(*map(known, numbers))
