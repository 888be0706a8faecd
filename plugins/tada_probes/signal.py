"""What the probes share: one sampling rate and short-time power spectra."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RATE: Final = 16000
"""Every probe listens at this rate, in Hz, so that a number means the same for models of any rate."""

QUIET: Final = 1e-8
"""Root mean square below which a clip counts as silent."""


def resample(samples: npt.ArrayLike, rate: int) -> Array:
    """Samples [n] at `rate` Hz, band-limited and at RATE Hz [round(n RATE / rate)], by cutting or padding the spectrum.

    The clip is taken as one period, so its very ends may ring when it does not fade.
    """
    x = np.asarray(samples, np.float64)
    if rate == RATE:
        return x
    size = round(len(x) * RATE / rate)
    return np.asarray(np.fft.irfft(np.fft.rfft(x)[: size // 2 + 1], size) * (size / len(x)))


def silent(samples: Array) -> bool:
    """Whether samples [n] hold nothing to measure."""
    return len(samples) == 0 or float(np.sqrt(np.mean(samples**2))) < QUIET


def power(samples: Array, size: int, hop: int) -> Array:
    """Power spectra [frames, size // 2 + 1] of Hann windows of `size` samples centred every `hop` samples.

    Scaled so that a sine of amplitude 1 has power 1 at its peak.
    """
    padded = np.pad(samples, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectra = np.fft.rfft(frames * _hann(size))
    return np.asarray((spectra.real**2 + spectra.imag**2) * (4.0 / size) ** 2)


@lru_cache(maxsize=8)
def frequencies(size: int) -> Array:
    """Centre of each bin in Hz [size // 2 + 1] of spectra of `size` samples."""
    return np.asarray(np.fft.rfftfreq(size, 1.0 / RATE))


@lru_cache(maxsize=8)
def _hann(size: int) -> Array:
    return np.asarray(np.hanning(size + 1)[:-1])


def decibel(ratio: float, floor: float = -60.0) -> float:
    """10 log10(ratio), no lower than `floor` dB."""
    return float(max(10.0 * np.log10(max(ratio, 1e-30)), floor))
