"""How many clips a suite makes, known before it makes any."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from tada_bench.arm import REACH, Arm
from tada_bench.suite import Suite

if TYPE_CHECKING:
    from tada_core.method import SteeringMethod


@frozen
class Budget:
    """Clips by what they are for. `fit` and `evaluate` are upper bounds: what is shared is made once.

    `work` is what all of them take, in plain clips.
    """

    localize: int
    fit: int
    evaluate: int
    work: float

    @property
    def total(self) -> int:
        """All of them."""
        return self.localize + self.fit + self.evaluate

    def __str__(self) -> str:
        return f"{self.total} clips: {self.localize} to localise, {self.fit} to fit, {self.evaluate} to compare"


def localizing(suite: Suite, layers: int) -> int:
    """Clips for one concept: per pair and seed every layer, the plain base and the concept's own prompt."""
    how = suite.localization
    if how is None or how.known:
        return 0
    return how.pairs * len(how.seeds) * (layers + 2)


def fitting(suite: Suite, arm: Arm, method: SteeringMethod) -> int:
    """Clips for one fit, as the method counts them, and those that measure how far it gets."""
    clips = method.clips(suite.fitting.prompts, len(suite.fitting.seeds))
    return clips + (reaching(suite, method) if arm.unit == REACH else 0)


def reaching(suite: Suite, method: SteeringMethod) -> int:
    """Clips to measure how far a method gets: a plain one, both prompts, and every strength it tries on both sides."""
    return min(suite.fitting.reach, suite.fitting.prompts) * (3 + 2 * len(method.artifact.grid))


def budget(suite: Suite, layers: int, method: Callable[[Arm, str], SteeringMethod]) -> Budget:
    """The budget of a suite.

    Args:
        suite: any.
        layers: of the model.
        method: the method of an arm for a concept.
    """
    clips = suite.prompts * len(suite.seeds)
    steered = [(arm, method(arm, concept)) for concept in suite.concepts for arm in suite.steered(concept)]
    plain = clips * sum(bool(suite.steered(concept)) for concept in suite.concepts)
    localized = len(suite.concepts) * localizing(suite, layers)
    fitted = sum(fitting(suite, arm, how) for arm, how in steered)
    return Budget(
        localize=localized,
        fit=fitted,
        evaluate=plain + sum(clips * arm.most for arm, _ in steered),
        work=localized + fitted + plain + sum(clips * arm.most * how.cost for arm, how in steered),
    )
