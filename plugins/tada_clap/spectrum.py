"""The front end of laion-clap's HTSAT: windows of ten seconds at 48 kHz, and their log-mel spectra.

Differs from laion-clap: nothing is cropped at random or rounded to 16 bits, and the transform is an FFT, not a
convolution (2e-4 dB apart at most, 5e-6 dB in the mean).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

RATE: Final = 48000
WINDOW: Final = 10 * RATE
HOP: Final = 9 * RATE
SIZE: Final = 1024
STEP: Final = 480
BANDS: Final = 64
LOW, HIGH = 50.0, 14000.0
FLOOR: Final = 1e-10
"""Power under which a band is silent: -100 dB."""


def cut(samples: Tensor) -> Tensor:
    """Samples [n] at 48 kHz as windows [windows, 10 s]: one at every nine seconds that lie inside the clip.

    A window the clip does not fill repeats what it has as often as it fits whole; the rest is silence.
    """
    return torch.stack([_fill(samples[start : start + WINDOW]) for start in range(0, len(samples), HOP)])


def _fill(part: Tensor) -> Tensor:
    repeated = part.repeat(WINDOW // len(part))
    return functional.pad(repeated, (0, WINDOW - len(repeated)))


def spectra(windows: Tensor) -> Tensor:
    """Log-mel power [windows, 1, frames, BANDS] in dB of windows [windows, samples], 10 ms a frame."""
    bell = torch.hann_window(SIZE, device=windows.device)
    found = torch.stft(windows, SIZE, STEP, window=bell, pad_mode="reflect", return_complex=True)
    power = found.real.square() + found.imag.square()
    bands = power.transpose(1, 2) @ filters().to(windows.device)
    return (10.0 * torch.log10(bands.clamp(min=FLOOR)))[:, None]


@lru_cache(maxsize=1)
def filters() -> Tensor:
    """Slaney's mel filters [SIZE / 2 + 1, BANDS] from 50 Hz to 14 kHz, each of unit area."""
    from transformers.audio_utils import mel_filter_bank

    made = mel_filter_bank(SIZE // 2 + 1, BANDS, LOW, HIGH, RATE, norm="slaney", mel_scale="slaney")
    return torch.from_numpy(made).float()
