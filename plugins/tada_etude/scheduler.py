"""Etude's sampler: DPM-Solver++(2M), deterministic, in Stable Audio's time."""

from __future__ import annotations

import math

import torch
from diffusers import ConfigMixin, EDMDPMSolverMultistepScheduler, ModelMixin, SchedulerMixin

__all__ = ["ConfigMixin", "EtudeScheduler", "ModelMixin", "SchedulerMixin"]
# The three mixins are looked up in this module by `DiffusionPipeline.from_pretrained`.


class EtudeScheduler(EDMDPMSolverMultistepScheduler):  # type: ignore[misc]
    """The EDM form of DPM-Solver++(2M) with the time that Stable Audio's network is trained on.

    With x = cos(t pi/2) x0 + sin(t pi/2) noise, the noise level relative to the signal is sigma = tan(t pi/2), hence
    t = 2/pi atan(sigma). (The parent class feeds its network 0.25 ln(sigma).)
    """

    def precondition_noise(self, sigma: float | torch.Tensor) -> torch.Tensor:
        """Time in (0, 1) of a noise level `sigma`."""
        return torch.atan(torch.as_tensor(sigma)) * (2.0 / math.pi)
