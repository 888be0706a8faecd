"""Drums: how much of the sound bursts out as noise."""

from __future__ import annotations

from typing import Final

import numpy as np

from tada_probes.signal import Array, decibel, frequencies, power, resample, silent

SIZE: Final = 1024
HOP: Final = 256
LOW: Final = 5000.0
HIGH: Final = 7900.0
"""Range in Hz where a hi-hat or a snare is and few partials of a pitched instrument are."""


def drums(samples: Array, rate: int) -> float:
    """Level of noise bursts between 5 and 7.9 kHz against the whole sound of samples [n], in dB; at least -60.

    The positive change of the band's power from frame to frame (spectral flux), weighted by the frame's spectral
    flatness (geometric over arithmetic mean: 1 for noise, near 0 for partials), so that bright strings count little.
    """
    x = resample(samples, rate)
    if silent(x):
        return -60.0
    spectra = power(x, SIZE, HOP)
    bins = frequencies(SIZE)
    band = spectra[:, (bins > LOW) & (bins < HIGH)]
    energy = band.sum(1)
    flatness = np.exp(np.log(band + 1e-14).mean(1)) / (band.mean(1) + 1e-14)
    bursts = float((flatness[1:] * np.maximum(np.diff(energy), 0.0)).mean())
    return decibel(bursts / float(spectra.sum(1).mean()))
