"""All that a report says in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from tada_bench.areas import measured
from tada_bench.comparisons import Comparison, comparisons
from tada_bench.overall import Overall, Together, together
from tada_bench.plan import Plan
from tada_bench.results import ArmResult, Score, results
from tada_bench.suite import Suite


@frozen
class Findings:
    """What the protocol makes of a run.

    Attributes:
        ceiling: the method whose arms set the cut-offs.
        results: every arm on every concept, metric by metric.
        overall: all concepts together, by metric; without those where fewer than two concepts can be averaged.
        comparisons: every pair of arms, metric by metric: all concepts together, then each.
    """

    ceiling: str
    results: tuple[ArmResult, ...]
    overall: Mapping[str, Together]
    comparisons: tuple[Comparison, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those that there are results of."""
        return tuple(dict.fromkeys(result.metric for result in self.results))

    @property
    def arms(self) -> tuple[Overall, ...]:
        """Every arm on all concepts together, metric by metric."""
        return tuple(arm for one in self.overall.values() for arm in one.arms)

    def of(self, metric: str) -> Findings:
        """Those of one metric."""
        return evolve(
            self,
            results=tuple(one for one in self.results if one.metric == metric),
            overall={name: one for name, one in self.overall.items() if name == metric},
            comparisons=tuple(one for one in self.comparisons if one.metric == metric),
        )


def find(suite: Suite, plan: Plan, scores: Mapping[str, Sequence[Score]]) -> Findings:
    """The findings from the scores of every alignment metric."""
    areas = {metric: measured(suite, plan, own) for metric, own in scores.items()}
    overall = {metric: every for metric, own in areas.items() if (every := together(suite, own))}
    pairs = (
        pair
        for metric, own in areas.items()
        for pair in (*(overall[metric].comparisons if metric in overall else ()), *comparisons(suite, own))
    )
    arms = (arm for own in scores.values() for arm in results(suite, plan, own))
    return Findings(suite.ceiling, tuple(arms), overall, tuple(pairs))
