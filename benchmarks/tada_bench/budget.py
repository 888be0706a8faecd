"""How many clips a suite makes, known before it makes any."""

from __future__ import annotations

from attrs import frozen

from tada_bench.suite import Suite


@frozen
class Budget:
    """Clips by what they are for. `fit` and `evaluate` are upper bounds: what is shared is made once."""

    localize: int
    fit: int
    evaluate: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.localize + self.fit + self.evaluate

    def __str__(self) -> str:
        return f"{self.total} clips: {self.localize} to localise, {self.fit} to fit, {self.evaluate} to compare"


def localizing(suite: Suite, layers: int) -> int:
    """Clips for one concept: per pair and seed every layer, the plain base and the concept's own prompt."""
    if suite.localization is None:
        return 0
    return suite.localization.pairs * len(suite.localization.seeds) * (layers + 2)


def fitting(suite: Suite, method: str) -> int:
    """Clips for one fit: both sides of every prompt and seed; none for the ceiling, which learns nothing."""
    return 0 if method == suite.ceiling else 2 * suite.fitting.prompts * len(suite.fitting.seeds)


def budget(suite: Suite, layers: int) -> Budget:
    """The budget of a suite on a model with that many layers."""
    clips = suite.prompts * len(suite.seeds)
    steered = sum(len(arm.strengths) - 1 for arm in suite.arms)
    concepts = len(suite.concepts)
    return Budget(
        localize=concepts * localizing(suite, layers),
        fit=concepts * sum(fitting(suite, arm.method) for arm in suite.arms),
        evaluate=concepts * clips * (steered + 1),
    )
