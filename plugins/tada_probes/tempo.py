"""Tempo: how fast the beat goes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tada_probes.signal import RATE, Array, frequencies, power, resample, silent

SIZE: Final = 1024
HOP: Final = 200
FPS: Final = RATE / HOP
"""Values of the onset envelope per second."""

SLOWEST: Final = 45.0
FASTEST: Final = 220.0
CENTRE: Final = 110.0
SPREAD: Final = 1.5
"""Range of the beat in beats per minute; centre and spread (octaves) of the preference for a middle tempo."""


def tempo(samples: Array, rate: int) -> float:
    """Beats per minute of samples [n]; 0 for a silent clip.

    The product of a Fourier tempogram and the autocorrelation of one onset envelope: the first has its false peaks at
    multiples of the tempo, the second at its fractions, so the product keeps the tempo itself (Peeters 2007, "Template-
    based estimation of time-varying tempo"). The answer is the mean of log-tempo weighted by the fourth power of that
    product: continuous where two tempi compete. It follows a metre, with or without drums.
    """
    x = resample(samples, rate)
    if silent(x):
        return 0.0
    grid = beats()
    strength = pulse(onsets(x)) ** 4
    if not strength.any():
        return 0.0
    return float(2.0 ** (strength @ np.log2(grid) / strength.sum()))


def beats() -> Array:
    """Candidates [n] in beats per minute, 48 an octave."""
    return np.asarray(SLOWEST * 2.0 ** (np.arange(int(48 * np.log2(FASTEST / SLOWEST)) + 1) / 48))


def onsets(samples: Array) -> Array:
    """Onset envelope [frames], FPS a second: rise of log-power over 37 ms, summed over bands from 50 to 2500 Hz.

    Hi-hats lie above, so that they do not double the tempo.
    """
    bands = np.add.reduceat(power(samples, SIZE, HOP), _edges(), axis=1)[:, :-1]
    level = np.log(bands + 1e-3 * bands.max())
    rise = np.maximum(level[3:] - level[:-3], 0.0).sum(1)
    smooth = np.hanning(7)[1:-1]
    return np.asarray(np.convolve(rise, smooth / smooth.sum(), "same"))


def pulse(envelope: Array) -> Array:
    """Strength [candidates] of each tempo in an onset envelope [frames]."""
    size = len(envelope)
    centred = envelope - envelope.mean()
    spectrum = np.abs(_waves(size) @ (centred * np.hanning(size)))
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * size)) ** 2)[:size]
    correlation *= size / np.maximum(size - np.arange(size), size / 4)
    repeated = np.maximum(np.interp(60.0 * FPS / beats(), np.arange(size), correlation), 0.0)
    preference = np.exp(-0.5 * (np.log2(beats() / CENTRE) / SPREAD) ** 2)
    strength = spectrum * repeated * preference
    return np.asarray(strength / max(float(strength.max()), 1e-30))


@lru_cache(maxsize=1)
def _edges() -> npt.NDArray[np.intp]:
    return np.unique(np.searchsorted(frequencies(SIZE), 50.0 * 2.0 ** (np.arange(23) / 4)))


@lru_cache(maxsize=4)
def _waves(size: int) -> npt.NDArray[np.complex128]:
    return np.asarray(np.exp(-2j * np.pi * beats()[:, None] / 60.0 * np.arange(size) / FPS))
