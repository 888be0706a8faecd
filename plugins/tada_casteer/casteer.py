"""CASteer (Gaintseva et al. 2025, arXiv 2503.09630): steering or removing a concept at the cross-attention output.

Steering is ReNorm(h + a v, h) on every branch of guidance, v the unit difference of means. Removal is
ReNorm(h - 2 relu(<h, v>) v, h): a frame that points along v is reflected, so that it points away by as much, and one
that does not is left alone.

Differs from the paper: removal is signed, as all strengths are here (see `CASteerArtifact`); steering counts strength
in units of the activation's norm by default ("raw" is the paper's own); an artefact carries over to another number of
steps by interpolation.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from attrs import field, frozen, validators

from tada_core import Ablate, AddVector, Artifact, Concept, Intervention, ModelAdapter, Site, TensorRef
from tada_core.contrast import Found, Means
from tada_core.contrastive import ContrastiveMethod, common_width
from tada_core.direction import difference, normalize

REFLECTION = 2.0
"""The paper's beta: 1 would take away the part along v, 2 turns it round and keeps the frame's norm."""


@frozen(eq=False)
class CASteerArtifact(Artifact):
    """One unit vector per step and layer, tensors "layer.<index>" [steps, width]; [width] where steps share one.

    Strength in mode "steer" is a of h + a v. In mode "remove" it says which side is removed, and by how much: -1 is the
    paper's removal of the positive side (frames along v), +1 the same of the negative side (frames along -v), so that
    positive is more of the concept here too. Removal is relative to the frame as it is: both units mean the same there.
    A frame that does not show the side is left alone, at any strength.
    """

    method: ClassVar[str] = "casteer"

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One AddVector, or one rectified Ablate, per layer; on every branch."""
        make = self._add if self.options["mode"] == "steer" else self._remove
        return tuple(make(layer, strength, unit) for layer in self.layers)

    def _add(self, layer: int, strength: float, unit: str) -> AddVector:
        return AddVector(
            Site("out", layer),
            TensorRef.of(self.tensors[f"layer.{layer}"]),
            strength,
            unit="raw" if unit == "raw" else "norm",
            renorm=bool(self.options["renorm"]),
            branch="both",
        )

    def _remove(self, layer: int, strength: float, unit: str) -> Ablate:
        v = self.tensors[f"layer.{layer}"]
        return Ablate(
            Site("out", layer),
            TensorRef.of(-v if strength > 0 else v),
            REFLECTION * abs(strength),
            rectified=True,
            renorm=bool(self.options["renorm"]),
            branch="both",
        )


@frozen
class CASteer(ContrastiveMethod):
    """Cross-attention steering.

    Attributes:
        pairs: how many of the concept's prompts to contrast (50, as for TADA's CAA).
        mode: "steer" adds the vector (published code: a = 10, "raw"); "remove" takes one side of the concept away.
        renorm: scale every frame back to its norm (published: always; removal at strength 1 keeps it anyway).
        per_step: a vector for every step (published), or one for all.
    """

    name: ClassVar[str] = "casteer"
    artifact: ClassVar[type[Artifact]] = CASteerArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    mode: Literal["steer", "remove"] = field(default="steer", validator=validators.in_(("steer", "remove")))
    renorm: bool = True
    per_step: bool = True
    statistic: Means = field(factory=Means, init=False, repr=False)

    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> CASteerArtifact:
        """Unit vectors from the two sides' means."""
        return CASteerArtifact(
            model=model.name,
            width=common_width(model, layers),
            concept=concept,
            layers=layers,
            steps=len(next(iter(found.values()))),
            options={"mode": self.mode, "renorm": self.renorm, "per_step": self.per_step, **about},
            tensors={f"layer.{layer}": normalize(difference(means, self.per_step)) for layer, means in found.items()},
        )
