"""Synthesised clips with known attributes, and the same clips through etude's decoder."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import attrs
import numpy as np
import numpy.typing as npt
import torch

from tada_etude.decoder import EtudeDecoder
from tada_etude.synth import Attributes, draw, render

Clips = npt.NDArray[np.float32]


def synthesise(count: int, first: int) -> tuple[list[Attributes], Clips]:
    """Attributes of seeds `first`, `first` + 1, ..., drums in every other one, and their clips [count, samples]."""
    drawn = [attrs.evolve(draw(first + i), drums=i % 2 == 0) for i in range(count)]
    return drawn, np.stack([render(attributes) for attributes in drawn])


def decoder(folder: Path | None = None) -> EtudeDecoder:
    """Etude's decoder as shipped, or from another pipeline folder."""
    weights = folder or Path(str(files("tada_etude") / "weights"))
    return EtudeDecoder.from_pretrained(weights / "vae")


@torch.no_grad()
def round_trip(clips: Clips, code: EtudeDecoder, batch: int = 16) -> Clips:
    """Clips [count, samples] as the decoder makes them from their own latents: the best that a model can sound."""
    parts = [torch.from_numpy(clips[i : i + batch, None]) for i in range(0, len(clips), batch)]
    return np.concatenate([code.decode(code.encode(part)).sample[:, 0].numpy() for part in parts])


def measured(
    clips: Clips, measure: Callable[[npt.NDArray[np.float64], int], float], rate: int
) -> npt.NDArray[np.float64]:
    """`measure` of every clip [count]."""
    return np.array([measure(clip.astype(np.float64), rate) for clip in clips])
