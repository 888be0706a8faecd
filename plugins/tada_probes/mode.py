"""Mode: major or minor."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from tada_probes.signal import Array, frequencies, power, resample, silent

SIZE: Final = 8192
HOP: Final = 2048
LOWEST: Final = 48
HIGHEST: Final = 88
"""Range of pitches, as MIDI numbers: lower ones lie too close together for half a second to tell apart."""

KRUMHANSL: Final = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
TEMPERLEY: Final = (
    (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
)
"""How well each note fits a major and a minor key, from the tonic up (Krumhansl and Kessler 1982; Temperley 1999)."""


def mode(samples: Array, rate: int) -> float:
    """Best correlation with a major key less best one with a minor key, of samples [n], from -2 to 2; 0 in silence.

    Key finding by correlation (Krumhansl 1990) over all 24 keys, on the pitch classes of the whole clip. A key's
    profile is the mean of Krumhansl's and Temperley's, each brought to mean 0 and deviation 1.
    """
    x = resample(samples, rate)
    if silent(x):
        return 0.0
    return margin(chroma(x))


def chroma(samples: Array) -> Array:
    """Weight of the twelve pitch classes [12], C first, of samples [n] at RATE Hz.

    The peaks of half-second spectra are shared out to the semitones around them, the square root of the amplitude is
    taken so that quiet thirds count, and every frame has the same weight.
    """
    amplitude = np.sqrt(power(samples, SIZE, HOP))
    middle = amplitude[:, 1:-1]
    peaks = np.zeros_like(amplitude)
    peaks[:, 1:-1] = middle * ((middle > amplitude[:, :-2]) & (middle >= amplitude[:, 2:]))
    weight = (peaks[:, _span()] ** 2 @ _semitones()) ** 0.25
    weight /= np.linalg.norm(weight, axis=1, keepdims=True) + 1e-9
    return np.asarray(np.bincount(np.arange(LOWEST, HIGHEST + 1) % 12, weight.sum(0), minlength=12))


def margin(classes: Array) -> float:
    """Major less minor [-2, 2] for weights of pitch classes [12]; 0 where all are equal."""
    if np.ptp(classes) <= 0.0:
        return 0.0
    centred = (classes - classes.mean()) / classes.std()
    scores = _keys() @ centred / 12.0
    return float(scores[:12].max() - scores[12:].max())


@lru_cache(maxsize=1)
def _keys() -> Array:
    profiles = _standard(np.array(KRUMHANSL)) + _standard(np.array(TEMPERLEY))
    return _standard(np.array([np.roll(profile, key) for profile in profiles for key in range(12)]))


def _standard(rows: Array) -> Array:
    return np.asarray((rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True))


@lru_cache(maxsize=1)
def _span() -> slice:
    bins = frequencies(SIZE)
    low, high = 440.0 * 2.0 ** ((np.array([LOWEST - 1, HIGHEST + 1]) - 69) / 12.0)
    return slice(int(np.searchsorted(bins, low)), int(np.searchsorted(bins, high)))


@lru_cache(maxsize=1)
def _semitones() -> Array:
    pitch = 69.0 + 12.0 * np.log2(frequencies(SIZE)[_span()] / 440.0)
    return np.asarray(np.exp(-0.5 * ((pitch[:, None] - np.arange(LOWEST, HIGHEST + 1)) / 0.25) ** 2))
