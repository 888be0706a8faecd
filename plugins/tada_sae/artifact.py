"""What the method of sparse features learned: which features, how much of each, and how they are steered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import torch
from attrs import frozen
from torch import Tensor

from tada_core import AddVector, Artifact, Intervention, SAEDecodeAdd, Site, SparseAutoencoder, TensorRef
from tada_core.direction import normalize
from tada_core.errors import ArtifactError

WEIGHTS = ("encoder", "encoder_bias", "decoder", "decoder_bias")


def held(sae: SparseAutoencoder) -> dict[str, Tensor]:
    """An autoencoder as tensors of an artefact, on the CPU."""
    return {name: getattr(sae, name).tensor().cpu() for name in WEIGHTS} | {"k": torch.tensor(sae.k)}


@frozen(eq=False)
class SAEArtifact(Artifact):
    """Tensors of every layer, where steps share one choice with a single step:

    "layer.<index>" [steps, width], the weighted sum of the chosen features' decoder rows (TADA eq. 7); beside it
    ".features" [n], every feature chosen at some step, ".weights" and ".scores" [steps, n], ".means" [steps, 2, n], the
    mean activations on the positive and on the negative side; and where the mode needs them the autoencoder's weights.

    Units: "raw" is the published h + a v, and with mode "edit" f + a w. "norm" divides v (and so w), at every step, by
    its length and multiplies it by |h|. Mode "multiplicative" is relative as it is: both units mean f (1 + a w).
    """

    method: ClassVar[str] = "sae"

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One AddVector or SAEDecodeAdd per layer, on the conditional branch."""
        make = self._add if self.options["mode"] == "vector" else self._edit
        return tuple(make(layer, strength, unit) for layer in self.layers)

    def _add(self, layer: int, strength: float, unit: str) -> AddVector:
        vector = self.tensors[f"layer.{layer}"]
        return AddVector(
            Site("out", layer),
            TensorRef.of(vector if unit == "raw" else normalize(vector)),
            strength,
            unit="raw" if unit == "raw" else "norm",
            renorm=bool(self.options["renorm"]),
        )

    def _edit(self, layer: int, strength: float, unit: str) -> SAEDecodeAdd:
        chosen, weights = (self.tensors[f"layer.{layer}.{name}"] for name in ("features", "weights"))
        relative = unit == "norm" and self.options["mode"] == "edit"
        if relative:
            weights = weights / self.tensors[f"layer.{layer}"].norm(dim=-1, keepdim=True)
        return SAEDecodeAdd(
            Site("out", layer),
            self._autoencoders[layer],
            tuple(chosen.tolist()),
            (1.0,) * len(chosen),
            strength,
            mode=self.options["mode"],
            unit="norm" if relative else "raw",
            profile=TensorRef.of(weights),
        )

    @cached_property
    def _autoencoders(self) -> Mapping[int, SparseAutoencoder]:
        """By layer; kept, since a reference hashes its numbers."""
        of, found = TensorRef.of, self.tensors
        return {
            layer: SparseAutoencoder(
                **{name: of(found[f"layer.{layer}.{name}"]) for name in WEIGHTS}, k=int(found[f"layer.{layer}.k"])
            )
            for layer in self.layers
        }

    def features(self, layer: int) -> list[dict[str, Any]]:
        """The features steered at a layer, means over steps, the largest score first.

        Every row has the feature, the share of steps at which it is chosen, its weight, its score (below zero where it
        stands for the negative side), and its mean activation on either side.

        Raises:
            ArtifactError: a layer it was not fitted on.
        """
        if layer not in self.layers:
            raise ArtifactError(f"not fitted on layer {layer}; it knows {list(self.layers)}")
        chosen, weights, scores, means = (
            self.tensors[f"layer.{layer}.{name}"] for name in ("features", "weights", "scores", "means")
        )
        columns = {
            "feature": chosen,
            "chosen": (weights != 0).float().mean(0),
            "weight": weights.mean(0),
            "score": scores.mean(0),
            "positive": means[:, 0].mean(0),
            "negative": means[:, 1].mean(0),
        }
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        table = [dict(zip(columns, row, strict=True)) for row in rows]
        return sorted(table, key=lambda row: -abs(row["score"]))
