"""AUSteer (Feng et al. 2026, arXiv 2602.04428; in TADA's setting by default): a sparse vector out of counted signs.

Over pairs and frames, r+ is the share at which a feature is larger on the positive side, r- at which it is smaller;
beta = max(r+, r-), negative where r- > r+. Only the k features of the largest |beta| are steered.

Differs from the paper: an artefact carries over to another number of steps by interpolation, where a step between two
fitted ones touches the features of both; strength counts in units of the activation's norm by default ("raw" is the
paper's own). The original steers language models; here it is the cross-attention output at every frame, as in TADA.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from attrs import field, frozen, validators
from torch import Tensor

from tada_core import AddVector, Artifact, Concept, Intervention, ModelAdapter, Site, TensorRef
from tada_core.contrast import Found, Signs
from tada_core.contrastive import ContrastiveMethod, common_width
from tada_core.errors import ArtifactError, SpecError

DECIMALS = 6
"""Shares are compared after rounding to this, so that equal counts are ties however the clips were batched."""


@frozen(eq=False)
class AUSteerArtifact(Artifact):
    """Sparse beta per step and layer, tensors "layer.<index>" [steps, width]; [width] where steps share one.

    Units: "raw" is the published h + a beta. beta is not of unit length, so "norm" divides it, at every step, by the
    longest beta of all fitted layers: that layer moves by a |h|, the others by as much less as their beta is shorter.
    The multiplicative mode is relative as it is: both units mean h (1 + a beta) there.
    """

    method: ClassVar[str] = "austeer"

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One AddVector per layer that holds a kept feature, on the conditional branch."""
        relative = self.options["mode"] == "multiplicative"
        longest = self._longest() if unit == "norm" and not relative else torch.ones(1)
        return tuple(
            AddVector(
                Site("out", layer),
                TensorRef.of(beta / longest),
                strength,
                unit="scale" if relative else "raw" if unit == "raw" else "norm",
                renorm=bool(self.options["renorm"]),
            )
            for layer, beta in self._held().items()
        )

    def on(self, layers: Iterable[int]) -> Self:
        """See `Artifact.on`; each layer is steered as it is by the whole artefact.

        Raises:
            ArtifactError: a layer it was not fitted on, or layers without any kept feature.
        """
        made = super().on(layers)
        if not made._held():
            raise ArtifactError(f"no kept feature at layers {list(made.layers)}; choose from {list(self._held())}")
        return made

    def _held(self) -> dict[int, Tensor]:
        """Layers with a kept feature, and their beta."""
        betas = {layer: self.tensors[f"layer.{layer}"] for layer in self.layers}
        return {layer: beta for layer, beta in betas.items() if beta.any()}

    def _longest(self) -> Tensor:
        """Length of the longest beta of all fitted layers, [steps, 1] or [1]."""
        return torch.stack([beta.norm(dim=-1, keepdim=True) for beta in self.tensors.values()]).amax(0)


@frozen
class AUSteer(ContrastiveMethod):
    """AUSteer.

    Attributes:
        pairs: how many of the concept's prompts to contrast (50, as for TADA's CAA).
        k: features kept at every step, over all chosen layers together; all of them where there are fewer (TADA: 2048;
            original: 2 to 100). Ties go to the lowest layer, then the lowest feature.
        mode: "additive" h + a beta (TADA), or "multiplicative" h (1 + a beta) (original), which moves a feature away
            from zero: towards the concept only where the feature has beta's sign already.
        renorm: scale every frame back to its norm after steering (published: no, in either mode).
        per_step: features and beta of every step (TADA), or of the shares over all steps.
    """

    name: ClassVar[str] = "austeer"
    artifact: ClassVar[type[Artifact]] = AUSteerArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    k: int = field(default=2048, validator=validators.ge(1))
    mode: Literal["additive", "multiplicative"] = field(
        default="additive", validator=validators.in_(("additive", "multiplicative"))
    )
    renorm: bool = False
    per_step: bool = True
    statistic: Signs = field(factory=Signs, init=False, repr=False)

    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> AUSteerArtifact:
        """The strongest signs over all layers."""
        kept = strongest({layer: momentum(shares, self.per_step) for layer, shares in found.items()}, self.k)
        chosen = {"k": self.k, "mode": self.mode, "renorm": self.renorm, "per_step": self.per_step}
        return AUSteerArtifact(
            model=model.name,
            width=common_width(model, layers),
            concept=concept,
            layers=layers,
            steps=len(next(iter(found.values()))),
            options={**chosen, **about},
            tensors={f"layer.{layer}": beta for layer, beta in kept.items()},
        )


def momentum(shares: Tensor, per_step: bool = True) -> Tensor:
    """beta of every feature: r+ where r+ >= r-, otherwise -r-; within [-1, 1].

    Args:
        shares: r+ and r-, [steps, 2, width].
        per_step: [steps, width]; otherwise of the shares over all steps, [width].
    """
    larger, smaller = (shares if per_step else shares.mean(0, keepdim=True)).round(decimals=DECIMALS).unbind(1)
    beta = torch.where(larger >= smaller, larger, -smaller)
    return beta if per_step else beta[0]


def strongest(betas: Mapping[int, Tensor], k: int) -> dict[int, Tensor]:
    """The k features of the largest |beta| over all layers, at every step on its own; the others are zero.

    Args:
        betas: [steps, width] or [width] by layer, widths may differ; ties are kept in the mapping's order of layers,
            then the lowest feature first.
        k: features to keep.

    Raises:
        SpecError: at some step no feature of any layer differs.
    """
    every = torch.cat(list(betas.values()), dim=-1)
    if not every.any(dim=-1).all():
        raise SpecError("both sides of the concept give the same activations; its prompts read alike to this model")
    order = every.abs().sort(dim=-1, descending=True, stable=True).indices[..., :k]
    kept = torch.zeros_like(every).scatter(-1, order, every.gather(-1, order))
    parts = torch.split(kept, [beta.shape[-1] for beta in betas.values()], dim=-1)
    return {layer: part.contiguous() for layer, part in zip(betas, parts, strict=True)}
