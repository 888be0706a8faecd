"""What the listener hears: windows of four seconds at 16 kHz, all equally loud, as the log-mel that etude writes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from tada_etude.spectrum import Frames, mel_matrix

RATE: Final = 16000
WINDOW: Final = 65536
"""Samples of a window: the length of etude's clips, 4.096 s."""

SIZE: Final = 2048
HOP: Final = 512
BANDS: Final = 128
KNEE: Final = 200.0
FLOOR: Final = 1e-3
"""Bands and floor of etude's decoder, so that what its code keeps of a clip can be heard without decoding it."""

LEVEL: Final = 0.085
"""Root mean square that every clip is brought to: loudness is not heard."""

QUIET: Final = 1e-6
"""Root mean square below which a clip counts as silent."""


def silent(samples: Tensor) -> bool:
    """Whether samples [n] hold nothing to hear."""
    return float(samples.square().mean().sqrt()) < QUIET


def cut(samples: Tensor) -> Tensor:
    """Samples [n] at RATE as windows [windows, WINDOW] of equal loudness; silence stays silence.

    Windows follow one another, the last one ends where the clip ends. A clip shorter than a window is repeated.
    """
    if not silent(samples):
        samples = samples * (LEVEL / samples.square().mean().sqrt())
    if len(samples) < WINDOW:
        return samples.repeat(-(-WINDOW // len(samples)))[None, :WINDOW]
    starts = [*range(0, len(samples) - WINDOW, WINDOW), len(samples) - WINDOW]
    return torch.stack([samples[start : start + WINDOW] for start in starts])


def spectra(windows: Tensor) -> Tensor:
    """Natural logarithm of the mel magnitudes [windows, BANDS, frames] of windows [windows, samples], 32 ms a frame."""
    magnitudes = _frames().analyse(windows).abs()
    return torch.log((_mel() @ magnitudes).clamp(min=FLOOR))


@lru_cache(maxsize=1)
def _frames() -> Frames:
    return Frames(SIZE, HOP)


@lru_cache(maxsize=1)
def _mel() -> Tensor:
    return mel_matrix(BANDS, SIZE, RATE, KNEE)
