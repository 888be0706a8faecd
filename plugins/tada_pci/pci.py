"""Prompt change in the interior of the trajectory (PCI): the last steps read the concept's prompt.

On all layers the whole prompt is switched; on some layers only those read the other prompt (patched text).
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from tada_core import Artifact, Intervention, ModelAdapter, PatchText, Schedule, SwitchPrompt
from tada_core.errors import SpecError
from tada_core.prompted import PromptMethod


@frozen(eq=False)
class PCIArtifact(Artifact):
    """Nothing is learned; strength is the share of the trajectory that reads the other prompt, in [-1, 1]."""

    method: ClassVar[str] = "pci"
    units: ClassVar[tuple[str, ...]] = ("share", "raw")
    grid: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 1.0)

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """The switch in the last |strength| of the trajectory ("raw": the last |strength| steps).

        Raises:
            SpecError: more than the whole trajectory.
        """
        share = abs(strength) / self.steps if unit == "raw" else abs(strength)
        if share > 1:
            most = self.steps if unit == "raw" else 1
            raise SpecError(f"pci at {strength:g} is more than the whole trajectory; stay within -{most} and {most}")
        if share == 0:
            return ()
        window = Schedule(start=1 - share)
        donor = self.concept.positive if strength > 0 else self.concept.negative
        if len(self.layers) == self.options["model_layers"]:
            return (SwitchPrompt(donor, window),)
        return (PatchText(donor, self.layers, schedule=window),)


@frozen
class PCI(PromptMethod):
    """Prompt switching; the full switch defines the preservation ceiling of the protocol."""

    name: ClassVar[str] = "pci"
    artifact: ClassVar[type[Artifact]] = PCIArtifact

    def about(self, model: ModelAdapter) -> dict[str, Any]:
        """How many layers are all of them."""
        return {"model_layers": len(model.layers)}
