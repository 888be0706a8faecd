"""Phases for magnitudes: a first guess from the spectral peaks, then a few iterations of fast Griffin-Lim."""

from __future__ import annotations

import math

import torch

from tada_etude.spectrum import Frames


def peak_phase(magnitudes: torch.Tensor, hop: int, n_fft: int) -> torch.Tensor:
    """Phases [batch, bins, frames] of steady sines at the peaks of the magnitudes (same shape), deterministic.

    Every bin follows its nearest peak: the peak's phase advances with its interpolated frequency, and its neighbours
    alternate by pi, as the transform of a windowed sine does (Laroche and Dolson 1999, identity phase locking).
    """
    bins = magnitudes.shape[1]
    m = torch.log(magnitudes + 1e-7)
    inner, left, right = m[:, 1:-1], m[:, :-2], m[:, 2:]
    is_peak = torch.nn.functional.pad((inner >= left) & (inner > right), (0, 0, 1, 1))
    curve = torch.clamp(left - 2 * inner + right, max=-1e-4)
    offset = torch.nn.functional.pad(torch.clamp(0.5 * (left - right) / curve, -0.5, 0.5), (0, 0, 1, 1))
    index = torch.arange(bins, device=m.device).view(1, -1, 1).expand_as(m)
    below = torch.where(is_peak, index, torch.full_like(index, -bins)).cummax(1).values
    above = torch.where(is_peak, index, torch.full_like(index, 3 * bins)).flip(1).cummin(1).values.flip(1)
    peak = torch.where(index - below <= above - index, below, above).clamp(0, bins - 1)
    frequency = (peak + offset.gather(1, peak)) * (2 * math.pi * hop / n_fft)
    carried = torch.cumsum(frequency.double(), -1).remainder(2 * math.pi).gather(1, peak)
    return (carried - math.pi * (index - peak)).float()


def griffin_lim(frames: Frames, magnitudes: torch.Tensor, iterations: int, momentum: float) -> torch.Tensor:
    """Audio [batch, samples] for magnitudes [batch, bins, frames] (Perraudin et al. 2013, fast Griffin-Lim)."""
    spectrum = torch.polar(magnitudes, peak_phase(magnitudes, frames.hop, frames.n_fft))
    previous = torch.zeros_like(spectrum)
    for _ in range(iterations):
        rebuilt = frames.analyse(frames.synthesise(spectrum))
        ahead = rebuilt + momentum * (rebuilt - previous)
        spectrum = magnitudes * (ahead / torch.clamp(ahead.abs(), min=1e-9))
        previous = rebuilt
    return frames.synthesise(spectrum)
