"""Scores per clip, read from a store and gathered into arms that are compared with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, field, frozen

from tada_bench.plan import Plan, Point
from tada_bench.protocol.curve import Curve, Floats, curve
from tada_bench.protocol.cutoff import cutoff
from tada_bench.protocol.quality import quality
from tada_bench.protocol.scores import SIGNS, Limits, Side, auc, side
from tada_bench.stages.score import score_name
from tada_bench.store.cell import read_scores
from tada_bench.store.store import Store
from tada_bench.suite import Suite


@frozen
class Score:
    """A clip's scores in its place: the smallest thing that is kept. A quality metric that failed has nan."""

    point: Point
    metric: str
    alignment: float
    preservation: float
    quality: Mapping[str, float] = field(factory=dict)


def read_points(store: Store, plan: Plan, metric: str, preservation: str, qualities: Sequence[str] = ()) -> list[Score]:
    """Scores of every clip that has both alignment and preservation, in the plan's order."""
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
            heard = {name: value(point, score_name(name, None)) for name in qualities}
            known = {name: np.nan if score is None else score for name, score in heard.items()}
            found.append(Score(point, metric, sim, far, known))
    return found


@frozen(eq=False)
class Means:
    """What the clips of one arm on one concept come to.

    Attributes:
        strengths: signed, rising, shape [points].
        alignment, preservation: shape [points].
        quality: nan where no clip has such a score, shape [points, metrics].
    """

    strengths: tuple[float, ...]
    alignment: Floats
    preservation: Floats
    quality: Floats

    def curve(self, sign: int) -> Curve | None:
        """The curve of one direction; None where the arm was not steered in it."""
        if not any(sign * strength > 0 for strength in self.strengths):
            return None
        return curve(self.strengths, self.alignment[None], self.preservation[None], sign)

    def sides(self, limits: Limits) -> tuple[Side, Side]:
        """Area and smoothness of both directions up to their cut-offs."""
        return side(self.curve(1), limits[0]), side(self.curve(-1), limits[1])

    def areas(self, limits: Limits) -> Floats:
        """Area of the positive and the negative direction, and their mean, shape [3]; nan where undefined."""
        return both([auc(self.curve(sign), limit) for sign, limit in zip(SIGNS, limits, strict=True)])

    def qualities(self, limits: Limits) -> Floats:
        """Every quality metric on the positive and the negative side, shape [metrics, 2]; nan where undefined."""
        found = np.full((self.quality.shape[1], 2), np.nan)
        for place, (sign, limit) in enumerate(zip(SIGNS, limits, strict=True)):
            own = sign * np.array(self.strengths) >= 0
            if own.sum() > 1:
                every = [quality(self.preservation[own], scores, limit) for scores in self.quality[own].T]
                found[:, place] = [np.nan if value is None else value for value in every]
        return found


@frozen(eq=False)
class Scores:
    """Scores of one arm on one concept, only of the prompts whose clips are all there.

    Attributes:
        strengths: signed, rising, shape [points].
        prompts: base prompts, shape [prompts].
        alignment, preservation: shape [prompts, seeds, points].
        quality: nan where a clip has no such score, shape [prompts, seeds, points, metrics].
    """

    strengths: tuple[float, ...]
    prompts: tuple[str, ...]
    alignment: Floats
    preservation: Floats
    quality: Floats

    @property
    def size(self) -> tuple[int, int]:
        """How many prompts and seeds."""
        prompts, seeds, _ = self.alignment.shape
        return prompts, seeds

    def means(self, prompts: Any = slice(None), seeds: Any = slice(None)) -> Means:
        """Means over all clips, or over those of index arrays that broadcast to [prompts, seeds]."""
        sim, far = (values[prompts, seeds].mean((0, 1)) for values in (self.alignment, self.preservation))
        return Means(self.strengths, sim, far, _heard(self.quality[prompts, seeds]))

    def curve(self, sign: int) -> Curve | None:
        """The mean curve of one direction; None where the arm was not steered in it."""
        return self.means().curve(sign)

    def only(self, prompts: Sequence[str]) -> Scores:
        """The scores of these base prompts, in this order."""
        places = [self.prompts.index(prompt) for prompt in prompts]
        arrays = {name: getattr(self, name)[places] for name in ("alignment", "preservation", "quality")}
        return evolve(self, prompts=tuple(prompts), **arrays)


def _heard(values: Floats) -> Floats:
    """Mean over clips [prompts, seeds, points, metrics]; a sweep that lacks a score counts nowhere in that metric."""
    there = np.isfinite(values).all(2, keepdims=True)
    count, total = there.sum((0, 1)), np.where(there, values, 0.0).sum((0, 1))
    return np.where(count, total / np.maximum(count, 1), np.nan)


def both(sides: Sequence[float | None]) -> Floats:
    """A number of the positive and the negative direction, and their mean; nan where undefined."""
    values = np.array([np.nan if value is None else value for value in sides])
    return np.append(values, values.mean())


def gather(scores: Sequence[Score], strengths: Sequence[float], seeds: Sequence[int]) -> Scores | None:
    """Scores of one arm and concept as arrays; prompts that lack a clip are left out; None when none is left."""
    by_place = {
        (s.point.prompt, s.point.seed, s.point.strength): (s.alignment, s.preservation, *s.quality.values())
        for s in scores
    }
    prompts = [
        prompt
        for prompt in dict.fromkeys(s.point.prompt for s in scores)
        if all((prompt, seed, strength) in by_place for seed in seeds for strength in strengths)
    ]
    if not prompts:
        return None
    values = np.array([[[by_place[p, seed, a] for a in strengths] for seed in seeds] for p in prompts])
    return Scores(tuple(strengths), tuple(prompts), values[..., 0], values[..., 1], values[..., 2:])


@frozen(eq=False)
class Group:
    """What is compared with each other.

    Attributes:
        concept, metric: of all arms.
        arms: those that have scores, by name, in the suite's order.
        limits: the cut-offs, which the ceiling's arms set.
    """

    concept: str
    metric: str
    arms: Mapping[str, Scores]
    limits: Limits


def groups(suite: Suite, plan: Plan, scores: Sequence[Score]) -> Iterator[Group]:
    """The arms of every concept that has any, from scores of one alignment metric."""
    for concept in suite.concepts:
        asked = {arm.name: plan.strengths(concept, arm.name) for arm in suite.arms}
        own = {
            name: gathered
            for name, strengths in asked.items()
            if (gathered := gather([s for s in scores if _is(s, concept, name)], strengths, suite.seeds))
        }
        ceiling = [own[arm.name] for arm in suite.arms if arm.method == suite.ceiling and arm.name in own]
        up, down = (cutoff(one for arm in ceiling if (one := arm.curve(sign)) is not None) for sign in SIGNS)
        if own:
            yield Group(concept, scores[0].metric, own, (up, down))


def _is(score: Score, concept: str, arm: str) -> bool:
    return score.point.concept == concept and score.point.arm == arm
