"""What the network learns: to predict v = cos(t pi/2) noise - sin(t pi/2) latents (Salimans and Ho 2022)."""

from __future__ import annotations

import math

import torch

from tada_etude.training.network import Network


def times(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Times [batch] in (0, 1): 60 % from sigmoid(N(0.4, 1)), where most is decided, the rest evenly spread."""
    normal = torch.sigmoid(0.4 + torch.randn(batch, generator=generator))
    even = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    even = even[torch.randperm(batch, generator=generator)]
    chosen = torch.where(torch.rand(batch, generator=generator) < 0.6, normal, even)
    return torch.clamp(chosen, 1e-3, 1 - 1e-3)


def mix(latents: torch.Tensor, noise: torch.Tensor, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The noisy latents and the v to predict, both [batch, channels, tokens], at `time` [batch]."""
    angle = (time * (math.pi / 2)).view(-1, 1, 1)
    return (
        torch.cos(angle) * latents + torch.sin(angle) * noise,
        torch.cos(angle) * noise - torch.sin(angle) * latents,
    )


def loss(
    network: Network, latents: torch.Tensor, texts: list[str], null: float, seconds: float, generator: torch.Generator
) -> torch.Tensor:
    """Mean squared error of v over a batch.

    A share `null` of the cross-attention inputs is zeroed, as the pipeline's unconditional input is; three durations
    in ten are drawn from 1 to `seconds`, so that asking for a shorter clip changes nothing but its length.
    """
    batch = len(latents)
    short = torch.rand(batch, generator=generator) < 0.3
    end = torch.where(short, 1 + (seconds - 1) * torch.rand(batch, generator=generator), torch.tensor(seconds))
    cross, whole = network.condition(texts, end)
    kept = torch.rand(batch, generator=generator) >= null
    time = times(batch, generator)
    noisy, target = mix(latents, torch.randn(latents.shape, generator=generator), time)
    predicted = network.velocity(noisy, time, (cross * kept.view(-1, 1, 1), whole))
    return (predicted.float() - target).square().mean()
