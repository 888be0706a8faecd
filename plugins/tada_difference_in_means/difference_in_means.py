"""Difference in means on the residual stream (Facchiano et al. 2025, arXiv 2504.04479).

v = mean(positive) - mean(negative) of the residual stream after a layer, over prompts, frames and steps. It is added at
every frame, h + a v, or removed, h - a <h, v> v.

Differs from the paper: theirs is MusicGen, whose steps are the frames; on a diffusion model the mean over steps is one
over the trajectory (`per_step` keeps the steps apart). Strength counts in units of the activation's norm by default
("raw" is the paper's own).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from attrs import field, frozen, validators
from torch import Tensor

from tada_core import Ablate, AddVector, Artifact, Concept, Intervention, ModelAdapter, Site, TensorRef
from tada_core.contrast import Found, Means
from tada_core.contrastive import ContrastiveMethod, common_width
from tada_core.direction import difference, normalize
from tada_core.errors import SpecError


@frozen(eq=False)
class DifferenceInMeansArtifact(Artifact):
    """One vector per layer, tensors "layer.<index>" [width]; [steps, width] where every step has its own.

    Applied one-to-all there is one tensor, of the source layer.

    Strength in mode "add": "norm" adds a |h| v / |v|, "raw" adds a v as it was fitted. In mode "ablate" it is the share
    of the part along v that is taken away, in either unit: 1 leaves nothing of the axis, a negative one enlarges it.
    Ablation has no side: it takes away what stands for more of the concept and what stands for less.
    """

    method: ClassVar[str] = "difference-in-means"
    # The stream adds up over the layers: what one layer bears blows up where all are moved.
    grid: ClassVar[tuple[float, ...]] = (0.02, 0.05, 0.1, 0.2, 0.4)

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One AddVector or one Ablate per layer, on the residual stream."""
        make = self._add if self.options["mode"] == "add" else self._ablate
        return tuple(make(layer, strength, unit) for layer in self.layers)

    def _add(self, layer: int, strength: float, measure: str) -> AddVector:
        v = self._vector(layer)
        return AddVector(
            Site("residual", layer),
            TensorRef.of(v if measure == "raw" else normalize(v)),
            strength,
            unit="raw" if measure == "raw" else "norm",
            renorm=bool(self.options["renorm"]),
            branch=self.options["branch"],
        )

    def _ablate(self, layer: int, strength: float, measure: str) -> Ablate:
        return Ablate(
            Site("residual", layer),
            TensorRef.of(self._vector(layer)),
            strength,
            renorm=bool(self.options["renorm"]),
            branch=self.options["branch"],
        )

    def _vector(self, layer: int) -> Tensor:
        return self.tensors[f"layer.{layer if self.options['apply'] == 'same' else self.options['source']}"]


@frozen
class DifferenceInMeans(ContrastiveMethod):
    """Difference in means on the residual stream.

    Attributes:
        pairs: how many of the concept's prompts to contrast.
        mode: "add" the vector, or "ablate" the part of the stream along it.
        apply: "same" gives each layer its own vector, "one-to-all" gives all chosen layers the vector of `source`.
        source: one of the chosen layers, for "one-to-all" alone.
        branch: "both" sides of guidance, or "cond".
        unit_length: vectors of length one (published); otherwise "raw" adds the difference itself.
        per_step: a vector for every step, or one for all (published).
        renorm: scale every frame back to its norm (published: no).
    """

    name: ClassVar[str] = "difference-in-means"
    artifact: ClassVar[type[Artifact]] = DifferenceInMeansArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    mode: Literal["add", "ablate"] = field(default="add", validator=validators.in_(("add", "ablate")))
    apply: Literal["same", "one-to-all"] = field(default="same", validator=validators.in_(("same", "one-to-all")))
    source: int | None = None
    branch: Literal["both", "cond"] = field(default="both", validator=validators.in_(("both", "cond")))
    unit_length: bool = True
    per_step: bool = False
    renorm: bool = False
    statistic: Means = field(factory=lambda: Means(slot="residual"), init=False, repr=False)

    def check(self, model: ModelAdapter, layers: tuple[int, ...]) -> None:
        """Refuse a source that is missing, not chosen or without a use, and layers that cannot share its vector.

        Raises:
            SpecError: one of these.
        """
        if self.apply == "same":
            if self.source is not None:
                raise SpecError(f'source={self.source} is for apply="one-to-all"; with "same" leave it out')
        elif self.source not in layers:
            raise SpecError(f'apply="one-to-all" needs a source among the layers {list(layers)}, not {self.source}')
        elif not common_width(model, layers):
            widths = ", ".join(f"{layer}: {model.layer(layer).width}" for layer in layers)
            raise SpecError(f'one vector does not fit layers of widths {widths}; choose equal ones, or apply="same"')

    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> DifferenceInMeansArtifact:
        """Vectors from the two sides' means."""
        wanted = layers if self.source is None else (self.source,)
        chosen = ("mode", "apply", "source", "branch", "unit_length", "per_step", "renorm")
        return DifferenceInMeansArtifact(
            model=model.name,
            width=common_width(model, layers),
            concept=concept,
            layers=layers,
            steps=len(found[wanted[0]]),
            options={**{name: getattr(self, name) for name in chosen}, **about},
            tensors={f"layer.{layer}": self._vector(found[layer]) for layer in wanted},
        )

    def _vector(self, means: Tensor) -> Tensor:
        v = difference(means, self.per_step)
        return normalize(v) if self.unit_length else v
