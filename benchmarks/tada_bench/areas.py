"""Areas of an arm with all that comparing it to another needs: on one concept, or on several together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import field, frozen

from tada_bench.plan import Plan
from tada_bench.protocol.bootstrap import Estimate, known
from tada_bench.protocol.curve import Floats
from tada_bench.protocol.paired import contributions
from tada_bench.scores import Group, Score, groups
from tada_bench.suite import Suite
from tada_core.statistics import percentiles, resampled


@frozen(eq=False)
class Areas:
    """AUC +, AUC - and their mean of an arm.

    Attributes:
        prompts: base prompts, shape [prompts].
        values: nan where undefined, shape [3].
        shares: every prompt's contribution, of which `values` are the mean, shape [prompts, 3].
        draws: of the bootstrap, the same prompts for every arm, shape [resamples, 3]; nan with one prompt.
    """

    prompts: tuple[str, ...]
    values: Floats
    shares: Floats
    draws: Floats

    def estimates(self) -> tuple[Estimate, Estimate, Estimate]:
        """AUC +, AUC - and their mean with 95 % intervals."""
        numbers = zip(self.values, *percentiles(self.draws), strict=True)
        up, down, mean = (Estimate(*map(known, each)) for each in numbers)
        return up, down, mean


@frozen(eq=False)
class Measured:
    """The arms of one concept, each measured once on the same prompts.

    Attributes:
        group: the arms.
        resamples: draws of the bootstrap.
    """

    group: Group
    resamples: int
    _known: dict[tuple[str, tuple[str, ...]], Areas] = field(factory=dict, init=False)

    def areas(self, arm: str, prompts: tuple[str, ...] | None = None) -> Areas:
        """Those of an arm over some of its prompts, or all of them, up to the concept's cut-offs."""
        chosen = self.group.arms[arm].prompts if prompts is None else prompts
        if (arm, chosen) not in self._known:
            self._known[arm, chosen] = self._areas(arm, chosen)
        return self._known[arm, chosen]

    def both(self, first: str, second: str) -> tuple[Areas, ...]:
        """Those of two arms over the prompts that they have in common; nothing where there are none."""
        arms = self.group.arms
        if first not in arms or second not in arms:
            return ()
        prompts = tuple(prompt for prompt in arms[first].prompts if prompt in arms[second].prompts)
        return tuple(self.areas(name, prompts) for name in (first, second) if prompts)

    def _areas(self, arm: str, prompts: tuple[str, ...]) -> Areas:
        scores = self.group.arms[arm].only(prompts)

        # Every clip has noise of its own (`tada_core.seed_at`): a prompt stands for its seeds, as in the test.
        def found(prompts: Any, _: Any = None) -> Floats:
            return scores.means(prompts.ravel()).areas(self.group.limits)

        count = len(prompts)
        draws = resampled(found, count, 1, self.resamples) if count > 1 else np.full((self.resamples, 3), np.nan)
        return Areas(prompts, scores.means().areas(self.group.limits), contributions(found, count), draws)


def measured(suite: Suite, plan: Plan, scores: Sequence[Score]) -> list[Measured]:
    """Every concept that has scores, of one alignment metric."""
    return [Measured(group, suite.resamples) for group in groups(suite, plan, scores)]


def pooled(parts: Sequence[tuple[Areas, float]]) -> Areas:
    """The mean of several concepts' areas, each divided by a scale of the concept.

    Concepts share prompts and their noise, so that what a prompt contributes is taken together over all of them: a
    prompt is drawn, or changes sides, as a whole.

    Args:
        parts: areas and scale of every concept, with equally many draws.
    """
    prompts = tuple(dict.fromkeys(prompt for own, _ in parts for prompt in own.prompts))
    shares = np.zeros((len(prompts), 3))
    for own, scale in parts:
        weight = len(prompts) / (len(own.prompts) * len(parts) * scale)
        shares[[prompts.index(prompt) for prompt in own.prompts]] += weight * own.shares
    values, draws = (
        np.mean([getattr(own, name) / scale for own, scale in parts], axis=0) for name in ("values", "draws")
    )
    return Areas(prompts, values, shares, draws)
