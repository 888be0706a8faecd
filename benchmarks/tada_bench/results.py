"""What the protocol makes of every arm: areas, smoothness and quality with intervals, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tada_bench.plan import Plan
from tada_bench.protocol.bootstrap import Estimate, estimates
from tada_bench.protocol.curve import Floats
from tada_bench.protocol.cutoff import reached
from tada_bench.protocol.report import shortcomings
from tada_bench.protocol.scores import Limits, Side
from tada_bench.protocol.support import Support, support
from tada_bench.scores import Means, Score, Scores, both, gather, groups, read_points
from tada_bench.suite import Suite

__all__ = ["ArmResult", "PointResult", "Score", "Scores", "TwoSided", "gather", "read_points", "results"]


@frozen
class PointResult:
    """One strength of one arm: mean change, and mean gain of alignment over the unsteered clip (signed)."""

    strength: float
    change: Estimate
    gain: Estimate


@frozen
class TwoSided:
    """A number of both directions, and their mean, which is undefined where one of them is."""

    positive: Estimate
    negative: Estimate
    mean: Estimate


@frozen
class ArmResult:
    """One arm on one concept.

    Attributes:
        concept, arm, method, layers, unit: what it is; unit is that of the strengths.
        ceiling: whether it is one of the arms that set the cut-offs.
        metric: the alignment metric.
        prompts, seeds: how many.
        points: by rising strength.
        positive, negative, mean: area up to the cut-off per direction, and their mean.
        smoothness: mean of both directions; undefined where one direction never gains.
        quality: mean of the quality metrics; None where the suite has none.
        qualities: every quality metric, by name.
        cutoffs: positive and negative; None where the suite has no arm that sets them.
        reached: whether the curve gets to them; where it does not, the area ends where the curve ends.
        support: what the areas of both sides rest on; None for a side without an area.
        notes: why the area of a side is missing, or ends early, a sentence each.
    """

    concept: str
    arm: str
    method: str
    place: str
    layers: tuple[int, ...]
    unit: str
    ceiling: bool
    metric: str
    prompts: int
    seeds: int
    points: tuple[PointResult, ...]
    positive: Estimate
    negative: Estimate
    mean: Estimate
    smoothness: Estimate
    quality: TwoSided | None
    qualities: Mapping[str, TwoSided]
    cutoffs: Limits
    reached: tuple[bool, bool]
    support: tuple[Support | None, Support | None]
    notes: tuple[str, ...]


def results(suite: Suite, plan: Plan, scores: Sequence[Score]) -> list[ArmResult]:
    """Every arm on every concept that has scores, for the metric of `scores`."""
    heads = {(head["concept"], head["arm"]): head for head in plan.about["arms"]}
    found = []
    for group in groups(suite, plan, scores):
        for arm in suite.arms:
            if arm.name in group.arms:
                head: dict[str, Any] = {
                    "concept": group.concept,
                    "arm": arm.name,
                    "method": arm.method,
                    "place": arm.place,
                    "layers": tuple(heads[group.concept, arm.name]["layers"]),
                    "unit": heads[group.concept, arm.name]["unit"],
                    "ceiling": arm.method == suite.ceiling,
                    "metric": group.metric,
                }
                qualities = tuple(scores[0].quality)
                found.append(_result(head, group.arms[arm.name], group.limits, qualities, suite.resamples))
    return found


def _result(
    head: dict[str, Any], scores: Scores, limits: Limits, qualities: Sequence[str], resamples: int
) -> ArmResult:
    def numbers(prompts: Any, seeds: Any) -> Floats:
        drawn = scores.means(prompts, seeds)
        return np.concatenate([_summary(drawn, limits), _points(drawn), _quality(drawn, limits)])

    prompts, seeds = scores.size
    found = estimates(numbers, prompts, seeds, resamples)
    first, last = 4 + len(scores.strengths), 4 + 2 * len(scores.strengths)
    overall, *each = (TwoSided(*found[place : place + 3]) for place in range(last, len(found), 3))
    sides = scores.means().sides(limits)
    return ArmResult(
        **head,
        prompts=prompts,
        seeds=seeds,
        points=tuple(map(PointResult, scores.strengths, found[4:first], found[first:last])),
        positive=found[0],
        negative=found[1],
        mean=found[2],
        smoothness=found[3],
        quality=overall if qualities else None,
        qualities=dict(zip(qualities, each, strict=True)),
        cutoffs=limits,
        reached=(_reached(sides[0]), _reached(sides[1])),
        support=(_support(sides[0]), _support(sides[1])),
        notes=shortcomings(*sides),
    )


def _reached(side: Side) -> bool:
    return side.curve is not None and reached(side.curve, side.limit)


def _support(side: Side) -> Support | None:
    return None if side.curve is None or side.auc is None else support(side.curve, side.limit)


def _summary(means: Means, limits: Limits) -> Floats:
    """Area of both directions, its mean, and the mean smoothness, shape [4]."""
    sides = means.sides(limits)
    return np.append(both([side.auc for side in sides]), both([side.smoothness for side in sides])[-1])


def _points(means: Means) -> Floats:
    """Change, then gain, of every strength, shape [2 points]."""
    sim = means.alignment
    return np.concatenate([means.preservation, sim - sim[means.strengths.index(0.0)]])


def _quality(means: Means, limits: Limits) -> Floats:
    """Both directions and their mean of all quality metrics together, then of each, shape [3 (1 + metrics)]."""
    each = means.qualities(limits)
    all_of_them = each.mean(0) if len(each) else np.full(2, np.nan)
    return np.concatenate([both(one.tolist()) for one in (all_of_them, *each)])
