"""What the network learns: to predict v = cos(t pi/2) noise - sin(t pi/2) latents (Salimans and Ho 2022)."""

from __future__ import annotations

import math
from typing import Final

import torch

from tada_etude.training.network import Network

NOISIEST: Final = (5.0, 80.0)
"""Range of the noise level, relative to the signal, in which the text decides what the clip will be."""


def times(batch: int, generator: torch.Generator, high: float) -> torch.Tensor:
    """Times [batch] in (0, 1): a share `high` with a log-uniform noise level tan(t pi/2) in NOISIEST, of the others

    60 % from sigmoid(N(0.4, 1)), where most of the sound is decided, the rest evenly spread. Below NOISIEST what the
    words say is evident from the noisy latents themselves, and nothing is learned about words.
    """
    normal = torch.sigmoid(0.4 + torch.randn(batch, generator=generator))
    even = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    even = even[torch.randperm(batch, generator=generator)]
    chosen = torch.where(torch.rand(batch, generator=generator) < 0.6, normal, even)
    low, top = (math.log(level) for level in NOISIEST)
    noisiest = torch.atan(torch.exp(low + (top - low) * torch.rand(batch, generator=generator))) * (2 / math.pi)
    chosen = torch.where(torch.rand(batch, generator=generator) < high, noisiest, chosen)
    return torch.clamp(chosen, 1e-3, 1 - 1e-3)


def mix(latents: torch.Tensor, noise: torch.Tensor, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The noisy latents and the v to predict, both [batch, channels, tokens], at `time` [batch]."""
    angle = (time * (math.pi / 2)).view(-1, 1, 1)
    return (
        torch.cos(angle) * latents + torch.sin(angle) * noise,
        torch.cos(angle) * noise - torch.sin(angle) * latents,
    )


def loss(
    network: Network,
    latents: torch.Tensor,
    texts: list[str],
    null: float,
    high: float,
    seconds: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Mean squared error of v over a batch.

    A share `null` of the cross-attention inputs is zeroed, as the pipeline's unconditional input is; three durations
    in ten are drawn from 1 to `seconds`, so that asking for a shorter clip changes nothing but its length. `high` is
    the share of the noisiest times.
    """
    batch = len(latents)
    short = torch.rand(batch, generator=generator) < 0.3
    end = torch.where(short, 1 + (seconds - 1) * torch.rand(batch, generator=generator), torch.tensor(seconds))
    cross, whole = network.condition(texts, end)
    kept = torch.rand(batch, generator=generator) >= null
    time = times(batch, generator, high)
    noisy, target = mix(latents, torch.randn(latents.shape, generator=generator), time)
    predicted = network.velocity(noisy, time, (cross * kept.view(-1, 1, 1), whole))
    return (predicted.float() - target).square().mean()
