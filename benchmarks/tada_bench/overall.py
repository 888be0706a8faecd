"""All concepts together: areas in shares of what switching the prompt does, so that concepts can be averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from tada_bench.areas import Areas, Measured, pooled
from tada_bench.comparisons import Comparison, compared
from tada_bench.protocol.bootstrap import Estimate
from tada_bench.suite import Suite

ALL: Final = "all concepts"


@frozen
class Overall:
    """One arm on all concepts together.

    Attributes:
        arm, metric: which.
        ceiling: whether it is one of the arms that set the cut-offs.
        concepts: those that are counted and that it steers.
        positive, negative, mean: AUC +, AUC - and their mean, in shares of the concept's scale, averaged over concepts.
    """

    arm: str
    metric: str
    ceiling: bool
    concepts: tuple[str, ...]
    positive: Estimate
    negative: Estimate
    mean: Estimate


@frozen
class Together:
    """All arms on all concepts together, and whether they differ.

    Attributes:
        scales: by concept that is counted, the largest AUC avg of the arms that set the cut-off.
        omitted: concepts where no such AUC avg is surely above zero, so that a share of it would mean nothing.
        arms: in the suite's order.
        comparisons: of the averages, over the concepts that both arms steer.
    """

    scales: Mapping[str, float]
    omitted: tuple[str, ...]
    arms: tuple[Overall, ...]
    comparisons: tuple[Comparison, ...]


def together(suite: Suite, found: Iterable[Measured]) -> Together | None:
    """Every arm on all concepts together, of one metric; None where fewer than two concepts can be counted."""
    ceilings = {arm.name for arm in suite.arms if arm.method == suite.ceiling}
    every = {one.group.concept: one for one in found}
    scales = {concept: known for concept, one in every.items() if (known := _scale(one, ceilings)) is not None}
    if len(scales) < 2:
        return None
    counted = {concept: every[concept] for concept in scales}
    metric = next(iter(counted.values())).group.metric

    def both(first: str, second: str) -> tuple[Areas, ...]:
        pairs = [(areas, scales[concept]) for concept, one in counted.items() if (areas := one.both(first, second))]
        return tuple(pooled([(areas[place], scale) for areas, scale in pairs]) for place in (0, 1) if pairs)

    steered = {
        arm.name: {concept: one.areas(arm.name) for concept, one in counted.items() if arm.name in one.group.arms}
        for arm in suite.arms
    }
    steered = {name: own for name, own in steered.items() if own}
    arms = tuple(
        Overall(
            name,
            metric,
            name in ceilings,
            tuple(own),
            *pooled([(areas, scales[concept]) for concept, areas in own.items()]).estimates(),
        )
        for name, own in steered.items()
    )
    prompts = {prompt for own in steered.values() for areas in own.values() for prompt in areas.prompts}
    pairs = compared(suite, ALL, metric, list(steered), len(prompts), both)
    return Together(scales, tuple(name for name in every if name not in scales), arms, tuple(pairs))


def _scale(one: Measured, ceilings: Iterable[str]) -> float | None:
    means = (one.areas(name).estimates()[-1] for name in one.group.arms if name in ceilings)
    return max((mean.value for mean in means if mean.value and mean.low and mean.low > 0), default=None)
