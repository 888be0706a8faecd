"""Another sample rate: band-limited interpolation by a windowed sinc (Smith, Digital Audio Resampling, 1984-2002).

With its defaults it gives the numbers of torchaudio.functional.resample, which metrics were published with, and needs
nothing but torch.
"""

from __future__ import annotations

from math import ceil, gcd
from typing import TYPE_CHECKING

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 10_000_000
"""Taps of all phases together that are still worth computing; 44.1 to 48 kHz takes 27 000."""


def resample(samples: Tensor, rate: int, target: int, zeros: int = 6, rolloff: float = 0.99) -> Tensor:
    """Samples at `target` Hz: y(t) = sum_i x_i h(t - i / rate), h a sinc under a Hann window.

    Args:
        samples: [..., n] at `rate` Hz.
        rate, target: in Hz.
        zeros: zero crossings of the sinc on each side.
        rolloff: cut-off as a share of the lower Nyquist frequency.

    Returns:
        [..., ceil(n target / rate)]; `samples` itself where the rates are equal.

    Raises:
        SpecError: a rate is not positive, or the two have no ratio of small whole numbers.
    """
    from torch.nn import functional

    if rate <= 0 or target <= 0:
        raise SpecError(f"cannot resample from {rate} Hz to {target} Hz; rates are positive whole numbers")
    if rate == target:
        return samples
    up, down = target // gcd(rate, target), rate // gcd(rate, target)
    reach = ceil(zeros * down / (min(up, down) * rolloff))
    if up * (2 * reach + down) > LARGEST:
        raise SpecError(f"{rate} Hz has no small ratio to {target} Hz; give clips of a usual rate, such as 44100 Hz")
    taps = _taps(up, down, reach, zeros, rolloff).to(samples)
    flat = functional.pad(samples.reshape(-1, 1, samples.shape[-1]), (reach, reach + down))
    phases = functional.conv1d(flat, taps, stride=down)
    size = ceil(samples.shape[-1] * up / down)
    return phases.transpose(1, 2).reshape(*samples.shape[:-1], -1)[..., :size]


def _taps(up: int, down: int, reach: int, zeros: int, rolloff: float) -> Tensor:
    """The windowed sinc seen from each of the `up` phases, [up, 1, 2 reach + down]."""
    import torch

    place = torch.arange(-reach, reach + down, dtype=torch.float64) / down
    phase = torch.arange(up, dtype=torch.float64)[:, None] / up
    band = min(up, down) * rolloff
    away = ((place - phase) * band).clamp(-zeros, zeros)
    window = torch.cos(away * torch.pi / (2 * zeros)).square()
    return (torch.sinc(away) * window * (band / down))[:, None]
