"""Brightness: how much of the tone lies high above its pitch."""

from __future__ import annotations

from typing import Final

import numpy as np

from tada_probes.signal import Array, decibel, frequencies, power, resample, silent

SIZE: Final = 1024
HOP: Final = 256
BLOCK: Final = 16
"""Bins (250 Hz) over which the noise floor of a frame is taken."""

BAND: Final = (60.0, 6500.0)
EDGE: Final = 1000.0
"""Range of the measure and the edge between low and high, in Hz."""

TILT: Final = 3.0
"""Decibels taken off per octave that the tone lies above 512 Hz: a high note has more above the edge by itself."""


def brightness(samples: Array, rate: int) -> float:
    """Share of the tonal energy above 1 kHz in dB, less 3 dB for every octave of pitch; about -60 at the least.

    The alpha ratio (Sundberg and Nordenberg 2006, there 1-5 kHz over 50 Hz-1 kHz) of samples [n], made independent of
    register by the median frequency of the same spectrum, and of drums by taking twice the median of every 250 Hz of a
    frame, its noise floor, from the spectrum first.
    """
    x = resample(samples, rate)
    if silent(x):
        return -60.0
    spectrum = tonal(power(x, SIZE, HOP)).mean(0)
    bins = frequencies(SIZE)[: len(spectrum)]
    spectrum = spectrum * ((bins > BAND[0]) & (bins < BAND[1]))
    total = float(spectrum.sum())
    if total <= 0.0:
        return -60.0
    middle = float(np.interp(0.5, np.cumsum(spectrum) / total, bins))
    share = decibel(float(spectrum[bins > EDGE].sum()) / total)
    return share - TILT * float(np.log2(middle / 512.0))


def tonal(spectra: Array) -> Array:
    """Power spectra [frames, bins] less twice the median of each block of bins; an incomplete last block is dropped."""
    frames, bins = spectra.shape
    blocks = spectra[:, : bins // BLOCK * BLOCK].reshape(frames, -1, BLOCK)
    floor = np.partition(blocks, BLOCK // 2, axis=2)[:, :, BLOCK // 2, None]
    return np.asarray(np.maximum(blocks - 2.0 * floor, 0.0).reshape(frames, -1))
