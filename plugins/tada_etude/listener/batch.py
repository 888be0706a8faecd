"""A batch of a step: clips as they are heard, their severity, and two captions each, one of them wrong in a word."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor

from tada_etude.decoder import EtudeDecoder
from tada_etude.listener.config import ListenerConfig
from tada_etude.listener.data import Dataset
from tada_etude.listener.front import FLOOR
from tada_etude.listener.objective import VALUES, code
from tada_etude.synth import Attributes, caption, named

SHIFT = 16
"""Frames, half a second, by which a clip may begin earlier or later."""


@attrs.frozen(eq=False)
class Batch:
    """The worsened clips come last, and have no captions: the damage may have made them false.

    Attributes:
        log_mel: [clips, bands, frames].
        severity: [clips].
        truth: codes of the clips that are not worsened, [sound, 6].
        texts: their captions, then as many that are wrong in one word (or right again where they say nothing).
        said: codes of the captions, [2 sound, 6].
    """

    log_mel: Tensor
    severity: Tensor
    truth: Tensor
    texts: list[str]
    said: Tensor


def draw_batch(dataset: Dataset, config: ListenerConfig, step: int) -> Batch:
    """The batch of a step, a pure function of the configuration and the step's number."""
    rng = np.random.default_rng((config.seed, step))
    indices = rng.choice(len(dataset.truth), config.batch, replace=config.batch > len(dataset.truth))
    sound = config.batch - round(config.worsened * config.batch)
    heard = torch.from_numpy(np.asarray(dataset.heard[indices[:sound]], np.float32))
    worse = torch.from_numpy(np.asarray(dataset.worse[indices[sound:]], np.float32))
    chosen = torch.from_numpy(rng.random(sound) < config.projected)
    heard = torch.where(chosen[:, None, None], project(heard, dataset.code), heard)
    severity = np.concatenate([np.zeros(sound, np.float32), dataset.severity[indices[sound:]]])
    texts, said = describe([dataset.truth[i] for i in indices[:sound]], rng)
    truth = torch.tensor([code(dataset.truth[i]) for i in indices[:sound]])
    return Batch(vary(torch.cat([heard, worse]), rng), torch.from_numpy(severity), truth, texts, said)


@torch.no_grad()
def project(log_mel: Tensor, decoder: EtudeDecoder) -> Tensor:
    """What etude's code keeps of log-mel [clips, bands, frames], same shape."""
    latents = ((decoder.patches(log_mel) - decoder.mean) @ decoder.components.T) / decoder.scale
    return decoder.decode_mel(latents.transpose(1, 2)).clamp(min=float(np.log(FLOOR)))


def vary(log_mel: Tensor, rng: np.random.Generator) -> Tensor:
    """The clips a little earlier or later, and louder or softer by up to 2.6 dB."""
    shifts = rng.integers(-SHIFT, SHIFT + 1, len(log_mel))
    moved = torch.stack([torch.roll(one, int(shift), -1) for one, shift in zip(log_mel, shifts, strict=True)])
    gain = torch.from_numpy(rng.uniform(-0.3, 0.3, (len(log_mel), 1, 1))).float()
    return (moved + gain).clamp(min=float(np.log(FLOOR)))


def describe(truth: list[Attributes], rng: np.random.Generator) -> tuple[list[str], Tensor]:
    """A caption of each clip, then one of each clip with one of the attributes it names changed; and their codes."""
    seeds = [int(seed) for seed in rng.integers(2**31, size=len(truth))]
    names = [named(seed) for seed in seeds]
    other = [change(one, said, rng) for one, said in zip(truth, names, strict=True)]
    texts = [caption(one, seed) for one, seed in zip([*truth, *other], seeds * 2, strict=True)]
    return texts, torch.tensor([code(one, said) for one, said in zip([*truth, *other], names * 2, strict=True)])


def change(attributes: Attributes, names: tuple[str, ...], rng: np.random.Generator) -> Attributes:
    """The attributes with another value for one of `names`; the same where there are none."""
    if not names:
        return attributes
    name = names[int(rng.integers(len(names)))]
    others = [value for value in VALUES[name] if value != getattr(attributes, name)]
    values: dict[str, Any] = {name: others[int(rng.integers(len(others)))]}
    return attrs.evolve(attributes, **values)
