"""A trained slider: a LoRA in peft's own files, and how it is applied to single rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from attrs import evolve, frozen

from tada_core import Artifact, Intervention, LowRankAdd, Site, TensorRef


def key(path: str, side: str) -> str:
    """peft's name of a tensor: of the projection at `path`, `side` "A" (below) or "B" (above)."""
    return f"base_model.model.{path}.lora_{side}.weight"


@frozen(eq=False)
class SlidersArtifact(Artifact):
    """A LoRA, tensors under peft's names: A [rank, features in] and B [features out, rank] of every projection.

    Strength is the adapter's weight. A saved folder is an adapter of peft's too: `PeftModel.from_pretrained(denoiser,
    folder)` reads it.
    """

    method: ClassVar[str] = "concept-sliders"
    units: ClassVar[tuple[str, ...]] = ("raw",)
    grid: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 3.0, 4.0)
    weights: ClassVar[str] = "adapter_model.safetensors"

    @property
    def projections(self) -> Mapping[str, Mapping[str, str]]:
        """Module paths of the projections, by layer and slot."""
        found: Mapping[str, Mapping[str, str]] = self.options["projections"]
        return found

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One LowRankAdd per projection, on both branches."""
        scale = self.options["alpha"] / self.options["rank"]
        return tuple(
            LowRankAdd(
                Site(slot, layer),  # type: ignore[arg-type]  # the options are JSON data
                TensorRef.of(self.tensors[key(path, "A")]),
                TensorRef.of(self.tensors[key(path, "B")] * scale),
                strength,
            )
            for layer in self.layers
            for slot, path in self.projections[str(layer)].items()
        )

    def on(self, layers: Iterable[int]) -> Self:
        """See `Artifact.on`; the adapter of the other layers is left out of the saved files as well."""
        made = super().on(layers)
        kept = {str(layer): self.projections[str(layer)] for layer in made.layers}
        names = {key(path, side) for paths in kept.values() for path in paths.values() for side in "AB"}
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in names}
        return evolve(made, options={**self.options, "projections": kept}, tensors=tensors)

    def files(self) -> Mapping[str, str]:
        """peft's description of the adapter."""
        config = {
            "peft_type": "LORA",
            "r": self.options["rank"],
            "lora_alpha": self.options["alpha"],
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": sorted(path for paths in self.projections.values() for path in paths.values()),
            "inference_mode": True,
        }
        return {"adapter_config.json": json.dumps(config, indent=2) + "\n"}
