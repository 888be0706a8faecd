"""From noise to latents: flow matching with upstream's doubly shifted schedule and its omega step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

SHIFT = 3.0
SMALLEST = 0.001
"""Sigma of the last of the 1000 training timesteps, before any shift."""

Mean = Literal["row", "batch"]
Velocity = Callable[[Tensor, int, float], Tensor]
"""(latents, number of the call, sigma) to the guided velocity."""


def shifted(sigma: Tensor) -> Tensor:
    """3 sigma / (1 + 2 sigma) (Esser et al. 2024, eq. 23 with shift 3)."""
    return SHIFT * sigma / (1 + (SHIFT - 1) * sigma)


def sigmas(steps: int) -> Tensor:
    """Noise levels [steps + 1] from 1 to 0. The shift is applied twice, as upstream does: to the range and in it."""
    last = float(shifted(torch.tensor(SMALLEST, dtype=torch.float64)))
    levels = shifted(torch.linspace(1.0, last, steps, dtype=torch.float64))
    return torch.cat([levels, levels.new_zeros(1)]).float()


def omega_factor(omega: float) -> float:
    """0.9 + 0.2 / (1 + exp(-omega / 10)): 1 at omega 0, 1.046 at upstream's default of 10."""
    return 0.9 + 0.2 / (1 + math.exp(-0.1 * omega))


def advance(x: Tensor, velocity: Tensor, step: float, omega: float, mean: Mean) -> Tensor:
    """x + m + w (dx - m), with dx = step * velocity and m its mean; all [batch, channels, height, frames].

    Differs from upstream by default: there m is over the whole batch, so that a clip depends on its batch mates; here
    it is over each row. `mean` "batch" gives upstream's.
    """
    moved = step * velocity
    centre = moved.mean() if mean == "batch" else moved.mean((1, 2, 3), keepdim=True)
    return x + (moved - centre) * omega_factor(omega) + centre


def euler(x: Tensor, levels: Tensor, velocity: Velocity, omega: float, mean: Mean) -> Tensor:
    """Latents at the last level: one call a step."""
    for call, (now, then) in enumerate(zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True)):
        x = advance(x, velocity(x, call, now), then - now, omega, mean)
    return x


def heun(x: Tensor, levels: Tensor, velocity: Velocity, omega: float, mean: Mean) -> Tensor:
    """Latents at the last level: two calls a step, their mean taken, and one for the last step."""
    for step, (now, then) in enumerate(zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True)):
        first = velocity(x, 2 * step, now)
        ahead = advance(x, first, then - now, omega, mean)
        if then == 0.0:
            return ahead
        second = velocity(ahead, 2 * step + 1, then)
        x = advance(x, (first + second) / 2, then - now, omega, mean)
    return x


def calls(steps: int, solver: str) -> int:
    """Calls that a solver makes for so many steps."""
    return steps if solver == "euler" else 2 * steps - 1


SOLVERS = {"euler": euler, "heun": heun}
