"""FreeSliders (Ezra et al. 2025, arXiv 2511.00103): v' = v + a (v(positive) - v(negative)) from some step on.

v is the guided prediction, v(positive) and v(negative) are conditional predictions at the same latents: four passes per
step instead of two. On some layers only those read the two prompts in the extra passes.

Differs from the paper: strength is the plain a; the paper also spaces strengths so that the change one hears is even,
for which tada has a unit of its own, the calibrated dose.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen, validators

from tada_core import Artifact, BlendScore, Intervention, ModelAdapter, Schedule
from tada_core.prompted import PromptMethod


@frozen(eq=False)
class FreeSlidersArtifact(Artifact):
    """Nothing is learned; strength is a, the factor of the difference of predictions."""

    method: ClassVar[str] = "freesliders"
    units: ClassVar[tuple[str, ...]] = ("raw",)
    grid: ClassVar[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0)

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One BlendScore, of the whole network or of the chosen layers."""
        concept, window = self.concept, Schedule(start=self.options["start"])
        chosen = None if len(self.layers) == self.options["model_layers"] else self.layers
        return (BlendScore(concept.positive, concept.negative, strength, window, chosen),)


@frozen
class FreeSliders(PromptMethod):
    """Blended predictions.

    Attributes:
        start: share of the trajectory that stays as it is, in [0, 1); published code: step 15 of 50.
    """

    name: ClassVar[str] = "freesliders"
    artifact: ClassVar[type[Artifact]] = FreeSlidersArtifact
    cost: ClassVar[float] = 2.0

    start: float = field(default=0.3, converter=float, validator=[validators.ge(0.0), validators.lt(1.0)])

    def about(self, model: ModelAdapter) -> dict[str, Any]:
        """From where on it acts, and how many layers are all of them."""
        return {"start": self.start, "model_layers": len(model.layers)}
