"""Contrastive activation addition (TADA eq. 2, 3): the difference of mean activations, added at every frame.

Differs from the paper: strength counts in units of the activation's norm by default ("raw" is the paper's own), and
an artefact carries over to another number of steps by interpolation along the trajectory.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen, validators

from tada_core import AddVector, Artifact, Concept, Intervention, ModelAdapter, Site, TensorRef
from tada_core.contrast import Found, Means
from tada_core.contrastive import ContrastiveMethod, common_width
from tada_core.direction import difference, normalize


@frozen(eq=False)
class CAAArtifact(Artifact):
    """One unit vector per step and layer, tensors "layer.<index>" [steps, width]; [width] where steps share one."""

    method: ClassVar[str] = "caa"

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One AddVector per layer, on the conditional branch."""
        return tuple(
            AddVector(
                Site("out", layer),
                TensorRef.of(self.tensors[f"layer.{layer}"]),
                strength,
                unit="raw" if unit == "raw" else "norm",
                renorm=bool(self.options["renorm"]),
            )
            for layer in self.layers
        )


@frozen
class CAA(ContrastiveMethod):
    """Contrastive activation addition.

    Attributes:
        pairs: how many of the concept's prompts to contrast (published: 50).
        renorm: scale every frame back to its norm after adding.
        per_step: a vector for every step (published), or one for all.
    """

    name: ClassVar[str] = "caa"
    artifact: ClassVar[type[Artifact]] = CAAArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    renorm: bool = True
    per_step: bool = True
    statistic: Means = field(factory=Means, init=False, repr=False)

    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> CAAArtifact:
        """Unit vectors from the two sides' means."""
        return CAAArtifact(
            model=model.name,
            width=common_width(model, layers),
            concept=concept,
            layers=layers,
            steps=len(next(iter(found.values()))),
            options={"renorm": self.renorm, "per_step": self.per_step, **about},
            tensors={f"layer.{layer}": normalize(difference(means, self.per_step)) for layer, means in found.items()},
        )
