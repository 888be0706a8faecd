"""Results of a store: scores per clip, curves, areas and smoothness with intervals; pure reading, no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from tada_bench.plan import Plan, Point
from tada_bench.protocol.area import area
from tada_bench.protocol.bootstrap import Estimate, estimates
from tada_bench.protocol.curve import Curve, Floats, curve
from tada_bench.protocol.cutoff import cutoff, reached
from tada_bench.protocol.smoothness import smoothness
from tada_bench.stages.score import score_name
from tada_bench.store.cell import read_scores
from tada_bench.store.store import Store
from tada_bench.suite import Suite

SIGNS = (1, -1)


@frozen(eq=False)
class Scores:
    """Scores of one arm on one concept, only of the prompts whose clips are all there.

    Attributes:
        strengths: signed, rising, shape [points].
        prompts: base prompts, shape [prompts].
        alignment, preservation: shape [prompts, seeds, points].
    """

    strengths: tuple[float, ...]
    prompts: tuple[str, ...]
    alignment: Floats
    preservation: Floats

    def drawn(self, prompts: Any, seeds: Any) -> Scores:
        """The scores of some prompts and seeds, given by index arrays that broadcast to [prompts, seeds]."""
        return evolve(self, alignment=self.alignment[prompts, seeds], preservation=self.preservation[prompts, seeds])

    def curve(self, sign: int) -> Curve:
        """The mean curve of one direction."""
        points = len(self.strengths)
        return curve(self.strengths, self.alignment.reshape(-1, points), self.preservation.reshape(-1, points), sign)


@frozen
class PointResult:
    """One strength of one arm: mean change, and mean gain of alignment over the unsteered clip (signed)."""

    strength: float
    change: Estimate
    gain: Estimate


@frozen
class ArmResult:
    """One arm on one concept.

    Attributes:
        concept, arm, method, layers, unit: what it is; unit is that of the strengths.
        metric: the alignment metric.
        prompts, seeds: how many.
        points: by rising strength.
        positive, negative, mean: area up to the cut-off per direction, and their mean.
        smoothness: mean of both directions; undefined where one direction never gains.
        cutoffs: positive and negative; None where the suite has no arm that sets them.
        reached: whether the curve gets to them; where it does not, the area ends where the curve ends.
    """

    concept: str
    arm: str
    method: str
    place: str
    layers: tuple[int, ...]
    unit: str
    metric: str
    prompts: int
    seeds: int
    points: tuple[PointResult, ...]
    positive: Estimate
    negative: Estimate
    mean: Estimate
    smoothness: Estimate
    cutoffs: tuple[float | None, float | None]
    reached: tuple[bool, bool]


@frozen
class Score:
    """A clip's scores in its place: the smallest thing that is kept."""

    point: Point
    metric: str
    alignment: float
    preservation: float


def read_points(store: Store, plan: Plan, metric: str, preservation: str) -> list[Score]:
    """Scores of every clip that has both, in the plan's order."""
    files: dict[tuple[str, str], Mapping[str, float]] = {}

    def value(point: Point, name: str) -> float | None:
        if point.identity not in store.clips:
            return None
        cell = store.cell(point.identity)
        if (cell.name, name) not in files:
            files[cell.name, name] = read_scores(cell, name) or {}
        return files[cell.name, name].get(point.identity)

    found = []
    for point in plan.points:
        sim, far = value(point, score_name(metric, point.concept)), value(point, score_name(preservation, None))
        if sim is not None and far is not None:
            found.append(Score(point, metric, sim, far))
    return found


def gather(scores: Sequence[Score], strengths: Sequence[float], seeds: Sequence[int]) -> Scores | None:
    """Scores of one arm and concept as arrays; prompts that lack a clip are left out; None when none is left."""
    by_place = {(s.point.prompt, s.point.seed, s.point.strength): (s.alignment, s.preservation) for s in scores}
    prompts = [
        prompt
        for prompt in dict.fromkeys(s.point.prompt for s in scores)
        if all((prompt, seed, strength) in by_place for seed in seeds for strength in strengths)
    ]
    if not prompts:
        return None
    values = np.array([[[by_place[p, seed, a] for a in strengths] for seed in seeds] for p in prompts])
    return Scores(tuple(strengths), tuple(prompts), values[..., 0], values[..., 1])


def results(suite: Suite, plan: Plan, scores: Sequence[Score]) -> list[ArmResult]:
    """Every arm on every concept that has scores, for the metric of `scores`."""
    heads = {(head["concept"], head["arm"]): head for head in plan.about["arms"]}
    found = []
    for concept in suite.concepts:
        own = {
            arm.name: gathered
            for arm in suite.arms
            if (gathered := gather([s for s in scores if _is(s, concept, arm.name)], arm.strengths, suite.seeds))
        }
        ceiling = [own[arm.name] for arm in suite.arms if arm.method == suite.ceiling and arm.name in own]
        limits = tuple(cutoff(arm.curve(sign) for arm in ceiling) for sign in SIGNS)
        for arm in suite.arms:
            if arm.name in own:
                head: dict[str, Any] = {
                    "concept": concept,
                    "arm": arm.name,
                    "method": arm.method,
                    "place": arm.place,
                    "layers": tuple(heads[concept, arm.name]["layers"]),
                    "unit": heads[concept, arm.name]["unit"],
                    "metric": scores[0].metric,
                }
                found.append(_result(head, own[arm.name], (limits[0], limits[1]), suite.resamples))
    return found


def _is(score: Score, concept: str, arm: str) -> bool:
    return score.point.concept == concept and score.point.arm == arm


def _result(
    head: dict[str, Any], scores: Scores, limits: tuple[float | None, float | None], resamples: int
) -> ArmResult:
    def numbers(prompts: Any, seeds: Any) -> Floats:
        drawn = scores.drawn(prompts, seeds)
        return np.concatenate([_summary(drawn, limits), _points(drawn)])

    prompts, seeds = scores.alignment.shape[:2]
    found = estimates(numbers, prompts, seeds, resamples)
    count = len(scores.strengths)
    changes, gains = found[4 : 4 + count], found[4 + count :]
    return ArmResult(
        **head,
        prompts=prompts,
        seeds=seeds,
        points=tuple(map(PointResult, scores.strengths, changes, gains)),
        positive=found[0],
        negative=found[1],
        mean=found[2],
        smoothness=found[3],
        cutoffs=limits,
        reached=(reached(scores.curve(1), limits[0]), reached(scores.curve(-1), limits[1])),
    )


def _summary(scores: Scores, limits: tuple[float | None, float | None]) -> Floats:
    curves = [scores.curve(sign) for sign in SIGNS]
    areas = [area(one, limit) for one, limit in zip(curves, limits, strict=True)]
    steps = [smoothness(one, limit) for one, limit in zip(curves, limits, strict=True)]
    even = np.nan if None in steps else np.mean([step for step in steps if step is not None])
    return np.array([*areas, np.mean(areas), even])


def _points(scores: Scores) -> Floats:
    sim, far = scores.alignment.mean((0, 1)), scores.preservation.mean((0, 1))
    return np.concatenate([far, sim - sim[scores.strengths.index(0.0)]])
