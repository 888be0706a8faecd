"""The training set: what is heard of synthesised clips, and of the same clips made worse; made once, kept in a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from tada_etude.decoder import EtudeDecoder
from tada_etude.listener.config import ListenerConfig
from tada_etude.listener.damage import KINDS, damage
from tada_etude.listener.front import cut, spectra
from tada_etude.synth import Attributes, draw, render
from tada_etude.training.data import parallel

WEIGHTS: Final = Path(__file__).parents[1] / "weights"


@attrs.frozen(eq=False)
class Dataset:
    """Log-mel [clips, bands, frames] (float16) of the clips with seeds 0, 1, ..., and how bad the worse ones are.

    Attributes:
        heard: the clips, some of them decoded from their own latents.
        worse: the same clips, each damaged.
        severity: of the damage, [clips], 0 to 1.
        truth: what is true of each clip.
        code: etude's decoder.
    """

    heard: NDArray[np.float16]
    worse: NDArray[np.float16]
    severity: NDArray[np.float32]
    truth: tuple[Attributes, ...]
    code: EtudeDecoder


def load_dataset(config: ListenerConfig, folder: Path, report: Callable[[str], None] = print) -> Dataset:
    """The data set of a configuration, read from `folder` or synthesised there (about .1 s of a core a clip)."""
    path = folder / f"heard-{config.clips}-{config.decoded}.pt"
    if not path.exists():
        made = np.concatenate(list(parallel(partial(_sound, config.decoded), config.clips, report)))
        temporary = path.with_suffix(".part")
        torch.save(torch.from_numpy(made), temporary)
        temporary.replace(path)
    stored = torch.load(path, weights_only=True, mmap=True).numpy()
    severity = np.array([spoilt(seed)[1] for seed in range(config.clips)], np.float32)
    return Dataset(stored[:, 0], stored[:, 1], severity, tuple(map(draw, range(config.clips))), read_code())


def read_code() -> EtudeDecoder:
    """Etude's decoder as shipped."""
    code: EtudeDecoder = EtudeDecoder.from_pretrained(WEIGHTS / "vae")
    return code


def spoilt(seed: int) -> tuple[str, float, np.random.Generator]:
    """Kind and severity of the damage of a clip, and the generator that makes it."""
    rng = np.random.default_rng((seed, 9))
    return str(rng.choice(list(KINDS))), float(rng.random()), rng


def _sound(decoded: int, seeds: range) -> NDArray[np.float16]:
    code = read_code()
    return np.stack([_pair(seed, code, seed % decoded == 0) for seed in seeds])


@torch.no_grad()
def _pair(seed: int, code: EtudeDecoder, decoded: bool) -> NDArray[np.float16]:
    clip = render(draw(seed))
    if decoded:
        clip = code.decode(code.encode(torch.from_numpy(clip)[None, None]), return_dict=False)[0][0, 0].numpy()
    kind, severity, rng = spoilt(seed)
    both = (clip, damage(clip, kind, severity, rng, code))
    return np.asarray(spectra(torch.cat([cut(torch.from_numpy(one)) for one in both])).half())
