"""Contrastive activation addition (TADA eq. 2, 3): the difference of mean activations, added at every frame.

Differs from the paper: strength counts in units of the activation's norm by default ("raw" is the paper's own), and
an artefact carries over to another number of steps by interpolation along the trajectory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen, validators
from torch import Tensor

from tada_core import (
    AddVector,
    Artifact,
    Concept,
    Intervention,
    ModelAdapter,
    Row,
    Site,
    SteeringMethod,
    TensorRef,
    with_seeds,
)
from tada_core.collection import collect
from tada_core.errors import SpecError
from tada_core.progress import Progress


@frozen(eq=False)
class CAAArtifact(Artifact):
    """One unit vector per step and layer, tensors "layer.<index>" [steps, width]."""

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
class CAA(SteeringMethod):
    """Contrastive activation addition.

    Attributes:
        pairs: how many of the concept's prompts to contrast (published: 50).
        renorm: scale every frame back to its norm after adding.
    """

    name: ClassVar[str] = "caa"
    artifact: ClassVar[type[Artifact]] = CAAArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    renorm: bool = True

    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> CAAArtifact:
        """Vectors from one generation per prompt, side and seed; every prompt has noise of its own.

        Raises:
            SpecError: layers of different width, or no seeds.
        """
        chosen, prompts = model.pick(layers), concept.prompts[: self.pairs]
        widths = {model.layer(layer).width for layer in chosen}
        if len(widths) > 1 or not seeds:
            raise SpecError(f"caa needs layers of one width (here {sorted(widths)}) and at least one seed")
        sides = (concept.positive, concept.negative)
        rows = [Row(prompt, seed, side) for side in sides for prompt, seed in with_seeds(prompts, seeds)]
        means = collect(model, rows, chosen, progress=progress)
        vectors = difference(means[: len(rows) // 2], means[len(rows) // 2 :])
        return CAAArtifact(
            model=model.name,
            width=widths.pop(),
            concept=concept,
            layers=chosen,
            steps=vectors.shape[0],
            options={"pairs": len(prompts), "renorm": self.renorm, "seeds": list(seeds)},
            tensors={f"layer.{layer}": vectors[:, index].clone() for index, layer in enumerate(chosen)},
        )


def difference(positive: Tensor, negative: Tensor) -> Tensor:
    """v = mean(positive) - mean(negative) over rows, unit length per step and layer (TADA eq. 2).

    Shapes: [rows, steps, layers, width] twice, to [steps, layers, width].

    Raises:
        SpecError: the two sides do not differ somewhere, so there is no direction.
    """
    v = positive.mean(0) - negative.mean(0)
    length = v.norm(dim=-1, keepdim=True)
    if (length == 0).any():
        raise SpecError("both sides of the concept give the same activations; its prompts read alike to this model")
    unit: Tensor = v / length
    return unit
