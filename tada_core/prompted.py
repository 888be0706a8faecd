"""Methods that learn nothing: their artefact is the concept, the layers and the options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tada_core.method import SteeringMethod

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.artifact import Artifact
    from tada_core.concept import Concept
    from tada_core.progress import Progress


class PromptMethod(SteeringMethod):
    """A method that steers by the concept's prompts alone, without a clip to fit on."""

    def place(self, model: ModelAdapter, layers: Sequence[int] | None) -> tuple[int, ...]:
        """The layers it acts on; raises where it cannot act on these."""
        return model.pick(layers)

    def about(self, model: ModelAdapter) -> dict[str, Any]:
        """The artefact's options, as JSON data."""
        return {}

    def clips(self, prompts: int, seeds: int) -> int:
        """None."""
        return 0

    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> Artifact:
        """See `SteeringMethod.fit`; records the concept and the layers, and generates nothing."""
        return self.artifact(
            model=model.name,
            width=0,
            concept=concept,
            layers=self.place(model, layers),
            steps=model.defaults.steps,
            options=self.about(model),
        )
