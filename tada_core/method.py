"""The contract of a steering method: fit on a model and a concept, give an artefact that steers at any strength."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.artifact import Artifact
    from tada_core.concept import Concept
    from tada_core.progress import Progress


class SteeringMethod(ABC):
    """A way to turn a concept up or down. Options are the class's own attrs fields, defaults the published ones.

    Class attributes:
        name: registry name.
        artifact: class of what `fit` returns; the registry loads saved artefacts through it.
        cost: time that a steered clip takes, in plain ones; for estimates.
    """

    name: ClassVar[str]
    artifact: ClassVar[type[Artifact]]
    cost: ClassVar[float] = 1.0

    def clips(self, prompts: int, seeds: int) -> int:
        """Clips that `fit` makes at most on so many prompts and seeds; training counts as clips of the same work."""
        return 2 * prompts * seeds

    @abstractmethod
    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> Artifact:
        """Learn to steer `concept` in `model`, on its `prompts`.

        Args:
            layers: layers in execution order; None means all of them.
            seeds: one generation per prompt, side and seed.
            progress: called with (clips done, clips in all).

        Raises:
            SpecError: something this method cannot do on this model, before any work starts.
        """
